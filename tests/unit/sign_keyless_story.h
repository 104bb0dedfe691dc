/* SPDX-License-Identifier: Apache-2.0 */
/* The second half of sign_keyless_fixture.h: time stamps, bundles, trusted roots, and what is thought of
 * them. */
#ifndef WAYBILL_TESTS_UNIT_SIGN_KEYLESS_STORY_H
#define WAYBILL_TESTS_UNIT_SIGN_KEYLESS_STORY_H

#include "tests/unit/sign_keyless_fixture.h"

#define DER_SET ((enum der_tag)0x31)

/* OIDs in DER: id-ct-TSTInfo, signedData, contentType, messageDigest, signingCertificateV2,
 * ecdsa-with-SHA256; SHA-256 with NULL.
 */
#define O_TST       "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x01\x04"
#define O_SIGNED    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
#define O_TYPE      "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03"
#define O_ESS       "\x06\x0b\x2a\x86\x48\x86\xf7\x0d\x01\x09\x10\x02\x2f"
#define O_DIGEST    "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04"
#define ALG_ECDSA   "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
#define ALG_SHA256  "\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00"
#define PUT(b, lit) buf_append_bytes(b, BYTES_LIT(lit))

/* Wraps the whole buffer into a value with that tag. */
static inline void wrap(struct buf *b, enum der_tag tag)
{
    AUTO_DONE(buf) inner = BUF_INIT(ROOM);
    buf_append_bytes(&inner, buf_bytes(b));
    buf_reset(b);
    sign_der_put(b, tag, buf_bytes(&inner));
}

/* RFC 3161 section 2.4.2. */
static inline void put_info(struct bytes message, int64_t at, struct buf *out)
{
    AUTO_DONE(buf) imprint = BUF_INIT(ROOM);
    uint8_t hash[HASH_SHA256_LEN];
    char time[TIME_STR_MAX], digits[TIME_STR_MAX];
    size_t n = 0;
    time_str(at, time);
    for (const char *p = time; *p; p++)
        if (*p != '-' && *p != ':' && *p != 'T')
            digits[n++] = *p;
    sha256(message, hash);
    PUT(&imprint, ALG_SHA256);
    sign_der_put(&imprint, DER_OCTET_STRING, BYTES_ARR(hash));
    wrap(&imprint, DER_SEQUENCE);
    PUT(out, "\x02\x01\x01\x06\x02\x2a\x03");
    buf_append_bytes(out, buf_bytes(&imprint));
    PUT(out, "\x02\x01\x07");
    sign_der_put(out, DER_GENERALIZED_TIME, bytes_of(digits, n));
    wrap(out, DER_SEQUENCE);
}

/* RFC 5652 section 5.3. */
static inline void put_signer(const struct world *w, struct bytes info, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO(sign_cert) cert = NULL;
    AUTO_DONE(buf) attrs = BUF_INIT(ROOM);
    AUTO_DONE(buf) set = BUF_INIT(ROOM);
    AUTO_DONE(buf) ess = BUF_INIT(ROOM);
    AUTO_DONE(buf) attr = BUF_INIT(ROOM);
    AUTO_DONE(buf) name = BUF_INIT(ROOM);
    AUTO_DONE(buf) signature = BUF_INIT(ROOM);
    uint8_t hash[HASH_SHA256_LEN];
    ASSERT_OK(sign_cert_parse(buf_bytes(&w->tsa.der), &cert, &e));
    sha256(info, hash);
    PUT(&attrs, "\x30\x1a" O_TYPE "\x31\x0d" O_TST);
    PUT(&attrs, "\x30\x2f" O_DIGEST "\x31\x22\x04\x20");
    buf_append(&attrs, hash, sizeof(hash));
    /* RFC 5035 section 3: whose it is, by SHA-256. */
    sha256(buf_bytes(&w->tsa.der), hash);
    sign_der_put(&ess, DER_OCTET_STRING, BYTES_ARR(hash));
    for (unsigned i = 0; i < 3; i++)
        wrap(&ess, DER_SEQUENCE);
    wrap(&ess, DER_SET);
    PUT(&attr, O_ESS);
    buf_append_bytes(&attr, buf_bytes(&ess));
    sign_der_put(&attrs, DER_SEQUENCE, buf_bytes(&attr));
    sign_der_put(&set, DER_SET, buf_bytes(&attrs));
    ASSERT_OK(sign_key_sign(w->clock, buf_bytes(&set), &signature, &e));
    buf_append_bytes(&name, cert->issuer_der);
    sign_der_put_uint(&name, cert->serial);
    PUT(out, "\x02\x01\x01");
    sign_der_put(out, DER_SEQUENCE, buf_bytes(&name));
    PUT(out, ALG_SHA256);
    sign_der_put(out, DER_CONTEXT_0, buf_bytes(&attrs));
    PUT(out, ALG_ECDSA);
    sign_der_put(out, DER_OCTET_STRING, buf_bytes(&signature));
    wrap(out, DER_SEQUENCE);
    wrap(out, DER_SET);
}

