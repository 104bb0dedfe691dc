/* SPDX-License-Identifier: Apache-2.0 */
/* Output: results on stdout, everything else on stderr, a progress bar on a terminal only. */
#ifndef WAYBILL_CLI_UI_H
#define WAYBILL_CLI_UI_H

#include "base/io.h"
#include "base/json.h"
#include "base/log.h"

#include <stdint.h>

/* Most bytes that one verb prints. */
#define UI_OUT_MAX (64U << 20)

/* ui_print - a verb's whole result to stdout, or (ui_print_to) to fd. ERR_IO when it cannot be written in
 * full, the buffer's own failure when it is not complete. */
MUST_CHECK int ui_print(const struct buf *out, struct err *e);
MUST_CHECK int ui_print_to(int fd, const struct buf *out, struct err *e);

/* ui_text - appends text that comes from elsewhere, escaped, at most 1 KiB of it. */
void ui_text(struct buf *out, struct bytes text);
void ui_text_str(struct buf *out, const char *text);

/* ui_json_begin - an object over `out` with its "schema" member ("waybill.push/1"); ui_json_end closes it. */
struct jout ui_json_begin(struct buf *out, const char *schema);
void ui_json_end(struct jout *w);

/* ui_error - "waybill: VERB SUBJECT: message", and where to read more when the command line was wrong.
 * verb and subject may be NULL. */
void ui_error(const char *verb, const char *subject, const struct err *e);

/* ui_log - a log_handler: to stderr. */
void ui_log(void *ctx, enum log_level level, const char *text);

/* A bar on stderr. */
struct ui_progress {
    struct progress base;
    const char *label;
    int64_t start_ms, drawn_ms; /* of the first byte and of the last drawing; 0: not yet */
    uint64_t from, last;        /* what was there at first, and what there is */
};

/* ui_progress_init - returns NULL (no progress wanted) unless `wanted` and stderr is a terminal.
 * ui_progress_done removes the bar again. */
struct progress *ui_progress_init(struct ui_progress *p, const char *label, bool wanted);
void ui_progress_done(struct ui_progress *p);

#endif
