/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests, made on the spot: good ones, and bad in one point each. Includes cmocka by unit.h.
 */
#ifndef WAYBILL_TESTS_UNIT_SIGN_CERT_FIXTURE_H
#define WAYBILL_TESTS_UNIT_SIGN_CERT_FIXTURE_H

#include "base/buf.h"
#include "sign/cert.h"
#include "tests/unit/unit.h"

#include <gnutls/x509.h>

#include <spawn.h>
#include <sys/wait.h>

#define DAY INT64_C(86400)
#define T0                                                                                           \
    INT64_C(1767225600) /* 2026-01-01: everything is valid a year before and after, if not said else \
                         */
#define YEAR (365 * DAY)

/* What a certificate is to be; zero is the default. */
struct recipe {
    const char *subject;     /* "CN=leaf,O=Example,C=US" */
    const char *issuer;      /* NULL: as the signer is called */
    unsigned usage;          /* GNUTLS_KEY_*, 0: no keyUsage */
    bool ca;                 /* basicConstraints, critical, cA */
    int path_len;            /* n + 1; 0: none */
    const char *purposes[3]; /* OIDs of extKeyUsage */
    bool purposes_critical;
    int64_t from, to; /* 0: a year before and after T0 */
    gnutls_digest_algorithm_t hash;
    struct {
        const char *oid;
        struct bytes der;
        bool critical;
    } exts[2];                 /* put in as they are */
    gnutls_pk_algorithm_t key; /* 0: ECDSA */
    unsigned bits;             /* 0: P-256 */
    const char *uri, *email;   /* subjectAltName */
};

struct issued {
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    struct buf der;
};

#define GNUTLS_OK(call)                                       \
    do {                                                      \
        int got_ = (call);                                    \
        if (got_ < 0)                                         \
            fail_msg("%s: %s", #call, gnutls_strerror(got_)); \
    } while (0)

static inline void issue_names(const struct recipe *r, gnutls_x509_crt_t crt)
{
    const char *where;
    GNUTLS_OK(gnutls_x509_crt_set_dn(crt, r->subject, &where));
    if (r->issuer)
        GNUTLS_OK(gnutls_x509_crt_set_issuer_dn(crt, r->issuer, &where));
    if (r->uri)
        GNUTLS_OK(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_URI, r->uri, (unsigned)strlen(r->uri),
                                                       GNUTLS_FSAN_SET));
    if (r->email)
        GNUTLS_OK(gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_RFC822NAME, r->email,
                                                       (unsigned)strlen(r->email), GNUTLS_FSAN_APPEND));
}

static inline void issue_exts(const struct recipe *r, gnutls_x509_crt_t crt)
{
    if (r->ca)
        GNUTLS_OK(gnutls_x509_crt_set_basic_constraints(crt, 1, r->path_len - 1));
    if (r->usage)
        GNUTLS_OK(gnutls_x509_crt_set_key_usage(crt, r->usage));
    for (size_t i = 0; i < ARRAY_LEN(r->purposes) && r->purposes[i]; i++)
        GNUTLS_OK(gnutls_x509_crt_set_key_purpose_oid(crt, r->purposes[i], r->purposes_critical));
    for (size_t i = 0; i < ARRAY_LEN(r->exts) && r->exts[i].oid; i++)
        GNUTLS_OK(gnutls_x509_crt_set_extension_by_oid(crt, r->exts[i].oid, r->exts[i].der.ptr,
                                                       r->exts[i].der.len, r->exts[i].critical));
}

/* GnuTLS writes the number of an EC key in PKCS#8 with a zero in front where its first bit is set, and
 * without its own leading zeros; RFC 5915 section 3 has it in a fixed length: only keys whose two forms are
 * one. */
static inline bool is_plain(gnutls_x509_privkey_t key, gnutls_pk_algorithm_t alg)
{
    gnutls_datum_t x, y, k;
    gnutls_ecc_curve_t curve;
    if (alg != GNUTLS_PK_ECDSA)
        return true;
    GNUTLS_OK(gnutls_x509_privkey_export_ecc_raw(key, &curve, &x, &y, &k));
    bool plain = k.size == (unsigned)gnutls_ecc_curve_get_size(curve) && !(k.data[0] & 0x80);
    gnutls_free(x.data);
    gnutls_free(y.data);
    gnutls_free(k.data);
    return plain;
}

