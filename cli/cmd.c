/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/log.h"
#include "cli/ui.h"

const struct cmd *const cmds[] = {
    &cmd_push,       &cmd_pull,       &cmd_inspect, &cmd_keygen,  &cmd_key,    &cmd_sign,   &cmd_verify,
    &cmd_run,        &cmd_compile,    &cmd_tags,    &cmd_copy,    &cmd_tree,   &cmd_attach, &cmd_detach,
    &cmd_attest,     &cmd_provenance, &cmd_delete,  &cmd_login,   &cmd_logout, &cmd_policy, &cmd_cache,
    &cmd_completion, &cmd_version,    &cmd_help,    &cmd_options,
};
const size_t n_cmds = ARRAY_LEN(cmds);

#define COMMON(field) offsetof(struct cmd_common, field)
static const struct opt common_options[] = {
    {"verbose", 'v', OPT_FLAG, false, COMMON(verbose), NULL, "say on stderr what is being done", NULL},
    {"debug", 0, OPT_FLAG, false, COMMON(debug), NULL, "say more than --verbose does", NULL},
    {"help", 'h', OPT_FLAG, false, COMMON(help), NULL, "show this text", NULL},
};

#define NETWORK(field) offsetof(struct cmd_network, field)
static const struct opt network_options[] = {
    {"plain-http", 0, OPT_FLAG, false, NETWORK(plain_http), NULL,
     "speak HTTP to the registry; loopback needs no flag", NULL},
    {"ca-file", 0, OPT_STRING, false, NETWORK(ca_file), "FILE",
     "trust the certificates in this PEM file, and no others", NULL},
    {"cert", 0, OPT_STRING, false, NETWORK(cert), "FILE", "show the registry this client certificate (PEM)",
     NULL},
    {"cert-key", 0, OPT_STRING, false, NETWORK(cert_key), "FILE",
     "its key, where it is not in the same file (PEM)", NULL},
    {"insecure", 0, OPT_FLAG, false, NETWORK(insecure), NULL, "check no server's certificate", NULL},
    {"resolve", 0, OPT_LIST, false, NETWORK(resolve), "HOST:PORT:ADDR[:PORT]",
     "connect there for this host and port; may be repeated", NULL},
    {"via", 0, OPT_STRING, false, NETWORK(via), "ssh://[USER@]HOST[:PORT]",
     "reach the registry, and what it names, from that SSH\nserver", NULL},
    {"username", 0, OPT_STRING, false, NETWORK(username), "USER",
     "who we are at the registry; --password-stdin says how\nto prove it", NULL},
    {"password-stdin", 0, OPT_FLAG, false, NETWORK(password_stdin), NULL,
     "read the password from the first line of standard\ninput", NULL},
    {"auth-file", 0, OPT_STRING, false, NETWORK(auth_file), "FILE",
     "take credentials from this file alone, in the form of\ndocker's config.json or podman's auth.json",
     NULL},
};

#define TRUST(field) offsetof(struct cmd_trust, field)
static const struct opt trust_options[] = {
    {"key", 0, OPT_LIST, false, TRUST(keys), "PUB",
     "a public key to trust; may be repeated: one signature\nby one of them is enough", NULL},
    {"policy", 0, OPT_STRING, false, TRUST(policy), "FILE",
     "demand what this trust policy says; without keys, the\none in the settings", NULL},
    {"trusted-root", 0, OPT_STRING, false, TRUST(root), "FILE",
     "the authorities and logs of Sigstore to trust, for\nsignatures without a key", NULL},
    {"identity", 0, OPT_STRING, false, TRUST(identity), "SUBJECT",
     "who must stand behind a certificate, or which of the\nsigners it must be", NULL},
    {"identity-pattern", 0, OPT_STRING, false, TRUST(identity_pattern), "REGEX",
     "the same as a regular expression for the whole subject", NULL},
    {"issuer", 0, OPT_STRING, false, TRUST(issuer), "URL", "who must have vouched for that identity", NULL},
    {"trust-store", 0, OPT_LIST, false, TRUST(stores), "PATH",
     "certificates to trust, a file or a folder of them, for\nNotary signatures; may be repeated", NULL},
    {"signers", 0, OPT_STRING, false, TRUST(signers), "FILE",
     "keys to trust, as OpenSSH's allowed_signers has them", NULL},
    {"annotation", 0, OPT_LIST, false, TRUST(annotations), "KEY=VALUE",
     "must be signed along; may be repeated", NULL},
    {"insecure-ed25519ph", 0, OPT_FLAG, false, TRUST(ed25519ph), NULL,
     "take Ed25519 signatures over a mere hash, too", NULL},
    {"insecure-old-claims", 0, OPT_FLAG, false, TRUST(old_claims), NULL,
     "take claims of revisions that do not bind the module", NULL},
    {"now", 0, OPT_STRING, false, TRUST(now), "TIME",
     "what time to go by: 2026-11-21T12:00:00Z, or seconds\nsince 1970", NULL},
};

