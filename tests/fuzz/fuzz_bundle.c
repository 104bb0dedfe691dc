/* SPDX-License-Identifier: Apache-2.0 */
/* Sigstore bundles, cosign's attestations and its payloads, judged with the key below, which signed the
 * corpus. Payloads are signed here, so that what is said behind the signature is reached. */
#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "sign/alg.h"
#include "sign/cosign.h"
#include "sign/format.h"
#include "sign/sigstore_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static struct sign_key *fuzz_key(void)
{
    static struct sign_key *k;
    struct err e = ERR_INIT;
    uint8_t seed[SIGN_SECRET_LEN];
    memset(seed, 1, sizeof(seed));
    if (!k)
        must(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e) == 0);
    return k;
}

static void judge(const char *media_type, struct bytes blob, struct bytes annotations)
{
    struct err e = ERR_INIT;
    struct sign_key *keys[] = {fuzz_key()};
    const struct sign_pair who = {"who", "me"};
    const struct sign_trust trust = {.keys = {keys, 1}, .annotations = &who, .n_annotations = 1};
    struct sign_subject subject = {.media_type = "application/vnd.oci.image.manifest.v1+json",
                                   .repo = "registry.example/app",
                                   .content = BYTES_LIT("{}")};
    AUTO(jdoc) notes = NULL;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    must(hash_bytes(HASH_SHA256, subject.content, &subject.digest, &e) == 0);
    if (annotations.len)
        must(jdoc_parse(annotations, &notes, &e) == 0);
    const struct sign_carrier carrier = {.media_type = media_type,
                                         .artifact_type = "",
                                         .annotations = notes ? jdoc_root(notes) : NULL,
                                         .blob = blob,
                                         .where = NULL};
    must(sign_format_detect(media_type, "")->judge(&carrier, &subject, &trust, &report, &e) == 0);
    must(report.n == 1);
    const struct sign_check *c = &report.checks[0];
    must(c->text[0] && c->ok == (c->code == 0));
    must(!c->ok || (c->key_id[0] && c->covers[0]));
    must((c->statement != NULL) == (c->ok && c->kind == SIGN_CHECK_ATTESTATION));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct bytes input = bytes_of(data, size);
    AUTO_DONE(sign_cosign_payload) payload = {.doc = NULL};
    AUTO_DONE(buf) signature = BUF_INIT(LIMIT_DSSE_SIGNATURE);
    AUTO_DONE(buf) notes = BUF_INIT(2 * LIMIT_DSSE_SIGNATURE);
    judge("application/vnd.dev.sigstore.bundle.v0.3+json", input, BYTES_NONE);
    judge("application/vnd.dsse.envelope.v1+json", input, BYTES_NONE);
    if (sign_cosign_payload_parse(input, &payload, &e) != 0)
        return 0; /* fuzz_statement has the parser, and signing takes long */
    must(sign_sigstore_sign(fuzz_key(), input, &signature, &e) == 0);
    buf_append_str(&notes, "{\"dev.cosignproject.cosign/signature\":\"");
    b64_encode(B64_STD, buf_bytes(&signature), &notes);
    buf_append_str(&notes, "\"}");
    judge("application/vnd.dev.cosign.simplesigning.v1+json", input, buf_bytes(&notes));
    return 0;
}
