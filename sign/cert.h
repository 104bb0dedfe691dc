/* SPDX-License-Identifier: Apache-2.0 */
/*
 * X.509 certificates (RFC 5280) and chains of them. What is looked up here are certificates that the caller
 * gives, at a time that the caller gives: nothing is fetched, no list of revoked certificates is asked for.
 * The decoder is loaded with the first certificate.
 */
#ifndef WAYBILL_SIGN_CERT_H
#define WAYBILL_SIGN_CERT_H

#include "base/hash.h"
#include "sign/key.h"

enum sign_cert_key { SIGN_CERT_KEY_OTHER, SIGN_CERT_KEY_RSA, SIGN_CERT_KEY_EC, SIGN_CERT_KEY_ED25519 };

/* keyUsage, RFC 5280 section 4.2.1.3. */
enum sign_cert_usage {
    SIGN_USAGE_DIGITAL_SIGNATURE = 1 << 0,
    SIGN_USAGE_NON_REPUDIATION = 1 << 1,
    SIGN_USAGE_KEY_ENCIPHERMENT = 1 << 2,
    SIGN_USAGE_DATA_ENCIPHERMENT = 1 << 3,
    SIGN_USAGE_KEY_AGREEMENT = 1 << 4,
    SIGN_USAGE_KEY_CERT_SIGN = 1 << 5,
    SIGN_USAGE_CRL_SIGN = 1 << 6,
    SIGN_USAGE_ENCIPHER_ONLY = 1 << 7,
    SIGN_USAGE_DECIPHER_ONLY = 1 << 8,
};

/* Purposes of extKeyUsage, RFC 5280 section 4.2.1.12. */
#define SIGN_EKU_ANY           "2.5.29.37.0"
#define SIGN_EKU_SERVER_AUTH   "1.3.6.1.5.5.7.3.1"
#define SIGN_EKU_CLIENT_AUTH   "1.3.6.1.5.5.7.3.2"
#define SIGN_EKU_CODE_SIGNING  "1.3.6.1.5.5.7.3.3"
#define SIGN_EKU_EMAIL         "1.3.6.1.5.5.7.3.4"
#define SIGN_EKU_TIME_STAMPING "1.3.6.1.5.5.7.3.8"
#define SIGN_EKU_OCSP_SIGNING  "1.3.6.1.5.5.7.3.9"

struct sign_cert_ext {
    char *oid; /* "2.5.29.15" */
    bool critical;
    struct bytes value; /* what stands in extnValue's OCTET STRING; owned by the certificate */
};

enum sign_san_kind { SIGN_SAN_URI, SIGN_SAN_EMAIL, SIGN_SAN_DNS, SIGN_SAN_OTHER };

struct sign_cert_san {
    enum sign_san_kind kind;
    char *value;        /* printable ASCII or UTF-8; SIGN_SAN_OTHER: "" */
    char *oid;          /* SIGN_SAN_OTHER with an otherName: its type-id; else NULL */
    struct bytes other; /* the DER value of that otherName; owned by the certificate */
};

/* One attribute of a name. */
struct sign_cert_attr {
    char *oid;   /* "2.5.4.10" */
    char *value; /* UTF-8; NULL: of a type of string that waybill does not read */
};

/* One certificate; all members are to be read only. */
struct sign_cert {
    struct bytes der;        /* the whole; owned */
    struct bytes tbs;        /* TBSCertificate with its tag and length, inside der */
    struct bytes spki;       /* SubjectPublicKeyInfo likewise */
    struct bytes serial;     /* serialNumber's digits, big-endian, without leading zeros, likewise */
    struct bytes issuer_der; /* the names, likewise */
    struct bytes subject_der;
    char *issuer, *subject; /* as RFC 4514 writes them, the most specific part first; may hold anything that a
                               certificate holds: text_escape before it is shown */
    struct sign_cert_attr *attrs; /* of the subject, in the order of the certificate */
    size_t n_attrs;
    int64_t not_before, not_after; /* seconds since 1970; both belong to the time of validity */
    struct digest fingerprint;     /* SHA-256 of der */
    enum sign_cert_key key;        /* what the public key is */
    unsigned key_bits;             /* RSA: of the modulus; EC: 256, 384, 521 */
    bool weak;                     /* signed with MD5, SHA-1 or anything that is not a hash of today */
    char sig_alg[40];              /* what it was signed with, for messages: "ECDSA-SHA256" */

