/* SPDX-License-Identifier: Apache-2.0 */
/* JSON Web Signatures, and the short texts of that format: times, subjects. */
#include "base/hex.h"
#include "base/limits.h"
#include "base/time.h"
#include "sign/cert.h"
#include "sign/jws.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void use_texts(struct bytes input)
{
    struct err e = ERR_INIT;
    char text[128], out[TIME_STR_MAX];
    int64_t t, again;
    if (time_parse_rfc3339(input, &t))
        must(time_parse_rfc3339(bytes_str(time_str(t, out)), &again) &&
             (again == t || out[0] == '9' || out[0] == '0'));
    (void)time_parse_generalized(input, &t);
    (void)snprintf(text, sizeof(text), "%.*s", BYTES_FMT(input));
    int r = sign_subject_check(text, &e);
    must(r == 0 || (r == ERR_CONFIG && e.msg[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const known[] = {"io.cncf.notary.signingScheme", "io.cncf.notary.expiry"};
    struct err e = ERR_INIT;
    AUTO_DONE(sign_jws) j;
    struct bytes input = bytes_of(data, size);
    use_texts(input);
    int r = sign_jws_parse(input, &j, &e);
    if (r) {
        must((r == ERR_FORMAT || r == ERR_LIMIT || r == ERR_UNSUPPORTED) && e.msg[0]);
        return 0;
    }
    /* What is signed is just what was read. */
    AUTO_DONE(buf) message = BUF_INIT(LIMIT_JWS);
    const uint8_t *dot = memchr(j.message.ptr, '.', j.message.len);
    must(dot && jobj_get(j.protected_header, "alg"));
    b64_encode(B64_URL, buf_bytes(&j.payload), &message);
    must(bytes_eq(buf_bytes(&message), bytes_of(dot + 1, j.message.len - (size_t)(dot + 1 - j.message.ptr))));
    if (sign_jws_check_crit(&j, known, ARRAY_LEN(known), &e) == 0)
        must(sign_jws_is_critical(&j, known[0]) || sign_jws_is_critical(&j, known[1]));
    return 0;
}
