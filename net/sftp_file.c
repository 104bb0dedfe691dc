/* SPDX-License-Identifier: Apache-2.0 */
/* Open files. Up to IN_FLIGHT requests of a file are on their way at once: 2 MiB, which fills 80 MB/s over a
 * way of 25 ms. */
#include "base/limits.h"
#include "net/sftp_wire.h"

#define IN_FLIGHT       64U
#define IN_FLIGHT_FIRST 4U
/* What every server takes (draft-ietf-secsh-filexfer-02, section 3). */
#define CHUNK 32768U

/* section 6.3 */
#define FLAG_READ  0x1U
#define FLAG_WRITE 0x2U
#define FLAG_CREAT 0x8U
#define FLAG_TRUNC 0x10U
#define FLAG_EXCL  0x20U

struct flight {
    struct net_sftp_call *call;
    uint32_t len; /* that were asked for, or are written */
};

struct net_sftp_file {
    struct net_sftp *s;
    char *path;        /* for messages */
    struct buf handle; /* as a string of the protocol */
    uint64_t at;       /* where the caller is */

    struct flight reads[IN_FLIGHT]; /* a ring, in the order of the file */
    unsigned first, n_reads, width;
    uint64_t ahead; /* where the next request begins */
    uint32_t chunk;
    struct net_sftp_call *current; /* the answer that is being handed out, */
    struct bytes rest;             /* and what is left of it */

    struct flight writes[IN_FLIGHT];
    unsigned first_write, n_writes;
    struct err failure; /* the first one of a write */
};

static uint32_t flags_of(unsigned flags)
{
    uint32_t r = 0;
    r |= flags & NET_SFTP_READ ? FLAG_READ : 0;
    r |= flags & NET_SFTP_WRITE ? FLAG_WRITE : 0;
    r |= flags & NET_SFTP_CREATE ? FLAG_CREAT : 0;
    r |= flags & NET_SFTP_TRUNCATE ? FLAG_TRUNC : 0;
    r |= flags & NET_SFTP_NEW ? FLAG_EXCL : 0;
    return r;
}

static int open_locked(struct net_sftp *s, struct net_sftp_file *f, unsigned flags, uint32_t mode,
                       struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    struct net_sftp_call *call;
    struct bytes handle;
    uint32_t status = SFTP_OK;
    net_sftp_put_string(&args, bytes_str(f->path));
    net_sftp_put_u32(&args, flags_of(flags));
    net_sftp_put_u32(&args, flags & NET_SFTP_CREATE ? 0x4U : 0); /* permissions follow */
    if (flags & NET_SFTP_CREATE)
        net_sftp_put_u32(&args, mode);
    int r = net_sftp_ask(s, SFTP_OPEN, &args, f->path, SFTP_HANDLE, &status, &call, e);
    if (r == ERR_IO && status == SFTP_FAILURE && (flags & NET_SFTP_NEW) && net_sftp_exists(s, f->path))
        return err_recode(e, ERR_EXISTS);
    if (r)
        return r;
    struct bytes body = call->body;
    if (net_sftp_take_string(&body, &handle)) {
        net_sftp_put_string(&f->handle, handle);
        r = buf_check(&f->handle, e);
    } else {
        r = net_sftp_nonsense(f->path, e);
    }
    net_sftp_drop(s, call);
    return r;
}

static void file_free(struct net_sftp_file *f)
{
    buf_done(&f->handle);
    free(f->path);
    free(f);
}

int net_sftp_file_open(struct net_sftp *s, const char *path, unsigned flags, uint32_t mode,
                       struct net_sftp_file **ret, struct err *e)
{
    struct net_sftp_file *f = calloc(1, sizeof(*f));
    if (!f)
        return err_nomem(e);
    f->s = s;
    f->chunk = CHUNK;
    f->width = IN_FLIGHT_FIRST;
    f->handle.max = LIMIT_SFTP_PACKET;
    f->path = strdup(path);
    int r = f->path ? 0 : err_nomem(e);
    if (r == 0) {
        (void)pthread_mutex_lock(&s->lock);
        r = open_locked(s, f, flags, mode, e);
        (void)pthread_mutex_unlock(&s->lock);
    }
    if (r) {
        file_free(f);
        return r;
    }
    *ret = f;
    return 0;
}

/* Forgets what was read ahead. */
static void forget(struct net_sftp_file *f)
{
    for (; f->n_reads > 0; f->n_reads--) {
        net_sftp_drop(f->s, f->reads[f->first].call);
        f->first = (f->first + 1) % IN_FLIGHT;
    }
    net_sftp_drop(f->s, TAKE(f->current));
    f->rest = BYTES_NONE;
    f->ahead = f->at;
}

