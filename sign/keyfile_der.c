/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in DER, without the armour of PEM. Which of the structures it is show the first two members of
 * the sequence; its parser then says whether it is a good one. */
#include "sign/keyfile.h"

#include "base/limits.h"
#include "sign/alg.h"
#include "sign/der.h"
#include "sign/pkcs8.h"

static int open_pkcs8(struct bytes der, const struct sign_password *password, struct sign_key **ret,
                      struct err *e)
{
    (void)password;
    return sign_pkcs8_parse(der, ret, e);
}

static int open_spki(struct bytes der, const struct sign_password *password, struct sign_key **ret,
                     struct err *e)
{
    (void)password;
    return sign_key_from_spki(der, "", ret, e);
}

static int open_sec1(struct bytes der, const struct sign_password *password, struct sign_key **ret,
                     struct err *e)
{
    (void)password;
    return sign_sec1_parse(der, BYTES_NONE, ret, e);
}

static int open_pkcs1(struct bytes der, const struct sign_password *password, struct sign_key **ret,
                      struct err *e)
{
    (void)password;
    return sign_pkcs1_parse(der, ret, e);
}

static const struct structure {
    enum der_tag first, second;
    int (*open)(struct bytes der, const struct sign_password *password, struct sign_key **ret, struct err *e);
} structures[] = {
    {DER_INTEGER, DER_SEQUENCE, open_pkcs8},
    {DER_SEQUENCE, DER_BIT_STRING, open_spki},
    {DER_SEQUENCE, DER_OCTET_STRING, sign_pkcs8_open},
    {DER_INTEGER, DER_OCTET_STRING, open_sec1},
    {DER_INTEGER, DER_INTEGER, open_pkcs1},
};

static const struct structure *structure_of(struct bytes der)
{
    struct bytes seq, ignored;
    if (!sign_der_take(&der, DER_SEQUENCE, &seq) || der.len)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(structures); i++) {
        struct bytes rest = seq;
        if (sign_der_take(&rest, structures[i].first, &ignored) &&
            sign_der_take(&rest, structures[i].second, &ignored))
            return &structures[i];
    }
    return NULL;
}

static bool der_detect(struct bytes content)
{
    return structure_of(content) != NULL;
}

static bool der_is_encrypted(struct bytes content)
{
    return structure_of(content)->open == sign_pkcs8_open;
}

static int der_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                     struct err *e)
{
    return structure_of(content)->open(content, password, ret, e);
}

const struct sign_keyfile sign_keyfile_der = {
    .name = "der",
    .title = "DER",
    .detect = der_detect,
    .parse = der_parse,
    .is_encrypted = der_is_encrypted,
};
