/* SPDX-License-Identifier: Apache-2.0 */
/* Embedded signatures: any bytes are verified, listed and signed; what could be signed verifies. The corpus
 * is signed with the key below. */
#include "sign/alg.h"
#include "sign/format.h"

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

static int verdict(struct bytes file)
{
    struct err e = ERR_INIT;
    struct source_bytes s;
    struct sign_key *keys[] = {fuzz_key()};
    const struct sign_trust ring = {.keys = {keys, 1}};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    must(sign_verify(source_bytes_init(&s, file), &ring, &report, &e) == 0);
    must(report.verdict == 0 || report.reason[0]);
    return report.verdict;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct bytes file = bytes_of(data, size);
    struct source_bytes s;
    struct sink_buf to;
    struct opener_bytes o;
    AUTO_DONE(buf) lines = BUF_INIT(64U << 20);
    AUTO_DONE(buf) out = BUF_INIT(size + (1U << 20));
    int found = verdict(file);
    must(found == 0 || found == ERR_UNSIGNED || found == ERR_UNTRUSTED || found == ERR_DIGEST ||
         found == ERR_FORMAT);
    int listed = sign_embedded.list(source_bytes_init(&s, file), &lines, &e);
    must(found != 0 || (listed == 0 && lines.len > 0));
    must(found != ERR_UNSIGNED || (listed == 0 && lines.len == 0));
    const struct source_opener from = opener_bytes_init(&o, file);
    int signed_it = sign_embedded.sign(&from, fuzz_key(), sink_buf_init(&to, &out), &e);
    must(signed_it == 0 ? verdict(buf_bytes(&out)) == 0 : found != 0 && e.msg[0]);
    return 0;
}
