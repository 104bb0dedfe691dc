/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs the signature vectors of Wycheproof (C2SP/wycheproof, testvectors_v1) in a folder, in TAP: no wrong
 * verdict, no crash. A file that is not there is skipped.
 */
#include "base/file.h"
#include "base/hex.h"
#include "base/json.h"
#include "sign/ed25519.h"
#include "sign/key.h"

#include <fcntl.h>
#include <stdio.h>

static const struct file {
    const char *name;
    struct sign_scheme scheme;
} files[] = {
    {"ed25519_test.json", {SIGN_MODE_ED25519, HASH_SHA512}},
    {"ecdsa_secp256r1_sha256_test.json", {SIGN_MODE_ECDSA_DER, HASH_SHA256}},
    {"ecdsa_secp384r1_sha384_test.json", {SIGN_MODE_ECDSA_DER, HASH_SHA384}},
    {"rsa_signature_2048_sha256_test.json", {SIGN_MODE_RSA_PKCS1, HASH_SHA256}},
    {"rsa_pss_2048_sha256_mgf1_32_test.json", {SIGN_MODE_RSA_PSS, HASH_SHA256}},
};

struct counts {
    struct sign_scheme scheme;
    unsigned cases, valid, invalid, wrong;
    unsigned weak; /* cases of keys that are not taken at all */
};

static int unhex(const struct jval *v, const char *member, struct buf *out, struct err *e)
{
    const char *text;
    int r = jobj_want_string(v, member, true, &text, e);
    if (r)
        return r;
    uint8_t *to = buf_reserve(out, strlen(text) / 2);
    if (!to || !hex_decode_lower(bytes_str(text), to))
        return err_set(e, ERR_FORMAT, "%s: not hexadecimal", member);
    out->len += strlen(text) / 2;
    return 0;
}

/* What would be said of the signature if the message were too long for libgcrypt. */
static bool long_way(const struct sign_key *k, struct bytes message, struct bytes signature)
{
    struct err e = ERR_INIT;
    bool good = false;
    return signature.len == ED25519_SIG_LEN &&
           ed25519_long_verify(sign_key_public(k).ptr, false, message, signature.ptr, &good, &e) == 0 && good;
}

/* One case: "acceptable" ones may go either way. */
static int run_case(const struct sign_key *k, const struct jval *test, struct counts *c, struct err *e)
{
    AUTO_DONE(buf) message = BUF_INIT(1U << 20);
    AUTO_DONE(buf) signature = BUF_INIT(1U << 20);
    const char *result;
    uint64_t id;
    bool good = false;
    int r = unhex(test, "msg", &message, e);
    if (!r)
        r = unhex(test, "sig", &signature, e);
    if (!r)
        r = jobj_want_string(test, "result", true, &result, e);
    if (!r)
        r = jobj_want_uint(test, "tcId", true, UINT32_MAX, &id, e);
    if (!r)
        r = sign_key_verify_as(k, c->scheme, buf_bytes(&message), buf_bytes(&signature), &good, e);
    if (!r && c->scheme.mode == SIGN_MODE_ED25519 &&
        good != long_way(k, buf_bytes(&message), buf_bytes(&signature)))
        r = err_set(e, ERR_OTHER, "case %llu: a long message would be judged differently",
                    (unsigned long long)id);
    if (r)
        return r;
    c->cases++;
    c->valid += good;
    c->invalid += !good;
    if ((strcmp(result, "valid") == 0 && !good) || (strcmp(result, "invalid") == 0 && good)) {
        printf("# case %llu is %s and was taken as %s\n", (unsigned long long)id, result,
               good ? "valid" : "invalid");
        c->wrong++;
    }
    return 0;
}

/* Wycheproof calls signatures of e = 3 valid, and their key small: no such key is taken, so none is right. */
static bool is_weak(const struct jval *tests)
{
    for (size_t i = 0; i < jarr_len(tests); i++) {
        const struct jval *flags = jobj_get(jarr_at(tests, i), "flags");
        bool small = false;
        for (size_t j = 0; j < jarr_len(flags); j++)
            small = small || strcmp(jval_string(jarr_at(flags, j)), "SmallPublicKey") == 0;
        if (!small)
            return false;
    }
    return true;
}

static int run_group(const struct jval *group, struct counts *c, struct err *e)
{
    AUTO(sign_key) k = NULL;
    const char *pem;
    const struct jval *tests;
    int r = jobj_want_string(group, "publicKeyPem", true, &pem, e);
    if (!r)
        r = jobj_want_array(group, "tests", true, &tests, e);
    if (!r)
        r = sign_key_parse(bytes_str(pem), "publicKeyPem", &k, e);
    if (r == ERR_UNSUPPORTED && is_weak(tests)) {
        c->weak += (unsigned)jarr_len(tests);
        return 0;
    }
    for (size_t i = 0; !r && i < jarr_len(tests); i++)
        r = run_case(k, jarr_at(tests, i), c, e);
    return r;
}

static int run_file(const char *folder, const char *name, struct counts *c, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(64U << 20);
    AUTO(jdoc) doc = NULL;
    char path[4096];
    const struct jval *groups;
    (void)snprintf(path, sizeof(path), "%s/%s", folder, name);
    int r = file_read(AT_FDCWD, path, false, &text, e);
    if (!r)
        r = jdoc_parse(buf_bytes(&text), &doc, e);
    if (!r)
        r = jobj_want_array(jdoc_root(doc), "testGroups", true, &groups, e);
    for (size_t i = 0; !r && i < jarr_len(groups); i++)
        r = run_group(jarr_at(groups, i), c, e);
    return r;
}

int main(int argc, char **argv)
{
    unsigned bad = 0;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct counts c = {.scheme = files[i].scheme};
        struct err e = ERR_INIT;
        if (argc != 2) {
            printf("ok - wycheproof %s # SKIP no folder given: make vectors VECTORS=DIR\n", files[i].name);
            continue;
        }
        int r = run_file(argv[1], files[i].name, &c, &e);
        if (r == ERR_NOTFOUND) {
            printf("ok - wycheproof %s # SKIP not in %s\n", files[i].name, argv[1]);
            continue;
        }
        bool good = !r && c.wrong == 0 && c.cases > 0;
        bad += !good;
        printf("%sok - wycheproof %s: %u cases, %u valid, %u invalid, %u wrong, %u of weak keys%s%s\n",
               good ? "" : "not ", files[i].name, c.cases, c.valid, c.invalid, c.wrong, c.weak, r ? ": " : "",
               r ? e.msg : "");
    }
    return bad ? 1 : 0;
}
