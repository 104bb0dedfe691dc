/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of Sigstore's formats share: a subject, keys, and the outcome of the only check. */
#ifndef WAYBILL_TESTS_UNIT_SIGN_SIGSTORE_FIXTURE_H
#define WAYBILL_TESTS_UNIT_SIGN_SIGSTORE_FIXTURE_H

#include "base/limits.h"
#include "sign/bundle.h"
#include "sign/cosign.h"
#include "sign/statement.h"
#include "tests/unit/sign_fixture.h"

#define MANIFEST BYTES_LIT("{\"schemaVersion\":2}")
#define REPO     "registry.example/team/app"
#define BUNDLE   SIGN_BUNDLE_V0_3
#define PAYLOAD  "application/vnd.dev.cosign.simplesigning.v1+json"
#define ENVELOPE "application/vnd.dsse.envelope.v1+json"

/* The digest of MANIFEST in hexadecimal is put where a text has this. */
#define HEX "HEX"

static inline struct sign_subject subject_of(struct bytes content)
{
    struct err e = ERR_INIT;
    struct sign_subject s = {
        .size = content.len, .media_type = "application/vnd.oci.image.manifest.v1+json", .repo = REPO};
    ASSERT_OK(hash_bytes(HASH_SHA256, content, &s.digest, &e));
    s.content = content;
    return s;
}

/* text with HEX replaced; BUF of its own. */
static inline void fill_in(const char *text, struct buf *out)
{
    char hex[DIGEST_STR_MAX];
    struct sign_subject s = subject_of(MANIFEST);
    digest_hex(&s.digest, hex);
    for (const char *at; (at = strstr(text, HEX)); text = at + strlen(HEX)) {
        buf_append(out, text, (size_t)(at - text));
        buf_append_str(out, hex);
    }
    buf_append_str(out, text);
}

/* One judgement, whose only check is handed over; trust->keys is set to the one key (NULL: none). */
struct outcome {
    struct sign_report report;
    struct sign_check *check;
};

static inline void outcome_done(struct outcome *o)
{
    sign_report_done(&o->report);
}

static inline struct outcome judge_with(const char *media_type, struct bytes blob, const char *annotations,
                                        const struct sign_key *k, struct sign_trust trust)
{
    struct err e = ERR_INIT;
    struct outcome o = {.report = SIGN_REPORT_INIT};
    struct sign_key *list[1];
    AUTO(jdoc) notes = NULL;
    struct sign_subject subject = subject_of(MANIFEST);
    memcpy(list, &k, sizeof(k));
    trust.keys = (struct sign_keyring){list, k ? 1 : 0};
    if (annotations)
        ASSERT_OK(jdoc_parse(bytes_str(annotations), &notes, &e));
    const struct sign_carrier carrier = {.media_type = media_type,
                                         .artifact_type = "",
                                         .annotations = notes ? jdoc_root(notes) : NULL,
                                         .blob = blob,
                                         .where = "somewhere"};
    const struct sign_format *f = sign_format_detect(media_type, "");
    assert_non_null(f);
    ASSERT_OK(f->judge(&carrier, &subject, &trust, &o.report, &e));
    assert_int_equal(o.report.n, 1);
    o.check = &o.report.checks[0];
    assert_int_equal(o.check->ok, o.check->code == 0);
    assert_string_equal(o.check->where, "somewhere");
    assert_true(o.check->text[0]);
    if (o.check->ok)
        assert_true(o.check->key_id[0] && o.check->covers[0]);
    assert_int_equal(o.check->ok && o.check->kind == SIGN_CHECK_ATTESTATION, o.check->statement != NULL);
    return o;
}

/* The code of a judgement, which must be `want`; and its kind when it is good. */
static inline void outcome_must(const struct outcome *o, int want, const char *file, int line)
{
    if (o->check->code != want)
        fail_msg("%s:%d: %s where %s was expected: %s", file, line, err_name(o->check->code), err_name(want),
                 o->check->text);
}
#define OUTCOME(o, want) outcome_must(&(o), want, __FILE__, __LINE__)

static inline struct sign_key *new_key(enum sign_key_type type)
{
    struct err e = ERR_INIT;
    struct sign_key *k = NULL;
    ASSERT_OK(sign_key_generate(type, &k, &e));
    ASSERT_OK(sign_key_rename(k, "alice.pub", &e));
    return k;
}

#endif
