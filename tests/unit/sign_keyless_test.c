/* SPDX-License-Identifier: Apache-2.0 */
/* Keyless signatures against a trusted root: good ones, and every way of being bad in one point. */
#include "tests/unit/sign_keyless_story.h"

#define SIGN_STATEMENT                                                                                    \
    "{\"_type\":\"https://in-toto.io/Statement/v1\",\"subject\":[{\"digest\":{\"sha256\":\"" HEX "\"}}]," \
    "\"predicateType\":\"https://sigstore.dev/cosign/sign/v1\",\"predicate\":{}}"

#define V01 "application/vnd.dev.sigstore.bundle+json;version=0.1"
#define V02 "application/vnd.dev.sigstore.bundle+json;version=0.2"

/* A case: what is changed in a_story, what comes of it. */
#define CASE(code, why, ...)           \
    do {                               \
        struct story s = a_story;      \
        __VA_ARGS__;                   \
        EXPECT(*state, &s, code, why); \
    } while (0)

static void good(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    char id[SIGN_FINGERPRINT_MAX];
    make(*state, &a_story, &m);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    AUTO_DONE(outcome) o = think(&a_story, &m, root, buf_bytes(&m.bundle));
    OUTCOME(o, 0);
    assert_int_equal(o.check->kind, SIGN_CHECK_SIGNATURE);
    assert_string_equal(o.check->key, SUBJECT);
    assert_string_equal(o.check->subject, SUBJECT);
    assert_string_equal(o.check->issuer, ISSUER);
    assert_string_equal(o.check->key_id, sign_key_fingerprint(m.key, id));
    assert_true(o.check->signed_at == T0);
    assert_string_equal(o.check->text, "signed");
}

static void versions(void **state)
{
    CASE(0, "signed", s.version = V01);
    CASE(0, "signed", s.version = V02);
    CASE(0, "signed", s.version = V01; s.no_proof = true);
    CASE(ERR_UNTRUSTED, "without a signed entry timestamp", s.version = V01; s.no_promise = true);
    CASE(ERR_UNTRUSTED, "without an inclusion proof", s.version = V02; s.no_proof = true);
    CASE(ERR_UNTRUSTED, "without an inclusion proof", s.no_proof = true);
    /* A proof bears no time. */
    CASE(ERR_UNTRUSTED, "nothing proves when", s.no_promise = true);
    CASE(0, "signed", s.no_promise = true; s.stamp = T0 + 1);
}

static void kinds(void **state)
{
    static const enum kind of_envelopes[] = {HASHEDREKORD_1, HASHEDREKORD_2, DSSE_1, DSSE_2, INTOTO_2};
    for (size_t i = 0; i < ARRAY_LEN(of_envelopes); i++) {
        struct story s = a_story;
        s.envelope = true;
        s.statement = SIGN_STATEMENT;
        s.kind = of_envelopes[i];
        s.stamp = T0 + 5;
        EXPECT(*state, &s, 0, "signed");
        struct story bad = s;
        bad.of_other_artifact = true;
        EXPECT(*state, &bad, ERR_DIGEST, "about something else");
        bad = s;
        bad.of_other_signature = true;
        EXPECT(*state, &bad, ERR_UNTRUSTED, "another signature");
        bad = s;
        bad.of_other_key = true;
        EXPECT(*state, &bad, ERR_UNTRUSTED, "another key");
        bad = s;
        bad.of_bare_key = true;
        EXPECT(*state, &bad, ERR_UNTRUSTED, "another key");
    }
    CASE(0, "signed", s.kind = HASHEDREKORD_2; s.stamp = T0 + 5);
    CASE(ERR_DIGEST, "this is none", s.kind = DSSE_1; s.statement = SIGN_STATEMENT);
    CASE(ERR_UNSUPPORTED, "intoto 0.0.1", s.kind = INTOTO_1; s.envelope = true; s.statement = SIGN_STATEMENT);
}

