/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A little Sigstore for tests, made on the spot: an authority that gives certificates to identities, a log of
 * certificates, a log of signatures, a clock that stamps; and stories of signatures made with them, true but
 * in one point.
 */
#ifndef WAYBILL_TESTS_UNIT_SIGN_KEYLESS_FIXTURE_H
#define WAYBILL_TESTS_UNIT_SIGN_KEYLESS_FIXTURE_H

#include "base/plugin.h"
#include "base/time.h"
#include "sign/der.h"
#include "sign/note.h"
#include "sign/pem.h"
#include "sign/root.h"
#include "tests/registry/fixture.h"
#include "tests/unit/sign_cert_fixture.h"
#include "tests/unit/sign_sigstore_fixture.h"

#define SUBJECT      "https://ci.example/team/app/build.yml@refs/heads/main"
#define ISSUER       "https://token.ci.example"
#define ORIGIN       "log.example"
#define ROOT_V01     "application/vnd.dev.sigstore.trustedroot+json;version=0.1"
#define ROOM         (1U << 20)

#define OID_FULCIO_8 "1.3.6.1.4.1.57264.1.8"
#define OID_FULCIO_1 "1.3.6.1.4.1.57264.1.1"
#define OID_SAN      "2.5.29.17"
#define OID_SCTS     "1.3.6.1.4.1.11129.2.4.2"

enum kind { HASHEDREKORD_1, HASHEDREKORD_2, DSSE_1, DSSE_2, INTOTO_1, INTOTO_2 };

struct world {
    struct issued root, middle, tsa_root, tsa;
    struct sign_key *log, *log_v2, *ct, *stranger, *clock; /* log_v2: Ed25519; clock: of tsa */
};

/* What a story is to be; a_story is true. */
struct story {
    /* The certificate. */
    const char *issuer, *old_issuer; /* NULL: left out */
    const char *uri, *email, *purpose;
    struct bytes san; /* the extension as it is */
    int64_t from, to;
    bool self_issued, no_sct, sct_by_stranger, sct_of_stranger, sct_of_other, sct_garbage;
    int64_t sct_at;
    /* The signature. */
    bool by_key, envelope, signed_by_stranger;
    const char *version, *statement;
    /* The entry. */
    enum kind kind;
    bool no_entry, no_promise, no_proof, two_entries;
    bool of_other_artifact, of_other_signature, of_other_key, of_bare_key;
    bool promise_by_stranger, by_unknown_log;
    int64_t time, late; /* late: added to the time behind the log's back */
    const char *body, *stated_kind;
    int size_off, index_off, hashes_off, root_flip;
    const char *origin, *name;
    bool checkpoint_by_stranger, checkpoint_other_hint, witnessed, checkpoint_twice;
    int checkpoint_size_off;
    /* The stamp: its time; 0: none. */
    int64_t stamp;
    bool stamp_of_other, stamp_bare, stamp_denied, stamp_broken;
    /* The root. */
    bool no_cas, no_ctlogs, no_tlogs, no_tsas, root_of_stranger;
    int64_t log_to, ca_to, ct_to, tsa_to; /* 0: no end */
    /* Who is trusted; NULL: nobody. */
    const char *want_issuer, *want_subject;
};

static const struct story a_story = {.issuer = ISSUER,
                                     .old_issuer = ISSUER,
                                     .uri = SUBJECT,
                                     .purpose = GNUTLS_KP_CODE_SIGNING,
                                     .from = T0 - 60,
                                     .to = T0 + 540,
                                     .sct_at = T0 - 59,
                                     .version = BUNDLE,
                                     .time = T0,
                                     .origin = ORIGIN " - 4711",
                                     .name = ORIGIN,
                                     .want_issuer = ISSUER,
                                     .want_subject = SUBJECT};

/* A signature and all that belongs to it. */
struct made {
    struct issued leaf;
    struct sign_key *key; /* the leaf's */
    struct buf envelope, message, signature, bundle, root;
};

#define MADE_INIT                                                                           \
    {                                                                                       \
        .envelope = BUF_INIT(ROOM), .message = BUF_INIT(ROOM), .signature = BUF_INIT(ROOM), \
        .bundle = BUF_INIT(ROOM), .root = BUF_INIT(ROOM)                                    \
    }

