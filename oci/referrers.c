/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/referrers.h"

#include "base/limits.h"

#include <stdio.h>

void oci_referrers_done(struct oci_referrers *r)
{
    free(TAKE(r->all));
    r->n = r->room = 0;
    buf_done(&r->text);
}

static int make_room(struct oci_referrers *r, struct err *e)
{
    if (r->n < r->room)
        return 0;
    if (r->n >= LIMIT_REFERRERS)
        return err_set(e, ERR_LIMIT, "more than %u referrers", LIMIT_REFERRERS);
    size_t room = r->room ? 2 * r->room : 16;
    struct oci_referrer *all = reallocarray(r->all, room, sizeof(*all));
    if (!all)
        return err_nomem(e);
    r->all = all;
    r->room = room;
    return 0;
}

const char *oci_referrers_text(const struct oci_referrers *r, uint32_t at)
{
    return at ? buf_cstr(&r->text) + at : NULL;
}

/* Most of a list says the same as the one before it, and so does not say it again. */
static uint32_t keep_text(struct oci_referrers *r, const char *text, uint32_t before)
{
    const char *last = oci_referrers_text(r, before);
    if (!text || !*text)
        return 0;
    if (last && strcmp(last, text) == 0)
        return before;
    if (r->text.len == 0)
        buf_append_u8(&r->text, 0);
    uint32_t at = (uint32_t)r->text.len;
    buf_append(&r->text, text, strlen(text) + 1);
    return at;
}

static int add(struct oci_referrers *r, const struct oci_referrer *like, const char *media_type,
               const char *artifact_type, const char *annotations, struct err *e)
{
    static const struct oci_referrer none = {.size = 0};
    int x = make_room(r, e);
    if (x)
        return x;
    const struct oci_referrer *before = r->n ? &r->all[r->n - 1] : &none;
    struct oci_referrer one = {.digest = like->digest, .size = like->size, .order = (uint32_t)r->n};
    one.media_type = keep_text(r, media_type, before->media_type);
    one.artifact_type = keep_text(r, artifact_type, before->artifact_type);
    one.annotations = keep_text(r, annotations, before->annotations);
    x = buf_check(&r->text, e);
    if (!x)
        r->all[r->n++] = one;
    return x;
}

int oci_referrers_add(struct oci_referrers *r, const struct oci_desc *desc, const char *artifact_type,
                      const struct jval *annotations, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_MANIFEST);
    struct jout w = {.out = &text};
    const struct oci_referrer like = {.digest = desc->digest, .size = desc->size};
    if (annotations && jobj_len(annotations))
        jout_value(&w, NULL, annotations);
    int x = buf_check(&text, e);
    return x ? x : add(r, &like, desc->media_type, artifact_type, buf_cstr(&text), e);
}

int oci_referrers_append(struct oci_referrers *to, struct oci_referrers *from, struct err *e)
{
    int x = 0;
    if (to->n == 0) {
        oci_referrers_done(to);
        *to = *from;
        *from = (struct oci_referrers)OCI_REFERRERS_INIT;
        return 0;
    }
    for (size_t i = 0; !x && i < from->n; i++) {
        const struct oci_referrer *one = &from->all[i];
        x = add(to, one, oci_referrers_text(from, one->media_type),
                oci_referrers_text(from, one->artifact_type), oci_referrers_text(from, one->annotations), e);
    }
    return x;
}

static int compare_digests(const struct digest *a, const struct digest *b)
{
    return a->alg != b->alg ? (a->alg < b->alg ? -1 : 1) : memcmp(a->value, b->value, sizeof(a->value));
}

static int by_digest(const void *a, const void *b)
{
    const struct oci_referrer *x = a, *y = b;
    int c = compare_digests(&x->digest, &y->digest);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static int by_type(const void *a, const void *b, void *list)
{
    const struct oci_referrer *x = a, *y = b;
    const char *s = oci_referrers_text(list, x->artifact_type),
               *t = oci_referrers_text(list, y->artifact_type);
    int c = strcmp(s ? s : "", t ? t : "");
    return c ? c : compare_digests(&x->digest, &y->digest);
}

void oci_referrers_settle(struct oci_referrers *r)
{
    size_t n = 0;
    if (r->n == 0)
        return;
    qsort(r->all, r->n, sizeof(*r->all), by_digest);
    for (size_t i = 0; i < r->n; i++)
        if (n == 0 || !digest_eq(&r->all[n - 1].digest, &r->all[i].digest))
            r->all[n++] = r->all[i];
    r->n = n;
    qsort_r(r->all, r->n, sizeof(*r->all), by_type, r);
}

const struct oci_referrer *oci_referrers_find(const struct oci_referrers *r, const struct digest *digest)
{
    for (size_t i = 0; i < r->n; i++)
        if (digest_eq(&r->all[i].digest, digest))
            return &r->all[i];
    return NULL;
}

const char *oci_referrers_type(const struct oci_manifest *m)
{
    if (m->artifact_type && *m->artifact_type)
        return m->artifact_type;
    return m->has_config ? m->config.media_type : NULL;
}

bool oci_referrers_typed(const char *artifact_type)
{
    return artifact_type && *artifact_type && strcmp(artifact_type, OCI_TYPE_EMPTY) != 0;
}

bool oci_referrers_wanted(const char *artifact_type, const char *wanted)
{
    return !wanted || !oci_referrers_typed(artifact_type) || strcmp(artifact_type, wanted) == 0;
}

char *oci_referrers_tag(const struct digest *subject, char out[OCI_REFERRERS_TAG_MAX])
{
    char hex[DIGEST_STR_MAX];
    (void)snprintf(out, OCI_REFERRERS_TAG_MAX, "%s-%.64s", hash_name(subject->alg), digest_hex(subject, hex));
    return out;
}