/* GHSA-whqx-f9j3-ch6m: an entry that verifies and is about something else. */
static void entries_about_something_else(void **state)
{
    CASE(ERR_DIGEST, "log entry 1: the log's entry is about something else", s.of_other_artifact = true);
    CASE(ERR_UNTRUSTED, "about another signature", s.of_other_signature = true);
    CASE(ERR_UNTRUSTED, "by another key", s.of_other_key = true);
    CASE(ERR_UNTRUSTED, "by another key", s.of_bare_key = true);
    CASE(ERR_FORMAT, "another kind than its body", s.stated_kind = "dsse");
    CASE(ERR_UNSUPPORTED, "not known", s.body = "{\"kind\":\"rpm\",\"apiVersion\":\"0.0.1\",\"spec\":{}}");
    CASE(ERR_FORMAT, "\"spec\"", s.body = "{\"kind\":\"hashedrekord\",\"apiVersion\":\"0.0.1\"}");
    CASE(ERR_FORMAT, "JSON", s.body = "{\"kind\":\"hashedrekord\",");
    CASE(ERR_FORMAT, "no object", s.body = "[]");
    CASE(0, "signed", s.two_entries = true);
    CASE(ERR_UNTRUSTED, "log entry 1", s.two_entries = true; s.of_other_signature = true);
    CASE(ERR_UNTRUSTED, "in no log", s.no_entry = true);
    CASE(ERR_UNTRUSTED, "in no log", s.no_entry = true; s.stamp = T0);
}

static void promises(void **state)
{
    CASE(ERR_UNTRUSTED, "not by the log", s.promise_by_stranger = true);
    CASE(ERR_UNTRUSTED, "not by the log", s.late = 1);
    CASE(ERR_UNTRUSTED, "which the trusted root does not have", s.by_unknown_log = true);
    CASE(ERR_UNTRUSTED, "which the trusted root does not have", s.no_tlogs = true);
    CASE(0, "signed", s.log_to = T0);
    CASE(ERR_EXPIRED, "when the log log.example is not trusted", s.log_to = T0 - 1);
    CASE(ERR_EXPIRED, "in the future", s.time = T0 + 40 * DAY; s.to = T0 + 40 * DAY; s.from = s.to - 60);
}

static void proofs(void **state)
{
    CASE(ERR_DIGEST, "leads to another root", s.root_flip = 1);
    CASE(ERR_DIGEST, "leads to another root", s.index_off = 1);
    CASE(ERR_FORMAT, "outside of the tree", s.index_off = 3);
    CASE(ERR_FORMAT, "no number", s.index_off = -3);
    CASE(ERR_FORMAT, "too short", s.hashes_off = -1);
    CASE(ERR_FORMAT, "too long", s.hashes_off = 1);
    CASE(ERR_LIMIT, "hashes", s.hashes_off = 70);
    CASE(ERR_FORMAT, "too short", s.size_off = 4);
    CASE(ERR_DIGEST, "checkpoint is of another tree", s.size_off = 1);
    CASE(ERR_FORMAT, "outside of the tree", s.size_off = -5);
}

static void checkpoints(void **state)
{
    CASE(ERR_DIGEST, "of another tree", s.checkpoint_size_off = 1);
    CASE(ERR_UNTRUSTED, "in its own name", s.checkpoint_by_stranger = true);
    CASE(ERR_UNTRUSTED, "in its own name", s.checkpoint_other_hint = true);
    CASE(ERR_UNTRUSTED, "in its own name", s.origin = "other.example - 4711");
    CASE(ERR_UNTRUSTED, "in its own name", s.origin = ORIGIN " - 47x");
    CASE(ERR_UNTRUSTED, "in its own name", s.origin = ORIGIN " - ");
    CASE(ERR_UNTRUSTED, "in its own name", s.origin = ORIGIN "x");
    CASE(ERR_UNTRUSTED, "in its own name", s.name = "other.example");
    CASE(ERR_FORMAT, "no signature", s.name = "a+b");
    CASE(ERR_FORMAT, "no origin", s.origin = "");
    CASE(0, "signed", s.origin = ORIGIN);
    CASE(0, "signed", s.witnessed = true);
    CASE(0, "signed", s.checkpoint_other_hint = true; s.checkpoint_twice = true);
    /* Version 2 of Rekor: by its address and nothing else. */
    CASE(0, "signed", s.kind = HASHEDREKORD_2; s.stamp = T0; s.witnessed = true);
    CASE(ERR_UNTRUSTED, "in its own name", s.kind = HASHEDREKORD_2; s.stamp = T0; s.origin = ORIGIN " - 1");
    CASE(ERR_UNTRUSTED, "in its own name", s.kind = HASHEDREKORD_2; s.stamp = T0; s.origin = "other.example";
         s.name = "other.example");
}