static inline void make_stamp(const struct world *w, const struct story *s, struct bytes message,
                              struct buf *out)
{
    AUTO_DONE(buf) info = BUF_INIT(ROOM);
    AUTO_DONE(buf) content = BUF_INIT(ROOM);
    AUTO_DONE(buf) signer = BUF_INIT(ROOM);
    put_info(s->stamp_of_other ? BYTES_LIT("another") : message, s->stamp, &info);
    put_signer(w, buf_bytes(&info), &signer);
    if (s->stamp_broken)
        info.ptr[info.len - 2] ^= 1;
    sign_der_put(&content, DER_OCTET_STRING, buf_bytes(&info));
    wrap(&content, DER_CONTEXT_0);
    buf_reset(&info);
    PUT(&info, O_TST);
    buf_append_bytes(&info, buf_bytes(&content));
    wrap(&info, DER_SEQUENCE);
    PUT(out, "\x02\x01\x03\x31\x0f" ALG_SHA256);
    buf_append_bytes(out, buf_bytes(&info));
    sign_der_put(out, DER_CONTEXT_0, buf_bytes(&w->tsa.der));
    buf_append_bytes(out, buf_bytes(&signer));
    wrap(out, DER_SEQUENCE);
    wrap(out, DER_CONTEXT_0);
    buf_reset(&info);
    PUT(&info, O_SIGNED);
    buf_append_bytes(&info, buf_bytes(out));
    wrap(&info, DER_SEQUENCE);
    buf_reset(out);
    if (!s->stamp_bare)
        buf_append_bytes(out, s->stamp_denied ? BYTES_LIT("\x30\x03\x02\x01\x02")
                                              : BYTES_LIT("\x30\x03\x02\x01\x00"));
    buf_append_bytes(out, buf_bytes(&info));
    if (!s->stamp_bare)
        wrap(out, DER_SEQUENCE);
}

/* The signature, over the manifest or over an envelope. */
static inline void make_signature(const struct world *w, const struct story *s, struct made *m)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) payload = BUF_INIT(ROOM);
    if (s->envelope) {
        fill_in(s->statement, &payload);
        sign_dsse_pae(SIGN_DSSE_IN_TOTO, buf_bytes(&payload), &m->message);
    } else {
        buf_append_bytes(&m->message, MANIFEST);
    }
    ASSERT_OK(sign_key_sign(s->signed_by_stranger ? w->stranger : m->key, buf_bytes(&m->message),
                            &m->signature, &e));
    if (s->envelope) {
        struct jout j = {.out = &m->envelope};
        sign_dsse_write(&j, NULL, SIGN_DSSE_IN_TOTO, buf_bytes(&payload), buf_bytes(&m->signature));
    }
}

static inline void put_material(const struct world *w, const struct story *s, const struct made *m,
                                struct jout *j)
{
    AUTO_DONE(buf) stamp = BUF_INIT(ROOM);
    jout_object(j, "verificationMaterial");
    jout_object(j, s->by_key ? "publicKey" : "certificate");
    if (!s->by_key)
        put_b64(j, "rawBytes", buf_bytes(&m->leaf.der));
    jout_object_end(j);
    if (!s->no_entry) {
        jout_array(j, "tlogEntries");
        put_entry(w, s, m, j);
        if (s->two_entries)
            put_entry(w, &a_story, m, j);
        jout_array_end(j);
    }
    if (s->stamp) {
        make_stamp(w, s, buf_bytes(&m->signature), &stamp);
        jout_object(j, "timestampVerificationData");
        jout_array(j, "rfc3161Timestamps");
        jout_object(j, NULL);
        put_b64(j, "signedTimestamp", buf_bytes(&stamp));
        jout_object_end(j);
        jout_array_end(j);
        jout_object_end(j);
    }
    jout_object_end(j);
}

static inline void make_bundle(const struct world *w, const struct story *s, struct made *m)
{
    uint8_t hash[HASH_SHA256_LEN];
    struct jout j = {.out = &m->bundle};
    AUTO(jdoc) doc = NULL;
    struct err e = ERR_INIT;
    jout_object(&j, NULL);
    jout_string(&j, "mediaType", s->version);
    put_material(w, s, m, &j);
    if (s->envelope) {
        ASSERT_OK(jdoc_parse(buf_bytes(&m->envelope), &doc, &e));
        jout_value(&j, "dsseEnvelope", jdoc_root(doc));
    } else {
        sha256(MANIFEST, hash);
        jout_object(&j, "messageSignature");
        jout_object(&j, "messageDigest");
        jout_string(&j, "algorithm", "SHA2_256");
        put_b64(&j, "digest", BYTES_ARR(hash));
        jout_object_end(&j);
        put_b64(&j, "signature", buf_bytes(&m->signature));
        jout_object_end(&j);
    }
    jout_object_end(&j);
    ASSERT_OK(buf_check(&m->bundle, &e));
}

