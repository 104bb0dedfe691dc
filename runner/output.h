/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to runner/: what a guest writes to its standard output and standard error. The engine writes to
 * the descriptors as they are, unless there is a limit, or one of them cannot be written to, which the
 * engine would pass over in silence: then what the guest writes goes through a pipe of ours, and a thread
 * that counts.
 */
#ifndef WAYBILL_RUNNER_OUTPUT_H
#define WAYBILL_RUNNER_OUTPUT_H

#include "runner/watchdog.h"

struct runner_output;

struct runner_pump {
    struct runner_output *output;
    pthread_t thread;
    bool running;
    int from, in; /* the pipe: our end and the guest's; -1 once closed */
    int to;       /* borrowed */
};

struct runner_output {
    int fds[2];                       /* where standard output and standard error go */
    int files[2];                     /* those of them that are closed with this; or -1 */
    struct runner_pump pumps[2];      /* of both, or of both together where they go to one file */
    struct runner_watchdog *watchdog; /* borrowed: told when the limit is reached */
    bool limited;
    uint64_t left; /* limited: bytes that may still be written to both */
    int failed;    /* errno of the first write that failed, 0 while none did */
    pthread_mutex_t lock;
};

/* runner_output_init - max: bytes, 0 for no limit. o: at a fixed address until runner_output_done. */
void runner_output_init(struct runner_output *o, uint64_t max, struct runner_watchdog *watchdog);

/* runner_output_set - makes a guest's standard output and standard error go to out and error, files that are
 * taken over; -1: this process's own. Once. Of what is over the limit the part that fits is written, and the
 * guest is ended. A guest sees a terminal as one only where there is no limit. ERR_IO, ERR_OTHER. */
MUST_CHECK int runner_output_set(struct runner_output *o, wasi_config_t *wasi, int out, int error,
                                 struct err *e);

/* runner_output_finish - writes the rest. The store is gone by then, the watchdog still runs. Returns 0, or
 * why (errno) some of the output was not written. */
int runner_output_finish(struct runner_output *o);

void runner_output_done(struct runner_output *o);

#endif
