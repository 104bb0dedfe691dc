/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/keyfile.h"

#include "base/limits.h"
#include "base/text.h"
#include "sign/alg.h"
#include "sign/pem.h"

const struct sign_keyfile *const sign_keyfiles[] = {
    &sign_keyfile_pkcs8,          &sign_keyfile_spki,     &sign_keyfile_encrypted, &sign_keyfile_sec1,
    &sign_keyfile_pkcs1,          &sign_keyfile_cosign,   &sign_keyfile_nkeys,     &sign_keyfile_wasmsign2,
    &sign_keyfile_openssh_public, &sign_keyfile_minisign, &sign_keyfile_openssh,   &sign_keyfile_der,
};
const size_t sign_n_keyfiles = ARRAY_LEN(sign_keyfiles);

const struct sign_keyfile *sign_keyfile_detect(struct bytes content)
{
    for (size_t i = 0; i < sign_n_keyfiles; i++)
        if (sign_keyfiles[i]->detect && sign_keyfiles[i]->detect(content))
            return sign_keyfiles[i];
    return NULL;
}

int sign_keyfile_write_private(const struct sign_keyfile *kind, const struct sign_key *k,
                               const struct sign_password *password, struct buf *out, struct err *e)
{
    if (!k->is_private)
        return err_set(e, ERR_USAGE, "%s is a public key", k->name);
    if (!k->secret)
        return err_set(e, ERR_UNSUPPORTED, "%s: what holds the private key does not give it away", k->name);
    if (!kind->write_private)
        return err_set(e, ERR_UNSUPPORTED, "%s files do not hold private keys", kind->title);
    return kind->write_private(k, password, out, e);
}

int sign_keyfile_write_public(const struct sign_keyfile *kind, const struct sign_key *k, struct buf *out,
                              struct err *e)
{
    if (!kind->write_public)
        return err_set(e, ERR_UNSUPPORTED, "%s files do not hold public keys", kind->title);
    return kind->write_public(k, out, e);
}

/* What a file that no kind recognises is. */
static int refuse(struct bytes content, struct err *e)
{
    struct bytes label, block;
    char text[64];
    if (!sign_pem_find(content, &label, &block))
        return err_set(e, ERR_FORMAT, "not a key file");
    if (bytes_eq_str(label, "CERTIFICATE"))
        return err_set(e, ERR_UNSUPPORTED, "a certificate where a key is needed");
    return err_set(e, ERR_UNSUPPORTED,
                   "a PEM block \"%s\"; keys are \"PRIVATE KEY\" or \"PUBLIC KEY\" blocks",
                   text_escape(label, text, sizeof(text)));
}

int sign_key_open(struct bytes content, const char *name, const struct sign_password *password,
                  struct sign_key **ret, struct err *e)
{
    AUTO(sign_key) k = NULL;
    if (content.len > LIMIT_KEY_FILE)
        return err_set(e, ERR_LIMIT, "a key file of more than %u bytes", LIMIT_KEY_FILE);
    const struct sign_keyfile *kind = sign_keyfile_detect(content);
    if (!kind)
        return refuse(content, e);
    int r = kind->parse(content, password, &k, e);
    if (!r)
        r = sign_key_rename(k, name, e);
    if (!r)
        *ret = TAKE(k);
    return r;
}

int sign_key_parse(struct bytes content, const char *name, struct sign_key **ret, struct err *e)
{
    return sign_key_open(content, name, NULL, ret, e);
}

int sign_password_get(const struct sign_password *p, bool is_new, struct buf *ret, struct err *e)
{
    if (!p)
        return err_set(e, ERR_USAGE,
                       is_new ? "no password was given to encrypt the key with"
                              : "the key is encrypted and no password was given");
    int r = p->get(p->ctx, is_new, ret, e);
    return r ? r : buf_check(ret, e);
}
