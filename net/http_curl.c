/* SPDX-License-Identifier: Apache-2.0 */
/* One HTTP exchange by libcurl: no redirects, no retries, no credentials but those of the request. */
#include "net/http_curl.h"
#include "base/limits.h"
#include "base/text.h"
#include "net/retry.h"

#include <inttypes.h>
#include <signal.h>
#include <strings.h>

#define TRANSFER_BUFFER (256L << 10)
/* A server may store a big upload before it answers. */
#define STALL_FACTOR_WITH_BODY 10
/* A body so small is sent without asking first: sent in vain, it costs less than the question always does. */
#define UNASKED_BODY (1UL << 20)

enum body_place { BODY_UNDECIDED, BODY_BUFFER, BODY_SINK };

/* What the callbacks work on. */
struct transfer {
    CURL *easy;
    struct net_http_hop *hop;
    struct net_http_response *resp;
    struct err *e;
    struct curl_slist *fields;
    struct net_http_socket socket;
    struct source *body; /* the request's, open */
    enum body_place place;
    size_t field_bytes; /* of headers so far, with those of interim responses */
    uint64_t unsent;    /* bytes of the request's body that are still to be read */
    uint64_t skip;      /* bytes of the response's body that `to` has got already */
    bool cut;           /* enough of an error body was read */
    int failure;        /* of a callback; described in e */
    char text[CURL_ERROR_SIZE];
};