/* ret: issued_done. by: NULL: signed by itself. key: NULL: a new one. */
static inline void issue_with(const struct recipe *r, gnutls_x509_privkey_t key, const struct issued *by,
                              struct issued *ret)
{
    static unsigned char serial[4] = {1};
    gnutls_datum_t d;
    *ret = (struct issued){.key = key, .der = BUF_INIT(1U << 16)};
    if (!key) {
        gnutls_pk_algorithm_t alg = r->key ? r->key : GNUTLS_PK_ECDSA;
        unsigned bits = r->bits                  ? r->bits
                        : alg == GNUTLS_PK_ECDSA ? GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1)
                                                 : 2048;
        do {
            gnutls_x509_privkey_deinit(ret->key);
            GNUTLS_OK(gnutls_x509_privkey_init(&ret->key));
            GNUTLS_OK(gnutls_x509_privkey_generate(ret->key, alg, bits, 0));
        } while (!is_plain(ret->key, alg));
    }
    GNUTLS_OK(gnutls_x509_crt_init(&ret->crt));
    GNUTLS_OK(gnutls_x509_crt_set_version(ret->crt, 3));
    GNUTLS_OK(gnutls_x509_crt_set_key(ret->crt, ret->key));
    serial[3]++;
    GNUTLS_OK(gnutls_x509_crt_set_serial(ret->crt, serial, sizeof(serial)));
    GNUTLS_OK(gnutls_x509_crt_set_activation_time(ret->crt, r->from ? r->from : T0 - YEAR));
    GNUTLS_OK(gnutls_x509_crt_set_expiration_time(ret->crt, r->to ? r->to : T0 + YEAR));
    issue_names(r, ret->crt);
    issue_exts(r, ret->crt);
    const struct issued *signer = by ? by : ret;
    GNUTLS_OK(
        gnutls_x509_crt_sign2(ret->crt, signer->crt, signer->key, r->hash ? r->hash : GNUTLS_DIG_SHA256, 0));
    GNUTLS_OK(gnutls_x509_crt_export2(ret->crt, GNUTLS_X509_FMT_DER, &d));
    buf_append(&ret->der, d.data, d.size);
    gnutls_free(d.data);
}

static inline void issue(const struct recipe *r, const struct issued *by, struct issued *ret)
{
    issue_with(r, NULL, by, ret);
}

static inline void issued_done(struct issued *c)
{
    gnutls_x509_privkey_deinit(c->key);
    gnutls_x509_crt_deinit(c->crt);
    buf_done(&c->der);
}

static inline void issued_pem(const struct issued *c, struct buf *out)
{
    gnutls_datum_t d;
    GNUTLS_OK(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_PEM, &d));
    buf_append(out, d.data, d.size);
    gnutls_free(d.data);
}

/* The key as a PKCS#8 file. */
static inline void issued_key(const struct issued *c, struct buf *out)
{
    gnutls_datum_t d;
    GNUTLS_OK(gnutls_x509_privkey_export2_pkcs8(c->key, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN, &d));
    buf_append(out, d.data, d.size);
    mem_wipe(d.data, d.size);
    gnutls_free(d.data);
}

static const struct recipe a_root = {
    .subject = "CN=root,O=Example,C=US", .ca = true, .usage = GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN};
static const struct recipe a_middle = {
    .subject = "CN=middle,O=Example,C=US", .ca = true, .path_len = 1, .usage = GNUTLS_KEY_KEY_CERT_SIGN};
static const struct recipe a_leaf = {.subject = "CN=leaf,O=Example,ST=WA,C=US",
                                     .usage = GNUTLS_KEY_DIGITAL_SIGNATURE,
                                     .purposes = {GNUTLS_KP_CODE_SIGNING}};

/* Whether a shell's commands in the folder did it; openssl makes the time stamps. */
static inline bool shell(const struct scratch *s, const char *commands)
{
    char program[] = "/bin/sh", option[] = "-c", text[4096];
    char *const argv[] = {program, option, text, NULL};
    pid_t pid;
    int status;
    (void)snprintf(text, sizeof(text), "cd %s && { %s\n} >log 2>&1", s->path, commands);
    return posix_spawn(&pid, program, NULL, NULL, argv, environ) == 0 && waitpid(pid, &status, 0) == pid &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* A root, an authority for time stamps under it, and a function of the shell that stamps the file msg:
 * options of the query, more of them, the file of the token, options of the reply. */
#define TSA_FUNCTION                                                                                   \
    "stamp() { openssl ts -query -data msg $1 -out q $2 && openssl ts -reply -config cnf -queryfile q" \
    " -signer tsa.crt -inkey tsa.key -chain root.crt -token_out -out $3 $4; }\n"

static inline const char *tsa_make(void)
{
    return "for k in root tsa; do openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "
           "$k.key; done\n"
           "openssl req -x509 -new -key root.key -days 30 -subj /CN=clock -out root.crt"
           " -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign\n"
           "openssl req -new -key tsa.key -subj /CN=tsa -out tsa.csr\n"
           "echo keyUsage=critical,digitalSignature >ext; echo extendedKeyUsage=critical,timeStamping >>ext\n"
           "openssl x509 -req -in tsa.csr -CA root.crt -CAkey root.key -CAcreateserial -days 30 -extfile ext "
           "-out tsa.crt\n"
           "printf '[tsa]\\ndefault_tsa=t\\n[t]\\nserial=serial\\nsigner_digest=sha256\\n"
           "default_policy=1.2.3.4\\ndigests=sha256,sha384,sha512,sha1\\ness_cert_id_alg=sha256\\n' >cnf\n"
           "echo 01 >serial; printf message >msg";
}

static inline const char *tsa_stamps(void)
{
    return TSA_FUNCTION
        "stamp -sha256 -cert token && stamp -sha512 '' bare && stamp -sha1 -cert sha1"
        " && stamp -sha256 -cert weak -sha1\n"
        "openssl x509 -req -in tsa.csr -CA root.crt -CAkey root.key -days 20 -extfile ext -out twin.crt"
        " -set_serial 0x$(openssl x509 -in tsa.crt -noout -serial | cut -d= -f2) &&"
        " sed -i s/ess_cert_id_alg=sha256/ess_cert_id_alg=sha1/ cnf && stamp -sha384 -cert old";
}

#endif
