/* SPDX-License-Identifier: Apache-2.0 */
/* Shell completion, written from the verbs' own tables. */
#include "cli/cmd.h"

#include "cli/ui.h"

/* Calls `one` for each option of a verb. */
static void each_option(const struct cmd *cmd, struct buf *out,
                        void (*one)(const struct cmd *cmd, const struct opt *o, struct buf *out))
{
    struct cmd_group groups[CMD_GROUPS];
    size_t n = cmd_groups(cmd, groups);
    for (size_t g = 0; g < n; g++)
        for (size_t i = 0; i < groups[g].n; i++)
            one(cmd, &groups[g].table[i], out);
}

/* Help text as one line in single quotes; `quote` is how the shell writes a single quote inside them. */
static void quoted(struct buf *out, const char *text, const char *quote)
{
    buf_append_u8(out, '\'');
    for (; *text; text++) {
        if (*text == '\'')
            buf_append_str(out, quote);
        else if (*text == '\n')
            buf_append_u8(out, ' ');
        else
            buf_append_u8(out, (uint8_t)*text);
    }
    buf_append_u8(out, '\'');
}

/* A file is what most values and operands are. */
static bool wants_file(const struct opt *o)
{
    static const char *const metavars[] = {"FILE", "PUB", "KEY", "OUT", "NAME", "HOST[::GUEST][:rw]"};
    for (size_t i = 0; o->metavar && i < ARRAY_LEN(metavars); i++)
        if (strcmp(o->metavar, metavars[i]) == 0)
            return true;
    return false;
}

static void choices(const struct opt *o, struct buf *out)
{
    for (size_t i = 0; o->choices && o->choices[i]; i++)
        buf_printf(out, "%s%s", i ? " " : "", o->choices[i]);
}

static void bash_word(const struct cmd *cmd, const struct opt *o, struct buf *out)
{
    (void)cmd;
    buf_printf(out, " --%s", o->name);
    if (o->letter)
        buf_printf(out, " -%c", o->letter);
}

static void bash_choices(const struct cmd *cmd, const struct opt *o, struct buf *out)
{
    if (!o->choices)
        return;
    buf_printf(out, "    %s:--%s) COMPREPLY=($(compgen -W '", cmd->name, o->name);
    choices(o, out);
    buf_append_str(out, "' -- \"$cur\")); return ;;\n");
}

static void bash(struct buf *out)
{
    buf_append_str(out, "# bash completion for waybill: source it, or put it into bash-completion's folder\n"
                        "_waybill() {\n"
                        "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
                        "verb=${COMP_WORDS[1]} words=\n"
                        "    case $verb:$prev in\n");
    for (size_t i = 0; i < n_cmds; i++)
        if (!cmds[i]->hidden)
            each_option(cmds[i], out, bash_choices);
    buf_append_str(out, "    esac\n"
                        "    if [ \"$COMP_CWORD\" -eq 1 ]; then verb= words='--help");
    for (size_t i = 0; i < n_cmds; i++)
        if (!cmds[i]->hidden)
            buf_printf(out, " %s", cmds[i]->name);
    buf_append_str(out, "'; fi\n"
                        "    case $verb in\n");
    for (size_t i = 0; i < n_cmds; i++) {
        if (cmds[i]->hidden)
            continue;
        buf_printf(out, "    %s) words='", cmds[i]->name);
        each_option(cmds[i], out, bash_word);
        buf_append_str(out, "' ;;\n");
    }
    buf_append_str(out, "    esac\n"
                        "    if [ \"$COMP_CWORD\" -eq 1 ] || [[ $cur == -* ]]; then\n"
                        "        COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
                        "    else\n"
                        "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
                        "    fi\n"
                        "}\n"
                        "complete -o filenames -F _waybill waybill\n");
}