static void stamps(void **state)
{
    CASE(0, "signed", s.stamp = T0 + 2);
    CASE(0, "signed", s.stamp = T0 + 2; s.stamp_bare = true);
    CASE(ERR_FORMAT, "time stamp 1", s.stamp = T0 + 2; s.stamp_denied = true);
    CASE(ERR_DIGEST, "time stamp 1", s.stamp = T0 + 2; s.stamp_of_other = true);
    CASE(ERR_EXPIRED, "has expired", s.stamp = T0 + 541);
    CASE(ERR_EXPIRED, "not valid yet", s.stamp = T0 - 61);
    CASE(ERR_EXPIRED, "is not trusted", s.stamp = T0 + 2; s.tsa_to = T0 + 1);
    CASE(0, "signed", s.stamp = T0 + 2; s.tsa_to = T0 + 2);
    CASE(ERR_EXPIRED, "in the future", s.stamp = T0 + 31 * DAY);
    /* By an authority that is not known: as if it were not there. */
    CASE(0, "signed", s.stamp = T0 + 2; s.no_tsas = true);
    CASE(ERR_UNTRUSTED, "nothing proves when", s.kind = HASHEDREKORD_2; s.stamp = T0 + 2; s.no_tsas = true);
    CASE(ERR_UNTRUSTED, "nothing proves when", s.kind = HASHEDREKORD_2; s.stamp = T0 + 2;
         s.stamp_broken = true);
    CASE(ERR_UNTRUSTED, "nothing proves when", s.kind = HASHEDREKORD_2);
    CASE(ERR_EXPIRED, "when the log", s.kind = HASHEDREKORD_2; s.stamp = T0 + 2; s.log_to = T0 + 1);
}

static void certificates(void **state)
{
    CASE(ERR_EXPIRED, "has expired", s.to = T0 - 1);
    CASE(ERR_EXPIRED, "not valid yet", s.from = T0 + 1);
    CASE(0, "signed", s.from = T0);
    CASE(0, "signed", s.to = T0);
    CASE(ERR_CERT, "longer than", s.to = s.from + DAY + 1);
    CASE(ERR_CERT, "codeSigning", s.purpose = NULL);
    CASE(ERR_CERT, "codeSigning", s.purpose = GNUTLS_KP_TLS_WWW_SERVER);
    CASE(ERR_CERT, "no certificate of the trust store", s.root_of_stranger = true);
    CASE(ERR_CERT, "no certificate authority", s.no_cas = true);
    CASE(ERR_CERT, "", s.self_issued = true);
    CASE(ERR_EXPIRED, "when the authority", s.ca_to = T0 - 1);
    CASE(0, "signed", s.ca_to = T0);
    CASE(ERR_UNTRUSTED, "not by the key of its certificate", s.signed_by_stranger = true);
}

static void certificate_logs(void **state)
{
    CASE(ERR_CERT, "no signed certificate timestamp", s.no_sct = true);
    CASE(ERR_CERT, "not by the log", s.sct_by_stranger = true);
    CASE(ERR_CERT, "by no log of the trusted root", s.sct_of_stranger = true);
    CASE(ERR_CERT, "not by the log", s.sct_of_other = true);
    CASE(ERR_CERT, "malformed", s.sct_garbage = true);
    CASE(ERR_CERT, "by no log of the trusted root", s.no_ctlogs = true);
    CASE(ERR_CERT, "is not trusted", s.ct_to = T0 - 60);
    CASE(0, "signed", s.ct_to = T0 - 59);
}

