/* SPDX-License-Identifier: Apache-2.0 */
/* minisign: any bytes as a signature, and as the file of a key. */
#include "sign/alg.h"
#include "sign/content.h"
#include "sign/format.h"
#include "sign/keyfile.h"

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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    AUTO_DONE(sign_content) content = {.size = 0};
    AUTO(sign_key) read = NULL;
    struct source_bytes from;
    struct sign_key *k = fuzz_key();
    const struct sign_trust trust = {.keys = {&k, 1}, .now = 1800000000};
    const struct sign_carrier carrier = {.media_type = "", .artifact_type = "", .blob = bytes_of(data, size)};
    must(sign_content_read(source_bytes_init(&from, BYTES_LIT("content")), true, &content, &e) == 0);
    const struct sign_subject subject = sign_content_subject(&content);
    must(sign_minisign.judge(&carrier, &subject, &trust, &report, &e) == 0);
    must(report.n == 1 && report.checks[0].code != 0 && report.checks[0].text[0]);
    if (sign_keyfile_minisign.detect(carrier.blob) &&
        sign_keyfile_minisign.parse(carrier.blob, NULL, &read, &e) == 0)
        must(!sign_key_is_private(read) && sign_key_type(read) == SIGN_KEY_ED25519);
    return 0;
}