static inline void put_window(struct jout *j, int64_t to)
{
    char text[TIME_STR_MAX];
    jout_object(j, "validFor");
    jout_string(j, "start", time_str(T0 - YEAR, text));
    if (to)
        jout_string(j, "end", time_str(to, text));
    jout_object_end(j);
}

static inline void put_log(struct jout *j, const struct sign_key *k, int64_t to)
{
    AUTO_DONE(buf) spki = BUF_INIT(ROOM);
    uint8_t id[HASH_SHA256_LEN];
    sign_key_put_spki(k, &spki);
    log_id(k, id);
    jout_object(j, NULL);
    jout_string(j, "baseUrl", "https://" ORIGIN "/");
    jout_string(j, "hashAlgorithm", "SHA2_256");
    jout_object(j, "publicKey");
    put_b64(j, "rawBytes", buf_bytes(&spki));
    jout_string(j, "keyDetails",
                sign_key_type(k) == SIGN_KEY_ED25519 ? "PKIX_ED25519" : "PKIX_ECDSA_P256_SHA_256");
    put_window(j, to);
    jout_object_end(j);
    jout_object(j, "logId");
    put_b64(j, "keyId", BYTES_ARR(id));
    jout_object_end(j);
    jout_object_end(j);
}

static inline void put_authority(struct jout *j, const struct issued *middle, const struct issued *root,
                                 int64_t to)
{
    const struct issued *both[] = {middle, root};
    jout_object(j, NULL);
    jout_string(j, "uri", "https://authority.example");
    jout_object(j, "certChain");
    jout_array(j, "certificates");
    for (size_t i = 0; i < ARRAY_LEN(both); i++) {
        if (!both[i])
            continue;
        jout_object(j, NULL);
        put_b64(j, "rawBytes", buf_bytes(&both[i]->der));
        jout_object_end(j);
    }
    jout_array_end(j);
    jout_object_end(j);
    put_window(j, to);
    jout_object_end(j);
}

static inline void make_root(const struct world *w, const struct story *s, struct buf *out)
{
    struct jout j = {.out = out};
    jout_object(&j, NULL);
    jout_string(&j, "mediaType", ROOT_V01);
    jout_array(&j, "tlogs");
    if (!s->no_tlogs) {
        put_log(&j, w->log, s->log_to);
        put_log(&j, w->log_v2, s->log_to);
    }
    jout_array_end(&j);
    jout_array(&j, "certificateAuthorities");
    if (!s->no_cas)
        put_authority(&j, s->root_of_stranger ? NULL : &w->middle,
                      s->root_of_stranger ? &w->tsa_root : &w->root, s->ca_to);
    jout_array_end(&j);
    jout_array(&j, "ctlogs");
    if (!s->no_ctlogs)
        put_log(&j, w->ct, s->ct_to);
    jout_array_end(&j);
    jout_array(&j, "timestampAuthorities");
    if (!s->no_tsas)
        put_authority(&j, NULL, &w->tsa_root, s->tsa_to);
    jout_array_end(&j);
    jout_object_end(&j);
}

static inline void make(const struct world *w, const struct story *s, struct made *m)
{
    make_leaf(w, s, m);
    make_signature(w, s, m);
    make_bundle(w, s, m);
    make_root(w, s, &m->root);
}

/* What is thought of a text that is said to be the story's bundle. */
static inline struct outcome think(const struct story *s, const struct made *m, const struct sign_root *root,
                                   struct bytes bundle)
{
    const struct sign_identity want = {.issuer = s->want_issuer, .subject = s->want_subject};
    const struct sign_trust trust = {
        .root = root, .identities = &want, .n_identities = s->want_subject ? 1 : 0, .now = T0 + 30 * DAY};
    return judge_with(BUNDLE, bundle, NULL, s->by_key ? m->key : NULL, trust);
}

/* The story is told, and `code` comes of it with a text that has `why` in it. */
static inline void expect_story(const struct world *w, const struct story *s, int code, const char *why,
                                const char *file, int line)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    make(w, s, &m);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    AUTO_DONE(outcome) o = think(s, &m, root, buf_bytes(&m.bundle));
    outcome_must(&o, code, file, line);
    if (!strstr(o.check->text, why))
        fail_msg("%s:%d: \"%s\" is not in: %s", file, line, why, o.check->text);
}
#define EXPECT(w, s, code, why) expect_story(w, s, code, why, __FILE__, __LINE__)

#endif
