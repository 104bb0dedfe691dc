/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/cert.h"

#include "base/limits.h"
#include "base/plugin.h"
#include "base/text.h"
#include "sign/cert_ops.h"
#include "sign/der.h"
#include "sign/pem.h"

int sign_cert_plugin(const struct sign_cert_ops **ret, struct err *e)
{
    const void *ops;
    int r = plugin_load("cert", &ops, e);
    if (!r)
        *ret = ops;
    return r;
}

static void bytes_free(struct bytes *b)
{
    void *p;
    memcpy(&p, &b->ptr, sizeof(p));
    free(p);
    *b = BYTES_NONE;
}

void sign_cert_free(struct sign_cert *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->n_exts; i++) {
        free(c->exts[i].oid);
        bytes_free(&c->exts[i].value);
    }
    for (size_t i = 0; i < c->n_sans; i++) {
        free(c->sans[i].value);
        free(c->sans[i].oid);
        bytes_free(&c->sans[i].other);
    }
    for (size_t i = 0; i < c->n_attrs; i++) {
        free(c->attrs[i].oid);
        free(c->attrs[i].value);
    }
    for (size_t i = 0; i < c->n_purposes; i++)
        free(c->purposes[i]);
    free(c->exts);
    free(c->sans);
    free(c->attrs);
    free(c->purposes);
    free(c->issuer);
    free(c->subject);
    bytes_free(&c->der);
    free(c);
}

void sign_cert_token_done(struct sign_cert_token *t)
{
    for (size_t i = 0; i < t->n; i++)
        bytes_free(&t->ders[i]);
    free(t->ders);
    bytes_free(&t->info);
    bytes_free(&t->issuer_der);
    bytes_free(&t->serial);
    bytes_free(&t->signer_v2);
    *t = (struct sign_cert_token){.n = 0};
}

/* One value with its tag and length. */
static bool take_whole(struct bytes *b, enum der_tag tag, struct bytes *ret)
{
    const uint8_t *start = b->ptr;
    struct bytes content;
    if (!sign_der_take(b, tag, &content))
        return false;
    *ret = bytes_of(start, (size_t)(b->ptr - start));
    return true;
}

