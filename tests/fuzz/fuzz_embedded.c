/* SPDX-License-Identifier: Apache-2.0 */
/* Embedded signatures: any bytes are verified, listed and signed; what could be signed verifies. The corpus
 * is signed with the key below. */
#include "sign/alg.h"
#include "sign/embedded_parts.h"
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
    struct opener_bytes o;
    const struct source_opener from = opener_bytes_init(&o, file);
    struct sign_key *keys[] = {fuzz_key()};
    const struct sign_trust ring = {.keys = {keys, 1}};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    must(sign_verify(&from, &ring, &report, NULL, &e) == 0);
    sign_report_settle(&report);
    must(report.verdict == 0 || report.reason[0]);
    return report.verdict;
}

/* What is listed agrees with what was found. */
static void list(const struct source_opener *from, int found)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    AUTO_DONE(sign_marks) marks = {NULL, 0};
    must(sign_scan_run(from, SIGN_SCAN_SECTIONS, &scan, &e) == 0);
    must(found != 0 || scan.broken.code == 0);
    if (scan.broken.code)
        return;
    int listed = sign_embedded.list(&scan, &marks, &e);
    bool fits = false;
    for (size_t i = 0; i < marks.n; i++)
        fits = fits || marks.at[i].fits;
    must(found != 0 || (listed == 0 && fits));
    must(found != ERR_UNSIGNED || (listed == 0 && marks.n == 0));
}

/* A file with delimiters put in is signed and verifies by its parts, and as a whole. */
static void split(const struct source_opener *from, size_t size)
{
    struct err e = ERR_INIT;
    struct sink_buf to;
    struct source_opener with;
    AUTO_DONE(sign_split) s = {.n = 0};
    AUTO_DONE(buf) out = BUF_INIT(size + (1U << 20));
    const struct sign_file_order order = {.key = fuzz_key()};
    int r = sign_split_init(&s, from, "^[a-m]", &with, &e);
    if (r)
        return;
    if (sign_embedded.sign(&with, &order, sink_buf_init(&to, &out), &e) == 0)
        must(verdict(buf_bytes(&out)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct bytes file = bytes_of(data, size);
    struct sink_buf to;
    struct opener_bytes o;
    AUTO_DONE(buf) out = BUF_INIT(size + (1U << 20));
    const struct source_opener from = opener_bytes_init(&o, file);
    const struct sign_file_order order = {.key = fuzz_key()};
    int found = verdict(file);
    must(found == 0 || found == ERR_UNSIGNED || found == ERR_UNTRUSTED || found == ERR_DIGEST ||
         found == ERR_FORMAT || found == ERR_LIMIT);
    list(&from, found);
    int signed_it = sign_embedded.sign(&from, &order, sink_buf_init(&to, &out), &e);
    must(signed_it == 0 ? verdict(buf_bytes(&out)) == 0 : found != 0 && e.msg[0]);
    split(&from, size);
    return 0;
}
