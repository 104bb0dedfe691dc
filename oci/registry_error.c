/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry says when it says no. distribution-spec 1.1, "Error Codes". */
#include "oci/registry.h"

#include "base/limits.h"
#include "base/text.h"
#include "net/retry.h"

#include <inttypes.h>
#include <time.h>

#define ERRORS_SHOWN 3U
/* What fits a message of ours beside the rest of it. */
#define WORDS_MAX 240U

static void errors_of_json(const struct jval *errors, struct buf *out)
{
    char code[64], message[160];
    for (size_t i = 0; i < jarr_len(errors) && i < ERRORS_SHOWN; i++) {
        const char *c = jval_string(jobj_get(jarr_at(errors, i), "code"));
        const char *m = jval_string(jobj_get(jarr_at(errors, i), "message"));
        if (!c && !m)
            continue;
        buf_printf(out, "%s%s%s%s", out->len ? "; " : "", c ? text_escape_str(c, code, sizeof(code)) : "",
                   c && m ? ": " : "", m ? text_escape_str(m, message, sizeof(message)) : "");
    }
}

static bool is_text(struct bytes line)
{
    return line.len > 0 && line.ptr[0] != '<' && line.ptr[0] != '{' && line.ptr[0] != '[' &&
           bytes_is_utf8(line);
}

void oci_registry_errors(struct bytes body, struct buf *out)
{
    AUTO(jdoc) doc = NULL;
    struct err ignored = ERR_INIT;
    char shown[160];
    if (jdoc_parse(body, &doc, &ignored) == 0) {
        errors_of_json(jobj_get(jdoc_root(doc), "errors"), out);
        return;
    }
    const uint8_t *end = body.len ? memchr(body.ptr, '\n', body.len) : NULL;
    struct bytes line = end ? bytes_of(body.ptr, (size_t)(end - body.ptr)) : body;
    if (is_text(line))
        buf_append_str(out, text_escape(line, shown, sizeof(shown)));
}

static void retry_hint(const struct net_http_response *resp, struct buf *out)
{
    struct bytes value;
    struct tm tm;
    char when[32];
    int64_t ms;
    time_t now = time(NULL);
    if (!net_http_field(resp, "Retry-After", 0, &value) || !net_retry_after(value, now, &ms) ||
        ms > INT32_MAX * 1000LL)
        return;
    time_t then = now + (time_t)(ms / 1000);
    if (gmtime_r(&then, &tm) && strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm))
        buf_printf(out, "%stry again in %" PRId64 " s, at %s", out->len ? "; " : "", ms / 1000, when);
}

static enum err_code code_of(int status)
{
    switch (status) {
    case 401:
    case 403: return ERR_AUTH;
    case 404: return ERR_NOTFOUND;
    default: return ERR_REGISTRY;
    }
}

int oci_registry_failure(const struct oci_registry *reg, const struct net_http_response *resp,
                         const char *what, struct err *e)
{
    AUTO_DONE(buf) words = BUF_INIT(1024);
    oci_registry_errors(buf_bytes(&resp->body), &words);
    if (words.len > WORDS_MAX)
        words.len = WORDS_MAX;
    retry_hint(resp, &words);
    enum err_code code = code_of(resp->status);
    if (code == ERR_AUTH && oci_auth_anonymous(reg->auth))
        buf_printf(&words, "%sthere are no credentials for %s, see \"waybill login %s\"",
                   words.len ? "; " : "", reg->host, reg->host);
    return err_set(e, code, "%s: status %d%s%s%s", what, resp->status, words.len ? " (" : "",
                   buf_cstr(&words), words.len ? ")" : "");
}