static void identities(void **state)
{
    CASE(0, "signed", s.uri = NULL; s.email = "alice@example.org"; s.want_subject = s.email);
    CASE(ERR_UNTRUSTED, "which is not trusted", s.want_subject = SUBJECT "x");
    CASE(ERR_UNTRUSTED, "which is not trusted", s.want_issuer = ISSUER "/");
    CASE(ERR_UNTRUSTED, "no identity is trusted", s.want_subject = NULL);
    CASE(ERR_CERT, "2 subject alternative names", s.email = "alice@example.org");
    CASE(ERR_CERT, "0 subject alternative names", s.uri = NULL);
    CASE(0, "signed", s.old_issuer = NULL);
    CASE(0, "signed", s.issuer = NULL);
    CASE(ERR_CERT, "who vouches", s.issuer = NULL; s.old_issuer = NULL);
    CASE(ERR_CERT, "two issuers", s.old_issuer = "https://evil.example");
    CASE(ERR_CERT, "two issuers", s.issuer = "https://evil.example");
    /* otherName, 1.3.6.1.4.1.57264.1.7: "bob"; the same of another type; a DNS name. */
    CASE(0, "signed", s.uri = NULL; s.want_subject = "bob";
         s.san = BYTES_LIT("\x30\x15\xa0\x13\x06\x0a\x2b\x06\x01\x04\x01\x83\xbf\x30\x01\x07\xa0\x05\x0c\x03"
                           "bob"));
    CASE(ERR_CERT, "of no kind", s.uri = NULL;
         s.san = BYTES_LIT("\x30\x15\xa0\x13\x06\x0a\x2b\x06\x01\x04\x01\x83\xbf\x30\x01\x06\xa0\x05\x0c\x03"
                           "bob"));
    CASE(ERR_CERT, "of no kind", s.uri = NULL; s.san = BYTES_LIT("\x30\x05\x82\x03"
                                                                 "bob"));
}

/* An issuer that is a pattern of another one's, a subject by pattern. */
static void patterns(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    static const struct {
        const char *subject;
        int code;
    } cases[] = {
        {"https://ci\\.example/team/.*", 0},
        {"https://ci\\.example/team", ERR_UNTRUSTED},
        {"ci\\.example/team/.*", ERR_UNTRUSTED},
        {"nobody|https://ci\\.example/.*", 0},
        {"(", ERR_CONFIG},
    };
    make(*state, &a_story, &m);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct sign_identity want[] = {
            {.issuer = "https://other.example", .subject = SUBJECT},
            {.issuer = ISSUER, .subject = cases[i].subject, .subject_is_pattern = true}};
        const struct sign_trust trust = {.root = root, .identities = want, .n_identities = 2, .now = T0};
        AUTO_DONE(outcome) o = judge_with(BUNDLE, buf_bytes(&m.bundle), NULL, NULL, trust);
        OUTCOME(o, cases[i].code);
    }
}

/* Nobody is named: that is nobody, unless it is said that it is anybody. */
static void any_identity(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    make(*state, &a_story, &m);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    struct sign_trust trust = {.root = root, .now = T0};
    AUTO_DONE(outcome) nobody = judge_with(BUNDLE, buf_bytes(&m.bundle), NULL, NULL, trust);
    OUTCOME(nobody, ERR_UNTRUSTED);
    trust.any_identity = true;
    AUTO_DONE(outcome) anybody = judge_with(BUNDLE, buf_bytes(&m.bundle), NULL, NULL, trust);
    OUTCOME(anybody, 0);
}

static void without_root(void **state)
{
    AUTO_DONE(made) m = MADE_INIT;
    make(*state, &a_story, &m);
    AUTO_DONE(outcome) o = think(&a_story, &m, NULL, buf_bytes(&m.bundle));
    OUTCOME(o, ERR_UNTRUSTED);
    assert_non_null(strstr(o.check->text, "no trusted root"));
}

