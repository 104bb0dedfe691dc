/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A second wall around the guest, for the day the first one, the engine, has a hole: once a module is loaded
 * and all that it was granted is open, the process gives up for good what it does not need any more. What is
 * left to code that got out of the engine is what the guest had before: its folders and its standard streams,
 * and to look at the names of other files.
 */
#ifndef WAYBILL_RUNNER_SANDBOX_H
#define WAYBILL_RUNNER_SANDBOX_H

#include "base/buf.h"

enum runner_sandbox_mode {
    RUNNER_SANDBOX_OFF,
    RUNNER_SANDBOX_AUTO,    /* what the kernel offers; what is missing is said in the log */
    RUNNER_SANDBOX_REQUIRE, /* all layers or failure */
};

enum runner_sandbox_layer {
    RUNNER_SANDBOX_LANDLOCK,     /* no file but below the granted folders; no TCP (its version 4); no signals
                                    and abstract sockets to the outside (6) */
    RUNNER_SANDBOX_SECCOMP,      /* no programs, processes, sockets, namespaces, no new code */
    RUNNER_SANDBOX_NO_NEW_PRIVS, /* prctl(2), PR_SET_NO_NEW_PRIVS */
    RUNNER_SANDBOX_CAPABILITIES, /* none in any set, but for root's right to files of others
                                    (CAP_DAC_OVERRIDE) where a granted folder belongs to somebody else */
    RUNNER_SANDBOX_DESCRIPTORS,  /* nothing that was inherited or left open */
    RUNNER_SANDBOX_LAYERS
};

/* One folder that stays in reach. */
struct runner_sandbox_folder {
    int fd; /* open, O_PATH is enough */
    bool writable;
};

struct runner_sandbox_conf {
    enum runner_sandbox_mode mode;
    const struct runner_sandbox_folder *folders;
    size_t n_folders;
};

struct runner_sandbox_report {
    enum runner_sandbox_mode mode;
    int landlock_abi;                   /* its version, or 0 */
    bool dac_override;                  /* that capability was kept */
    int missing[RUNNER_SANDBOX_LAYERS]; /* 0: in force; else the errno that says why not */
};

/* runner_sandbox_close - the layer of descriptors: closes all but 0, 1, 2 and those of keep. Before the
 * engine is started, whose own must stay: what is open by then is the caller's, or inherited. Returns 0 or
 * the errno for runner_sandbox_enter. */
int runner_sandbox_close(const int *keep, size_t n_keep);

/* runner_sandbox_enter - puts all other layers in force, for all threads and to the end of the process.
 * descriptors: what runner_sandbox_close returned.  ret: filled, also after a failure. ERR_UNSUPPORTED: a
 * layer is missing, and the mode is RUNNER_SANDBOX_REQUIRE; the others are in force nevertheless. With
 * RUNNER_SANDBOX_OFF nothing is done. Thread: one call at a time. */
MUST_CHECK int runner_sandbox_enter(const struct runner_sandbox_conf *conf, int descriptors,
                                    struct runner_sandbox_report *ret, struct err *e);

/* runner_sandbox_probe - what runner_sandbox_enter would report, without giving anything up. */
void runner_sandbox_probe(enum runner_sandbox_mode mode, struct runner_sandbox_report *ret);

/* runner_sandbox_layer_name - "landlock", "seccomp", "no_new_privs", "capabilities", "descriptors". */
const char *runner_sandbox_layer_name(enum runner_sandbox_layer layer);

/* runner_sandbox_describe - appends one line about each layer without indentation: its name, a colon and
 * "in force" or "missing: " with the cause; of landlock its version. RUNNER_SANDBOX_OFF: "off". */
void runner_sandbox_describe(const struct runner_sandbox_report *report, struct buf *out);

#endif
