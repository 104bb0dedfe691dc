/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/agent.h"

#include "base/limits.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/sshkey.h"
#include "sign/sshwire.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <time.h>

/* Section 5.1: numbers of messages; section 5.3: flags of SIGN_REQUEST. */
enum {
    AGENT_FAILURE = 5,
    AGENT_REQUEST_IDENTITIES = 11,
    AGENT_IDENTITIES_ANSWER = 12,
    AGENT_SIGN_REQUEST = 13,
    AGENT_SIGN_RESPONSE = 14,
};
#define FLAG_RSA_SHA2_256 2U
#define FLAG_RSA_SHA2_512 4U

struct sign_agent {
    int fd;
    int timeout_ms;
    int64_t deadline; /* of the answer that is waited for */
    struct buf key;   /* blob of the one that signs */
    const struct sign_alg *alg;
};

int sign_agent_new(int fd, int timeout_ms, struct sign_agent **ret, struct err *e)
{
    struct sign_agent *a = calloc(1, sizeof(*a));
    int flags = fcntl(fd, F_GETFL);
    if (!a || flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
        int r = a ? err_set_errno(e, ERR_IO, errno, "ssh-agent") : err_nomem(e);
        free(a);
        (void)close(fd);
        return r;
    }
    a->fd = fd;
    a->timeout_ms = timeout_ms ? timeout_ms : LIMIT_AGENT_MS;
    a->key = (struct buf)BUF_INIT(LIMIT_KEY_FILE);
    *ret = a;
    return 0;
}

