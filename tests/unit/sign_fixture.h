/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of sign/ share: hexadecimal, keys, and wasm binaries put together by hand. */
#ifndef WAYBILL_TESTS_UNIT_SIGN_FIXTURE_H
#define WAYBILL_TESTS_UNIT_SIGN_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/hex.h"
#include "sign/alg.h"
#include "sign/format.h"

#include <stdio.h>

#define ASSERT_OK(call)                                            \
    do {                                                           \
        if ((call) != 0)                                           \
            fail_msg("%s: %s %s", #call, err_name(e.code), e.msg); \
    } while (0)
#define ASSERT_ERR(call, want)                                                                  \
    do {                                                                                        \
        int got_ = (call);                                                                      \
        if (got_ != (want))                                                                     \
            fail_msg("%s: %s instead of %s: %s", #call, err_name(got_), err_name(want), e.msg); \
    } while (0)

/* The bytes of lower-case hexadecimal text; out must have the room. */
static inline struct bytes unhex(const char *text, uint8_t *out)
{
    assert_true(hex_decode_lower(bytes_str(text), out));
    return bytes_of(out, strlen(text) / 2);
}

/* An Ed25519 pair whose seed is 32 times the same byte. */
static inline struct sign_key *fixture_key(uint8_t fill)
{
    struct err e = ERR_INIT;
    struct sign_key *k = NULL;
    uint8_t seed[SIGN_SECRET_LEN];
    memset(seed, fill, sizeof(seed));
    ASSERT_OK(sign_key_new_private(&sign_alg_ed25519, BYTES_ARR(seed), BYTES_NONE, &k, &e));
    return k;
}

#define MODULE_HEAD    BYTES_LIT("\0asm\1\0\0\0")
#define COMPONENT_HEAD BYTES_LIT("\0asm\x0d\0\1\0")

static inline void put_section(struct buf *b, uint8_t id, struct bytes payload)
{
    buf_append_u8(b, id);
    buf_append_leb32(b, (uint32_t)payload.len);
    buf_append_bytes(b, payload);
}

static inline void put_custom(struct buf *b, const char *name, struct bytes payload)
{
    AUTO_DONE(buf) all = BUF_INIT(8U << 20);
    buf_append_leb32(&all, (uint32_t)strlen(name));
    buf_append_str(&all, name);
    buf_append_bytes(&all, payload);
    put_section(b, 0, buf_bytes(&all));
}

/* A module with one function that does nothing, exported, and a custom section; n of them differ. */
static inline void put_module(struct buf *b, uint8_t n)
{
    buf_append_bytes(b, MODULE_HEAD);
    put_section(b, 1, BYTES_LIT("\1\x60\0\0"));
    put_section(b, 3, BYTES_LIT("\1\0"));
    put_section(b, 7, BYTES_LIT("\1\1f\0\0"));
    put_section(b, 10, BYTES_LIT("\1\2\0\x0b"));
    put_custom(b, "note", bytes_of(&n, 1));
}

static inline void put_delimiter(struct buf *b)
{
    put_custom(b, "signature_delimiter", BYTES_LIT("0123456789abcdef"));
}

/* Two parts, the second one ending in a delimiter when closed. */
static inline void put_parts(struct buf *out, bool closed)
{
    put_module(out, 1);
    put_delimiter(out);
    put_custom(out, "caps", BYTES_LIT("few"));
    if (closed)
        put_delimiter(out);
}

/* Signs with the embedded format; returns its status. */
static inline int embed(struct bytes file, const struct sign_key *k, struct buf *out, struct err *e)
{
    struct opener_bytes o;
    struct sink_buf s;
    struct source_opener from = opener_bytes_init(&o, file);
    const struct sign_file_order order = {.key = k};
    return sign_embedded.sign(&from, &order, sink_buf_init(&s, out), e);
}

/* Verifies; returns the verdict, and its reason in e. report: sign_report_done by the caller. */
static inline int check_with(struct bytes file, const struct sign_trust *trust, struct sign_report *report,
                             struct err *e)
{
    struct opener_bytes o;
    struct digest d, want;
    const struct source_opener from = opener_bytes_init(&o, file);
    if (sign_verify(&from, trust, report, &d, e))
        fail_msg("sign_verify: %s", e->msg);
    if (hash_bytes(HASH_SHA256, file, &want, e) || !digest_eq(&d, &want))
        fail_msg("another digest than the file's");
    sign_report_settle(report);
    if (report->verdict)
        (void)err_set(e, (enum err_code)report->verdict, "%s", report->reason);
    return report->verdict;
}

/* The same with one key. */
static inline int check(struct bytes file, const struct sign_key *k, struct err *e)
{
    struct sign_key *list[1];
    memcpy(list, &k, sizeof(k));
    const struct sign_trust ring = {.keys = {list, 1}};
    AUTO_DONE(sign_report) report = SIGN_REPORT_INIT;
    return check_with(file, &ring, &report, e);
}

#endif
