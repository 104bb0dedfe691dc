/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed slice of bytes, and a cursor that takes from its front with every length checked. */
#ifndef WAYBILL_BASE_BYTES_H
#define WAYBILL_BASE_BYTES_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct bytes {
    const uint8_t *ptr; /* borrowed; may be NULL when len is 0 */
    size_t len;
};

#define BYTES_NONE   ((struct bytes){NULL, 0})
#define BYTES_LIT(s) ((struct bytes){(const uint8_t *)(s), sizeof(s) - 1})
#define BYTES_ARR(a) ((struct bytes){(a), sizeof(a)})
/* For "%.*s": printf takes an int. */
#define BYTES_FMT(b) (int)((b).len > 4096 ? 4096 : (b).len), (const char *)(b).ptr

static inline struct bytes bytes_of(const void *ptr, size_t len)
{
    return (struct bytes){(const uint8_t *)ptr, len};
}

static inline struct bytes bytes_str(const char *s)
{
    return bytes_of(s, strlen(s));
}

static inline bool bytes_eq(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool bytes_eq_str(struct bytes a, const char *s)
{
    return bytes_eq(a, bytes_str(s));
}

static inline bool bytes_starts(struct bytes a, struct bytes prefix)
{
    return a.len >= prefix.len && (prefix.len == 0 || memcmp(a.ptr, prefix.ptr, prefix.len) == 0);
}

/* bytes_take - cuts the first n bytes off *b into *ret; false, with *b and *ret untouched, when fewer are
 * there. */
static inline bool bytes_take(struct bytes *b, size_t n, struct bytes *ret)
{
    if (b->len < n)
        return false;
    *ret = bytes_of(b->ptr, n);
    *b = bytes_of(n ? b->ptr + n : b->ptr, b->len - n);
    return true;
}

/* bytes_take_u8 - one byte. */
static inline bool bytes_take_u8(struct bytes *b, uint8_t *ret)
{
    struct bytes one;
    if (!bytes_take(b, 1, &one))
        return false;
    *ret = one.ptr[0];
    return true;
}

/* bytes_take_leb32 / _leb64 - an unsigned LEB128 number as WebAssembly writes it: at most 5 (10) bytes,
 * unused bits of the last byte zero; padding inside that bound is legal. WebAssembly core
 * specification 5.2.2. */
bool bytes_take_leb32(struct bytes *b, uint32_t *ret);
bool bytes_take_leb64(struct bytes *b, uint64_t *ret);

/* bytes_take_sleb64 - a signed LEB128 number of `bits` (33 or 64) bits. */
bool bytes_take_sleb(struct bytes *b, unsigned bits, int64_t *ret);

/* bytes_take_utf8 - one well-formed UTF-8 sequence (RFC 3629: no surrogates, no over-long forms); ret: its
 * code point. False, with *b untouched, when there is none at the front. */
bool bytes_take_utf8(struct bytes *b, uint32_t *ret);

/* bytes_trim - b without those of the characters in `blanks` that stand at its start or end. */
struct bytes bytes_trim(struct bytes b, const char *blanks);

/* bytes_is_utf8 - nothing but well-formed UTF-8. */
bool bytes_is_utf8(struct bytes b);

/* bytes_eq_ct - equality in constant time for equal lengths: for MACs and secrets. */
bool bytes_eq_ct(struct bytes a, struct bytes b);

/* leb32_write - the minimal LEB128 form of v; out: 5 bytes of room; returns how many it wrote. */
size_t leb32_write(uint8_t out[5], uint32_t v);

#endif