static inline void made_done(struct made *m)
{
    issued_done(&m->leaf);
    sign_key_free(m->key);
    buf_done(&m->envelope);
    buf_done(&m->message);
    buf_done(&m->signature);
    buf_done(&m->bundle);
    buf_done(&m->root);
}

/* A key for both libraries: GnuTLS 3.7 writes some of its own in a form that RFC 5915 does not have. */
static inline struct sign_key *both_keys(gnutls_x509_privkey_t *ret)
{
    struct err e = ERR_INIT;
    struct sign_key *k = new_key(SIGN_KEY_P256);
    AUTO_DONE(buf) pem = BUF_SECRET_INIT(ROOM);
    ASSERT_OK(sign_key_write_private(k, &pem, &e));
    const gnutls_datum_t d = {pem.ptr, (unsigned)pem.len};
    GNUTLS_OK(gnutls_x509_privkey_init(ret));
    GNUTLS_OK(gnutls_x509_privkey_import2(*ret, &d, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN));
    return k;
}

static inline int world_make(void **state)
{
    static char plugins[PATH_MAX];
    gnutls_x509_privkey_t key;
    if (!fixture_plugins(plugins))
        return -1;
    plugin_set_folder(plugins);
    struct world *w = calloc(1, sizeof(*w));
    if (!w)
        return -1;
    const struct recipe tsa = {.subject = "CN=clock",
                               .purposes = {GNUTLS_KP_TIME_STAMPING},
                               .purposes_critical = true,
                               .usage = GNUTLS_KEY_DIGITAL_SIGNATURE};
    issue(&a_root, NULL, &w->root);
    issue(&a_middle, &w->root, &w->middle);
    issue(&a_root, NULL, &w->tsa_root);
    w->clock = both_keys(&key);
    issue_with(&tsa, key, &w->tsa_root, &w->tsa);
    w->log = new_key(SIGN_KEY_P256);
    w->log_v2 = new_key(SIGN_KEY_ED25519);
    w->ct = new_key(SIGN_KEY_P256);
    w->stranger = new_key(SIGN_KEY_P256);
    *state = w;
    return 0;
}

static inline int world_free(void **state)
{
    struct world *w = *state;
    issued_done(&w->root);
    issued_done(&w->middle);
    issued_done(&w->tsa_root);
    issued_done(&w->tsa);
    sign_key_free(w->log);
    sign_key_free(w->log_v2);
    sign_key_free(w->ct);
    sign_key_free(w->stranger);
    sign_key_free(w->clock);
    free(w);
    return 0;
}

static inline bool is_v2(const struct story *s)
{
    return s->kind == HASHEDREKORD_2 || s->kind == DSSE_2;
}

static inline const struct sign_key *log_of(const struct world *w, const struct story *s)
{
    return is_v2(s) ? w->log_v2 : w->log;
}

static inline void sha256(struct bytes b, uint8_t out[HASH_SHA256_LEN])
{
    struct err e = ERR_INIT;
    struct digest d;
    ASSERT_OK(hash_bytes(HASH_SHA256, b, &d, &e));
    memcpy(out, d.value, HASH_SHA256_LEN);
}

/* What a log with that key is called: by the key, and of version 2 by name and key. */
static inline void log_id(const struct sign_key *k, uint8_t out[HASH_SHA256_LEN])
{
    AUTO_DONE(buf) b = BUF_INIT(ROOM);
    if (sign_key_type(k) == SIGN_KEY_ED25519) {
        buf_append_str(&b, ORIGIN "\n\x01");
        buf_append_bytes(&b, sign_key_public(k));
    } else {
        sign_key_put_spki(k, &b);
    }
    sha256(buf_bytes(&b), out);
}

static inline void put_b64(struct jout *w, const char *key, struct bytes value)
{
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    b64_encode(B64_STD, value, &text);
    jout_bytes(w, key, buf_bytes(&text));
}

static inline void put_int(struct jout *w, const char *key, int64_t value)
{
    char text[32];
    (void)snprintf(text, sizeof(text), "%lld", (long long)value);
    jout_string(w, key, text);
}