size_t cmd_groups(const struct cmd *cmd, struct cmd_group ret[CMD_GROUPS])
{
    size_t n = 0;
    ret[n++] = (struct cmd_group){cmd->options, cmd->n_options, "Options", NULL};
    if (cmd->network)
        ret[n++] =
            (struct cmd_group){network_options, ARRAY_LEN(network_options), "Network options", "network"};
    if (cmd->trust)
        ret[n++] = (struct cmd_group){trust_options, ARRAY_LEN(trust_options), "Trust options", "trust"};
    ret[n++] = (struct cmd_group){common_options, ARRAY_LEN(common_options), NULL, "common"};
    return n;
}

const struct cmd *cmd_find(const char *name)
{
    for (size_t i = 0; i < n_cmds; i++)
        if (strcmp(cmds[i]->name, name) == 0)
            return cmds[i];
    return NULL;
}

void cmd_usage(const struct cmd *cmd, struct buf *out)
{
    struct cmd_group groups[CMD_GROUPS];
    size_t n = cmd_groups(cmd, groups);
    buf_printf(out, "Usage: waybill %s [OPTIONS]%s%s\n\n%s\nOptions:\n", cmd->name, *cmd->operands ? " " : "",
               cmd->operands, cmd->about);
    opt_help(groups[0].table, groups[0].n, out);
    opt_help(groups[n - 1].table, groups[n - 1].n, out);
    for (size_t i = 1; i + 1 < n; i++) {
        buf_printf(out, "\n%s:\n", groups[i].title);
        opt_help(groups[i].table, groups[i].n, out);
    }
}

