/* SPDX-License-Identifier: Apache-2.0 */
/* What run tells of a guest beyond its output: figures, a core dump, a profile. */
#ifndef WAYBILL_CLI_OBSERVE_H
#define WAYBILL_CLI_OBSERVE_H

#include "cli/opt.h"
#include "cli/outfile.h"
#include "flow/obtain.h"
#include "runner/run.h"

struct observe_options {
    bool stats, source_lines;
    const char *coredump, *diagnose, *profile;
};

/* Their rows in a verb's table; type has a struct observe_options `observe`. */
#define OBSERVE_ROW(type, name, letter, kind, member, metavar, help)                   \
    {                                                                                  \
        name, letter, kind, false, offsetof(type, observe.member), metavar, help, NULL \
    }
#define OBSERVE_ROWS(type)                                                                                   \
    OBSERVE_ROW(type, "stats", 0, OPT_FLAG, stats, NULL,                                                     \
                "say at the end on stderr what it took: times, memory;\nas JSON with --json"),               \
        OBSERVE_ROW(type, "coredump", 0, OPT_STRING, coredump, "FILE",                                       \
                    "write a core dump of a guest that traps"),                                              \
        OBSERVE_ROW(type, "diagnose", 'D', OPT_STRING, diagnose, "coredump=FILE", "the same as --coredump"), \
        OBSERVE_ROW(type, "profile", 0, OPT_STRING, profile, "WAY",                                          \
                    "perfmap: name the guest's functions for perf;\nguest[,FILE[,INTERVAL]]: write for "     \
                    "Firefox's profiler\n"                                                                   \
                    "where it spends its time"),                                                             \
        OBSERVE_ROW(type, "source-lines", 0, OPT_FLAG, source_lines, NULL,                                   \
                    "say files and lines in the call stack of a trap,\nwhere the module has DWARF")

/* What is open for a run; zeroed before. */
struct observe {
    struct outfile coredump, profile;
    const char *coredump_path;
    char *profile_path; /* owned */
    int keep[4];
};

/* observe_open - reads the options, opens the files that they name and hands them to the runner's structs;
 * o: outlives the run, observe_done by the caller, whatever is returned. ERR_USAGE, and those of
 * outfile_open. */
MUST_CHECK int observe_open(struct observe *o, const struct observe_options *options,
                            struct runner_conf *conf, struct runner_grants *grants, struct err *e);
void observe_done(struct observe *o);

/* observe_report - on stderr: the files that there are now, and the figures. json: in that form. */
void observe_report(const struct observe *o, const struct observe_options *options,
                    const struct flow_artifact *artifact, const struct runner_result *result, bool json);

#endif