/* A certificate's bytes once more, after it was changed. */
static inline void reissue(struct issued *c, const struct issued *by)
{
    gnutls_datum_t d;
    GNUTLS_OK(gnutls_x509_crt_sign2(c->crt, by->crt, by->key, GNUTLS_DIG_SHA256, 0));
    GNUTLS_OK(gnutls_x509_crt_export2(c->crt, GNUTLS_X509_FMT_DER, &d));
    buf_reset(&c->der);
    buf_append(&c->der, d.data, d.size);
    gnutls_free(d.data);
}

static inline void put_ext(struct issued *c, const char *oid, struct bytes value)
{
    GNUTLS_OK(gnutls_x509_crt_set_extension_by_oid(c->crt, oid, value.ptr, value.len, 0));
}

static inline void put_be(struct buf *b, uint64_t v, unsigned n)
{
    while (n-- > 0)
        buf_append_u8(b, (uint8_t)(v >> (8 * n)));
}

/* RFC 6962 section 3.2. */
static inline void sct_sign(const struct sign_key *k, const struct issued *by, struct bytes tbs, int64_t at,
                            struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO(sign_cert) issuer = NULL;
    AUTO_DONE(buf) m = BUF_INIT(ROOM);
    uint8_t hash[HASH_SHA256_LEN];
    ASSERT_OK(sign_cert_parse(buf_bytes(&by->der), &issuer, &e));
    sha256(issuer->spki, hash);
    put_be(&m, 0, 2);
    put_be(&m, (uint64_t)at * 1000, 8);
    put_be(&m, 1, 2);
    buf_append(&m, hash, sizeof(hash));
    put_be(&m, tbs.len, 3);
    buf_append_bytes(&m, tbs);
    put_be(&m, 0, 2);
    ASSERT_OK(sign_key_sign(k, buf_bytes(&m), out, &e));
}

static inline void put_sct(const struct world *w, const struct story *s, const struct issued *by,
                           struct issued *leaf)
{
    struct err e = ERR_INIT;
    AUTO(sign_cert) cert = NULL;
    AUTO_DONE(buf) signature = BUF_INIT(ROOM);
    AUTO_DONE(buf) list = BUF_INIT(ROOM);
    AUTO_DONE(buf) ext = BUF_INIT(ROOM);
    uint8_t id[HASH_SHA256_LEN];
    ASSERT_OK(sign_cert_parse(buf_bytes(&leaf->der), &cert, &e));
    struct bytes tbs = s->sct_of_other ? bytes_of(cert->tbs.ptr, cert->tbs.len - 1) : cert->tbs;
    sct_sign(s->sct_by_stranger ? w->stranger : w->ct, by, tbs, s->sct_at, &signature);
    log_id(s->sct_of_stranger ? w->stranger : w->ct, id);
    size_t len = 1 + sizeof(id) + 8 + 2 + 2 + 2 + signature.len;
    put_be(&list, len + 2, 2);
    put_be(&list, len, 2);
    buf_append_u8(&list, 0);
    buf_append(&list, id, sizeof(id));
    put_be(&list, (uint64_t)s->sct_at * 1000, 8);
    put_be(&list, 0, 2);
    put_be(&list, 0x0403, 2);
    put_be(&list, signature.len - s->sct_garbage, 2);
    buf_append_bytes(&list, buf_bytes(&signature));
    sign_der_put(&ext, DER_OCTET_STRING, buf_bytes(&list));
    put_ext(leaf, OID_SCTS, buf_bytes(&ext));
}

static inline void make_leaf(const struct world *w, const struct story *s, struct made *m)
{
    gnutls_x509_privkey_t key;
    const struct issued *by = s->self_issued ? &m->leaf : &w->middle;
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    const struct recipe r = {.subject = "CN=none",
                             .usage = GNUTLS_KEY_DIGITAL_SIGNATURE,
                             .purposes = {s->purpose},
                             .from = s->from,
                             .to = s->to,
                             .uri = s->uri,
                             .email = s->email};
    m->key = both_keys(&key);
    issue_with(&r, key, s->self_issued ? NULL : by, &m->leaf);
    if (s->issuer) {
        sign_der_put(&text, DER_UTF8_STRING, bytes_str(s->issuer));
        put_ext(&m->leaf, OID_FULCIO_8, buf_bytes(&text));
    }
    if (s->old_issuer)
        put_ext(&m->leaf, OID_FULCIO_1, bytes_str(s->old_issuer));
    if (s->san.len)
        put_ext(&m->leaf, OID_SAN, s->san);
    reissue(&m->leaf, by);
    if (!s->no_sct) {
        put_sct(w, s, by, &m->leaf);
        reissue(&m->leaf, by);
    }
}

