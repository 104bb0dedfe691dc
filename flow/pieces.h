/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Private to flow: a big blob by several connections at once, in pieces that arrive in order.
 *
 * One connection is the rule: to a server that sends as fast as it can each further one costs time (1 GiB
 * over loopback by 1, 2, 4 connections: 1.7 to 2.1, 1.9 to 2.8, 2.7 to 3.4 s). Where the server gives each
 * connection a certain speed they gain (200 MB at 20 MB/s each: 11.5, 5.6, 2.6 s). So the first connection is
 * watched, and left when it proves slow.
 */
#ifndef WAYBILL_FLOW_PIECES_H
#define WAYBILL_FLOW_PIECES_H

#include "oci/endpoint.h"

/* When one connection is left for several. */
struct flow_pieces_rule {
    uint64_t size_min; /* of the blob */
    uint64_t left_min; /* of what is still to come */
    uint64_t rate;     /* bytes per second: who sends faster is not slow */
    int64_t watch_ms;  /* the rate is that over so long; 0: slow with the first byte */
    uint64_t piece;    /* bytes of one request */
};

/* The usual one. */
extern const struct flow_pieces_rule flow_pieces_usual;

/* A sink that passes everything on and watches how fast it comes; the time that the inner sink takes does not
 * count. When that is too slow its write fails with ERR_INTERRUPTED, having passed on what it got, and `slow`
 * says so. */
struct flow_watch {
    struct sink base;
    struct sink *inner;
    const struct flow_pieces_rule *rule; /* NULL: nothing is too slow */
    uint64_t left;                       /* bytes still to come */
    uint64_t came;                       /* bytes since `since` */
    int64_t since;                       /* nanoseconds, moved on by what the inner sink took; 0: not yet */
    bool slow;                           /* out */
};
/* flow_watch_init - size, have: of the blob, and of what came before. */
struct sink *flow_watch_init(struct flow_watch *w, struct sink *inner, const struct flow_pieces_rule *rule,
                             uint64_t size, uint64_t have);

/* flow_pieces_fetch - the bytes of a blob from `from` on, by up to four requests at a time. Only the caller's
 * thread writes to `to`, in order: after a failure it has got a part from `from` on, without gaps. At most
 * FLOW_PIECES_HELD pieces are in memory. ep: with a blob_part. Returns 0 or the failure of the first piece
 * that is missing (ERR_UNSUPPORTED: parts are not to be had), that of `to`, ERR_NOMEM. */
#define FLOW_PIECES_HELD 4U
MUST_CHECK int flow_pieces_fetch(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from,
                                 uint64_t piece, struct sink *to, struct err *e);

#endif
