/* SPDX-License-Identifier: Apache-2.0 */
/* The rules for chains of certificates: see sign_cert_chain_check. */
#include "base/limits.h"
#include "base/text.h"
#include "sign/cert.h"

#include <inttypes.h>
#include <stdio.h>

#define OID_KEY_USAGE         "2.5.29.15"
#define OID_ALT_NAMES         "2.5.29.17"
#define OID_BASIC_CONSTRAINTS "2.5.29.19"
#define OID_POLICIES          "2.5.29.32"
#define OID_PURPOSES          "2.5.29.37"

#define MIN_RSA_BITS          2048U
#define MIN_EC_BITS           256U

/* e: "certificate "CN=x": <why>". */
static int refuse(const struct sign_cert *c, struct err *e, const char *why)
{
    char name[160];
    return err_set(e, ERR_CERT, "certificate \"%s\": %s", text_escape_str(c->subject, name, sizeof(name)),
                   why);
}

static bool has_critical(const struct sign_cert *c, const char *oid)
{
    const struct sign_cert_ext *x = sign_cert_ext(c, oid);
    return x && x->critical;
}

/* RFC 5280 section 4.2: what is critical is understood, or the certificate is not used. A set of policies
 * does not restrict those who ask for none. */
static int check_critical(const struct sign_cert *c, struct err *e)
{
    static const char *const known[] = {OID_KEY_USAGE, OID_ALT_NAMES, OID_BASIC_CONSTRAINTS, OID_POLICIES,
                                        OID_PURPOSES};
    for (size_t i = 0; i < c->n_exts; i++) {
        bool is_known = !c->exts[i].critical;
        char why[160];
        for (size_t k = 0; k < ARRAY_LEN(known); k++)
            is_known = is_known || strcmp(c->exts[i].oid, known[k]) == 0;
        if (is_known)
            continue;
        (void)snprintf(why, sizeof(why), "its critical extension %.100s is not known", c->exts[i].oid);
        return refuse(c, e, why);
    }
    return 0;
}

static int check_any(const struct sign_cert *c, struct err *e)
{
    if (c->weak)
        return refuse(c, e, "it is signed with a hash that is broken, or with an unknown algorithm");
    if (c->key == SIGN_CERT_KEY_OTHER)
        return refuse(c, e, "its key is of an unknown type");
    if (c->key == SIGN_CERT_KEY_RSA && c->key_bits < MIN_RSA_BITS)
        return refuse(c, e, "its RSA key has less than 2048 bits");
    if (c->key == SIGN_CERT_KEY_EC && c->key_bits < MIN_EC_BITS)
        return refuse(c, e, "its key has less than 256 bits");
    return check_critical(c, e);
}

/* below: how many certificates of authorities stand under this one. */
static int check_ca(const struct sign_cert *c, size_t below, struct err *e)
{
    if (!c->is_ca || !has_critical(c, OID_BASIC_CONSTRAINTS))
        return refuse(c, e, "it signs another one and is no authority's (basicConstraints, critical, cA)");
    if (c->path_len >= 0 && (size_t)c->path_len < below)
        return refuse(c, e, "more authorities stand under it than its pathLenConstraint allows");
    if (!has_critical(c, OID_KEY_USAGE) || !(c->usage & SIGN_USAGE_KEY_CERT_SIGN))
        return refuse(c, e, "its keyUsage does not allow it to sign certificates (critical, keyCertSign)");
    return check_any(c, e);
}

/* Notary Project signature specification, "Certificate requirements". */
static int check_notary_leaf(const struct sign_cert *c, struct err *e)
{
    static const char *const foreign[] = {SIGN_EKU_ANY,   SIGN_EKU_SERVER_AUTH,   SIGN_EKU_CLIENT_AUTH,
                                          SIGN_EKU_EMAIL, SIGN_EKU_TIME_STAMPING, SIGN_EKU_OCSP_SIGNING};
    const unsigned allowed = SIGN_USAGE_DIGITAL_SIGNATURE | SIGN_USAGE_NON_REPUDIATION;
    if (!has_critical(c, OID_KEY_USAGE) || !(c->usage & SIGN_USAGE_DIGITAL_SIGNATURE))
        return refuse(c, e, "its keyUsage does not allow it to sign (critical, digitalSignature)");
    if (c->usage & ~allowed)
        return refuse(c, e, "its keyUsage allows more than to sign");
    for (size_t i = 0; i < ARRAY_LEN(foreign); i++)
        if (sign_cert_has_purpose(c, foreign[i]))
            return refuse(c, e, "its extKeyUsage is for something else than signed code");
    if (c->n_purposes && !sign_cert_has_purpose(c, SIGN_EKU_CODE_SIGNING))
        return refuse(c, e, "its extKeyUsage has no codeSigning");
    if (c->key != SIGN_CERT_KEY_RSA && c->key != SIGN_CERT_KEY_EC)
        return refuse(c, e, "its key is neither RSA nor ECDSA");
    return 0;
}

static int check_tsa_leaf(const struct sign_cert *c, struct err *e)
{
    if (c->n_purposes != 1 || !sign_cert_has_purpose(c, SIGN_EKU_TIME_STAMPING) ||
        !has_critical(c, OID_PURPOSES))
        return refuse(c, e, "its extKeyUsage is not timeStamping alone, and critical");
    if (c->usage && !(c->usage & (SIGN_USAGE_DIGITAL_SIGNATURE | SIGN_USAGE_NON_REPUDIATION)))
        return refuse(c, e, "its keyUsage does not allow it to sign");
    return 0;
}