static inline void hash_pair(const uint8_t *l, const uint8_t *r, uint8_t *out)
{
    uint8_t node[1 + 2 * HASH_SHA256_LEN] = {1};
    memcpy(node + 1, l, HASH_SHA256_LEN);
    memcpy(node + 1 + HASH_SHA256_LEN, r, HASH_SHA256_LEN);
    sha256(BYTES_ARR(node), out);
}

/* RFC 9162 section 2.1.1 and 2.1.3.1, as they are written there: the head of n leaves, and the path to one,
 * which is appended where it is asked for. */
static inline void tree(uint8_t (*leaves)[HASH_SHA256_LEN], size_t n, size_t at, struct buf *path,
                        uint8_t *ret)
{
    uint8_t l[HASH_SHA256_LEN], r[HASH_SHA256_LEN];
    size_t k = 1;
    if (n == 1) {
        memcpy(ret, leaves[0], HASH_SHA256_LEN);
        return;
    }
    while (2 * k < n)
        k *= 2;
    tree(leaves, k, at, at < k ? path : NULL, l);
    tree(leaves + k, n - k, at - k, at < k ? NULL : path, r);
    if (path)
        buf_append(path, at < k ? r : l, HASH_SHA256_LEN);
    hash_pair(l, r, ret);
}

#define TREE_SIZE 5U
#define TREE_AT   2U

static inline void put_note_line(const struct sign_key *k, const char *name, struct bytes text,
                                 bool other_hint, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) raw = BUF_INIT(ROOM);
    uint8_t id[HASH_SHA256_LEN];
    log_id(k, id);
    id[3] ^= other_hint;
    buf_append(&raw, id, SIGN_NOTE_HINT);
    ASSERT_OK(sign_key_sign(k, text, &raw, &e));
    buf_printf(out, "\xe2\x80\x94 %s ", name);
    b64_encode(B64_STD, buf_bytes(&raw), out);
    buf_append_str(out, "\n");
}

static inline void put_checkpoint(const struct world *w, const struct story *s, const uint8_t *root,
                                  struct buf *out)
{
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    buf_printf(&text, "%s\n%d\n", is_v2(s) && s->origin == a_story.origin ? ORIGIN : s->origin,
               (int)TREE_SIZE + s->checkpoint_size_off);
    b64_encode(B64_STD, bytes_of(root, HASH_SHA256_LEN), &text);
    buf_append_str(&text, "\nTimestamp: 1\n");
    buf_append_bytes(out, buf_bytes(&text));
    buf_append_str(out, "\n");
    if (s->witnessed)
        put_note_line(w->stranger, "witness.example/1", buf_bytes(&text), false, out);
    put_note_line(s->checkpoint_by_stranger ? w->stranger : log_of(w, s), s->name, buf_bytes(&text),
                  s->checkpoint_other_hint, out);
    if (s->checkpoint_twice)
        put_note_line(log_of(w, s), s->name, buf_bytes(&text), false, out);
}

