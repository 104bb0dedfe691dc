/* SPDX-License-Identifier: Apache-2.0 */
/* Claims: any bytes are taken as a token and as a file with claims; what could be signed verifies, and every
 * section of it but the claims is covered. The corpus is signed with the key below. */
#include "sign/alg.h"
#include "sign/claims.h"

#define NOW 1000000

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
    uint8_t seed[SIGN_NKEY_LEN];
    memset(seed, 1, sizeof(seed));
    if (!k)
        must(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e) == 0);
    return k;
}

static int verdict(struct bytes file, bool old)
{
    struct err e = ERR_INIT;
    struct opener_bytes o;
    const struct source_opener from = opener_bytes_init(&o, file);
    struct sign_key *keys[] = {fuzz_key()};
    const struct sign_trust trust = {.keys = {keys, 1}, .now = NOW, .old_claims = old};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    must(sign_verify(&from, &trust, &report, NULL, &e) == 0);
    for (size_t i = 0; i < report.n; i++)
        must(report.checks[i].ok || report.checks[i].text[0]);
    sign_report_settle(&report);
    return report.verdict;
}

/* As a token by itself, and in a section of an empty module. */
static void token(struct bytes text)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_token) t = {.doc = NULL};
    AUTO_DONE(buf) file = BUF_INIT(text.len + 64);
    if (sign_token_parse(text, &t, &e) == 0)
        must(t.issuer && t.subject && t.hash && t.message.len < text.len);
    else
        must(e.msg[0]);
    buf_append_bytes(&file, BYTES_LIT("\0asm\1\0\0\0\0"));
    buf_append_leb32(&file, (uint32_t)text.len + 4);
    buf_append_bytes(&file, BYTES_LIT("\3jwt"));
    buf_append_bytes(&file, text);
    (void)verdict(buf_bytes(&file), true);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct sink_buf to;
    struct opener_bytes o;
    struct bytes file = bytes_of(data, size);
    AUTO_DONE(buf) out = BUF_INIT(size + (1U << 20));
    const struct source_opener from = opener_bytes_init(&o, file);
    static const char *const caps[] = {"wasmcloud:httpserver"};
    const struct sign_claims claims = {
        .name = "x", .revision = -1, .capabilities = caps, .n_capabilities = 1, .issued_at = NOW};
    const struct sign_file_order order = {.key = fuzz_key(), .subject = fuzz_key(), .claims = &claims};
    token(file);
    int strict = verdict(file, false), lax = verdict(file, true);
    must(strict != 0 || lax == 0);
    if (sign_claims_jwt.sign(&from, &order, sink_buf_init(&to, &out), &e) == 0)
        must(verdict(buf_bytes(&out), false) == 0);
    else
        must(e.msg[0]);
    return 0;
}
