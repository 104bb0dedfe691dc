/* SPDX-License-Identifier: Apache-2.0 */
/* help, and the hidden __options that the check of the man pages and shell completion read. */
#include "cli/cmd.h"
#include "cli/ui.h"

struct help_options {
    bool json;
};

static const struct opt options[] = {CMD_JSON(struct help_options)};

static const char *type_name(enum opt_type type)
{
    switch (type) {
    case OPT_FLAG: return "flag";
    case OPT_STRING: return "string";
    case OPT_LIST: return "list";
    case OPT_DURATION: return "duration";
    case OPT_NANOS: return "resolution";
    case OPT_SIZE: return "size";
    case OPT_COUNT: return "count";
    case OPT_ENUM: return "enum";
    }
    return "";
}

static void json_options(struct jout *w, const struct opt *table, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct opt *o = &table[i];
        jout_object(w, NULL);
        jout_string(w, "name", o->name);
        jout_bytes(w, "letter", bytes_of(&o->letter, o->letter ? 1 : 0));
        jout_string(w, "type", type_name(o->type));
        jout_string(w, "metavar", o->metavar);
        jout_bool(w, "required", o->required);
        jout_array(w, "choices");
        for (size_t c = 0; o->choices && o->choices[c]; c++)
            jout_string(w, NULL, o->choices[c]);
        jout_array_end(w);
        jout_string(w, "help", o->help);
        jout_object_end(w);
    }
}

static void json(struct buf *out, const struct cmd *only)
{
    struct jout w = ui_json_begin(out, "waybill.help/1");
    jout_array(&w, "commands");
    for (size_t i = 0; i < n_cmds; i++) {
        const struct cmd *cmd = cmds[i];
        if (only ? cmd != only : cmd->hidden)
            continue;
        jout_object(&w, NULL);
        jout_string(&w, "name", cmd->name);
        jout_string(&w, "operands", cmd->operands);
        jout_string(&w, "summary", cmd->summary);
        jout_array(&w, "options");
        struct cmd_group groups[CMD_GROUPS];
        size_t n = cmd_groups(cmd, groups);
        for (size_t g = 0; g < n; g++)
            json_options(&w, groups[g].table, groups[g].n);
        jout_array_end(&w);
        jout_object_end(&w);
    }
    jout_array_end(&w);
    ui_json_end(&w);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct help_options *o = call->options;
    const struct cmd *only = call->n_operands ? cmd_find(call->operands[0]) : NULL;
    if (call->n_operands && !only)
        return err_set(e, ERR_USAGE, "unknown command '%s'", call->operands[0]);
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json)
        json(&out, only);
    else if (only)
        cmd_usage(only, &out);
    else
        cmd_usage_all(&out);
    return ui_print(&out, e);
}

const struct cmd cmd_help = {
    .name = "help",
    .operands = "[COMMAND]",
    .summary = "show what a command does and its options",
    .about = "Shows what there is, or what one command does.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct help_options),
    .max_operands = 1,
    .run = run,
};

static void dump(struct buf *out, const char *verb, const struct cmd_group *group)
{
    for (size_t i = 0; i < group->n; i++) {
        const struct opt *o = &group->table[i];
        char letter[] = {'-', o->letter, '\0'};
        buf_printf(out, "%s %s --%s %s %s\n", verb, group->name ? group->name : "own", o->name, letter,
                   o->metavar ? o->metavar : "-");
    }
}

static int run_options(struct cmd_call *call, struct err *e)
{
    (void)call;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    for (size_t i = 0; i < n_cmds; i++) {
        if (cmds[i]->hidden)
            continue;
        struct cmd_group groups[CMD_GROUPS];
        size_t n = cmd_groups(cmds[i], groups);
        for (size_t g = 0; g < n; g++)
            dump(&out, cmds[i]->name, &groups[g]);
    }
    return ui_print(&out, e);
}

const struct cmd cmd_options = {
    .name = "__options",
    .operands = "",
    .summary = "",
    .about = "Prints one line per option: COMMAND GROUP LONG SHORT METAVAR, '-' for what\n"
             "there is none of. The groups: own, network, common.\n",
    .hidden = true,
    .run = run_options,
};