static void zsh_argument(const struct cmd *cmd, const struct opt *o, struct buf *out)
{
    (void)cmd;
    AUTO_DONE(buf) text = BUF_INIT(4096);
    bool many = o->type == OPT_LIST;
    for (int letter = 0; letter <= (o->letter != 0); letter++) {
        buf_reset(&text);
        buf_printf(&text, "%s%s", many ? "*" : "", letter ? "-" : "--");
        if (letter)
            buf_append_u8(&text, (uint8_t)o->letter);
        else
            buf_append_str(&text, o->name);
        buf_append_u8(&text, '[');
        for (const char *c = o->help; *c; c++) { /* brackets and colons mean something in a specification */
            if (strchr("[]:\\", *c))
                buf_append_u8(&text, '\\');
            buf_append_u8(&text, (uint8_t)*c);
        }
        buf_append_u8(&text, ']');
        if (o->choices) {
            buf_printf(&text, ":%s:(", o->name);
            choices(o, &text);
            buf_append_u8(&text, ')');
        } else if (o->metavar) {
            buf_printf(&text, ":%s:%s", o->name, wants_file(o) ? "_files" : "");
        }
        buf_append_str(out, " \\\n            ");
        quoted(out, buf_cstr(&text), "'\\''");
    }
}

static void zsh(struct buf *out)
{
    buf_append_str(out, "#compdef waybill\n"
                        "# zsh completion for waybill: put it into a folder of $fpath as _waybill\n"
                        "_waybill() {\n"
                        "    local -a verbs\n"
                        "    verbs=(\n");
    for (size_t i = 0; i < n_cmds; i++) {
        if (cmds[i]->hidden)
            continue;
        buf_append_str(out, "        ");
        AUTO_DONE(buf) text = BUF_INIT(4096);
        buf_printf(&text, "%s:%s", cmds[i]->name, cmds[i]->summary);
        quoted(out, buf_cstr(&text), "'\\''");
        buf_append_u8(out, '\n');
    }
    buf_append_str(out, "    )\n"
                        "    if (( CURRENT == 2 )); then\n"
                        "        _describe command verbs\n"
                        "        return\n"
                        "    fi\n"
                        "    local verb=$words[2]\n"
                        "    shift words\n"
                        "    (( CURRENT-- ))\n"
                        "    case $verb in\n");
    for (size_t i = 0; i < n_cmds; i++) {
        if (cmds[i]->hidden)
            continue;
        buf_printf(out, "    %s)\n        _arguments -s -S", cmds[i]->name);
        each_option(cmds[i], out, zsh_argument);
        buf_append_str(out, " \\\n            '*:file:_files'\n        ;;\n");
    }
    buf_append_str(
        out,
        "    esac\n"
        "}\n"
        "if [ \"$funcstack[1]\" = _waybill ]; then _waybill \"$@\"; else compdef _waybill waybill; fi\n");
}

static void fish_option(const struct cmd *cmd, const struct opt *o, struct buf *out)
{
    buf_printf(out, "complete -c waybill -n '__fish_seen_subcommand_from %s' -l %s", cmd->name, o->name);
    if (o->letter)
        buf_printf(out, " -s %c", o->letter);
    if (o->choices) {
        buf_append_str(out, " -x -a '");
        choices(o, out);
        buf_append_u8(out, '\'');
    } else if (o->metavar) {
        buf_append_str(out, wants_file(o) ? " -r -F" : " -x");
    }
    buf_append_str(out, " -d ");
    quoted(out, o->help, "\\'");
    buf_append_u8(out, '\n');
}

static void fish(struct buf *out)
{
    buf_append_str(out, "# fish completion for waybill: put it into a completions folder as waybill.fish\n");
    for (size_t i = 0; i < n_cmds; i++) {
        if (cmds[i]->hidden)
            continue;
        buf_printf(out, "complete -c waybill -f -n __fish_use_subcommand -a %s -d ", cmds[i]->name);
        quoted(out, cmds[i]->summary, "\\'");
        buf_append_u8(out, '\n');
        each_option(cmds[i], out, fish_option);
    }
}

static const struct {
    const char *name;
    void (*write)(struct buf *out);
} shells[] = {{"bash", bash}, {"zsh", zsh}, {"fish", fish}};

static int run(struct cmd_call *call, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    for (size_t i = 0; i < ARRAY_LEN(shells); i++) {
        if (strcmp(shells[i].name, call->operands[0]) != 0)
            continue;
        shells[i].write(&out);
        return ui_print(&out, e);
    }
    call->subject = call->operands[0];
    return err_set(e, ERR_USAGE, "no such shell: bash, zsh and fish are known");
}

const struct cmd cmd_completion = {
    .name = "completion",
    .operands = "SHELL",
    .summary = "print what a shell needs to complete commands",
    .about = "Prints a script that lets SHELL (bash, zsh or fish) complete the commands,\n"
             "options and files of waybill.\n",
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
