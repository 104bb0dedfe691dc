/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams. A source gives bytes, a sink takes them and shows a result only on commit. Filters are sources and
 * sinks over another one, embedded by value and borrowed: whoever opened the inner stream closes it.
 *
 * A failure of a stream is the failure of the whole chain; after one, the only calls allowed are close and
 * abort.
 */
#ifndef WAYBILL_BASE_IO_H
#define WAYBILL_BASE_IO_H

#include "base/buf.h"
#include "base/hash.h"

struct source {
    /* read - up to cap (> 0) bytes into buf; *ret_n = 0 only at the end. */
    int (*read)(struct source *s, void *buf, size_t cap, size_t *ret_n, struct err *e);
    void (*close)(struct source *s); /* releases what the source owns; never fails; may be NULL */
};

struct sink {
    int (*write)(struct sink *s, struct bytes data, struct err *e);
    int (*commit)(struct sink *s,
                  struct err *e);  /* makes the result appear; nothing may be written after it */
    void (*abort)(struct sink *s); /* leaves no trace; harmless after commit; releases everything */
};

/* A thing that can be read from its start more than once, such as the body of an upload that may be retried.
 */
struct source_opener {
    int (*open)(void *ctx, struct source **ret, struct err *e); /* *ret stays ctx's until its close */
    void *ctx;
    uint64_t size; /* exact number of bytes that each opened source gives */
};

MUST_CHECK int source_read(struct source *s, void *buf, size_t cap, size_t *ret_n, struct err *e);
void source_close(struct source *s); /* takes NULL */

/* source_read_full - exactly n bytes; ERR_FORMAT "truncated" when the source ends before. */
MUST_CHECK int source_read_full(struct source *s, void *buf, size_t n, struct err *e);

/* source_read_all - appends everything that is left to out; ERR_LIMIT when that is more than out may hold. */
MUST_CHECK int source_read_all(struct source *s, struct buf *out, struct err *e);

MUST_CHECK int sink_write(struct sink *s, struct bytes data, struct err *e);
MUST_CHECK int sink_commit(struct sink *s, struct err *e);
void sink_abort(struct sink *s); /* takes NULL */

/* stream_copy - from to its end; neither commits nor closes. ret_n: bytes copied, may be NULL. */
MUST_CHECK int stream_copy(struct source *from, struct sink *to, uint64_t *ret_n, struct err *e);

/* A source over bytes that outlive it. */
struct source_bytes {
    struct source base;
    struct bytes rest;
};
struct source *source_bytes_init(struct source_bytes *s, struct bytes data);

/* A sink that appends to a buffer of the caller's; abort empties it. */
struct sink_buf {
    struct sink base;
    struct buf *out;
};
struct sink *sink_buf_init(struct sink_buf *s, struct buf *out);

/* A source that ends after exactly `size` bytes of the inner one: ERR_FORMAT when the inner one is shorter.
 * It never reads more than that from the inner source. */
struct source_limit {
    struct source base;
    struct source *inner;
    uint64_t left;
};
struct source *source_limit_init(struct source_limit *s, struct source *inner, uint64_t size);

/* A source that shows every byte read to `see` (hashing, copying aside, counting). */
struct source_tee {
    struct source base;
    struct source *inner;
    int (*see)(void *ctx, struct bytes data, struct err *e);
    void *ctx;
};
struct source *source_tee_init(struct source_tee *s, struct source *inner,
                               int (*see)(void *ctx, struct bytes data, struct err *e), void *ctx);

/* A sink that passes to the inner sink what has the given size and digest, and commits the inner one only if
 * both are right at the end: ERR_DIGEST otherwise, and as soon as a byte too many arrives. */
struct sink_verify {
    struct sink base;
    struct sink *inner;
    struct hash_state *hash;
    struct digest want;
    uint64_t size, seen;
};
MUST_CHECK int sink_verify_init(struct sink_verify *s, struct sink *inner, const struct digest *want,
                                uint64_t size, struct err *e);

/* Progress of a transfer: called now and then from the thread that moves the bytes. */
struct progress {
    void (*update)(struct progress *p, uint64_t done, uint64_t total);
};

/* A sink that reports to a progress (may be NULL) how far it is. */
struct sink_progress {
    struct sink base;
    struct sink *inner;
    struct progress *progress;
    uint64_t done, total;
};
struct sink *sink_progress_init(struct sink_progress *s, struct sink *inner, struct progress *p,
                                uint64_t total);

/* An opener whose sources report to a progress. */
struct opener_progress {
    struct source_opener inner;
    struct progress *progress;
    struct source_tee tee;
    struct source *open;
    uint64_t done;
};
struct source_opener opener_progress_init(struct opener_progress *o, struct source_opener inner,
                                          struct progress *p);

/* Parts of what another opener gives, one at a time: a part that begins where the last one ended costs no
 * second opening, any other a reading up to its start. Released with opener_part_done. */
struct opener_part {
    struct source base;
    struct source_opener inner;
    struct source *open; /* of inner, or NULL */
    uint64_t at;         /* where it is */
    uint64_t first, size, left;
};
void opener_part_init(struct opener_part *o, struct source_opener inner);
/* opener_part_of - the bytes from `first` on; ends the use of an earlier part. */
struct source_opener opener_part_of(struct opener_part *o, uint64_t first, uint64_t size);
void opener_part_done(struct opener_part *o);

/* An opener over bytes that outlive it. */
struct opener_bytes {
    struct bytes data;
    struct source_bytes source;
};
struct source_opener opener_bytes_init(struct opener_bytes *o, struct bytes data);

#endif
