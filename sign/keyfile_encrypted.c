/* SPDX-License-Identifier: Apache-2.0 */
/* Key files in PEM, encrypted with a password as PKCS#8 has it (RFC 5958 section 3). */
#include "sign/keyfile.h"

#include "base/limits.h"
#include "sign/pbes2.h"
#include "sign/pem.h"
#include "sign/pkcs8.h"

static bool encrypted_detect(struct bytes content)
{
    return sign_pem_has(content, "ENCRYPTED PRIVATE KEY");
}

static bool encrypted_is_encrypted(struct bytes content)
{
    (void)content;
    return true;
}

int sign_pkcs8_open(struct bytes der, const struct sign_password *password, struct sign_key **ret,
                    struct err *e)
{
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    int r = sign_pbes2_open(der, password, &plain, e);
    return r ? r : sign_pkcs8_parse(buf_bytes(&plain), ret, e);
}

static int encrypted_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                           struct err *e)
{
    AUTO_DONE(buf) der = BUF_INIT(LIMIT_KEY_FILE);
    int r = sign_pem_decode_first(content, &der, e);
    return r ? r : sign_pkcs8_open(buf_bytes(&der), password, ret, e);
}

const struct sign_keyfile sign_keyfile_encrypted = {
    .name = "pkcs8-encrypted",
    .title = "encrypted PKCS#8 PEM",
    .detect = encrypted_detect,
    .parse = encrypted_parse,
    .is_encrypted = encrypted_is_encrypted,
};
