/* SPDX-License-Identifier: Apache-2.0 */
#include "base/buf.h"

#include "base/secret.h"

#include <stdarg.h>
#include <stdio.h>

void mem_wipe(void *ptr, size_t len)
{
    if (ptr)
        explicit_bzero(ptr, len);
}

static void release(struct buf *b)
{
    if (b->secret)
        mem_wipe(b->ptr, b->cap);
    free(b->ptr);
}

void buf_done(struct buf *b)
{
    release(b);
    b->ptr = NULL;
    b->len = b->cap = 0;
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = 0;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n > b->max || b->len > b->max - n) {
        b->failed = ERR_LIMIT;
        return NULL;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap < 256 ? 256 : b->cap;
        while (cap < need)
            cap = cap > SIZE_MAX / 2 ? need : cap * 2;
        if (cap - 1 > b->max)
            cap = b->max + 1;
        uint8_t *ptr = malloc(cap);
        if (!ptr) {
            b->failed = ERR_NOMEM;
            return NULL;
        }
        if (b->len)
            memcpy(ptr, b->ptr, b->len);
        if (b->secret)
            secret_lock(ptr, cap);
        release(b);
        b->ptr = ptr;
        b->cap = cap;
    }
    return b->ptr + b->len;
}

void buf_append(struct buf *b, const void *ptr, size_t len)
{
    uint8_t *to = buf_reserve(b, len);
    if (!to)
        return;
    if (len)
        memcpy(to, ptr, len);
    b->len += len;
    b->ptr[b->len] = 0;
}

void buf_append_bytes(struct buf *b, struct bytes s)
{
    buf_append(b, s.ptr, s.len);
}

void buf_append_str(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_append_u8(struct buf *b, uint8_t v)
{
    buf_append(b, &v, 1);
}

void buf_append_leb32(struct buf *b, uint32_t v)
{
    uint8_t out[5];
    buf_append(b, out, leb32_write(out, v));
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0 && !b->failed)
        b->failed = ERR_LIMIT; /* longer than an int can say */
    uint8_t *to = n < 0 ? NULL : buf_reserve(b, (size_t)n);
    if (to) {
        (void)vsnprintf((char *)to, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
}

int buf_check(const struct buf *b, struct err *e)
{
    if (b->failed == ERR_LIMIT)
        return err_set(e, ERR_LIMIT, "larger than %zu bytes", b->max);
    return b->failed ? err_nomem(e) : 0;
}

char *buf_take_str(struct buf *b)
{
    if (!b->ptr)
        return b->failed ? NULL : strdup("");
    b->ptr[b->len] = 0;
    b->len = b->cap = 0;
    return (char *)TAKE(b->ptr);
}

const char *buf_cstr(const struct buf *b)
{
    if (!b->ptr)
        return "";
    b->ptr[b->len] = 0;
    return (const char *)b->ptr;
}