static int ask_ahead(struct net_sftp_file *f, uint32_t len, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    struct flight *next = &f->reads[(f->first + f->n_reads) % IN_FLIGHT];
    buf_append_bytes(&args, buf_bytes(&f->handle));
    net_sftp_put_u64(&args, f->ahead);
    net_sftp_put_u32(&args, len);
    int r = net_sftp_begin(f->s, SFTP_READ, &args, NULL, &next->call, e);
    if (r)
        return r;
    next->len = len;
    f->ahead += len;
    f->n_reads++;
    return 0;
}

/* The next answer becomes the current one. *ret_end: there is none any more. */
static int next_answer(struct net_sftp_file *f, bool *ret_end, struct err *e)
{
    uint32_t status = SFTP_OK;
    const struct flight one = f->reads[f->first];
    int r = net_sftp_await(f->s, one.call, e);
    if (r)
        return r;
    f->first = (f->first + 1) % IN_FLIGHT;
    f->n_reads--;
    f->current = one.call;
    struct bytes body = one.call->body;
    if (one.call->type == SFTP_STATUS) {
        struct err problem = ERR_INIT;
        r = net_sftp_status(one.call, f->path, &status, &problem);
        *ret_end = status == SFTP_EOF;
        if (r == 0)
            return net_sftp_nonsense(f->path, e);
        if (!*ret_end)
            *e = problem;
        return *ret_end ? 0 : r;
    }
    if (one.call->type != SFTP_DATA || !net_sftp_take_string(&body, &f->rest) || f->rest.len == 0 ||
        f->rest.len > one.len)
        return net_sftp_nonsense(f->path, e);
    if (f->rest.len < one.len) {
        /* Less than was asked for is no end. What was asked for behind it does not fit any more. */
        struct net_sftp_call *current = TAKE(f->current);
        struct bytes rest = f->rest;
        uint64_t behind = f->at + rest.len;
        forget(f);
        f->current = current;
        f->rest = rest;
        f->ahead = behind;
    }
    return 0;
}

static int read_locked(struct net_sftp_file *f, bool ahead, void *buf, size_t cap, size_t *ret_n,
                       struct err *e)
{
    struct bytes part;
    bool end = false;
    if (f->rest.len == 0) {
        net_sftp_drop(f->s, TAKE(f->current));
        unsigned width = ahead ? f->width : 1;
        uint32_t len = ahead || cap > f->chunk ? f->chunk : (uint32_t)cap;
        while (f->n_reads < width) {
            int r = ask_ahead(f, len, e);
            if (r)
                return r;
        }
        f->width = f->width * 2 < IN_FLIGHT ? f->width * 2 : IN_FLIGHT;
        int r = next_answer(f, &end, e);
        if (r)
            return r;
        if (end) {
            forget(f);
            *ret_n = 0;
            return 0;
        }
    }
    (void)bytes_take(&f->rest, f->rest.len < cap ? f->rest.len : cap, &part);
    memcpy(buf, part.ptr, part.len);
    f->at += part.len;
    *ret_n = part.len;
    return 0;
}

int net_sftp_read(struct net_sftp_file *f, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    (void)pthread_mutex_lock(&f->s->lock);
    int r = read_locked(f, true, buf, cap, ret_n, e);
    (void)pthread_mutex_unlock(&f->s->lock);
    return r;
}

void net_sftp_seek(struct net_sftp_file *f, uint64_t offset)
{
    (void)pthread_mutex_lock(&f->s->lock);
    f->at = offset;
    forget(f);
    (void)pthread_mutex_unlock(&f->s->lock);
}

int net_sftp_pread(struct net_sftp_file *f, uint64_t offset, void *buf, size_t cap, size_t *ret_n,
                   struct err *e)
{
    (void)pthread_mutex_lock(&f->s->lock);
    f->at = offset;
    forget(f);
    int r = read_locked(f, false, buf, cap, ret_n, e);
    (void)pthread_mutex_unlock(&f->s->lock);
    return r;
}

/* Waits for the oldest write; its failure is kept. */
static int write_settle(struct net_sftp_file *f, struct err *e)
{
    struct flight *one = &f->writes[f->first_write];
    struct err problem = ERR_INIT;
    int r = net_sftp_await(f->s, one->call, e);
    if (r == 0 && net_sftp_status(one->call, f->path, NULL, &problem) && !f->failure.code)
        f->failure = problem;
    net_sftp_drop(f->s, one->call);
    f->first_write = (f->first_write + 1) % IN_FLIGHT;
    f->n_writes--;
    return r;
}

