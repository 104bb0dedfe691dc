/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/fulcio.h"

#include "base/limits.h"
#include "base/time.h"
#include "sign/der.h"

#include <string.h>

#define OID_ISSUER     "1.3.6.1.4.1.57264.1.8" /* a UTF8String */
#define OID_ISSUER_OLD "1.3.6.1.4.1.57264.1.1" /* the bare text */
#define OID_USER_NAME  "1.3.6.1.4.1.57264.1.7" /* of an otherName: a UTF8String */

void sign_fulcio_identity_done(struct sign_fulcio_identity *i)
{
    free(i->subject);
    free(i->issuer);
}

/* Text that is not empty, without a NUL. */
static int copy_text(struct bytes b, const char *what, char **ret, struct err *e)
{
    if (b.len == 0 || memchr(b.ptr, 0, b.len) || !bytes_is_utf8(b))
        return err_set(e, ERR_CERT, "the certificate's %s is no text", what);
    char *copy = strndup((const char *)b.ptr, b.len);
    if (!copy)
        return err_nomem(e);
    *ret = copy;
    return 0;
}

static int copy_utf8_string(struct bytes der, const char *what, char **ret, struct err *e)
{
    struct bytes text;
    if (!sign_der_take(&der, DER_UTF8_STRING, &text) || der.len)
        return err_set(e, ERR_CERT, "the certificate's %s is no UTF8String", what);
    return copy_text(text, what, ret, e);
}

static int read_subject(const struct sign_cert *leaf, char **ret, struct err *e)
{
    static const char what[] = "subject alternative name";
    if (leaf->n_sans != 1)
        return err_set(e, ERR_CERT, "a certificate with %zu subject alternative names instead of one",
                       leaf->n_sans);
    const struct sign_cert_san *san = &leaf->sans[0];
    if (san->kind == SIGN_SAN_URI || san->kind == SIGN_SAN_EMAIL)
        return copy_text(bytes_str(san->value), what, ret, e);
    if (san->kind == SIGN_SAN_OTHER && san->oid && strcmp(san->oid, OID_USER_NAME) == 0)
        return copy_utf8_string(san->other, what, ret, e);
    return err_set(e, ERR_CERT,
                   "a certificate whose subject alternative name is of no kind that names a signer");
}

static int read_issuer(const struct sign_cert *leaf, char **ret, struct err *e)
{
    const struct sign_cert_ext *now = sign_cert_ext(leaf, OID_ISSUER);
    const struct sign_cert_ext *old = sign_cert_ext(leaf, OID_ISSUER_OLD);
    if (!now && !old)
        return err_set(e, ERR_CERT, "a certificate that does not say who vouches for the signer");
    int r = now ? copy_utf8_string(now->value, "issuer", ret, e) : copy_text(old->value, "issuer", ret, e);
    if (!r && now && old && !bytes_eq_str(old->value, *ret))
        r = err_set(e, ERR_CERT, "a certificate that names two issuers");
    return r;
}

int sign_fulcio_identity_read(const struct sign_cert *leaf, struct sign_fulcio_identity *ret, struct err *e)
{
    int r = read_subject(leaf, &ret->subject, e);
    return r ? r : read_issuer(leaf, &ret->issuer, e);
}

/* A chain at each of the times; *ret_issuer: who signed the leaf. */
static int check_times(struct sign_cert *const *certs, size_t n_certs, const struct sign_authority *ca,
                       const int64_t *times, size_t n, const struct sign_cert **ret_issuer, struct err *e)
{
    char text[TIME_STR_MAX];
    for (size_t i = 0; i < n; i++) {
        const struct sign_anchor *anchor = NULL;
        int r = sign_cert_chain_check(certs, n_certs, ca->anchor, times[i], SIGN_PROFILE_FULCIO, &anchor, e);
        if (r == ERR_EXPIRED) /* keyless certificates have no subject that the message could name */
            return err_wrap(e, "signed at %s", time_str(times[i], text));
        if (r)
            return r;
        if (!sign_window_has(&ca->window, times[i]))
            return err_set(e, ERR_EXPIRED, "signed at a time when the authority %s is not trusted", ca->name);
        *ret_issuer = n_certs > 1 ? certs[1] : anchor->cert;
    }
    return 0;
}

/* By way of the certificates that the root has for the authority, else of those that came along. */
static int check_authority(const struct sign_chain *chain, const struct sign_authority *ca,
                           const int64_t *times, size_t n, const struct sign_cert **ret_issuer, struct err *e)
{
    struct sign_cert *certs[LIMIT_CERTS];
    size_t n_certs = 0;
    certs[n_certs++] = chain->certs[0];
    for (size_t i = 0; i < ca->middle.n && n_certs < LIMIT_CERTS; i++)
        certs[n_certs++] = ca->middle.certs[i];
    int r = check_times(certs, n_certs, ca, times, n, ret_issuer, e);
    if (r != ERR_CERT || chain->n == 1)
        return r;
    struct err first = *e;
    if (check_times(chain->certs, chain->n, ca, times, n, ret_issuer, e) == 0)
        return 0;
    if (e->code == ERR_CERT)
        *e = first;
    return e->code;
}

int sign_fulcio_check(const struct sign_chain *chain, const struct sign_root *root, const int64_t *times,
                      size_t n, struct err *e)
{
    const struct sign_cert *leaf = chain->certs[0], *issuer = NULL;
    struct err best = ERR_INIT;
    if (n == 0)
        return err_set(e, ERR_UNTRUSTED, "nothing proves when it was signed");
    if (leaf->not_after - leaf->not_before > LIMIT_KEYLESS_VALID)
        return err_set(e, ERR_CERT, "a certificate that is valid for longer than a keyless signature takes");
    (void)err_set(&best, ERR_CERT, "the trusted root has no certificate authority");
    for (size_t i = 0; i < root->n_cas && !issuer; i++) {
        int r = check_authority(chain, &root->cas[i], times, n, &issuer, e);
        if (r == ERR_NOMEM || r == ERR_CONFIG)
            return r;
        if (r) {
            issuer = NULL;
            if (i == 0 || r != ERR_CERT)
                best = *e;
        }
    }
    if (!issuer) {
        *e = best;
        return e->code;
    }
    return sign_sct_check(leaf, issuer, root, e);
}