void sign_agent_free(struct sign_agent *a)
{
    if (!a)
        return;
    (void)close(a->fd);
    buf_done(&a->key);
    free(a);
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int wait_for(const struct sign_agent *a, short events, struct err *e)
{
    struct pollfd p = {.fd = a->fd, .events = events};
    int64_t left = a->deadline - now_ms();
    int n = left > 0 ? poll(&p, 1, (int)left) : 0;
    if (n < 0 && errno != EINTR)
        return err_set_errno(e, ERR_IO, errno, "ssh-agent");
    return n ? 0 : err_set(e, ERR_TIMEOUT, "ssh-agent does not answer");
}

static int failed(struct err *e)
{
    return err_set_errno(e, ERR_IO, errno, "ssh-agent");
}

static bool is_soon(void)
{
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

static int send_all(const struct sign_agent *a, struct bytes rest, struct err *e)
{
    struct bytes done;
    while (rest.len) {
        ssize_t n = write(a->fd, rest.ptr, rest.len);
        if (n < 0 && !is_soon())
            return failed(e);
        (void)bytes_take(&rest, n > 0 ? (size_t)n : 0, &done);
        int r = n < 0 ? wait_for(a, POLLOUT, e) : 0;
        if (r)
            return r;
    }
    return 0;
}

/* Exactly n bytes more. */
static int receive(const struct sign_agent *a, size_t n, struct buf *out, struct err *e)
{
    uint8_t *to = buf_reserve(out, n);
    if (!to)
        return buf_check(out, e);
    for (size_t got = 0; got < n;) {
        ssize_t k = read(a->fd, to + got, n - got);
        if (k == 0)
            return err_set(e, ERR_FORMAT, "ssh-agent ended the connection");
        if (k < 0 && !is_soon())
            return failed(e);
        if (k > 0)
            got += (size_t)k;
        int r = k < 0 ? wait_for(a, POLLIN, e) : 0;
        if (r)
            return r;
    }
    out->len += n;
    return 0;
}

static int malformed(struct err *e)
{
    return err_set(e, ERR_FORMAT, "ssh-agent: a malformed answer");
}

/* One message there and one back; *ret_body: what is behind the answer's type, borrowed from answer. */
static int ask(struct sign_agent *a, struct bytes request, uint8_t want, struct buf *answer,
               struct bytes *ret_body, struct err *e)
{
    AUTO_DONE(buf) framed = BUF_INIT(LIMIT_AGENT_MESSAGE + 4);
    AUTO_DONE(buf) head = BUF_INIT(4);
    uint32_t len;
    uint8_t type = 0;
    a->deadline = now_ms() + a->timeout_ms;
    sign_sshwire_put_string(&framed, request);
    int r = buf_check(&framed, e);
    if (!r)
        r = send_all(a, buf_bytes(&framed), e);
    if (!r)
        r = receive(a, 4, &head, e);
    if (r)
        return r;
    struct bytes four = buf_bytes(&head);
    (void)sign_sshwire_take_u32(&four, &len);
    if (len > LIMIT_AGENT_MESSAGE)
        return err_set(e, ERR_LIMIT, "ssh-agent: an answer of %u bytes", len);
    if (len == 0)
        return malformed(e);
    if ((r = receive(a, len, answer, e)))
        return r;
    *ret_body = buf_bytes(answer);
    (void)bytes_take_u8(ret_body, &type);
    if (type == AGENT_FAILURE)
        return err_set(e, ERR_AUTH, "ssh-agent refuses");
    return type == want ? 0 : malformed(e);
}

static int see_one(struct bytes *list,
                   int (*see)(void *, const struct sign_key *, struct bytes, struct err *), void *ctx,
                   struct err *e)
{
    AUTO(sign_key) k = NULL;
    struct err why = ERR_INIT;
    struct bytes blob, comment;
    if (!sign_sshwire_take_string(list, &blob) || !sign_sshwire_take_string(list, &comment))
        return malformed(e);
    int r = sign_sshkey_read(blob, &k, &why); /* the others are of no use here */
    if (r == ERR_NOMEM)
        return err_nomem(e);
    return r ? 0 : see(ctx, k, comment, e);
}

int sign_agent_see(struct sign_agent *a,
                   int (*see)(void *ctx, const struct sign_key *key, struct bytes comment, struct err *e),
                   void *ctx, struct err *e)
{
    AUTO_DONE(buf) answer = BUF_INIT(LIMIT_AGENT_MESSAGE);
    const uint8_t request = AGENT_REQUEST_IDENTITIES;
    struct bytes list = BYTES_NONE;
    uint32_t n;
    int r = ask(a, bytes_of(&request, 1), AGENT_IDENTITIES_ANSWER, &answer, &list, e);
    if (r)
        return r;
    if (!sign_sshwire_take_u32(&list, &n))
        return malformed(e);
    if (n > LIMIT_AGENT_KEYS)
        return err_set(e, ERR_LIMIT, "ssh-agent: %u keys", n);
    for (; !r && n; n--)
        r = see_one(&list, see, ctx, e);
    return r || !list.len ? r : malformed(e);
}

static int ask_to_sign(struct sign_agent *a, uint32_t flags, struct bytes message, struct buf *answer,
                       struct bytes *ret_blob, struct err *e)
{
    AUTO_DONE(buf) request = BUF_INIT(LIMIT_AGENT_MESSAGE);
    struct bytes body = BYTES_NONE;
    buf_append_u8(&request, AGENT_SIGN_REQUEST);
    sign_sshwire_put_string(&request, buf_bytes(&a->key));
    sign_sshwire_put_string(&request, message);
    sign_sshwire_put_u32(&request, flags);
    int r = buf_check(&request, e);
    if (r)
        return err_wrap(e, "ssh-agent: what is to be signed");
    r = ask(a, buf_bytes(&request), AGENT_SIGN_RESPONSE, answer, &body, e);
    if (r)
        return r;
    return sign_sshwire_take_string(&body, ret_blob) && !body.len ? 0 : malformed(e);
}

static void put_der(struct bytes rs, struct buf *out)
{
    AUTO_DONE(buf) seq = BUF_INIT(256);
    const size_t half = rs.len / 2;
    sign_der_put_uint(&seq, bytes_of(rs.ptr, half));
    sign_der_put_uint(&seq, bytes_of(rs.ptr + half, half));
    if (seq.failed)
        out->failed = seq.failed;
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&seq));
}

/* What the agent is to be asked for so that the scheme comes out; false: it cannot. */
static bool flags_for(const struct sign_agent *a, struct sign_scheme scheme, uint32_t *ret)
{
    *ret = 0;
    switch (scheme.mode) {
    case SIGN_MODE_ED25519: return true;
    case SIGN_MODE_ECDSA_DER:
    case SIGN_MODE_ECDSA_RAW: return scheme.hash == a->alg->scheme.hash;
    case SIGN_MODE_RSA_PKCS1:
        *ret = scheme.hash == HASH_SHA512 ? FLAG_RSA_SHA2_512 : FLAG_RSA_SHA2_256;
        return scheme.hash == HASH_SHA512 || scheme.hash == HASH_SHA256;
    case SIGN_MODE_ED25519PH:
    case SIGN_MODE_RSA_PSS: return false;
    }
    return false;
}