static int write_chunk(struct net_sftp_file *f, struct bytes data, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    while (f->n_writes > 0 && (f->n_writes == IN_FLIGHT || f->writes[f->first_write].call->done)) {
        int r = write_settle(f, e);
        if (r)
            return r;
    }
    if (f->failure.code) {
        *e = f->failure;
        return e->code;
    }
    struct flight *next = &f->writes[(f->first_write + f->n_writes) % IN_FLIGHT];
    buf_append_bytes(&args, buf_bytes(&f->handle));
    net_sftp_put_u64(&args, f->at);
    int r = net_sftp_begin(f->s, SFTP_WRITE, &args, &data, &next->call, e);
    if (r)
        return r;
    f->n_writes++;
    f->at += data.len;
    return 0;
}

int net_sftp_write(struct net_sftp_file *f, struct bytes data, struct err *e)
{
    struct bytes part;
    int r = 0;
    (void)pthread_mutex_lock(&f->s->lock);
    while (r == 0 && bytes_take(&data, data.len < CHUNK ? data.len : CHUNK, &part) && part.len)
        r = write_chunk(f, part, e);
    (void)pthread_mutex_unlock(&f->s->lock);
    return r;
}

static int flush_locked(struct net_sftp_file *f, struct err *e)
{
    int r = 0;
    while (r == 0 && f->n_writes > 0)
        r = write_settle(f, e);
    if (r == 0 && f->failure.code) {
        *e = f->failure;
        r = e->code;
    }
    return r;
}

int net_sftp_flush(struct net_sftp_file *f, struct err *e)
{
    (void)pthread_mutex_lock(&f->s->lock);
    int r = flush_locked(f, e);
    (void)pthread_mutex_unlock(&f->s->lock);
    return r;
}

int net_sftp_sync(struct net_sftp_file *f, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    (void)pthread_mutex_lock(&f->s->lock);
    int r = flush_locked(f, e);
    if (r == 0 && !f->s->can_sync)
        r = err_set(e, ERR_UNSUPPORTED, "the SFTP server has no fsync@openssh.com");
    if (r == 0) {
        net_sftp_put_string(&args, BYTES_LIT("fsync@openssh.com"));
        buf_append_bytes(&args, buf_bytes(&f->handle));
        r = net_sftp_ask(f->s, SFTP_EXTENDED, &args, f->path, SFTP_STATUS, NULL, NULL, e);
    }
    (void)pthread_mutex_unlock(&f->s->lock);
    return r;
}

int net_sftp_file_stat(struct net_sftp_file *f, struct net_sftp_attr *ret, struct err *e)
{
    struct net_sftp_call *call;
    (void)pthread_mutex_lock(&f->s->lock);
    int r = net_sftp_ask(f->s, SFTP_FSTAT, &f->handle, f->path, SFTP_ATTRS, NULL, &call, e);
    if (r == 0) {
        struct bytes body = call->body;
        if (!net_sftp_take_attr(&body, ret))
            r = net_sftp_nonsense(f->path, e);
        net_sftp_drop(f->s, call);
    }
    (void)pthread_mutex_unlock(&f->s->lock);
    return r;
}

/* wanted: the failures of writes, and of closing itself. */
static int file_close(struct net_sftp_file *f, bool wanted, struct err *e)
{
    struct net_sftp_call *call;
    struct err ignored = ERR_INIT;
    (void)pthread_mutex_lock(&f->s->lock);
    forget(f);
    int r = wanted ? flush_locked(f, e) : 0;
    for (; f->n_writes > 0; f->n_writes--) {
        net_sftp_drop(f->s, f->writes[f->first_write].call);
        f->first_write = (f->first_write + 1) % IN_FLIGHT;
    }
    if (r == 0 && wanted)
        r = net_sftp_ask(f->s, SFTP_CLOSE, &f->handle, f->path, SFTP_STATUS, NULL, NULL, e);
    else if (net_sftp_begin(f->s, SFTP_CLOSE, &f->handle, NULL, &call, &ignored) == 0)
        net_sftp_drop(f->s, call);
    (void)pthread_mutex_unlock(&f->s->lock);
    file_free(f);
    return r;
}

int net_sftp_file_close(struct net_sftp_file *f, struct err *e)
{
    return f ? file_close(f, true, e) : 0;
}

void net_sftp_file_drop(struct net_sftp_file *f)
{
    struct err ignored = ERR_INIT;
    if (f)
        (void)file_close(f, false, &ignored);
}
