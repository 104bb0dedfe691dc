/* SPDX-License-Identifier: Apache-2.0 */
/* The seam for verbs: a new one is one file cmd_<verb>.c with a `struct cmd`, and one row of cmds[] in cmd.c.
 */
#ifndef WAYBILL_CLI_CMD_H
#define WAYBILL_CLI_CMD_H

#include "cli/opt.h"

/* One call of a verb. */
struct cmd_call {
    const void *options; /* the verb's own struct, filled from the command line */
    char *const *operands;
    size_t n_operands;
    const struct cmd_network *network; /* of verbs with that flag */
    const struct cmd_trust *trust;     /* likewise */
    bool chatty; /* --verbose or --debug: log lines go to stderr, so a progress bar would be in their way */
    const char *subject; /* set by the verb: what a failure is about, or NULL */
};

struct cmd {
    const char *name;
    const char *operands; /* "FILE REF" */
    const char *summary;  /* one line without a full stop */
    const char *about;    /* for --help: paragraphs of lines of at most 78 characters, ends in '\n' */
    const struct opt *options;
    size_t n_options, options_size;
    size_t min_operands, max_operands;
    bool network;        /* it has the options of struct cmd_network */
    bool trust;          /* and of struct cmd_trust */
    bool guest_operands; /* what stands behind the first operand is the guest's */
    bool hidden;

    /* Returns the exit status, or a negative enum err_code with e set. */
    int (*run)(struct cmd_call *call, struct err *e);
    /* The exit status of a failure; NULL: err_exit_status. */
    int (*exit_status)(int code);
};

#define CMD_ANY SIZE_MAX

/* Rows that several tables share; `type` is the verb's struct and has a member of that name. */
#define CMD_JSON(type)                                                                           \
    {                                                                                            \
        "json", 0, OPT_FLAG, false, offsetof(type, json), NULL, "print the result as JSON", NULL \
    }
#define CMD_PLATFORM(type)                                                                   \
    {                                                                                        \
        "platform", 0, OPT_STRING, false, offsetof(type, platform), "OS/ARCH",               \
            "which manifest of an index: wasip1/wasm; else the one\nfor wasm is taken", NULL \
    }
#define CMD_COMPONENT(type)                                                            \
    {                                                                                  \
        "component", 0, OPT_STRING, false, offsetof(type, choice.component), "ID",     \
            "which component of a Spin application; the only one\nneeds no name", NULL \
    }
#define CMD_LAYER(type)                                                                    \
    {                                                                                      \
        "layer", 0, OPT_STRING, false, offsetof(type, choice.layer), "DIGEST|N",           \
            "which layer of several that are wasm: its digest or\nits place, from 1", NULL \
    }
#define CMD_QUIET(type)                                                                                   \
    {                                                                                                     \
        "quiet", 'q', OPT_FLAG, false, offsetof(type, quiet), NULL, "print nothing but REPO@DIGEST", NULL \
    }
#define CMD_PASSWORD(type)                                                                                  \
    {                                                                                                       \
        "password-fd", 0, OPT_STRING, false, offsetof(type, password_fd), "FD",                             \
            "read the password of the key from this descriptor,\nnot the environment or the terminal", NULL \
    }

extern const struct cmd *const cmds[];
extern const size_t n_cmds;

/* cmd_find - by name; NULL for an unknown one. */
const struct cmd *cmd_find(const char *name);

/* The options that every verb has. */
struct cmd_common {
    bool help, verbose, debug;
};

/* The options that every verb has which may speak to a registry. */
struct cmd_network {
    bool plain_http, insecure;
    const char *ca_file, *cert, *cert_key;
    struct opt_list resolve;
    const char *username, *auth_file;
    bool password_stdin;
    const char *via;
};

/* The options that every verb has which may verify: cli/trust.h. */
struct cmd_trust {
    const char *policy;
    struct opt_list keys, stores, annotations;
    const char *root, *identity, *identity_pattern, *issuer;
    const char *signers;
    const char *now;
    bool ed25519ph, old_claims;
};

/* The tables that make up a verb's options: its own, those of the network and of trust where it has them, the
 * common ones. */
struct cmd_group {
    const struct opt *table;
    size_t n;
    const char *title; /* for --help */
    const char *name;  /* of a group that is described in waybill.1; NULL: the verb's own */
};
#define CMD_GROUPS 4
size_t cmd_groups(const struct cmd *cmd, struct cmd_group ret[CMD_GROUPS]);

/* cmd_usage - appends the text of `waybill help VERB`; cmd_usage_all: of `waybill help`. */
void cmd_usage(const struct cmd *cmd, struct buf *out);
void cmd_usage_all(struct buf *out);

/* The variable that the engine takes its word about source lines from (runner_conf.source_lines). */
#define CMD_SOURCE_LINES "WASMTIME_BACKTRACE_DETAILS"

/* cmd_main - the whole program behind main's preparations: finds the verb, parses, runs, prints a failure
 * once. Returns the exit status. */
int cmd_main(size_t n_args, char **args);

extern const struct cmd cmd_copy, cmd_tree, cmd_attach, cmd_detach, cmd_attest, cmd_provenance, cmd_delete,
    cmd_cache, cmd_policy, cmd_key;
extern const struct cmd cmd_completion, cmd_tags, cmd_push, cmd_pull, cmd_inspect, cmd_keygen, cmd_sign,
    cmd_verify, cmd_run, cmd_compile, cmd_login, cmd_logout, cmd_version, cmd_help, cmd_options;

#endif
