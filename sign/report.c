/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sign_report_cut(struct sign_report *r, size_t n)
{
    while (r->n > n) {
        struct sign_check *c = &r->checks[--r->n];
        free(c->issuer);
        free(c->subject);
        free(c->repository);
        free(c->predicate_type);
        free(c->statement);
        free(c->capabilities);
    }
}

int sign_report_take(struct sign_report *to, struct sign_report *from, struct err *e)
{
    if (from->n == 0)
        return 0;
    struct sign_check *more = reallocarray(to->checks, to->n + from->n, sizeof(*more));
    if (!more)
        return err_nomem(e);
    memcpy(more + to->n, from->checks, from->n * sizeof(*more));
    to->checks = more;
    to->n += from->n;
    from->n = 0;
    return 0;
}

void sign_report_done(struct sign_report *r)
{
    sign_report_cut(r, 0);
    free(r->checks);
    *r = (struct sign_report)SIGN_REPORT_INIT;
}

int sign_report_begin(struct sign_report *r, const char *format, enum sign_check_kind kind, const char *where,
                      struct sign_check **ret, struct err *e)
{
    struct sign_check *more = reallocarray(r->checks, r->n + 1, sizeof(*more));
    if (!more)
        return err_nomem(e);
    r->checks = more;
    struct sign_check *c = &r->checks[r->n++];
    *c = (struct sign_check){.format = format, .kind = kind, .code = ERR_OTHER, .revision = -1};
    (void)snprintf(c->where, sizeof(c->where), "%s", where ? where : "");
    *ret = c;
    return 0;
}

static void set(struct sign_check *c, int code, const char *fmt, va_list ap)
{
    c->ok = code == 0;
    c->code = code;
    (void)vsnprintf(c->text, sizeof(c->text), fmt, ap);
}

int sign_check_set(struct sign_check *c, int code, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    set(c, code, fmt, ap);
    va_end(ap);
    return 0;
}

int sign_check_fail(struct sign_check *c, int code, const struct err *e)
{
    if (code == ERR_NOMEM || code == ERR_OTHER)
        return code;
    return sign_check_set(c, code, "%s", e->msg);
}

int sign_report_add(struct sign_report *r, const char *format, int code, const char *key, struct err *e,
                    const char *fmt, ...)
{
    struct sign_check *c;
    va_list ap;
    int rc = sign_report_begin(r, format, SIGN_CHECK_NOTE, NULL, &c, e);
    if (rc)
        return rc;
    (void)snprintf(c->key, sizeof(c->key), "%s", key ? key : "");
    va_start(ap, fmt);
    set(c, code, fmt, ap);
    va_end(ap);
    return 0;
}

/* How near a failed check came to being good; 0: it says nothing of a signature. */
static int nearness(const struct sign_check *c)
{
    static const int order[] = {ERR_FORMAT, ERR_LIMIT,   ERR_UNTRUSTED, ERR_DIGEST,
                                ERR_CERT,   ERR_EXPIRED, ERR_POLICY};
    int found = 1; /* of any other code */
    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (c->code == order[i])
            found = (int)i + 2;
    return found;
}

const struct sign_check *sign_report_unseen(const struct sign_report *r)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->checks[i].is_unseen)
            return &r->checks[i];
    return NULL;
}

int sign_report_code(const struct sign_report *r, int code)
{
    bool far = code == 0 || code == ERR_UNSIGNED || code == ERR_FORMAT || code == ERR_LIMIT;
    if (far && sign_report_unseen(r))
        return ERR_UNTRUSTED;
    if (code == ERR_UNSUPPORTED) /* nobody who is trusted signed in a way that can be checked */
        return ERR_UNTRUSTED;
    return code ? code : ERR_UNSIGNED;
}

void sign_report_settle(struct sign_report *r)
{
    const struct sign_check *best = NULL;
    for (size_t i = 0; i < r->n; i++) {
        const struct sign_check *c = &r->checks[i];
        if (c->ok && c->kind == SIGN_CHECK_SIGNATURE) {
            r->verdict = 0;
            r->reason[0] = 0;
            return;
        }
        if (!c->ok && !c->is_unseen && (!best || nearness(c) > nearness(best)))
            best = c;
    }
    r->verdict = sign_report_code(r, best ? best->code : 0);
    (void)snprintf(r->reason, sizeof(r->reason), "%s", best ? best->text : "no signature");
}