static inline void put_proof(const struct world *w, const struct story *s, struct bytes body, struct jout *j)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) path = BUF_INIT(ROOM);
    AUTO_DONE(buf) note = BUF_INIT(ROOM);
    uint8_t leaves[TREE_SIZE][HASH_SHA256_LEN], root[HASH_SHA256_LEN];
    for (uint8_t i = 0; i < TREE_SIZE; i++)
        ASSERT_OK(sign_merkle_leaf(i == TREE_AT ? body : bytes_of(&i, 1), leaves[i], &e));
    tree(leaves, TREE_SIZE, TREE_AT, &path, root);
    root[7] ^= (uint8_t)s->root_flip;
    put_checkpoint(w, s, root, &note);
    jout_object(j, "inclusionProof");
    put_int(j, "logIndex", (int)TREE_AT + s->index_off);
    put_b64(j, "rootHash", BYTES_ARR(root));
    put_int(j, "treeSize", (int)TREE_SIZE + s->size_off);
    jout_array(j, "hashes");
    size_t n = path.len / HASH_SHA256_LEN + (size_t)s->hashes_off;
    for (size_t i = 0; i < n; i++)
        put_b64(j, NULL, bytes_of(path.ptr + (i % 3) * HASH_SHA256_LEN, HASH_SHA256_LEN));
    jout_array_end(j);
    jout_object(j, "checkpoint");
    jout_bytes(j, "envelope", buf_bytes(&note));
    jout_object_end(j);
    jout_object_end(j);
}

static inline void put_promise(const struct sign_key *k, struct bytes body, int64_t time, uint64_t index,
                               const uint8_t *id, struct buf *out)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) m = BUF_INIT(ROOM);
    char hex[2 * HASH_SHA256_LEN + 1];
    buf_append_str(&m, "{\"body\":\"");
    b64_encode(B64_STD, body, &m);
    buf_printf(&m, "\",\"integratedTime\":%lld,\"logID\":\"%s\",\"logIndex\":%llu}", (long long)time,
               hex_encode(bytes_of(id, HASH_SHA256_LEN), hex), (unsigned long long)index);
    ASSERT_OK(sign_key_sign(k, buf_bytes(&m), out, &e));
}

/* What the log was told: the signature, and who made it. */
static inline void put_verifier(const struct world *w, const struct story *s, const struct made *m,
                                const char *key, struct jout *j)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) der = BUF_INIT(ROOM);
    AUTO_DONE(buf) pem = BUF_INIT(ROOM);
    bool bare = s->by_key || s->of_bare_key;
    if (bare)
        sign_key_put_spki(s->of_other_key ? w->stranger : m->key, &der);
    else
        buf_append_bytes(&der, buf_bytes(s->of_other_key ? &w->middle.der : &m->leaf.der));
    if (!is_v2(s)) {
        ASSERT_OK(sign_pem_encode(bare ? "PUBLIC KEY" : "CERTIFICATE", buf_bytes(&der), &pem, &e));
        put_b64(j, key, buf_bytes(&pem));
        return;
    }
    jout_object(j, "verifier");
    jout_string(j, "keyDetails", "PKIX_ECDSA_P256_SHA_256");
    jout_object(j, bare ? "publicKey" : "x509Certificate");
    put_b64(j, "rawBytes", buf_bytes(&der));
    jout_object_end(j);
    jout_object_end(j);
}

static inline void put_hash(struct jout *j, const char *key, bool v2, struct bytes of)
{
    uint8_t hash[HASH_SHA256_LEN];
    char hex[2 * HASH_SHA256_LEN + 1];
    sha256(of, hash);
    jout_object(j, key);
    jout_string(j, "algorithm", v2 ? "SHA2_256" : "sha256");
    if (v2)
        put_b64(j, "digest", BYTES_ARR(hash));
    else
        jout_string(j, "value", hex_encode(BYTES_ARR(hash), hex));
    jout_object_end(j);
}

static inline void put_hashedrekord(const struct world *w, const struct story *s, const struct made *m,
                                    struct bytes of, struct bytes signature, struct jout *j)
{
    bool v2 = is_v2(s);
    jout_object(j, v2 ? "hashedRekordV002" : "data");
    put_hash(j, v2 ? "data" : "hash", v2, of);
    if (!v2)
        jout_object_end(j);
    jout_object(j, "signature");
    put_b64(j, "content", signature);
    if (!v2)
        jout_object(j, "publicKey");
    put_verifier(w, s, m, "content", j);
    jout_object_end(j);
    jout_object_end(j);
}