    struct sign_cert_ext *exts; /* no two with the same oid */
    size_t n_exts;
    struct sign_cert_san *sans;
    size_t n_sans;
    bool is_ca;      /* basicConstraints: cA */
    int path_len;    /* pathLenConstraint; -1: none */
    unsigned usage;  /* enum sign_cert_usage, or'ed; 0: no keyUsage */
    char **purposes; /* extKeyUsage */
    size_t n_purposes;
};

/* sign_cert_parse - one certificate in DER, nothing behind it. ret: sign_cert_free by the caller (takes
 * NULL). ERR_FORMAT (also: an extension that occurs twice, a version other than 3 or 1), ERR_LIMIT
 * (LIMIT_CERT), ERR_CONFIG (no plugin), ERR_NOMEM. */
MUST_CHECK int sign_cert_parse(struct bytes der, struct sign_cert **ret, struct err *e);
void sign_cert_free(struct sign_cert *c);
DEFINE_AUTO(sign_cert, sign_cert_free);

/* sign_cert_take_key - the public key, named as the subject; sign_key_free by the caller. ERR_FORMAT,
 * ERR_UNSUPPORTED. */
MUST_CHECK int sign_cert_take_key(const struct sign_cert *c, struct sign_key **ret, struct err *e);

/* sign_cert_ext - the extension with that OID; NULL: none. */
static inline const struct sign_cert_ext *sign_cert_ext(const struct sign_cert *c, const char *oid)
{
    for (size_t i = 0; i < c->n_exts; i++)
        if (c->exts[i].oid && strcmp(c->exts[i].oid, oid) == 0)
            return &c->exts[i];
    return NULL;
}

/* sign_cert_has_purpose - whether extKeyUsage is there and names that very purpose. */
bool sign_cert_has_purpose(const struct sign_cert *c, const char *oid);

/* sign_subject_check - whether a text is a subject as policies state them: "*", or attributes of a name such
 * as "C=US, ST=WA, O=Example", types as RFC 4514 section 3 names them or as OIDs, special characters escaped
 * as in its section 2.4; "x509.subject:" may stand in front (Notary Project trust policy). ERR_CONFIG. */
MUST_CHECK int sign_subject_check(const char *text, struct err *e);

/* sign_subject_matches - whether the certificate's subject has every attribute that the text states, with
 * just that value (Notary Project trust store and trust policy specification, "Trusted identities
 * constraints"); "*" is any. ERR_CONFIG as of sign_subject_check. */
MUST_CHECK int sign_subject_matches(const struct sign_cert *c, const char *text, bool *ret, struct err *e);

/* sign_cert_signed_by - 0 when the signature of `c` is right with the key of `issuer`, and c names it as its
 * issuer; else ERR_CERT. Says nothing about whether issuer may sign certificates. */
MUST_CHECK int sign_cert_signed_by(const struct sign_cert *c, const struct sign_cert *issuer, struct err *e);

/* Certificates in order. */
struct sign_chain {
    struct sign_cert **certs; /* owned, and each of them */
    size_t n;
};
#define SIGN_CHAIN_INIT \
    {                   \
        .certs = NULL   \
    }
void sign_chain_done(struct sign_chain *c);

/* sign_chain_add - one more certificate in DER, at the end. As sign_cert_parse; ERR_LIMIT: more than
 * LIMIT_CERTS. */
MUST_CHECK int sign_chain_add(struct sign_chain *c, struct bytes der, struct err *e);

/* sign_chain_add_pem - every block "CERTIFICATE" of a text (RFC 7468), in its order; at least one. Text
 * around the blocks is skipped. ERR_FORMAT: none, or a block that is something else. */
