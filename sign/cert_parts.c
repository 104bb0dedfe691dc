/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "sign/cert_ops.h"

#include <gnutls/x509-ext.h>
#include <gnutls/x509.h>

#define OID_SAN "2.5.29.17"
#define OID_LEN 128

/* Room for one more of n things; more: the list, zeroed where it grew. */
static void *one_more(void *list, size_t n, size_t size, struct err *e)
{
    if (n >= LIMIT_CERT_PARTS) {
        (void)err_set(e, ERR_LIMIT, "a certificate with more than %u extensions or names", LIMIT_CERT_PARTS);
        return NULL;
    }
    uint8_t *more = reallocarray(list, n + 1, size);
    if (!more)
        (void)err_nomem(e);
    else
        memset(more + n * size, 0, size);
    return more;
}

static int add_ext(struct sign_cert *c, const char *oid, bool critical, struct bytes value, struct err *e)
{
    if (sign_cert_ext(c, oid))
        return err_set(e, ERR_FORMAT, "malformed certificate: the extension %s occurs twice", oid);
    struct sign_cert_ext *more = one_more(c->exts, c->n_exts, sizeof(*more), e);
    if (!more)
        return e->code;
    c->exts = more;
    more += c->n_exts++;
    more->critical = critical;
    int r = sign_cert_text(bytes_str(oid), &more->oid, e);
    return r ? r : sign_cert_copy(value, &more->value, e);
}

static int read_exts(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    for (unsigned i = 0;; i++) {
        char oid[OID_LEN];
        size_t size = sizeof(oid);
        unsigned critical = 0;
        gnutls_datum_t d;
        int r = gnutls_x509_crt_get_extension_info(crt, i, oid, &size, &critical);
        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return 0;
        if (r < 0)
            return sign_cert_refuse(r, "an extension", e);
        r = gnutls_x509_crt_get_extension_data2(crt, i, &d);
        if (r < 0)
            return sign_cert_refuse(r, oid, e);
        r = add_ext(c, oid, critical != 0, bytes_of(d.data, d.size), e);
        gnutls_free(d.data);
        if (r)
            return r;
    }
}

static unsigned usage_of(unsigned bits)
{
    static const struct {
        unsigned theirs, ours;
    } map[] = {
        {GNUTLS_KEY_DIGITAL_SIGNATURE, SIGN_USAGE_DIGITAL_SIGNATURE},
        {GNUTLS_KEY_NON_REPUDIATION, SIGN_USAGE_NON_REPUDIATION},
        {GNUTLS_KEY_KEY_ENCIPHERMENT, SIGN_USAGE_KEY_ENCIPHERMENT},
        {GNUTLS_KEY_DATA_ENCIPHERMENT, SIGN_USAGE_DATA_ENCIPHERMENT},
        {GNUTLS_KEY_KEY_AGREEMENT, SIGN_USAGE_KEY_AGREEMENT},
        {GNUTLS_KEY_KEY_CERT_SIGN, SIGN_USAGE_KEY_CERT_SIGN},
        {GNUTLS_KEY_CRL_SIGN, SIGN_USAGE_CRL_SIGN},
        {GNUTLS_KEY_ENCIPHER_ONLY, SIGN_USAGE_ENCIPHER_ONLY},
        {GNUTLS_KEY_DECIPHER_ONLY, SIGN_USAGE_DECIPHER_ONLY},
    };
    unsigned found = 0;
    for (size_t i = 0; i < ARRAY_LEN(map); i++)
        if (bits & map[i].theirs)
            found |= map[i].ours;
    return found;
}