static inline void put_dsse(const struct world *w, const struct story *s, const struct made *m,
                            struct bytes of, struct bytes signature, struct jout *j)
{
    bool v2 = is_v2(s);
    if (v2)
        jout_object(j, "dsseV002");
    put_hash(j, "payloadHash", v2, of);
    jout_array(j, "signatures");
    jout_object(j, NULL);
    put_b64(j, v2 ? "content" : "signature", signature);
    put_verifier(w, s, m, "verifier", j);
    jout_object_end(j);
    jout_array_end(j);
    if (v2)
        jout_object_end(j);
}

static inline void put_intoto(const struct world *w, const struct story *s, const struct made *m,
                              struct bytes of, struct bytes signature, struct jout *j)
{
    AUTO_DONE(buf) text = BUF_INIT(ROOM);
    b64_encode(B64_STD, signature, &text);
    jout_object(j, "content");
    if (s->kind == INTOTO_1) {
        put_hash(j, "hash", false, s->of_other_artifact ? of : buf_bytes(&m->envelope));
        jout_object_end(j);
        put_verifier(w, s, m, "publicKey", j);
        return;
    }
    put_hash(j, "payloadHash", false, of);
    jout_object(j, "envelope");
    jout_array(j, "signatures");
    jout_object(j, NULL);
    put_b64(j, "sig", buf_bytes(&text));
    put_verifier(w, s, m, "publicKey", j);
    jout_object_end(j);
    jout_array_end(j);
    jout_object_end(j);
    jout_object_end(j);
}

static inline void make_body(const struct world *w, const struct story *s, const struct made *m,
                             struct buf *out)
{
    static const char *const names[] = {"hashedrekord", "hashedrekord", "dsse", "dsse", "intoto", "intoto"};
    static const char *const versions[] = {"0.0.1", "0.0.2", "0.0.1", "0.0.2", "0.0.1", "0.0.2"};
    struct jout j = {.out = out};
    struct bytes of = buf_bytes(&m->message), signature = buf_bytes(&m->signature);
    AUTO_DONE(buf) payload = BUF_INIT(ROOM);
    if (s->body) {
        buf_append_str(out, s->body);
        return;
    }
    fill_in(s->statement ? s->statement : "", &payload);
    if (s->kind >= DSSE_1)
        of = buf_bytes(&payload);
    if (s->of_other_artifact)
        of = BYTES_LIT("another artifact");
    if (s->of_other_signature)
        signature = BYTES_LIT("another signature");
    jout_object(&j, NULL);
    jout_string(&j, "apiVersion", versions[s->kind]);
    jout_string(&j, "kind", names[s->kind]);
    jout_object(&j, "spec");
    (s->kind >= INTOTO_1 ? put_intoto
     : s->kind >= DSSE_1 ? put_dsse
                         : put_hashedrekord)(w, s, m, of, signature, &j);
    jout_object_end(&j);
    jout_object_end(&j);
}

static inline void put_entry(const struct world *w, const struct story *s, const struct made *m,
                             struct jout *j)
{
    AUTO_DONE(buf) body = BUF_INIT(ROOM);
    AUTO_DONE(buf) promise = BUF_INIT(ROOM);
    uint8_t id[HASH_SHA256_LEN];
    make_body(w, s, m, &body);
    log_id(s->by_unknown_log ? w->stranger : log_of(w, s), id);
    jout_object(j, NULL);
    put_int(j, "logIndex", 4712);
    jout_object(j, "logId");
    put_b64(j, "keyId", BYTES_ARR(id));
    jout_object_end(j);
    if (s->stated_kind) {
        jout_object(j, "kindVersion");
        jout_string(j, "kind", s->stated_kind);
        jout_string(j, "version", "0.0.1");
        jout_object_end(j);
    }
    if (!is_v2(s))
        put_int(j, "integratedTime", s->time + s->late);
    if (!s->no_promise && !is_v2(s)) {
        put_promise(s->promise_by_stranger ? w->stranger : w->log, buf_bytes(&body), s->time, 4712, id,
                    &promise);
        jout_object(j, "inclusionPromise");
        put_b64(j, "signedEntryTimestamp", buf_bytes(&promise));
        jout_object_end(j);
    }
    if (!s->no_proof)
        put_proof(w, s, buf_bytes(&body), j);
    put_b64(j, "canonicalizedBody", buf_bytes(&body));
    jout_object_end(j);
}

#endif