void cmd_usage_all(struct buf *out)
{
    buf_append_str(out, "Usage: waybill COMMAND [OPTIONS] [OPERANDS]\n\n"
                        "Push, pull, sign, verify and run WebAssembly from OCI registries.\n\nCommands:\n");
    for (size_t i = 0; i < n_cmds; i++)
        if (!cmds[i]->hidden)
            buf_printf(out, "  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
    buf_append_str(out,
                   "\n'waybill help COMMAND' shows the options of one; its manual is waybill-COMMAND(1).\n");
}

static int check_operands(const struct cmd *cmd, const struct cmd_call *call, struct err *e)
{
    if (call->n_operands < cmd->min_operands)
        return err_set(e, ERR_USAGE, "an operand is missing: %s", cmd->operands);
    if (call->n_operands > cmd->max_operands)
        return err_set(e, ERR_USAGE, "one operand too many: '%s'", call->operands[cmd->max_operands]);
    for (size_t i = 0; i < cmd->min_operands; i++)
        if (!*call->operands[i])
            return err_set(e, ERR_USAGE, "an operand is empty: %s", cmd->operands);
    return 0;
}

static int check_network(const struct cmd_network *n, struct err *e)
{
    const char *tls = n->ca_file ? "--ca-file" : n->cert ? "--cert" : n->insecure ? "--insecure" : NULL;
    if (n->cert_key && !n->cert)
        return err_set(e, ERR_USAGE, "--cert-key needs --cert");
    if (n->insecure && n->ca_file)
        return err_set(e, ERR_USAGE, "--insecure and --ca-file contradict each other");
    if (n->plain_http && tls)
        return err_set(e, ERR_USAGE, "--plain-http and %s contradict each other", tls);
    return 0;
}

static int print_usage(const struct cmd *cmd, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(64U << 10);
    if (cmd)
        cmd_usage(cmd, &out);
    else
        cmd_usage_all(&out);
    return ui_print(&out, e);
}

/* What the options say, or else the environment. */
static int set_log(const struct cmd_common *common, bool *ret_chatty, struct err *e)
{
    enum log_level level = common->debug ? LOG_DEBUG : common->verbose ? LOG_INFO : LOG_WARN;
    const char *text = getenv("WAYBILL_LOG");
    bool quiet = false;
    if (level == LOG_WARN && text && *text) {
        quiet = strcmp(text, "error") == 0;
        if (strcmp(text, "debug") == 0)
            level = LOG_DEBUG;
        else if (strcmp(text, "info") == 0)
            level = LOG_INFO;
        else if (!quiet && strcmp(text, "warn") != 0)
            return err_set(e, ERR_CONFIG, "WAYBILL_LOG: '%s' is none of error, warn, info and debug", text);
    }
    *ret_chatty = level != LOG_WARN;
    log_set_handler(quiet ? NULL : ui_log, NULL, level);
    return 0;
}

/* Parses into the structs of the sets (the verb's own first) and runs. */
static int parse_and_run(const struct cmd *cmd, const struct opt_set *sets, size_t n_sets,
                         const struct cmd_common *common, char **args, size_t n_args, struct cmd_call *call,
                         struct err *e)
{
    const struct opt_rules rules = {sets, n_sets, cmd->guest_operands};
    int r = opt_parse(&rules, args, n_args, &call->n_operands, e);
    if (r)
        return r;
    if (common->help)
        return print_usage(cmd, e);
    if ((r = opt_check_required(&sets[0], e)) || (r = check_network(call->network, e)) ||
        (r = check_operands(cmd, call, e)))
        return r;
    if ((r = set_log(common, &call->chatty, e)))
        return r;
    return cmd->run(call, e);
}

static int run_verb(const struct cmd *cmd, char **args, size_t n_args)
{
    struct err e = ERR_INIT;
    struct cmd_common common = {0};
    struct cmd_network network = {0};
    struct cmd_trust trust = {0};
    struct cmd_group groups[CMD_GROUPS];
    struct opt_set sets[CMD_GROUPS];
    size_t n = cmd_groups(cmd, groups), n_targets = 0;
    AUTO_FREE void *options = calloc(1, cmd->options_size ? cmd->options_size : 1);
    void *targets[CMD_GROUPS] = {options};
    if (cmd->network)
        targets[++n_targets] = &network;
    if (cmd->trust)
        targets[++n_targets] = &trust;
    targets[++n_targets] = &common;
    for (size_t i = 0; i < n; i++)
        sets[i] = (struct opt_set){groups[i].table, groups[i].n, targets[i]};
    struct cmd_call call = {.options = options, .network = &network, .trust = &trust, .operands = args};
    int r = options ? parse_and_run(cmd, sets, n, &common, args, n_args, &call, &e) : err_nomem(&e);
    if (r < 0)
        ui_error(cmd->name, call.subject, &e);
    for (size_t i = 0; options && i < n; i++)
        opt_done(&sets[i]);
    if (r >= 0)
        return r;
    return cmd->exit_status ? cmd->exit_status(r) : err_exit_status(r);
}

int cmd_main(size_t n_args, char **args)
{
    struct err e = ERR_INIT;
    const char *first = n_args ? args[0] : NULL;
    const struct cmd *cmd = NULL;
    int r;
    if (!first) {
        r = err_set(&e, ERR_USAGE, "a command is missing");
    } else if (strcmp(first, "--help") == 0 || strcmp(first, "-h") == 0) {
        r = print_usage(NULL, &e);
    } else {
        cmd = cmd_find(strcmp(first, "--version") == 0 ? "version" : first);
        if (cmd)
            return run_verb(cmd, args + 1, n_args - 1);
        r = err_set(&e, ERR_USAGE, *first == '-' ? "unknown option '%s'" : "unknown command '%s'", first);
    }
    if (r)
        ui_error(NULL, NULL, &e);
    return err_exit_status(r);
}
