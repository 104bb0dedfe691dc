/* SPDX-License-Identifier: Apache-2.0 */
/* The row "sigstore": bundles that hang on what they sign as referrers (cosign's specs/BUNDLE_SPEC.md). */
#include "base/time.h"
#include "sign/bundle.h"
#include "sign/format.h"
#include "sign/signer.h"
#include "sign/statement.h"

#define NAME "sigstore"

static bool detect(const char *media_type, const char *artifact_type)
{
    return sign_bundle_is(*media_type ? media_type : artifact_type);
}

/* Whether the bytes are those of the subject and of the digest that the bundle states. */
static int check_content(const struct sign_bundle *b, const struct sign_subject *subject,
                         struct sign_check *check, bool *ret_same, struct err *e)
{
    struct digest own, stated;
    *ret_same = false;
    if (!subject->content.len)
        return sign_check_set(check, ERR_UNSUPPORTED, "it signs the bytes themselves, which are not at hand");
    int r = hash_bytes(subject->digest.alg, subject->content, &own, e);
    if (!r)
        r = hash_bytes(b->message.alg, subject->content, &stated, e);
    if (r)
        return r;
    *ret_same = digest_eq(&own, &subject->digest) && digest_eq(&stated, &b->message);
    return *ret_same ? 0 : sign_check_set(check, ERR_DIGEST, "a signature of something else");
}

static int judge_message(const struct sign_bundle *b, struct sign_keyless *in,
                         const struct sign_subject *subject, const struct sign_trust *trust,
                         struct sign_check *check, struct err *e)
{
    bool same, known;
    int r = check_content(b, subject, check, &same, e);
    if (r || !same)
        return r;
    in->message = subject->content;
    in->signature = buf_bytes(&b->envelope.signature);
    r = sign_signer_find(in, b->hint ? b->hint : "", trust, check, &known, e);
    if (r || !known)
        return r;
    sign_check_cover(check, subject);
    if (!sign_annotations_want(NULL, trust, check)) /* it has none */
        return 0;
    (void)sign_check_set(check, 0, "signed");
    sign_signer_note(in, trust, check);
    return 0;
}

static int judge(const struct sign_carrier *carrier, const struct sign_subject *subject,
                 const struct sign_trust *trust, struct sign_report *report, struct err *e)
{
    AUTO_DONE(sign_bundle) b = SIGN_BUNDLE_INIT;
    struct sign_check *check;
    int r = sign_report_begin(report, NAME, SIGN_CHECK_SIGNATURE, carrier->where, &check, e);
    if (r)
        return r;
    r = sign_bundle_parse(carrier->blob, &b, e);
    if (r)
        return sign_check_fail(check, r, e);
    struct sign_keyless in = {.chain = b.chain,
                              .n_chain = b.n_chain,
                              .entries = b.entries,
                              .needs_promise = b.is_v0_1,
                              .timestamps = b.timestamps};
    if (b.is_message)
        return judge_message(&b, &in, subject, trust, check, e);
    in.envelope = &b.envelope;
    return sign_signer_judge_envelope(&in, b.hint ? b.hint : "", subject, trust, check, e);
}

static int write_annotations(struct buf *out, const char *predicate_type, int64_t now, struct err *e)
{
    struct jout w = {.out = out};
    char created[TIME_STR_MAX];
    jout_object(&w, NULL);
    jout_string(&w, "dev.sigstore.bundle.content", "dsse-envelope");
    jout_string(&w, SIGN_BUNDLE_PREDICATE, predicate_type);
    jout_string(&w, "org.opencontainers.image.created", time_str(now, created));
    jout_object_end(&w);
    return buf_check(out, e);
}

static int make(const struct sign_order *order, struct sign_product *ret, struct err *e)
{
    AUTO_DONE(buf) written = BUF_INIT(LIMIT_PAYLOAD);
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    *ret = (struct sign_product){.hang = SIGN_HANG_REFERRER,
                                 .artifact_type = SIGN_BUNDLE_V0_3,
                                 .media_type = SIGN_BUNDLE_V0_3,
                                 .blob = BUF_INIT(LIMIT_BUNDLE),
                                 .annotations = BUF_INIT(LIMIT_PAYLOAD),
                                 .manifest_annotations = BUF_INIT(LIMIT_PAYLOAD)};
    struct bytes statement = BYTES_NONE;
    int r = sign_statement_of_order(order, &written, &statement, &s, e);
    if (!r)
        r = sign_bundle_write(order->key, SIGN_DSSE_IN_TOTO, statement, &ret->blob, e);
    return r ? r : write_annotations(&ret->manifest_annotations, s.predicate_type, order->now, e);
}

const struct sign_format sign_sigstore = {
    .name = NAME, .annotates = true, .detect = detect, .judge = judge, .make = make};