/* A key needs no log; with a root, what logs say must be right. */
static void by_key_without_root(void **state)
{
    AUTO_DONE(made) m = MADE_INIT;
    struct story s = a_story;
    s.by_key = true;
    make(*state, &s, &m);
    AUTO_DONE(outcome) o = think(&s, &m, NULL, buf_bytes(&m.bundle));
    OUTCOME(o, 0);
    assert_string_equal(o.check->text, "signed (its log entries were not checked: no trusted root)");
    assert_true(o.check->signed_at == 0);
}

static void by_key(void **state)
{
    CASE(0, "signed", s.by_key = true);
    CASE(0, "signed", s.by_key = true; s.no_entry = true);
    CASE(0, "signed", s.by_key = true; s.no_entry = true; s.stamp = T0);
    CASE(0, "signed", s.by_key = true; s.kind = HASHEDREKORD_2);
    CASE(0, "signed", s.by_key = true; s.want_subject = NULL);
    CASE(ERR_DIGEST, "something else", s.by_key = true; s.of_other_artifact = true);
    CASE(ERR_UNTRUSTED, "another signature", s.by_key = true; s.of_other_signature = true);
    CASE(ERR_UNTRUSTED, "another key", s.by_key = true; s.of_other_key = true);
    CASE(ERR_UNTRUSTED, "not by the log", s.by_key = true; s.promise_by_stranger = true);
    CASE(ERR_UNTRUSTED, "does not have", s.by_key = true; s.no_tlogs = true);
    CASE(ERR_DIGEST, "time stamp 1", s.by_key = true; s.no_entry = true; s.stamp = T0;
         s.stamp_of_other = true);
}

/* The same bundle cut off anywhere, and with one bit turned over in every seventh byte: never good but where
 * the bit means nothing - and then it is the same signature. */
static void damaged(void **state)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    size_t good = 0;
    make(*state, &a_story, &m);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    for (size_t i = 0; i < m.bundle.len; i++) {
        AUTO_DONE(outcome) cut = think(&a_story, &m, root, bytes_of(m.bundle.ptr, i));
        assert_false(cut.check->ok);
        if (i % 7)
            continue;
        m.bundle.ptr[i] ^= (uint8_t)(1U << (i / 7 % 7));
        AUTO_DONE(outcome) o = think(&a_story, &m, root, buf_bytes(&m.bundle));
        m.bundle.ptr[i] ^= (uint8_t)(1U << (i / 7 % 7));
        if (!o.check->ok)
            continue;
        good++;
        assert_string_equal(o.check->subject, SUBJECT);
        assert_true(o.check->signed_at == T0);
    }
    /* '=' that became another end of padding is refused; "0.3" may become "0.1". */
    assert_true(good <= 4);
}

/* cosign's simple signing: annotations beside the payload. */
struct notes {
    bool of_other, by_stranger, no_chain;
    const char *set;
};

static void put_pem(struct jout *j, const char *key, const struct issued *c, const struct issued *next)
{
    AUTO_DONE(buf) pem = BUF_INIT(ROOM);
    issued_pem(c, &pem);
    if (next)
        issued_pem(next, &pem);
    jout_bytes(j, key, buf_bytes(&pem));
}

static void make_set(const struct world *w, const struct notes *n, const struct story *s,
                     const struct made *m, struct buf *out)
{
    AUTO_DONE(buf) body = BUF_INIT(ROOM);
    AUTO_DONE(buf) promise = BUF_INIT(ROOM);
    struct jout j = {.out = out};
    uint8_t id[HASH_SHA256_LEN];
    char hex[2 * HASH_SHA256_LEN + 1];
    make_body(w, s, m, &body);
    log_id(w->log, id);
    put_promise(n->by_stranger ? w->stranger : w->log, buf_bytes(&body), T0, 9, id, &promise);
    jout_object(&j, NULL);
    put_b64(&j, "SignedEntryTimestamp", buf_bytes(&promise));
    jout_object(&j, "Payload");
    put_b64(&j, "body", buf_bytes(&body));
    jout_uint(&j, "integratedTime", T0);
    jout_uint(&j, "logIndex", 9);
    jout_string(&j, "logID", hex_encode(BYTES_ARR(id), hex));
    jout_object_end(&j);
    jout_object_end(&j);
}

