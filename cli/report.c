/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/report.h"

#include "base/time.h"
#include "cli/ui.h"

static const char *kind_name(enum sign_check_kind kind)
{
    return kind == SIGN_CHECK_SIGNATURE     ? "signature"
           : kind == SIGN_CHECK_ATTESTATION ? "attestation"
                                            : "note";
}

static void line(struct buf *out, const struct sign_check *c)
{
    buf_printf(out, "%-6s  %-8s  ", c->ok ? "ok" : "FAILED", c->format);
    if (*c->key) {
        ui_text_str(out, c->key);
        buf_append_str(out, ": ");
    }
    if (*c->covers && !strstr(c->text, c->covers)) {
        ui_text_str(out, c->covers);
        buf_append_str(out, ": ");
    }
    ui_text_str(out, c->text);
    if (*c->where && !strstr(c->text, c->where)) {
        buf_append_str(out, " (");
        ui_text_str(out, c->where);
        buf_append_str(out, ")");
    }
    buf_append_str(out, "\n");
}

void report_text(struct buf *out, const struct sign_report *r)
{
    for (size_t i = 0; i < r->n; i++)
        line(out, &r->checks[i]);
}

static const char *or_null(const char *text)
{
    return text && *text ? text : NULL;
}

static void time_member(struct jout *w, const char *key, int64_t t)
{
    char text[TIME_STR_MAX];
    if (t)
        jout_string(w, key, time_str(t, text));
    else
        jout_null(w, key);
}

/* A list of texts, which the check has as JSON. */
static void list_member(struct jout *w, const char *key, const char *json)
{
    AUTO(jdoc) doc = NULL;
    struct err ignored = ERR_INIT;
    if (json && jdoc_parse(bytes_str(json), &doc, &ignored) == 0)
        jout_value(w, key, jdoc_root(doc));
    else
        jout_null(w, key);
}

void report_json(struct jout *w, const struct sign_report *r)
{
    jout_array(w, "checks");
    for (size_t i = 0; i < r->n; i++) {
        const struct sign_check *c = &r->checks[i];
        jout_object(w, NULL);
        jout_string(w, "format", c->format);
        jout_string(w, "kind", kind_name(c->kind));
        jout_bool(w, "ok", c->ok);
        jout_string(w, "error", c->ok ? NULL : err_name(c->code));
        jout_string(w, "key", or_null(c->key));
        jout_string(w, "keyId", or_null(c->key_id));
        jout_string(w, "covers", or_null(c->covers));
        jout_string(w, "where", or_null(c->where));
        jout_string(w, "issuer", c->issuer);
        jout_string(w, "subject", c->subject);
        jout_string(w, "predicateType", c->predicate_type);
        list_member(w, "capabilities", c->ok ? c->capabilities : NULL);
        time_member(w, "signedAt", c->signed_at);
        time_member(w, "expiresAt", c->expires_at);
        jout_string(w, "text", c->text);
        jout_object_end(w);
    }
    jout_array_end(w);
}

void report_policy_json(struct jout *w, const struct sign_decision *d)
{
    if (!d->rule) {
        jout_null(w, "policy");
        return;
    }
    jout_object(w, "policy");
    jout_string(w, "rule", d->rule);
    jout_bool(w, "audit", d->audit);
    jout_uint(w, "signers", d->signers);
    jout_array(w, "findings");
    for (size_t i = 0; i < d->n_findings; i++) {
        jout_object(w, NULL);
        jout_string(w, "error", err_name(d->findings[i].code));
        jout_string(w, "rule", d->findings[i].rule);
        jout_string(w, "reason", d->findings[i].reason);
        jout_object_end(w);
    }
    jout_array_end(w);
    jout_object_end(w);
}

void report_policy_text(struct buf *out, const struct sign_decision *d)
{
    for (size_t i = 0; i < d->n_findings; i++) {
        buf_printf(out, "%-6s  policy    ", d->audit && d->code == 0 ? "noted" : "FAILED");
        ui_text_str(out, d->findings[i].rule);
        buf_append_str(out, ": ");
        ui_text_str(out, d->findings[i].reason);
        buf_append_str(out, "\n");
    }
}
