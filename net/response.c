/* SPDX-License-Identifier: Apache-2.0 */
/* Responses and waiting: what the program and the shared object both use. */
#include "net/http_ops.h"
#include "net/retry.h"

#include <errno.h>
#include <strings.h>
#include <time.h>

void net_http_response_reset(struct net_http_response *resp)
{
    resp->status = 0;
    buf_reset(&resp->fields);
    buf_reset(&resp->body);
    free(resp->url);
    resp->url = NULL;
}

void net_http_response_done(struct net_http_response *resp)
{
    buf_done(&resp->fields);
    buf_done(&resp->body);
    free(resp->url);
    *resp = (struct net_http_response)NET_HTTP_RESPONSE_INIT;
}

bool net_http_field(const struct net_http_response *resp, const char *name, size_t n, struct bytes *ret)
{
    struct bytes rest = buf_bytes(&resp->fields), line, nul;
    size_t len = strlen(name);
    const uint8_t *end;
    while (rest.len && (end = memchr(rest.ptr, '\0', rest.len))) {
        if (!bytes_take(&rest, (size_t)(end - rest.ptr), &line) || !bytes_take(&rest, 1, &nul))
            return false;
        if (line.len <= len || line.ptr[len] != ':' || strncasecmp((const char *)line.ptr, name, len) != 0)
            continue;
        if (n-- == 0) {
            *ret = bytes_trim(bytes_of(line.ptr + len + 1, line.len - len - 1), " \t");
            return true;
        }
    }
    return false;
}

void net_sleep(int64_t ms)
{
    struct timespec left = {.tv_sec = (time_t)(ms / 1000), .tv_nsec = (long)(ms % 1000) * 1000000};
    while (nanosleep(&left, &left) < 0 && errno == EINTR)
        ;
}

/* A number that differs from call to call; no randomness for keys. */
static uint32_t jitter(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    uint32_t x = (uint32_t)now.tv_nsec ^ ((uint32_t)getpid() << 16);
    x ^= x << 13;
    x ^= x >> 17;
    return x ^ (x << 5);
}

int64_t net_http_wait(const struct net_http_conf *conf, unsigned attempt,
                      const struct net_http_response *resp)
{
    struct bytes value;
    int64_t asked = 0, wait = net_retry_backoff(attempt, conf->backoff_ms, conf->max_wait_ms, jitter());
    if (!resp || !net_http_field(resp, "Retry-After", 0, &value) ||
        !net_retry_after(value, time(NULL), &asked))
        return wait;
    if (asked > conf->max_wait_ms)
        return -1;
    return asked > wait ? asked : wait;
}
