/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sarif.h"

#include "base/text.h"
#include "base/version.h"

#include <stdio.h>

/* What is put into messages of other programs' terminals and pages. */
#define MESSAGE_MAX (16U << 10)

static const int rules[] = {
#define X(name, value, text, status) ERR_##name,
    ERR_CODES(X)
#undef X
};

static void rule(struct jout *w, int code)
{
    char id[64];
    (void)snprintf(id, sizeof(id), "waybill/%s", err_name(code));
    jout_object(w, NULL);
    jout_string(w, "id", id);
    jout_object(w, "shortDescription");
    jout_string(w, "text", err_text(code));
    jout_object_end(w);
    jout_object(w, "defaultConfiguration");
    jout_string(w, "level", "error");
    jout_object_end(w);
    jout_object_end(w);
}

void sarif_begin(struct sarif *s, struct buf *out)
{
    s->w = (struct jout){.out = out, .indent = 2, .shown = true};
    struct jout *w = &s->w;
    jout_object(w, NULL);
    jout_string(w, "$schema", "https://json.schemastore.org/sarif-2.1.0.json");
    jout_string(w, "version", "2.1.0");
    jout_array(w, "runs");
    jout_object(w, NULL);
    jout_object(w, "tool");
    jout_object(w, "driver");
    jout_string(w, "name", "waybill");
    jout_string(w, "version", WAYBILL_VERSION);
    jout_array(w, "rules");
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        rule(w, rules[i]);
    jout_array_end(w);
    jout_object_end(w);
    jout_object_end(w);
    jout_array(w, "results");
}

static size_t rule_index(int code)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i] == code)
            return i;
    return 0;
}

static void append(struct buf *out, const char *text)
{
    char shown[ERR_MSG_MAX];
    buf_append_str(out, text_escape(bytes_str(text), shown, sizeof(shown)));
}

static void message(struct jout *w, const struct sign_report *report, int code, const char *reason)
{
    AUTO_DONE(buf) text = BUF_INIT(MESSAGE_MAX);
    append(&text, code ? reason : "verified");
    for (size_t i = 0; i < report->n && text.len < MESSAGE_MAX / 2; i++) {
        const struct sign_check *c = &report->checks[i];
        buf_printf(&text, "\n%s %s: ", c->ok ? "ok" : "failed", c->format);
        append(&text, c->text);
    }
    jout_object(w, "message");
    jout_string(w, "text", buf_cstr(&text));
    jout_object_end(w);
}

/* RFC 3986: whatever is neither unreserved nor a separator of paths is escaped. A reference is then a
 * relative one as well: its colons are. */
static void location(struct jout *w, const char *target)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~/";
    AUTO_DONE(buf) uri = BUF_INIT(MESSAGE_MAX);
    for (const char *p = target; *p; p++)
        if (strchr(plain, *p))
            buf_append_u8(&uri, (uint8_t)*p);
        else
            buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
    jout_array(w, "locations");
    jout_object(w, NULL);
    jout_object(w, "physicalLocation");
    jout_object(w, "artifactLocation");
    jout_string(w, "uri", buf_cstr(&uri));
    jout_object_end(w);
    jout_object_end(w);
    jout_object_end(w);
    jout_array_end(w);
}

void sarif_add(struct sarif *s, const char *target, const struct sign_report *report, int code,
               const char *reason)
{
    struct jout *w = &s->w;
    char id[64];
    jout_object(w, NULL);
    if (code) {
        (void)snprintf(id, sizeof(id), "waybill/%s", err_name(code));
        jout_string(w, "ruleId", id);
        jout_uint(w, "ruleIndex", rule_index(code));
    }
    jout_string(w, "kind", code ? "fail" : "pass");
    jout_string(w, "level", code ? "error" : "none");
    message(w, report, code, reason);
    location(w, target);
    jout_object_end(w);
}

void sarif_end(struct sarif *s)
{
    struct jout *w = &s->w;
    jout_array_end(w);
    jout_object_end(w);
    jout_array_end(w);
    jout_object_end(w);
    buf_append_str(w->out, "\n");
}
