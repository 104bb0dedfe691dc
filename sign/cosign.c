/* SPDX-License-Identifier: Apache-2.0 */
/* The row "cosign": simple signing (cosign's specs/SIGNATURE_SPEC.md) and attestations as layers (its
 * specs/ATTESTATION_SPEC.md). What stands in annotations of a layer is not signed. */
#include "sign/cosign.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "sign/dsse.h"
#include "sign/format.h"
#include "sign/pem.h"
#include "sign/signer.h"
#include "sign/statement.h"

#include <string.h>

#define NAME             "cosign"
#define LAYER_SIGNATURE  "application/vnd.dev.cosign.simplesigning.v1+json"
#define LAYER_ENVELOPE   "application/vnd.dsse.envelope.v1+json"
#define ARTIFACT_SIG     "application/vnd.dev.cosign.artifact.sig.v1+json"
#define NOTE_SIGNATURE   "dev.cosignproject.cosign/signature"
#define NOTE_CERTIFICATE "dev.sigstore.cosign/certificate"
#define NOTE_CHAIN       "dev.sigstore.cosign/chain"
#define NOTE_SET         "dev.sigstore.cosign/bundle"

static bool detect(const char *media_type, const char *artifact_type)
{
    if (!*media_type)
        return strcmp(artifact_type, ARTIFACT_SIG) == 0;
    return strcmp(media_type, LAYER_SIGNATURE) == 0 || strcmp(media_type, LAYER_ENVELOPE) == 0;
}

/* What stood beside a payload, read. */
struct beside {
    struct buf signature; /* empty for attestations, which have theirs inside */
    struct buf der;
    struct bytes chain[LIMIT_CHAIN];
    size_t n_chain;
    struct jdoc *set;
};

static void beside_done(struct beside *b)
{
    buf_done(&b->signature);
    buf_done(&b->der);
    jdoc_free(b->set);
}

/* The certificates of a PEM text, one behind the other; where each begins is known at the end only, since
 * the buffer moves. */
static int read_certificates(const char *text, struct buf *out, size_t *lengths, size_t *n, struct err *e)
{
    static const char end[] = "-----END CERTIFICATE-----";
    for (const char *at; text && (at = strstr(text, end)); text = at + strlen(end)) {
        size_t before = out->len;
        if (*n == LIMIT_CHAIN)
            return err_set(e, ERR_LIMIT, "more than %u certificates", LIMIT_CHAIN);
        int r = sign_pem_decode(bytes_of(text, (size_t)(at - text) + strlen(end)), out, e);
        if (r)
            return r;
        lengths[(*n)++] = out->len - before;
    }
    if (text && text[strspn(text, "\r\n\t ")])
        return err_set(e, ERR_FORMAT, "no certificate");
    return 0;
}

static int read_chain(const struct jval *notes, struct beside *b, struct err *e)
{
    const char *leaf, *chain;
    size_t lengths[LIMIT_CHAIN], n = 0, at = 0;
    int r = jobj_want_string(notes, NOTE_CERTIFICATE, false, &leaf, e);
    if (!r)
        r = jobj_want_string(notes, NOTE_CHAIN, false, &chain, e);
    if (!r && leaf && *leaf)
        r = read_certificates(leaf, &b->der, lengths, &n, e);
    if (!r && n)
        r = read_certificates(chain, &b->der, lengths, &n, e);
    if (r)
        return r;
    for (size_t i = 0; i < n; at += lengths[i++])
        b->chain[i] = bytes_of(b->der.ptr + at, lengths[i]);
    b->n_chain = n;
    return 0;
}