static int agent_sign(void *ctx, struct sign_scheme scheme, struct bytes message, struct buf *out,
                      struct err *e)
{
    struct sign_agent *a = ctx;
    AUTO_DONE(buf) answer = BUF_INIT(LIMIT_AGENT_MESSAGE);
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO(sign_key) k = NULL;
    struct sign_scheme made;
    struct bytes blob;
    uint32_t flags;
    if (!flags_for(a, scheme, &flags))
        return err_set(e, ERR_UNSUPPORTED, "ssh-agent makes no such signatures");
    int r = sign_sshkey_read(buf_bytes(&a->key), &k, e);
    if (!r)
        r = ask_to_sign(a, flags, message, &answer, &blob, e);
    if (!r)
        r = sign_sshkey_read_signature(k, blob, &made, &raw, e);
    if (r)
        return r;
    if (scheme.mode != SIGN_MODE_ED25519 && made.hash != scheme.hash)
        return err_set(e, ERR_UNSUPPORTED, "ssh-agent signs with %s where %s was asked for",
                       hash_name(made.hash), hash_name(scheme.hash));
    if (scheme.mode == SIGN_MODE_ECDSA_DER)
        put_der(buf_bytes(&raw), out);
    else
        buf_append_bytes(out, buf_bytes(&raw));
    return buf_check(out, e);
}

static void agent_free(void *ctx)
{
    sign_agent_free(ctx);
}

struct search {
    const struct sign_key *key; /* or */
    const char *fingerprint;
    struct buf found; /* blob */
};

static int look(void *ctx, const struct sign_key *key, struct bytes comment, struct err *e)
{
    struct search *s = ctx;
    AUTO_DONE(buf) blob = BUF_INIT(LIMIT_KEY_FILE);
    char id[SIGN_SSH_FINGERPRINT_MAX];
    (void)comment;
    sign_sshkey_put(key, &blob);
    int r = buf_check(&blob, e);
    if (r || s->found.len)
        return r;
    if (s->key ? sign_key_eq(s->key, key)
               : strcmp(s->fingerprint, sign_sshkey_fingerprint(buf_bytes(&blob), id)) == 0)
        buf_append_bytes(&s->found, buf_bytes(&blob));
    return buf_check(&s->found, e);
}

static int find(struct sign_agent *agent, struct search *s, const char *name, struct sign_key **ret,
                struct err *e)
{
    AUTO(sign_agent) a = agent;
    AUTO(sign_key) public_key = NULL;
    AUTO(sign_key) k = NULL;
    int r = sign_agent_see(a, look, s, e);
    if (!r && !s->found.len)
        r = err_set(e, ERR_NOTFOUND, "ssh-agent does not have the key %s", name);
    if (!r)
        r = sign_sshkey_read(buf_bytes(&s->found), &public_key, e);
    if (r)
        return r;
    buf_append_bytes(&a->key, buf_bytes(&s->found));
    if ((r = buf_check(&a->key, e)))
        return r;
    a->alg = public_key->alg;
    const struct sign_external external = {agent_sign, agent_free, TAKE(a)};
    r = sign_key_new_external(public_key->alg, sign_key_public(public_key), &external, &k, e);
    if (!r)
        r = sign_key_rename(k, name, e);
    if (!r)
        *ret = TAKE(k);
    return r;
}

int sign_agent_key(struct sign_agent *a, const struct sign_key *public_key, const char *name,
                   struct sign_key **ret, struct err *e)
{
    struct search s = {.key = public_key, .found = BUF_INIT(LIMIT_KEY_FILE)};
    int r = find(a, &s, name, ret, e);
    buf_done(&s.found);
    return r;
}

int sign_agent_find(struct sign_agent *a, const char *fingerprint, const char *name, struct sign_key **ret,
                    struct err *e)
{
    struct search s = {.fingerprint = fingerprint, .found = BUF_INIT(LIMIT_KEY_FILE)};
    if (strncmp(fingerprint, "SHA256:", 7) != 0) {
        sign_agent_free(a);
        return err_set(e, ERR_USAGE, "'%s' is no fingerprint as ssh-add -l shows it: SHA256:...",
                       fingerprint);
    }
    int r = find(a, &s, name, ret, e);
    buf_done(&s.found);
    return r;
}