/* RFC 5280 section 4.1.2.5: to the second, in UTC; GnuTLS takes more spellings. */
static bool take_time(struct bytes *b)
{
    struct bytes text;
    size_t want = 13;
    if (!sign_der_take(b, DER_UTC_TIME, &text)) {
        want = 15;
        if (!sign_der_take(b, DER_GENERALIZED_TIME, &text))
            return false;
    }
    if (text.len != want || text.ptr[want - 1] != 'Z')
        return false;
    for (size_t i = 0; i + 1 < want; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return true;
}

/* RFC 5280 section 4.1: the version is [0] EXPLICIT, and is left out for 1. */
static bool take_version(struct bytes *tbs)
{
    struct bytes outer, v;
    if (!sign_der_take(tbs, DER_CONTEXT_0, &outer))
        return true;
    return sign_der_take_uint(&outer, &v) && outer.len == 0 && v.len == 1 && v.ptr[0] == 2;
}

/* What GnuTLS has no function for: the bytes that are signed, and the places of names and key as they stand.
 */
static bool find_slices(struct sign_cert *c)
{
    struct bytes all = c->der, cert, tbs, inner_alg, alg, bits, validity;
    if (!sign_der_take(&all, DER_SEQUENCE, &cert) || all.len || !take_whole(&cert, DER_SEQUENCE, &c->tbs) ||
        !take_whole(&cert, DER_SEQUENCE, &alg) || !sign_der_take_bits(&cert, DER_BIT_STRING, &bits) ||
        cert.len)
        return false;
    struct bytes rest = c->tbs;
    return sign_der_take(&rest, DER_SEQUENCE, &tbs) && take_version(&tbs) &&
           sign_der_take_uint(&tbs, &c->serial) && take_whole(&tbs, DER_SEQUENCE, &inner_alg) &&
           bytes_eq(alg, inner_alg) && take_whole(&tbs, DER_SEQUENCE, &c->issuer_der) &&
           sign_der_take(&tbs, DER_SEQUENCE, &validity) && take_time(&validity) && take_time(&validity) &&
           validity.len == 0 && take_whole(&tbs, DER_SEQUENCE, &c->subject_der) &&
           take_whole(&tbs, DER_SEQUENCE, &c->spki);
}

int sign_cert_parse(struct bytes der, struct sign_cert **ret, struct err *e)
{
    const struct sign_cert_ops *ops;
    if (der.len > LIMIT_CERT)
        return err_set(e, ERR_LIMIT, "a certificate of more than %u bytes", LIMIT_CERT);
    int r = sign_cert_plugin(&ops, e);
    if (r)
        return r;
    AUTO(sign_cert) c = calloc(1, sizeof(*c));
    uint8_t *copy = malloc(der.len + 1);
    if (!c || !copy) {
        free(copy);
        return err_nomem(e);
    }
    if (der.len)
        memcpy(copy, der.ptr, der.len);
    c->der = bytes_of(copy, der.len);
    c->path_len = -1;
    if (!find_slices(c))
        return err_set(e, ERR_FORMAT, "not a certificate in DER");
    r = hash_bytes(HASH_SHA256, c->der, &c->fingerprint, e);
    if (!r)
        r = ops->parse(c, e);
    if (!r)
        *ret = TAKE(c);
    return r;
}

int sign_cert_take_key(const struct sign_cert *c, struct sign_key **ret, struct err *e)
{
    return sign_key_from_spki(c->spki, c->subject, ret, e);
}

bool sign_cert_has_purpose(const struct sign_cert *c, const char *oid)
{
    for (size_t i = 0; i < c->n_purposes; i++)
        if (strcmp(c->purposes[i], oid) == 0)
            return true;
    return false;
}

int sign_cert_signed_by(const struct sign_cert *c, const struct sign_cert *issuer, struct err *e)
{
    const struct sign_cert_ops *ops;
    char name[160], other[160];
    (void)text_escape_str(c->subject, name, sizeof(name));
    if (!bytes_eq(c->issuer_der, issuer->subject_der))
        return err_set(e, ERR_CERT, "certificate \"%s\" was not issued by \"%s\"", name,
                       text_escape_str(issuer->subject, other, sizeof(other)));
    if (c->weak)
        return err_set(e, ERR_CERT, "certificate \"%s\" is signed with %s, which proves nothing", name,
                       c->sig_alg);
    int r = sign_cert_plugin(&ops, e);
    if (r)
        return r;
    r = ops->signed_by(c, issuer, e);
    return r ? err_wrap(e, "certificate \"%s\"", name) : 0;
}

void sign_chain_done(struct sign_chain *c)
{
    for (size_t i = 0; i < c->n; i++)
        sign_cert_free(c->certs[i]);
    free(c->certs);
    *c = (struct sign_chain)SIGN_CHAIN_INIT;
}

int sign_chain_add(struct sign_chain *c, struct bytes der, struct err *e)
{
    if (c->n >= LIMIT_CERTS)
        return err_set(e, ERR_LIMIT, "a chain of more than %u certificates", LIMIT_CERTS);
    struct sign_cert **more = reallocarray(c->certs, c->n + 1, sizeof(*more));
    if (!more)
        return err_nomem(e);
    c->certs = more;
    int r = sign_cert_parse(der, &more[c->n], e);
    if (!r)
        c->n++;
    return r;
}

#define BEGIN BYTES_LIT("-----BEGIN ")
#define END   BYTES_LIT("-----END ")

/* Where a line that starts so begins; text.len: there is none. */
static size_t find_line(struct bytes text, struct bytes start)
{
    size_t at = 0;
    while (at < text.len) {
        if (bytes_starts(bytes_of(text.ptr + at, text.len - at), start))
            return at;
        const uint8_t *lf = memchr(text.ptr + at, '\n', text.len - at);
        at = lf ? (size_t)(lf - text.ptr) + 1 : text.len;
    }
    return at;
}

/* The next block with its two lines, cut off the text; false: there is none. */
static bool take_block(struct bytes *text, struct bytes *ret)
{
    struct bytes ignored, from;
    (void)bytes_take(text, find_line(*text, BEGIN), &ignored);
    if (text->len == 0)
        return false;
    from = *text;
    size_t end = find_line(from, END);
    const uint8_t *lf = end < from.len ? memchr(from.ptr + end, '\n', from.len - end) : NULL;
    return bytes_take(text, lf ? (size_t)(lf - from.ptr) + 1 : from.len, ret);
}

int sign_chain_add_pem(struct sign_chain *c, struct bytes text, struct err *e)
{
    struct bytes block, label;
    size_t before = c->n;
    if (text.len > LIMIT_CERT_FILE)
        return err_set(e, ERR_LIMIT, "certificates of more than %u bytes", LIMIT_CERT_FILE);
    while (take_block(&text, &block)) {
        AUTO_DONE(buf) der = BUF_INIT(LIMIT_CERT);
        if (!sign_pem_label(block, &label) || !bytes_eq_str(label, "CERTIFICATE"))
            return err_set(e, ERR_FORMAT, "a PEM block that is no \"CERTIFICATE\"");
        int r = sign_pem_decode(block, &der, e);
        if (!r)
            r = sign_chain_add(c, buf_bytes(&der), e);
        if (r)
            return r;
    }
    return c->n > before ? 0 : err_set(e, ERR_FORMAT, "no certificate");
}