static int read_beside(const struct jval *notes, bool needs_signature, struct beside *b, struct err *e)
{
    const char *signature, *set;
    int r = jobj_want_string(notes, NOTE_SIGNATURE, needs_signature, &signature, e);
    if (!r && needs_signature)
        r = b64_decode(B64_STD, bytes_str(signature), &b->signature, e);
    if (!r)
        r = read_chain(notes, b, e);
    if (!r)
        r = jobj_want_string(notes, NOTE_SET, false, &set, e);
    if (!r && set && *set)
        r = jdoc_parse(bytes_str(set), &b->set, e);
    return r ? err_wrap(e, "annotations") : 0;
}

/* Whether a reference ("host/repo", with a tag or a digest perhaps) is of a repository. Docker Hub has two
 * names. */
static bool is_of_repo(const char *reference, const char *repo)
{
    static const char hub[] = "index.docker.io/";
    size_t skip = strlen("index."), n = strcspn(reference, "@");
    for (size_t i = n; i > 0 && reference[i - 1] != '/'; i--)
        if (reference[i - 1] == ':')
            n = i - 1;
    if (strncmp(reference, hub, strlen(hub)) == 0) {
        reference += skip;
        n -= skip;
    }
    if (strncmp(repo, hub, strlen(hub)) == 0)
        repo += skip;
    return strlen(repo) == n && strncmp(reference, repo, n) == 0;
}

/* What the payload says, once it is known who signed it. */
static int judge_payload(const struct sign_cosign_payload *p, const struct sign_subject *subject,
                         const struct sign_trust *trust, struct sign_check *check)
{
    char digest[DIGEST_STR_MAX], shown[128];
    if (strcmp(p->digest, digest_str(&subject->digest, digest)) != 0)
        return sign_check_set(check, ERR_DIGEST, "a signature of something else: %s",
                              text_escape_str(p->digest, shown, sizeof(shown)));
    sign_check_cover(check, subject);
    bool elsewhere = subject->repo && !is_of_repo(p->reference, subject->repo);
    check->repository = strdup(elsewhere || !subject->repo ? p->reference : subject->repo);
    text_escape_str(p->reference, shown, sizeof(shown));
    if (trust->repo_must_match && (elsewhere || !subject->repo))
        return sign_check_set(check, ERR_POLICY, "signed for another repository: %s", shown);
    if (!sign_annotations_want(p->optional, trust, check))
        return 0;
    return elsewhere ? sign_check_set(check, 0, "signed as %s", shown) : sign_check_set(check, 0, "signed");
}

static int judge_signature(const struct sign_carrier *carrier, const struct sign_subject *subject,
                           const struct sign_trust *trust, struct sign_check *check, struct err *e)
{
    AUTO_DONE(beside) b = {.signature = BUF_INIT(LIMIT_DSSE_SIGNATURE), .der = BUF_INIT(LIMIT_PAYLOAD)};
    AUTO_DONE(sign_cosign_payload) p = {.doc = NULL};
    bool known;
    if (carrier->blob.len > LIMIT_PAYLOAD)
        return sign_check_set(check, ERR_LIMIT, "a payload of more than %u bytes", LIMIT_PAYLOAD);
    int r = read_beside(carrier->annotations, true, &b, e);
    if (r)
        return sign_check_fail(check, r, e);
    struct sign_keyless in = {.chain = b.chain,
                              .n_chain = b.n_chain,
                              .message = carrier->blob,
                              .signature = buf_bytes(&b.signature),
                              .set = b.set ? jdoc_root(b.set) : NULL};
    r = sign_signer_find(&in, "", trust, check, &known, e);
    if (r || !known)
        return r;
    r = sign_cosign_payload_parse(carrier->blob, &p, e);
    if (r)
        return sign_check_fail(check, r, e);
    r = judge_payload(&p, subject, trust, check);
    sign_signer_note(&in, trust, check);
    return r;
}

