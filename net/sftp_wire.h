/* SPDX-License-Identifier: Apache-2.0 */
/* Inside SFTP: packets, and which answer belongs to which request. All of it under the stream's lock. */
#ifndef WAYBILL_NET_SFTP_WIRE_H
#define WAYBILL_NET_SFTP_WIRE_H

#include "base/buf.h"
#include "net/sftp.h"

#include <pthread.h>

/* draft-ietf-secsh-filexfer-02, section 3 */
enum {
    SFTP_INIT = 1,
    SFTP_VERSION = 2,
    SFTP_OPEN = 3,
    SFTP_CLOSE = 4,
    SFTP_READ = 5,
    SFTP_WRITE = 6,
    SFTP_LSTAT = 7,
    SFTP_FSTAT = 8,
    SFTP_OPENDIR = 11,
    SFTP_READDIR = 12,
    SFTP_REMOVE = 13,
    SFTP_MKDIR = 14,
    SFTP_RMDIR = 15,
    SFTP_STAT = 17,
    SFTP_STATUS = 101,
    SFTP_HANDLE = 102,
    SFTP_DATA = 103,
    SFTP_NAME = 104,
    SFTP_ATTRS = 105,
    SFTP_EXTENDED = 200,
};

/* section 7 */
enum {
    SFTP_OK,
    SFTP_EOF,
    SFTP_NO_SUCH_FILE,
    SFTP_PERMISSION_DENIED,
    SFTP_FAILURE,
    SFTP_BAD_MESSAGE,
    SFTP_NO_CONNECTION,
    SFTP_CONNECTION_LOST,
    SFTP_OP_UNSUPPORTED,
};

/* A request that was sent, and its answer once that is here. */
struct net_sftp_call {
    struct net_sftp_call *next;
    uint32_t id;
    bool done, dropped; /* dropped: nobody wants the answer any more */
    uint8_t type;       /* of the answer */
    uint8_t *packet;    /* owned */
    struct bytes body;  /* of the answer, behind the id; in packet */
};

struct net_sftp {
    int fd;
    long timeout_ms;
    pthread_mutex_t lock;
    struct net_sftp_call *calls; /* not answered yet */
    uint32_t last_id;
    bool can_rename, can_sync; /* the extensions of OpenSSH */
    struct err failure;        /* what ended the stream */

    uint8_t head[4]; /* the packet that is coming in: its length, */
    uint8_t *packet; /* its bytes; owned */
    size_t have, want;
};

/* Building: into a buf. */
void net_sftp_put_u32(struct buf *b, uint32_t v);
void net_sftp_put_u64(struct buf *b, uint64_t v);
void net_sftp_put_string(struct buf *b, struct bytes s);

/* Reading: off the front; false when it is not there. */
bool net_sftp_take_u32(struct bytes *b, uint32_t *ret);
bool net_sftp_take_u64(struct bytes *b, uint64_t *ret);
bool net_sftp_take_string(struct bytes *b, struct bytes *ret);
bool net_sftp_take_attr(struct bytes *b, struct net_sftp_attr *ret);

/* net_sftp_begin - sends a request. args: what stands behind its id; its sticky failure is returned. data: a
 * last string of the arguments, not copied; or NULL. */
MUST_CHECK int net_sftp_begin(struct net_sftp *s, uint8_t type, const struct buf *args,
                              const struct bytes *data, struct net_sftp_call **ret, struct err *e);

/* net_sftp_await - until its answer is here. */
MUST_CHECK int net_sftp_await(struct net_sftp *s, struct net_sftp_call *call, struct err *e);

/* net_sftp_drop - its answer is not wanted (any more); takes NULL. */
void net_sftp_drop(struct net_sftp *s, struct net_sftp_call *call);

/* net_sftp_ask - both, and the answer is of the given type (or a STATUS of 0 where that is the type); else
 * the server's refusal, with `what` (escaped here) in front of its words. *ret_status: may be NULL; the code
 * of a refusal. *ret: NULL when only that matters; else dropped by the caller. */
MUST_CHECK int net_sftp_ask(struct net_sftp *s, uint8_t type, const struct buf *args, const char *what,
                            uint8_t answer, uint32_t *ret_status, struct net_sftp_call **ret, struct err *e);

/* net_sftp_status - what a STATUS (or something else, where one was due) means: 0 or a failure. */
int net_sftp_status(const struct net_sftp_call *call, const char *what, uint32_t *ret_status, struct err *e);

/* net_sftp_nonsense - an answer that is none. */
int net_sftp_nonsense(const char *what, struct err *e);

/* net_sftp_exists - whether something is there, under the lock; false also when nobody knows. */
bool net_sftp_exists(struct net_sftp *s, const char *path);

#endif