static int read_usage(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    unsigned critical, is_ca = 0, usage = 0;
    int path_len = -1, r = gnutls_x509_crt_get_basic_constraints(crt, &critical, &is_ca, &path_len);
    if (r < 0 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return sign_cert_refuse(r, "basicConstraints", e);
    c->is_ca = r >= 0 && is_ca;
    c->path_len = r >= 0 ? path_len : -1;
    r = gnutls_x509_crt_get_key_usage(crt, &usage, &critical);
    if (r < 0 && r != GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
        return sign_cert_refuse(r, "keyUsage", e);
    c->usage = r >= 0 ? usage_of(usage) : 0;
    return 0;
}

static int read_purposes(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    for (unsigned i = 0;; i++) {
        char oid[OID_LEN];
        size_t size = sizeof(oid);
        int r = gnutls_x509_crt_get_key_purpose_oid(crt, i, oid, &size, NULL);
        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE)
            return 0;
        if (r < 0)
            return sign_cert_refuse(r, "extKeyUsage", e);
        char **more = one_more(c->purposes, c->n_purposes, sizeof(*more), e);
        if (!more)
            return e->code;
        c->purposes = more;
        r = sign_cert_text(bytes_str(oid), &more[c->n_purposes++], e);
        if (r)
            return r;
    }
}

static int add_san(struct sign_cert *c, unsigned type, gnutls_datum_t value, gnutls_datum_t oid,
                   struct err *e)
{
    struct sign_cert_san *more = one_more(c->sans, c->n_sans, sizeof(*more), e);
    if (!more)
        return e->code;
    c->sans = more;
    more += c->n_sans++;
    more->kind = type == GNUTLS_SAN_URI          ? SIGN_SAN_URI
                 : type == GNUTLS_SAN_RFC822NAME ? SIGN_SAN_EMAIL
                 : type == GNUTLS_SAN_DNSNAME    ? SIGN_SAN_DNS
                                                 : SIGN_SAN_OTHER;
    struct bytes bytes = bytes_of(value.data, value.size);
    int r = sign_cert_text(more->kind == SIGN_SAN_OTHER ? BYTES_NONE : bytes, &more->value, e);
    if (!r && type == GNUTLS_SAN_OTHERNAME) {
        size_t len = strnlen(oid.data ? (const char *)oid.data : "", oid.size); /* GnuTLS counts a NUL */
        r = sign_cert_text(bytes_of(oid.data, len), &more->oid, e);
        if (!r)
            r = sign_cert_copy(bytes, &more->other, e);
    }
    return r;
}

static int read_sans(struct sign_cert *c, struct err *e)
{
    const struct sign_cert_ext *x = sign_cert_ext(c, OID_SAN);
    gnutls_subject_alt_names_t sans = NULL;
    struct bytes copy;
    if (!x)
        return 0;
    if (gnutls_subject_alt_names_init(&sans) < 0 || sign_cert_copy(x->value, &copy, e) != 0) {
        gnutls_subject_alt_names_deinit(sans);
        return err_nomem(e);
    }
    AUTO_FREE void *room = NULL;
    memcpy(&room, &copy.ptr, sizeof(room));
    const gnutls_datum_t d = {room, (unsigned)copy.len};
    int r = gnutls_x509_ext_import_subject_alt_names(&d, sans, 0);
    if (r < 0)
        r = sign_cert_refuse(r, "subjectAltName", e);
    for (unsigned i = 0; r == 0; i++) {
        unsigned type;
        gnutls_datum_t value = {NULL, 0}, oid = {NULL, 0};
        r = gnutls_subject_alt_names_get(sans, i, &type, &value, &oid);
        if (r == GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE) {
            r = 0;
            break;
        }
        r = r < 0 ? sign_cert_refuse(r, "subjectAltName", e) : add_san(c, type, value, oid, e);
    }
    gnutls_subject_alt_names_deinit(sans);
    return r;
}

/* The types of string that are UTF-8 or a part of it: X.680, table 8. */
static bool is_utf8_type(unsigned long tag)
{
    enum { UTF8 = 12, PRINTABLE = 19, IA5 = 22 };
    return tag == UTF8 || tag == PRINTABLE || tag == IA5;
}

static int add_attr(struct sign_cert *c, const gnutls_x509_ava_st *ava, struct err *e)
{
    struct sign_cert_attr *more = one_more(c->attrs, c->n_attrs, sizeof(*more), e);
    if (!more)
        return e->code;
    c->attrs = more;
    more += c->n_attrs++;
    size_t len = strnlen((const char *)ava->oid.data, ava->oid.size);
    int r = sign_cert_text(bytes_of(ava->oid.data, len), &more->oid, e);
    if (!r && is_utf8_type(ava->value_tag))
        r = sign_cert_text(bytes_of(ava->value.data, ava->value.size), &more->value, e);
    return r;
}

static int read_attrs(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    gnutls_x509_dn_t dn;
    gnutls_x509_ava_st ava;
    int r = gnutls_x509_crt_get_subject(crt, &dn);
    if (r < 0)
        return sign_cert_refuse(r, "its subject", e);
    for (int rdn = 0; rdn <= (int)LIMIT_CERT_PARTS; rdn++)
        for (int i = 0; i <= (int)LIMIT_CERT_PARTS; i++) {
            r = gnutls_x509_dn_get_rdn_ava(dn, rdn, i, &ava);
            if (r == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND && i == 0)
                return 0;
            if (r == GNUTLS_E_ASN1_ELEMENT_NOT_FOUND)
                break;
            r = r < 0 ? sign_cert_refuse(r, "its subject", e) : add_attr(c, &ava, e);
            if (r)
                return r;
        }
    return 0;
}

int sign_cert_parts(gnutls_x509_crt_t crt, struct sign_cert *c, struct err *e)
{
    int r = read_exts(crt, c, e);
    if (!r)
        r = read_usage(crt, c, e);
    if (!r)
        r = read_purposes(crt, c, e);
    if (!r)
        r = read_sans(c, e);
    if (!r)
        r = read_attrs(crt, c, e);
    return r;
}