static int judge_attestation(const struct sign_carrier *carrier, const struct sign_subject *subject,
                             const struct sign_trust *trust, struct sign_check *check, struct err *e)
{
    AUTO_DONE(beside) b = {.signature = BUF_INIT(0), .der = BUF_INIT(LIMIT_PAYLOAD)};
    AUTO_DONE(sign_dsse) d = SIGN_DSSE_INIT;
    int r = sign_dsse_parse(carrier->blob, &d, e);
    if (!r)
        r = read_beside(carrier->annotations, false, &b, e);
    if (r)
        return sign_check_fail(check, r, e);
    struct sign_keyless in = {.chain = b.chain,
                              .n_chain = b.n_chain,
                              .envelope = &d,
                              .envelope_json = carrier->blob,
                              .set = b.set ? jdoc_root(b.set) : NULL};
    return sign_signer_judge_envelope(&in, "", subject, trust, check, e);
}

static int judge(const struct sign_carrier *carrier, const struct sign_subject *subject,
                 const struct sign_trust *trust, struct sign_report *report, struct err *e)
{
    struct sign_check *check;
    bool envelope = strcmp(carrier->media_type, LAYER_ENVELOPE) == 0;
    int r = sign_report_begin(report, NAME, envelope ? SIGN_CHECK_ATTESTATION : SIGN_CHECK_SIGNATURE,
                              carrier->where, &check, e);
    if (r)
        return r;
    return envelope ? judge_attestation(carrier, subject, trust, check, e)
                    : judge_signature(carrier, subject, trust, check, e);
}

static int make_signature(const struct sign_order *order, struct sign_product *ret, struct err *e)
{
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) text = BUF_INIT(2 * LIMIT_DSSE_SIGNATURE);
    struct jout w = {.out = &ret->annotations};
    ret->hang = SIGN_HANG_SIG_TAG;
    ret->media_type = LAYER_SIGNATURE;
    if (order->expires_at)
        return err_set(e, ERR_UNSUPPORTED, "signatures of this format do not expire");
    int r =
        sign_cosign_payload_write(order->subject, order->annotations, order->n_annotations, &ret->blob, e);
    if (!r)
        r = sign_sigstore_sign(order->key, buf_bytes(&ret->blob), &signature, e);
    if (r)
        return r;
    b64_encode(B64_STD, buf_bytes(&signature), &text);
    r = buf_check(&text, e);
    if (r)
        return r;
    jout_object(&w, NULL);
    jout_bytes(&w, NOTE_SIGNATURE, buf_bytes(&text));
    jout_object_end(&w);
    return buf_check(&ret->annotations, e);
}

static int make_attestation(const struct sign_order *order, struct sign_product *ret, struct err *e)
{
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) unused = BUF_INIT(0);
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    struct jout blob = {.out = &ret->blob}, notes = {.out = &ret->annotations};
    struct bytes statement = BYTES_NONE;
    ret->hang = SIGN_HANG_ATT_TAG;
    ret->media_type = LAYER_ENVELOPE;
    int r = sign_statement_of_order(order, &unused, &statement, &s, e);
    if (!r)
        r = sign_dsse_sign(order->key, SIGN_DSSE_IN_TOTO, statement, &signature, e);
    if (r)
        return r;
    sign_dsse_write(&blob, NULL, SIGN_DSSE_IN_TOTO, statement, buf_bytes(&signature));
    jout_object(&notes, NULL);
    jout_string(&notes, NOTE_SIGNATURE, "");
    jout_string(&notes, "predicateType", s.predicate_type);
    jout_object_end(&notes);
    r = buf_check(&ret->blob, e);
    return r ? r : buf_check(&ret->annotations, e);
}

static int make(const struct sign_order *order, struct sign_product *ret, struct err *e)
{
    *ret = (struct sign_product){.blob = BUF_INIT(LIMIT_BUNDLE),
                                 .annotations = BUF_INIT(LIMIT_PAYLOAD),
                                 .manifest_annotations = BUF_INIT(0)};
    return order->statement.len ? make_attestation(order, ret, e) : make_signature(order, ret, e);
}

const struct sign_format sign_cosign = {
    .name = NAME, .annotates = true, .detect = detect, .judge = judge, .make = make};
