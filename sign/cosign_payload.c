/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/cosign.h"

#include "base/limits.h"

#include <string.h>

#define TYPE "cosign container image signature"

void sign_cosign_payload_done(struct sign_cosign_payload *p)
{
    jdoc_free(p->doc);
}

/* An object with one member, a string. */
static int read_single(const struct jval *v, const char *object, const char *key, const char **ret,
                       struct err *e)
{
    const struct jval *found;
    int r = jobj_want_object(v, object, true, &found, e);
    if (!r)
        r = JOBJ_ONLY(found, e, key);
    return r ? r : jobj_want_string(found, key, true, ret, e);
}

static int read_critical(const struct jval *critical, struct sign_cosign_payload *ret, struct err *e)
{
    const char *type;
    int r = JOBJ_ONLY(critical, e, "identity", "image", "type");
    if (!r)
        r = read_single(critical, "identity", "docker-reference", &ret->reference, e);
    if (!r)
        r = read_single(critical, "image", "docker-manifest-digest", &ret->digest, e);
    if (!r)
        r = jobj_want_string(critical, "type", true, &type, e);
    if (!r && strcmp(type, TYPE) != 0)
        r = err_set(e, ERR_FORMAT, "its type is not \"" TYPE "\"");
    return r;
}

static int read_payload(const struct jval *root, struct sign_cosign_payload *ret, struct err *e)
{
    const struct jval *critical;
    if (jval_kind(root) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = JOBJ_ONLY(root, e, "critical", "optional");
    if (!r)
        r = jobj_want_object(root, "critical", true, &critical, e);
    if (!r)
        r = read_critical(critical, ret, e);
    return r ? r : jobj_want_object(root, "optional", false, &ret->optional, e);
}

int sign_cosign_payload_parse(struct bytes text, struct sign_cosign_payload *ret, struct err *e)
{
    if (text.len > LIMIT_PAYLOAD)
        return err_set(e, ERR_LIMIT, "a payload of more than %u bytes", LIMIT_PAYLOAD);
    int r = jdoc_parse(text, &ret->doc, e);
    if (!r)
        r = read_payload(jdoc_root(ret->doc), ret, e);
    return r ? err_wrap(e, "payload") : 0;
}

/* Go's encoding/json escapes what HTML and JavaScript would take for their own: <, >, &, U+2028, U+2029. They
 * stand in strings only. */
static void escape_as_go(struct bytes json, struct buf *out)
{
    for (size_t i = 0; i < json.len; i++) {
        struct bytes rest = bytes_of(json.ptr + i, json.len - i);
        uint8_t c = json.ptr[i];
        if (c == '<' || c == '>' || c == '&') {
            buf_printf(out, "\\u%04x", c);
        } else if (bytes_starts(rest, BYTES_LIT("\xe2\x80\xa8")) ||
                   bytes_starts(rest, BYTES_LIT("\xe2\x80\xa9"))) {
            buf_printf(out, "\\u20%02x", rest.ptr[2] - 0x80);
            i += 2;
        } else {
            buf_append_u8(out, c);
        }
    }
}

static int compare_pairs(const void *a, const void *b)
{
    return strcmp(((const struct sign_pair *)a)->key, ((const struct sign_pair *)b)->key);
}

static int write_optional(struct jout *w, const struct sign_pair *annotations, size_t n, struct err *e)
{
    if (n == 0) {
        jout_null(w, "optional");
        return 0;
    }
    AUTO_FREE struct sign_pair *sorted = calloc(n, sizeof(*sorted));
    if (!sorted)
        return err_nomem(e);
    memcpy(sorted, annotations, n * sizeof(*sorted));
    qsort(sorted, n, sizeof(*sorted), compare_pairs);
    jout_object(w, "optional");
    for (size_t i = 0; i < n; i++) {
        if (i && strcmp(sorted[i].key, sorted[i - 1].key) == 0)
            return err_set(e, ERR_USAGE, "an annotation that is there twice");
        jout_string(w, sorted[i].key, sorted[i].value);
    }
    jout_object_end(w);
    return 0;
}

int sign_cosign_payload_write(const struct sign_subject *subject, const struct sign_pair *annotations,
                              size_t n_annotations, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) plain = BUF_INIT(LIMIT_PAYLOAD);
    struct jout w = {.out = &plain};
    char digest[DIGEST_STR_MAX];
    if (!subject->repo)
        return err_set(e, ERR_USAGE, "cosign's signatures name a repository, and none is known");
    jout_object(&w, NULL);
    jout_object(&w, "critical");
    jout_object(&w, "identity");
    jout_string(&w, "docker-reference", subject->repo);
    jout_object_end(&w);
    jout_object(&w, "image");
    jout_string(&w, "docker-manifest-digest", digest_str(&subject->digest, digest));
    jout_object_end(&w);
    jout_string(&w, "type", TYPE);
    jout_object_end(&w);
    int r = write_optional(&w, annotations, n_annotations, e);
    jout_object_end(&w);
    if (!r)
        r = buf_check(&plain, e);
    if (r)
        return r;
    escape_as_go(buf_bytes(&plain), out);
    return buf_check(out, e);
}
