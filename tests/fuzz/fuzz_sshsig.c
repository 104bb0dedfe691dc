/* SPDX-License-Identifier: Apache-2.0 */
/* SSH signatures: any bytes are judged, and nothing is by the key that signed nothing; then the same bytes as
 * a public key's blob. */
#include "sign/alg.h"
#include "sign/format.h"
#include "sign/sshkey.h"
#include "sign/sshsig.h"

#include <stdlib.h>

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
    memset(seed, 0xa5, sizeof(seed));
    if (!k)
        must(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e) == 0);
    return k;
}

static void blob(struct bytes in)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_sshkey) k = {.key = NULL};
    AUTO_DONE(buf) again = BUF_INIT(64U << 10);
    if (sign_sshkey_parse(in, &k, &e) || k.on_device)
        return;
    sign_sshkey_put(k.key, &again);
    must(buf_check(&again, &e) == 0 && bytes_eq(buf_bytes(&again), in));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    struct sign_key *k = fuzz_key();
    const struct sign_trust trust = {.keys = {&k, 1}, .now = 1800000000};
    const struct sign_carrier carrier = {.media_type = "", .artifact_type = "", .blob = bytes_of(data, size)};
    struct sign_subject subject = {.size = 7, .media_type = "m", .content = BYTES_LIT("content")};
    must(hash_bytes(HASH_SHA256, subject.content, &subject.digest, &e) == 0);
    must(sign_ssh.judge(&carrier, &subject, &trust, &report, &e) == 0);
    must(report.n == 1 && report.checks[0].code != 0 && report.checks[0].text[0]);
    blob(carrier.blob);
    return 0;
}