static int check_fulcio_leaf(const struct sign_cert *c, struct err *e)
{
    if (!sign_cert_has_purpose(c, SIGN_EKU_CODE_SIGNING))
        return refuse(c, e, "its extKeyUsage has no codeSigning");
    if (c->usage && !(c->usage & SIGN_USAGE_DIGITAL_SIGNATURE))
        return refuse(c, e, "its keyUsage does not allow it to sign (digitalSignature)");
    return 0;
}

static bool is_notary(enum sign_cert_profile profile)
{
    return profile == SIGN_PROFILE_NOTARY || profile == SIGN_PROFILE_AUTHORITY;
}

static int check_leaf(const struct sign_cert *c, enum sign_cert_profile profile, struct err *e)
{
    if (c->is_ca)
        return refuse(c, e, "an authority's where a signer's is needed");
    int r = is_notary(profile)               ? check_notary_leaf(c, e)
            : profile == SIGN_PROFILE_FULCIO ? check_fulcio_leaf(c, e)
                                             : check_tsa_leaf(c, e);
    return r ? r : check_any(c, e);
}

static bool is_self_issued(const struct sign_cert *c)
{
    return bytes_eq(c->issuer_der, c->subject_der);
}

/* Who signed whom, and what each may. */
static int check_links(struct sign_cert *const *chain, size_t n, enum sign_cert_profile profile,
                       struct err *e)
{
    int r = check_leaf(chain[0], profile, e);
    for (size_t i = 1; !r && i < n; i++) {
        if (is_self_issued(chain[i - 1]))
            return refuse(chain[i], e, "it stands above one that names itself as its issuer");
        r = sign_cert_signed_by(chain[i - 1], chain[i], e);
        if (!r)
            r = check_ca(chain[i], i - 1, e);
    }
    if (r || !is_notary(profile))
        return r;
    if (!is_self_issued(chain[n - 1]))
        return refuse(chain[n - 1], e, "the chain ends with it, and it is no root");
    return sign_cert_signed_by(chain[n - 1], chain[n - 1], e);
}

static bool is_valid(const struct sign_cert *c, int64_t at)
{
    return at >= c->not_before && at <= c->not_after;
}

static int check_time(const struct sign_cert *c, int64_t at, struct err *e)
{
    char name[160];
    if (is_valid(c, at))
        return 0;
    return err_set(e, ERR_EXPIRED, "certificate \"%s\" %s", text_escape_str(c->subject, name, sizeof(name)),
                   at < c->not_before ? "is not valid yet" : "has expired");
}

static enum sign_store_kind kind_of(enum sign_cert_profile profile)
{
    return profile == SIGN_PROFILE_TSA         ? SIGN_STORE_TSA
           : profile == SIGN_PROFILE_AUTHORITY ? SIGN_STORE_AUTHORITY
                                               : SIGN_STORE_CA;
}

static const struct sign_anchor *find_equal(const struct sign_store *store, enum sign_store_kind kind,
                                            const struct sign_cert *c)
{
    for (size_t i = 0; i < sign_store_len(store); i++) {
        const struct sign_anchor *a = sign_store_at(store, i);
        if (a->kind == kind && bytes_eq(a->cert->der, c->der))
            return a;
    }
    return NULL;
}

/* An anchor above the chain's last certificate, of those the one that is valid. */
static int find_above(const struct sign_store *store, enum sign_store_kind kind, const struct sign_cert *last,
                      size_t below, int64_t at, const struct sign_anchor **ret, struct err *e)
{
    struct err ignored = ERR_INIT;
    *ret = NULL;
    for (size_t i = 0; i < sign_store_len(store); i++) {
        const struct sign_anchor *a = sign_store_at(store, i);
        if (a->kind != kind || !bytes_eq(a->cert->subject_der, last->issuer_der) ||
            check_ca(a->cert, below, &ignored) != 0 || sign_cert_signed_by(last, a->cert, &ignored) != 0)
            continue;
        *ret = a;
        if (is_valid(a->cert, at))
            return 0;
    }
    return *ret ? check_time((*ret)->cert, at, e) : 0;
}

int sign_cert_chain_check(struct sign_cert *const *chain, size_t n, const struct sign_store *store,
                          int64_t at, enum sign_cert_profile profile, const struct sign_anchor **ret_anchor,
                          struct err *e)
{
    const struct sign_anchor *found = NULL;
    int late = 0;
    if (n == 0)
        return err_set(e, ERR_CERT, "no certificate");
    if (n > LIMIT_CERTS)
        return err_set(e, ERR_CERT, "a chain of more than %u certificates", LIMIT_CERTS);
    int r = check_links(chain, n, profile, e);
    if (r)
        return r;
    for (size_t i = n; i-- > 0 && !found;)
        found = find_equal(store, kind_of(profile), chain[i]);
    if (!found && !is_notary(profile))
        late = find_above(store, kind_of(profile), chain[n - 1], n - 1, at, &found, e);
    if (!found)
        return refuse(chain[n - 1], e, "no certificate of the trust store stands above the chain");
    for (size_t i = 0; !r && i < n; i++)
        r = check_time(chain[i], at, e);
    if (r || late)
        return r ? r : late;
    if (ret_anchor)
        *ret_anchor = found;
    return 0;
}
