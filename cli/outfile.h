/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file that is written at the end of a run. By then the process cannot open, make or rename files any more
 * (runner/sandbox.h), so a child process that was made before does it: it gets the bytes through a pipe, and
 * the file appears when they are said to be complete. It ends with its parent.
 */
#ifndef WAYBILL_CLI_OUTFILE_H
#define WAYBILL_CLI_OUTFILE_H

#include "base/io.h"

struct outfile {
    struct sink base;
    int data, answer; /* ends of pipes, to be kept open for it; -1: not open */
};

#define OUTFILE_INIT             \
    {                            \
        .data = -1, .answer = -1 \
    }

/* outfile_open - path: replaced at commit, mode 0600; that it can be written shows now. o: outfile_done by
 * the caller, whatever is returned. Before there are threads. ERR_IO, ERR_NOTFOUND. */
MUST_CHECK int outfile_open(struct outfile *o, const char *path, struct err *e);

/* outfile_done - without a commit there will be no file. */
void outfile_done(struct outfile *o);

#endif
