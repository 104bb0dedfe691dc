/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/notation.h"

int sign_notation_alg(const struct sign_cert *leaf, const char **ret_name, struct sign_scheme *ret_scheme,
                      struct err *e)
{
    static const struct {
        enum sign_cert_key key;
        unsigned bits;
        const char *name;
        struct sign_scheme scheme;
    } known[] = {
        {SIGN_CERT_KEY_RSA, 2048, "PS256", {SIGN_MODE_RSA_PSS, HASH_SHA256}},
        {SIGN_CERT_KEY_RSA, 3072, "PS384", {SIGN_MODE_RSA_PSS, HASH_SHA384}},
        {SIGN_CERT_KEY_RSA, 4096, "PS512", {SIGN_MODE_RSA_PSS, HASH_SHA512}},
        {SIGN_CERT_KEY_EC, 256, "ES256", {SIGN_MODE_ECDSA_RAW, HASH_SHA256}},
        {SIGN_CERT_KEY_EC, 384, "ES384", {SIGN_MODE_ECDSA_RAW, HASH_SHA384}},
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (leaf->key == known[i].key && leaf->key_bits == known[i].bits) {
            *ret_name = known[i].name;
            *ret_scheme = known[i].scheme;
            return 0;
        }
    return err_set(e, ERR_UNSUPPORTED,
                   "the certificate's key is not RSA of 2048, 3072 or 4096 bits, nor ECDSA P-256 or P-384");
}

static bool detect(const char *media_type, const char *artifact_type)
{
    return strcmp(artifact_type, SIGN_NOTATION_ARTIFACT) == 0 &&
           (strcmp(media_type, SIGN_NOTATION_JWS) == 0 || strcmp(media_type, SIGN_NOTATION_COSE) == 0);
}

const struct sign_format sign_notation = {
    .name = SIGN_NOTATION_NAME,
    .annotates = true,
    .detect = detect,
    .judge = sign_notation_judge,
    .make = sign_notation_make,
};
