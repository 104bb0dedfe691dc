/* SPDX-License-Identifier: Apache-2.0 */
/* Cleanup attributes, hand-over and the few macros that every room uses. */
#ifndef WAYBILL_BASE_MACRO_H
#define WAYBILL_BASE_MACRO_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

#define MUST_CHECK           __attribute__((warn_unused_result))
#define PRINTF_LIKE(fmt, va) __attribute__((format(printf, fmt, va)))
#define ARRAY_LEN(a)         (sizeof(a) / sizeof((a)[0]))

/* DEFINE_AUTO(tag, free_fn) makes AUTO(tag) usable for `struct tag *` variables: free_fn runs at the end of
 * the scope and must accept NULL. */
#define DEFINE_AUTO(tag, free_fn)                 \
    static inline void auto_##tag##_free(void *p) \
    {                                             \
        free_fn(*(struct tag **)p);               \
    }                                             \
    struct tag
#define AUTO(tag) __attribute__((cleanup(auto_##tag##_free))) struct tag *
/* AUTO_DONE(tag): for embedded values; runs tag_done(&value) at the end of the scope. */
#define AUTO_DONE(tag) __attribute__((cleanup(tag##_done))) struct tag
#define AUTO_FREE      __attribute__((cleanup(auto_free))) /* char *, heap memory */
#define AUTO_FD        __attribute__((cleanup(auto_fd)))   /* int, -1 when empty */

/* TAKE(p): hands a pointer over: yields it and leaves NULL behind, so that the cleanup does nothing. */
#define TAKE(p)                      \
    (__extension__({                 \
        __typeof__(p) take_p_ = (p); \
        (p) = NULL;                  \
        take_p_;                     \
    }))
#define TAKE_FD(fd)          \
    (__extension__({         \
        int take_fd_ = (fd); \
        (fd) = -1;           \
        take_fd_;            \
    }))

static inline void auto_free(void *p)
{
    free(*(void **)p);
}

static inline void auto_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#endif
