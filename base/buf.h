/* SPDX-License-Identifier: Apache-2.0 */
/* An owned, growing buffer born with a hard maximum. A failure to grow is remembered, so that a run of
 * appends is checked once, at the end. */
#ifndef WAYBILL_BASE_BUF_H
#define WAYBILL_BASE_BUF_H

#include "base/bytes.h"
#include "base/err.h"

struct buf {
    uint8_t *ptr; /* owned; len bytes and always one NUL behind them once anything was appended */
    size_t len, cap;
    size_t max;  /* most bytes it may ever hold; less than SIZE_MAX */
    int failed;  /* 0, ERR_NOMEM or ERR_LIMIT: sticky */
    bool secret; /* wiped whenever memory is given back; not swapped where that may be locked */
};

#define BUF_INIT(max_)             \
    {                              \
        .ptr = NULL, .max = (max_) \
    }
#define BUF_SECRET_INIT(max_)                      \
    {                                              \
        .ptr = NULL, .max = (max_), .secret = true \
    }

void buf_done(struct buf *b);
void buf_reset(struct buf *b); /* forgets the content and a failure, keeps the memory */

/* buf_append* - add to the end; a failure is sticky and later calls do nothing. */
void buf_append(struct buf *b, const void *ptr, size_t len);
void buf_append_bytes(struct buf *b, struct bytes s);
void buf_append_str(struct buf *b, const char *s);
void buf_append_u8(struct buf *b, uint8_t v);
void buf_append_leb32(struct buf *b, uint32_t v);
void buf_printf(struct buf *b, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* buf_reserve - room for n more bytes at the end; returns where they go, or NULL (sticky failure). The caller
 * adds to len what it wrote. */
uint8_t *buf_reserve(struct buf *b, size_t n);

/* buf_check - 0, or the sticky failure with its message. */
MUST_CHECK int buf_check(const struct buf *b, struct err *e);

/* buf_take_str - hands the NUL-terminated content over (never NULL when buf_check passed); the caller frees
 * it. */
char *buf_take_str(struct buf *b);

/* buf_cstr - the content as a C string, borrowed until the next change; "" when empty. */
const char *buf_cstr(const struct buf *b);

static inline struct bytes buf_bytes(const struct buf *b)
{
    return bytes_of(b->ptr, b->len);
}

/* mem_wipe - overwrites secrets in a way that the compiler keeps. */
void mem_wipe(void *ptr, size_t len);

#endif
