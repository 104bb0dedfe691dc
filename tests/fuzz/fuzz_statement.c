/* SPDX-License-Identifier: Apache-2.0 */
/* in-toto statements, and the payload of cosign's simple signing on the same bytes. */
#include "sign/cosign.h"
#include "sign/predicate.h"
#include "sign/statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

static void statement(struct bytes text)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_statement) s = SIGN_STATEMENT_INIT;
    struct digest d = {.alg = HASH_SHA256};
    enum sign_check_kind kind = sign_statement_kind(text);
    if (sign_statement_parse(text, &s, &e) != 0) {
        must(kind == SIGN_CHECK_SIGNATURE);
        return;
    }
    must(*s.predicate_type && jarr_len(s.subjects) > 0);
    must((kind == SIGN_CHECK_SIGNATURE) == (strcmp(s.predicate_type, SIGN_PREDICATE_SIGN) == 0));
    (void)sign_statement_subject(&s, &d);
    const char *alias = sign_predicate_alias(s.predicate_type);
    must(!alias || sign_predicate_is(alias, s.predicate_type));
    if (s.predicate && sign_predicate_check(s.predicate_type, s.predicate, &e) != 0)
        must(e.msg[0]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_DONE(sign_cosign_payload) p = {.doc = NULL};
    statement(bytes_of(data, size));
    int r = sign_cosign_payload_parse(bytes_of(data, size), &p, &e);
    must(r ? e.msg[0] != 0 : p.digest && p.reference);
    return 0;
}