static int status_of(const struct transfer *t)
{
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

static size_t on_header(char *data, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct bytes line = bytes_of(data, size * count);
    t->field_bytes += line.len;
    if (t->field_bytes > LIMIT_HTTP_HEADERS) {
        t->failure = err_set(t->e, ERR_LIMIT, "response headers of more than %u bytes", LIMIT_HTTP_HEADERS);
        return 0;
    }
    while (line.len && strchr("\r\n", line.ptr[line.len - 1]))
        line.len--;
    if (bytes_starts(line, BYTES_LIT("HTTP/"))) {
        buf_reset(&t->resp->fields); /* an interim response came before */
        return size * count;
    }
    if (line.len && !memchr(line.ptr, '\0', line.len)) {
        buf_append_bytes(&t->resp->fields, line);
        buf_append_u8(&t->resp->fields, 0);
    }
    if (buf_check(&t->resp->fields, t->e)) {
        t->failure = err_wrap(t->e, "response headers");
        return 0;
    }
    return size * count;
}

/* A part of the body came (206): is it the part that is missing? */
static int part_check(struct transfer *t, uint64_t *ret_total)
{
    struct net_content_range range;
    struct bytes value;
    if (!net_http_field(t->resp, "Content-Range", 0, &value) || !net_content_range_parse(value, &range))
        return err_set(t->e, ERR_REGISTRY, "a partial response that does not say which part");
    if (range.first != t->hop->resume)
        return err_set(t->e, ERR_REGISTRY, "asked for the bytes from %" PRIu64 " on, got those from %" PRIu64,
                       t->hop->resume, range.first);
    if (t->hop->req->end && range.last >= t->hop->req->end)
        return err_set(t->e, ERR_REGISTRY, "asked for the bytes up to %" PRIu64 ", got those up to %" PRIu64,
                       t->hop->req->end - 1, range.last);
    *ret_total = range.total;
    return 0;
}

/* At the first byte of a body: where does it go? */
static int body_decide(struct transfer *t)
{
    int status = status_of(t);
    curl_off_t length = -1;
    if (status / 100 != 2 || !t->hop->req->to) {
        t->place = BODY_BUFFER;
        return 0;
    }
    uint64_t total = UINT64_MAX;
    t->place = BODY_SINK;
    if (status == 206) {
        int r = part_check(t, &total);
        if (r)
            return r;
    } else if (t->hop->req->end) { /* to read up to the part may be much */
        return err_set(t->e, ERR_REGISTRY, "asked for a part of the body, got all of it");
    } else {
        t->skip = t->hop->resume;
        if (curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK &&
            length >= 0)
            total = (uint64_t)length;
    }
    if (t->hop->resume_total != UINT64_MAX && total != UINT64_MAX && total != t->hop->resume_total)
        return err_set(t->e, ERR_REGISTRY,
                       "the size changed from %" PRIu64 " to %" PRIu64 " between two tries",
                       t->hop->resume_total, total);
    t->hop->total = total;
    return 0;
}

static int body_to_sink(struct transfer *t, struct bytes data)
{
    struct bytes skipped;
    size_t n = data.len > t->skip ? (size_t)t->skip : data.len;
    t->skip -= n;
    if (!bytes_take(&data, n, &skipped) || data.len == 0)
        return 0;
    if (t->hop->req->end && data.len > t->hop->req->end - t->hop->resume - t->hop->received)
        return err_set(t->e, ERR_REGISTRY, "more than the part of the body that was asked for");
    t->hop->received += data.len;
    return sink_write(t->hop->req->to, data, t->e);
}

static int body_to_buffer(struct transfer *t, struct bytes data)
{
    struct buf *body = &t->resp->body;
    bool good = status_of(t) / 100 == 2;
    size_t max = good ? t->hop->req->max_body : LIMIT_ERROR_BODY;
    if (data.len <= max - body->len) {
        buf_append_bytes(body, data);
        return buf_check(body, t->e);
    }
    if (good)
        return err_set(t->e, ERR_LIMIT, "a response of more than %zu bytes", max);
    buf_append(body, data.ptr, max - body->len);
    t->cut = true;
    return 0;
}

static size_t on_body(char *ptr, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    struct bytes data = bytes_of(ptr, size * count);
    if (t->place == BODY_UNDECIDED)
        t->failure = body_decide(t);
    if (t->failure == 0)
        t->failure = t->place == BODY_SINK ? body_to_sink(t, data) : body_to_buffer(t, data);
    return t->failure || t->cut ? 0 : data.len;
}

static size_t on_read(char *ptr, size_t size, size_t count, void *ctx)
{
    struct transfer *t = ctx;
    size_t cap = size * count, n = 0;
    if (t->unsent < cap)
        cap = (size_t)t->unsent;
    if (cap == 0)
        return 0;
    t->failure = source_read(t->body, ptr, cap, &n, t->e);
    if (t->failure == 0 && n == 0)
        t->failure = err_set(t->e, ERR_IO, "the request's body is shorter than it was");
    t->unsent -= n;
    return t->failure ? CURL_READFUNC_ABORT : n;
}

/* Opens the request's body, again if it is open already. */
static int body_open(struct transfer *t)
{
    const struct source_opener *opener = t->hop->req->body;
    source_close(t->body);
    t->body = NULL;
    t->unsent = opener->size;
    return opener->open(opener->ctx, &t->body, t->e);
}

static int on_seek(void *ctx, curl_off_t offset, int origin)
{
    struct transfer *t = ctx;
    if (offset != 0 || origin != SEEK_SET)
        return CURL_SEEKFUNC_CANTSEEK;
    if (!t->hop->with_body)
        return CURL_SEEKFUNC_OK;
    if (t->unsent < t->hop->req->body->size)
        return CURL_SEEKFUNC_FAIL; /* libcurl would send it again on its own; whether that is right is not for
                                      it to say */
    t->failure = body_open(t);
    return t->failure ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

static int field_add(struct transfer *t, const char *name, const char *value)
{
    AUTO_DONE(buf) line = BUF_SECRET_INIT(LIMIT_HTTP_HEADERS);
    if (strpbrk(value, "\r\n"))
        return err_set(t->e, ERR_FORMAT, "header %s: with a line break", name);
    buf_printf(&line, "%s: %s", name, value);
    int r = buf_check(&line, t->e);
    if (r)
        return r;
    struct curl_slist *more = curl_slist_append(t->fields, buf_cstr(&line));
    if (!more)
        return err_nomem(t->e);
    t->fields = more;
    return 0;
}

static int fields_make(struct transfer *t)
{
    const struct net_http_hop *hop = t->hop;
    char range[64];
    int r = 0;
    for (size_t i = 0; r == 0 && i < hop->req->n_fields; i++)
        r = field_add(t, hop->req->fields[i].name, hop->req->fields[i].value);
    if (r == 0 && hop->req->authorization && hop->same_origin)
        r = field_add(t, "Authorization", hop->req->authorization);
    if (r == 0 && hop->req->end) {
        (void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-%" PRIu64, hop->resume, hop->req->end - 1);
        r = field_add(t, "Range", range);
    } else if (r == 0 && hop->resume > 0) {
        (void)snprintf(range, sizeof(range), "bytes=%" PRIu64 "-", hop->resume);
        r = field_add(t, "Range", range);
    }
    /* libcurl asks before it sends the body of any PUT, which is a round trip of waiting. */
    if (r == 0 && hop->with_body && hop->req->body->size <= UNASKED_BODY)
        r = field_add(t, "Expect", "");
    return r;
}

static void transfer_done(struct transfer *t)
{
    for (struct curl_slist *f = t->fields; f; f = f->next)
        mem_wipe(f->data, strlen(f->data));
    curl_slist_free_all(t->fields);
    source_close(t->body);
    net_http_socket_done(&t->socket);
}

#define SET(option, value) (ok = ok && curl_easy_setopt(t->easy, option, value) == CURLE_OK)

/* Everything that does not depend on the method. */
static bool set_common(struct transfer *t, const struct net_http_conf *conf)
{
    long stall = conf->stall_seconds * (t->hop->with_body ? STALL_FACTOR_WITH_BODY : 1);
    bool ok = true;
    /* libcurl refuses new sizes after a look-up that failed, and keeps the ones it has: no reason to fail. */
    (void)curl_easy_setopt(t->easy, CURLOPT_BUFFERSIZE, TRANSFER_BUFFER);
    (void)curl_easy_setopt(t->easy, CURLOPT_UPLOAD_BUFFERSIZE, TRANSFER_BUFFER);
    SET(CURLOPT_URL, t->hop->url);
    SET(CURLOPT_PROTOCOLS_STR, "http,https");
    SET(CURLOPT_FOLLOWLOCATION, 0L);
    SET(CURLOPT_NOSIGNAL, 1L); /* or each transfer changes the process's handling of SIGPIPE */
    SET(CURLOPT_HTTPHEADER, t->fields);
    SET(CURLOPT_USERAGENT, conf->user_agent);
    SET(CURLOPT_ERRORBUFFER, t->text);
    SET(CURLOPT_CONNECTTIMEOUT_MS, conf->connect_timeout_ms);
    SET(CURLOPT_LOW_SPEED_LIMIT, conf->stall_bytes);
    SET(CURLOPT_LOW_SPEED_TIME, stall);
    SET(CURLOPT_TIMEOUT, t->hop->with_body || t->hop->req->to ? 0L : conf->answer_seconds);
    SET(CURLOPT_HEADERFUNCTION, on_header);
    SET(CURLOPT_HEADERDATA, t);
    SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    SET(CURLOPT_WRITEFUNCTION, on_body);
    SET(CURLOPT_WRITEDATA, t);
    if (t->hop->http1)
        SET(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    return ok && net_http_tls_set(t->easy, conf, t->hop) && net_http_socket_set(t->easy, &t->socket);
}

static bool set_method(struct transfer *t)
{
    const char *method = t->hop->method;
    uint64_t size = t->hop->with_body ? t->hop->req->body->size : 0;
    bool ok = true;
    if (strcmp(method, "HEAD") == 0) {
        SET(CURLOPT_NOBODY, 1L);
        return ok;
    }
    SET(CURLOPT_CUSTOMREQUEST, method);
    if (!t->hop->with_body && (strcmp(method, "GET") == 0 || strcmp(method, "DELETE") == 0))
        return ok;
    SET(CURLOPT_UPLOAD, 1L);
    SET(CURLOPT_INFILESIZE_LARGE, (curl_off_t)size);
    SET(CURLOPT_READFUNCTION, on_read);
    SET(CURLOPT_READDATA, t);
    SET(CURLOPT_SEEKFUNCTION, on_seek);
    SET(CURLOPT_SEEKDATA, t);
    return ok;
}

#undef SET

static bool is_retryable(CURLcode code)
{
    switch (code) {
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_PARTIAL_FILE:
    case CURLE_OPERATION_TIMEDOUT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_RECV_ERROR:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM: return true;
    default: return false;
    }
}

/* Whether HTTP/1.1 is worth a try. A server that ends connections before it has said anything may be one
 * whose HTTP/2 is broken. */
static bool http2_failed(const struct transfer *t, CURLcode code)
{
    long version = 0;
    if (t->hop->http1 || !t->hop->at.tls || !is_retryable(code))
        return false;
    if (code == CURLE_HTTP2 || code == CURLE_HTTP2_STREAM || net_http_ended_early(t->easy, code))
        return true;
    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_VERSION, &version);
    return version == CURL_HTTP_VERSION_2_0;
}

/* What a proxy said to CONNECT; 0: nothing but yes. */
static int proxy_failure(struct transfer *t)
{
    long status = 0;
    (void)curl_easy_getinfo(t->easy, CURLINFO_HTTP_CONNECTCODE, &status);
    if (status < 300)
        return 0;
    t->hop->retryable = net_retry_status((int)status);
    if (status == 407)
        return err_set(t->e, ERR_NETWORK, "the proxy wants a user name and a password");
    return err_set(t->e, ERR_NETWORK, "the proxy refuses to connect: status %ld", status);
}

/* What libcurl says of an address that it cannot use quotes it, and there may be a password in it. */
static int proxy_unusable(struct transfer *t)
{
    if (strncmp(t->text, "Unsupported proxy", 17) != 0)
        return 0;
    t->hop->retryable = false;
    return err_set(t->e, ERR_CONFIG, "the environment names a proxy in a form that cannot be used");
}

/* A connection that failed was one to the proxy where libcurl names another host than the URL does. */
static const char *proxy_guess(const struct transfer *t, CURLcode code)
{
    char tried[sizeof(t->hop->at.host) + 16];
    (void)snprintf(tried, sizeof(tried), " to %s port", t->hop->at.host);
    bool elsewhere = code == CURLE_COULDNT_CONNECT && !t->hop->direct && !strcasestr(t->text, tried);
    return elsewhere ? "; that is the proxy of the environment" : "";
}

/* What a failed transfer was. */
static int failure_of(struct transfer *t, CURLcode code)
{
    char shown[CURL_ERROR_SIZE];
    long sent = 0;
    if (t->failure || t->socket.failure)
        return t->failure ? t->failure : t->socket.failure;
    if (code == CURLE_OUT_OF_MEMORY)
        return err_nomem(t->e);
    (void)curl_easy_getinfo(t->easy, CURLINFO_REQUEST_SIZE, &sent);
    t->hop->sent = sent > 0;
    t->hop->retryable = is_retryable(code);
    t->hop->http2_failed = http2_failed(t, code);
    t->hop->stalled = code == CURLE_OPERATION_TIMEDOUT;
    int r = proxy_unusable(t);
    if (r == 0)
        r = proxy_failure(t);
    if (r)
        return r;
    r = net_http_tls_failure(t->easy, code, t->text, t->socket.conf, t->hop, t->e);
    if (r) {
        t->hop->retryable = false;
        return r;
    }
    /* libcurl leaves that text behind when a connection is gone before it was looked at. */
    const char *words =
        t->text[0] && strncmp(t->text, "getpeername", 11) != 0 ? t->text : curl_easy_strerror(code);
    return err_set(t->e, ERR_NETWORK, "%s%s%s", text_escape_str(words, shown, sizeof(shown)),
                   net_http_tls_guess(t->easy, code, t->hop), proxy_guess(t, code));
}

/* curl_easy_perform, with a SIGPIPE that a closed connection raises taken back: it would end programs that do
 * not ignore it, and is of this thread alone. */
static CURLcode perform(CURL *easy)
{
    const struct timespec now = {0};
    sigset_t pipe_only, before, pending;
    (void)sigemptyset(&pipe_only);
    (void)sigaddset(&pipe_only, SIGPIPE);
    (void)sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    (void)pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    CURLcode code = curl_easy_perform(easy);
    if (!was_pending)
        (void)sigtimedwait(&pipe_only, NULL, &now);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return code;
}

static int transfer_run(struct transfer *t, const struct net_http_session *s)
{
    const struct net_http_conf *conf = net_http_session_conf(s);
    net_http_socket_init(&t->socket, conf, t->hop, t->e);
    t->socket.known = net_http_home(s);
    int r = fields_make(t);
    if (r == 0 && t->hop->with_body)
        r = body_open(t);
    if (r == 0 && (!set_common(t, conf) || !set_method(t)))
        r = err_set(t->e, ERR_OTHER, "libcurl refuses an option");
    if (r)
        return r;
    CURLcode code = perform(t->easy);
    t->resp->status = status_of(t);
    return code == CURLE_OK || (code == CURLE_WRITE_ERROR && t->cut) ? 0 : failure_of(t, code);
}

int net_http_exchange(struct net_http_session *s, struct net_http_hop *hop, struct net_http_response *resp,
                      struct err *e)
{
    struct transfer t = {.hop = hop, .resp = resp, .e = e};
    hop->total = UINT64_MAX;
    hop->http1 |= net_http_http1(s);
    int r = net_http_easy_take(s, &t.easy, e);
    if (r)
        return r;
    r = transfer_run(&t, s);
    if (resp->status)
        net_http_home_learn(s, t.socket.tried);
    net_http_easy_give(s, t.easy);
    if (hop->http2_failed)
        net_http_http1_set(s);
    transfer_done(&t);
    return r;
}