MUST_CHECK int sign_chain_add_pem(struct sign_chain *c, struct bytes text, struct err *e);

/* What an anchor is trusted for: the folders of a Notary trust store. */
enum sign_store_kind {
    SIGN_STORE_CA,        /* "ca": certificates of signers */
    SIGN_STORE_AUTHORITY, /* "signingAuthority": those of services that sign for others, with their clock */
    SIGN_STORE_TSA,       /* "tsa": time stamps (RFC 3161) */
};

struct sign_anchor {
    enum sign_store_kind kind;
    char *name; /* of its store: "acme"; owned */
    struct sign_cert *cert;
};

struct sign_store; /* anchors */

MUST_CHECK int sign_store_new(struct sign_store **ret, struct err *e);
void sign_store_free(struct sign_store *s); /* takes NULL */
DEFINE_AUTO(sign_store, sign_store_free);

/* sign_store_add - the certificates of a file, PEM or one in DER, under the name of a store. ERR_CERT: one
 * that is neither a CA's (basicConstraints) nor signed by itself; ERR_FORMAT, ERR_LIMIT (LIMIT_ANCHORS). On
 * failure nothing was added. */
MUST_CHECK int sign_store_add(struct sign_store *s, enum sign_store_kind kind, const char *name,
                              struct bytes content, struct err *e);
size_t sign_store_len(const struct sign_store *s);
const struct sign_anchor *sign_store_at(const struct sign_store *s, size_t i);

/* Whose rules a chain follows. */
enum sign_cert_profile {
    SIGN_PROFILE_NOTARY,    /* Notary Project signature specification, "Certificate requirements", signer's
                               chain: whole up to a root that is signed by itself; anchors of kind CA */
    SIGN_PROFILE_AUTHORITY, /* the same with anchors of kind AUTHORITY */
    SIGN_PROFILE_TSA,       /* RFC 3161 section 2.3: extKeyUsage critical, timeStamping and nothing else;
                               anchors of kind TSA */
    SIGN_PROFILE_FULCIO,    /* the leaf has the purpose codeSigning; anchors of kind CA */
};

/* sign_cert_chain_check - whether a chain holds at a time.
 * chain: n certificates, the leaf first, each signed by the next one, none that is not needed.
 * at: seconds since 1970; every certificate is valid then.
 * One certificate of the chain is, byte for byte, an anchor of the profile's kind, or - TSA and FULCIO - its
 * last one is signed by an anchor, which follows the rules for a CA and is valid then as well. A name that
 * matches means nothing.
 * CAs: basicConstraints critical with cA, pathLenConstraint respected, keyUsage critical with keyCertSign.
 * All: no SHA-1 or MD5, RSA of 2048 bits and EC of 256 at least, no critical extension that is unknown.
 * A single certificate that is signed by itself passes under the rules for leaves (NOTARY, AUTHORITY), when
 * it is an anchor.
 * ret_anchor: the one found, borrowed from the store; may be NULL.
 * Returns 0, ERR_EXPIRED (that is all that is wrong), ERR_CERT, ERR_NOMEM. */
MUST_CHECK int sign_cert_chain_check(struct sign_cert *const *chain, size_t n, const struct sign_store *store,
                                     int64_t at, enum sign_cert_profile profile,
                                     const struct sign_anchor **ret_anchor, struct err *e);

/* sign_cert_timestamp - a time stamp token (RFC 3161 section 2.4.2: a CMS SignedData over a TSTInfo) over
 * `message`, by an authority whose chain, which stands in the token, leads to an anchor of kind TSA.
 * *ret_at: the time that it states. ERR_FORMAT, ERR_DIGEST (of another message), ERR_CERT, ERR_EXPIRED,
 * ERR_UNTRUSTED (its signature is wrong), ERR_UNSUPPORTED. */
MUST_CHECK int sign_cert_timestamp(struct bytes token, struct bytes message, const struct sign_store *store,
                                   int64_t *ret_at, struct err *e);

#endif
