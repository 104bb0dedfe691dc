/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in DER and PEM, chains of them, and time stamp tokens: the input is all of that in turn. */
#include "base/limits.h"
#include "base/plugin.h"
#include "sign/cert_ops.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plugin is linked into this program. */
int plugin_load(const char *name, const void **ret_ops, struct err *e)
{
    (void)name, (void)e;
    *ret_ops = &sign_cert_plugin_ops;
    return 0;
}

static void must(bool good)
{
    if (!good)
        abort();
}

static void is_inside(const struct sign_cert *c, struct bytes part)
{
    must(part.ptr >= c->der.ptr && part.ptr + part.len <= c->der.ptr + c->der.len);
}

static void use_cert(const struct sign_cert *c)
{
    struct err e = ERR_INIT;
    AUTO(sign_key) key = NULL;
    bool matches;
    is_inside(c, c->tbs);
    is_inside(c, c->spki);
    is_inside(c, c->issuer_der);
    is_inside(c, c->subject_der);
    must(c->subject && c->issuer && c->not_after <= INT64_MAX);
    for (size_t i = 0; i < c->n_exts; i++)
        must(sign_cert_ext(c, c->exts[i].oid) == &c->exts[i]);
    for (size_t i = 0; i < c->n_sans; i++)
        must(c->sans[i].value != NULL);
    must(sign_subject_matches(c, "*", &matches, &e) == 0 && matches);
    must(sign_subject_matches(c, "C=US, O=Example", &matches, &e) == 0);
    (void)!sign_cert_take_key(c, &key, &e);
}

/* A chain of what was read, with its last one as the anchor where it may be one. */
static void use_chain(const struct sign_chain *c, const struct sign_store *store)
{
    static const enum sign_cert_profile profiles[] = {SIGN_PROFILE_NOTARY, SIGN_PROFILE_AUTHORITY,
                                                      SIGN_PROFILE_TSA, SIGN_PROFILE_FULCIO};
    for (size_t i = 0; i < ARRAY_LEN(profiles); i++) {
        struct err e = ERR_INIT;
        const struct sign_anchor *anchor = NULL;
        int r =
            sign_cert_chain_check(c->certs, c->n, store, c->certs[0]->not_before, profiles[i], &anchor, &e);
        must(r == 0 ? anchor != NULL : (r == ERR_CERT || r == ERR_EXPIRED) && e.msg[0]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct bytes input = bytes_of(data, size);
    AUTO_DONE(sign_chain) chain = SIGN_CHAIN_INIT;
    AUTO(sign_store) store = NULL;
    int64_t at = 0;
    must(sign_store_new(&store, &e) == 0);
    int r = sign_chain_add(&chain, input, &e);
    if (r)
        r = sign_chain_add_pem(&chain, input, &e);
    must(r == 0 || r == ERR_FORMAT || r == ERR_LIMIT);
    for (size_t i = 0; i < chain.n; i++)
        use_cert(chain.certs[i]);
    (void)!sign_store_add(store, SIGN_STORE_CA, "fuzz", input, &e);
    (void)!sign_store_add(store, SIGN_STORE_TSA, "fuzz", input, &e);
    if (chain.n)
        use_chain(&chain, store);
    must(sign_cert_timestamp(input, BYTES_LIT("message"), store, &at, &e) != 0 || at != 0);
    return 0;
}
