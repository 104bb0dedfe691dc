/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line lets a guest have. */
#ifndef WAYBILL_CLI_GRANTS_H
#define WAYBILL_CLI_GRANTS_H

#include "cli/opt.h"
#include "runner/run.h"

/* The options that say what a guest may have, as they stand on the command line. */
struct grants_options {
    struct opt_list env, env_files, dirs;
    const char *stdin_file, *stdout_file, *stderr_file;
    uint64_t clock_ns;
    const char *seed;
    bool deterministic, insecure_proc;
};

/* Their rows in a verb's table; type has a struct grants_options `grants`. */
#define GRANTS_ROW(type, name, kind, member, metavar, help)                      \
    {                                                                            \
        name, 0, kind, false, offsetof(type, grants.member), metavar, help, NULL \
    }
#define GRANTS_ROWS(type)                                                                                    \
    GRANTS_ROW(type, "dir", OPT_LIST, dirs, "HOST[::GUEST][:rw]",                                            \
               "let the guest read a folder, with :rw write to it as\nwell; may be repeated"),               \
        GRANTS_ROW(type, "insecure-proc", OPT_FLAG, insecure_proc, NULL,                                     \
                   "let --dir name folders that show the kernel and all\nprocesses: /proc, /sys, /"),        \
        GRANTS_ROW(type, "env", OPT_LIST, env, "NAME[=VALUE]",                                               \
                   "set a variable of the guest's environment, which has\nno others; without a value "       \
                   "to what it is here"),                                                                    \
        GRANTS_ROW(type, "env-file", OPT_LIST, env_files, "FILE",                                            \
                   "set those of a file of NAME=VALUE lines; --env comes\nafter it; may be repeated"),       \
        GRANTS_ROW(type, "stdin", OPT_STRING, stdin_file, "FILE", "what the guest reads as standard input"), \
        GRANTS_ROW(type, "stdout", OPT_STRING, stdout_file, "FILE",                                          \
                   "where its standard output goes; made anew when the\nmodule is about to start"),          \
        GRANTS_ROW(type, "stderr", OPT_STRING, stderr_file, "FILE", "the same for its standard error"),      \
        GRANTS_ROW(type, "clock", OPT_NANOS, clock_ns, "RESOLUTION",                                         \
                   "let its clocks tell no less than this: 1ms, 1ns; 1us\nif not given"),                    \
        GRANTS_ROW(type, "deterministic", OPT_FLAG, deterministic, NULL,                                     \
                   "give it clocks and random numbers that are the same\nin each run"),                      \
        GRANTS_ROW(type, "seed", OPT_STRING, seed, "N",                                                      \
                   "what these random numbers are made of; 0 if not given")

struct grants {
    struct runner_grants runner; /* its arrays and their texts are owned by this struct */
    struct runner_dir *dirs;
    const char **argv;
    char **env;
};

/* grants_make - what the options come to. name: the guest's argv[0], borrowed.
 * args: n of them, for argv[1] and on, borrowed. Files of variables count before --env, and of each the later
 * before the earlier; a variable that is to be this process's own and is not there is not set, which the log
 * says. g: zeroed by the caller, released with grants_done also after a failure. ERR_USAGE, ERR_NOTFOUND and
 * ERR_CONFIG (a file of variables; SOURCE_DATE_EPOCH), ERR_NOMEM. */
MUST_CHECK int grants_make(struct grants *g, const struct grants_options *o, const char *name,
                           char *const *args, size_t n_args, struct err *e);
void grants_done(struct grants *g);

/* grants_check_outputs - ERR_USAGE when the guest's output would go to the file that the module is in.
 * module: its path, NULL where it is no file. */
MUST_CHECK int grants_check_outputs(const struct grants_options *o, const char *module, struct err *e);

#endif