static void expect_notes(const struct world *w, const struct notes *n, bool attestation, int code,
                         const char *why)
{
    struct err e = ERR_INIT;
    AUTO_DONE(made) m = MADE_INIT;
    AUTO(sign_root) root = NULL;
    AUTO_DONE(buf) set = BUF_INIT(ROOM);
    AUTO_DONE(buf) notes = BUF_INIT(ROOM);
    struct story s = a_story;
    struct sign_subject subject = subject_of(MANIFEST);
    struct jout j = {.out = &notes};
    s.envelope = attestation;
    s.statement = SIGN_STATEMENT;
    s.kind = attestation ? INTOTO_1 : HASHEDREKORD_1;
    s.of_other_artifact = n->of_other;
    make_leaf(w, &s, &m);
    if (attestation) {
        make_signature(w, &s, &m);
    } else {
        ASSERT_OK(sign_cosign_payload_write(&subject, NULL, 0, &m.message, &e));
        ASSERT_OK(sign_key_sign(m.key, buf_bytes(&m.message), &m.signature, &e));
    }
    make_root(w, &s, &m.root);
    ASSERT_OK(sign_root_parse(buf_bytes(&m.root), &root, &e));
    make_set(w, n, &s, &m, &set);
    jout_object(&j, NULL);
    put_b64(&j, "dev.cosignproject.cosign/signature", attestation ? BYTES_NONE : buf_bytes(&m.signature));
    put_pem(&j, "dev.sigstore.cosign/certificate", &m.leaf, NULL);
    if (!n->no_chain)
        put_pem(&j, "dev.sigstore.cosign/chain", &w->middle, &w->root);
    if (!n->set || *n->set)
        jout_string(&j, "dev.sigstore.cosign/bundle", n->set ? n->set : buf_cstr(&set));
    jout_object_end(&j);
    const struct sign_identity want = {.issuer = ISSUER, .subject = SUBJECT};
    const struct sign_trust trust = {.root = root, .identities = &want, .n_identities = 1, .now = T0};
    AUTO_DONE(outcome)
    o = judge_with(attestation ? ENVELOPE : PAYLOAD, buf_bytes(attestation ? &m.envelope : &m.message),
                   buf_cstr(&notes), NULL, trust);
    OUTCOME(o, code);
    if (!strstr(o.check->text, why))
        fail_msg("\"%s\" is not in: %s", why, o.check->text);
}

static void annotations(void **state)
{
    for (int attestation = 0; attestation < 2; attestation++) {
        expect_notes(*state, &(struct notes){.of_other = false}, attestation, 0, "");
        expect_notes(*state, &(struct notes){.no_chain = true}, attestation, 0, "");
        expect_notes(*state, &(struct notes){.of_other = true}, attestation, ERR_DIGEST, "something else");
        expect_notes(*state, &(struct notes){.by_stranger = true}, attestation, ERR_UNTRUSTED,
                     "not by the log");
        expect_notes(*state, &(struct notes){.set = ""}, attestation, ERR_UNTRUSTED, "in no log");
        expect_notes(*state, &(struct notes){.set = "{}"}, attestation, ERR_FORMAT, "SignedEntryTimestamp");
        expect_notes(*state, &(struct notes){.set = "[]"}, attestation, ERR_FORMAT, "no object");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(versions),
        cmocka_unit_test(kinds),
        cmocka_unit_test(entries_about_something_else),
        cmocka_unit_test(promises),
        cmocka_unit_test(proofs),
        cmocka_unit_test(checkpoints),
        cmocka_unit_test(stamps),
        cmocka_unit_test(certificates),
        cmocka_unit_test(certificate_logs),
        cmocka_unit_test(identities),
        cmocka_unit_test(patterns),
        cmocka_unit_test(any_identity),
        cmocka_unit_test(without_root),
        cmocka_unit_test(by_key_without_root),
        cmocka_unit_test(by_key),
        cmocka_unit_test(damaged),
        cmocka_unit_test(annotations),
    };
    return cmocka_run_group_tests(tests, world_make, world_free);
}
