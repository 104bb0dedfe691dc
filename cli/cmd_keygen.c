/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/limits.h"
#include "cli/keyform.h"
#include "cli/keys.h"
#include "cli/password.h"
#include "cli/ui.h"

#include <stdio.h>

struct keygen_options {
    unsigned type, format; /* of types[] and formats[] */
    const char *name, *password_fd;
    bool encrypt, json;
};

/* What --type takes, in the order of type_names. Those of nkeys are Ed25519 keys of somebody. */
static const struct {
    enum sign_key_type type;
    unsigned bits;
    const char *form; /* NULL: what --format says */
} types[] = {
    {SIGN_KEY_ED25519, 0, NULL},
    {SIGN_KEY_P256, 0, NULL},
    {SIGN_KEY_P384, 0, NULL},
    {SIGN_KEY_RSA, 2048, NULL},
    {SIGN_KEY_RSA, 3072, NULL},
    {SIGN_KEY_RSA, 4096, NULL},
    {SIGN_KEY_ED25519, 0, "nkeys-account"},
    {SIGN_KEY_ED25519, 0, "nkeys-module"},
    {SIGN_KEY_ED25519, 0, "nkeys-service"},
    {SIGN_KEY_ED25519, 0, "nkeys-user"},
    {SIGN_KEY_ED25519, 0, "nkeys-operator"},
    {SIGN_KEY_ED25519, 0, "nkeys-server"},
    {SIGN_KEY_ED25519, 0, "nkeys-cluster"},
};
static const char *const type_names[] = {"ed25519",       "p256",       "p384",           "rsa",
                                         "rsa3072",       "rsa4096",    "nkeys-account",  "nkeys-module",
                                         "nkeys-service", "nkeys-user", "nkeys-operator", "nkeys-server",
                                         "nkeys-cluster", NULL};
_Static_assert(ARRAY_LEN(types) + 1 == ARRAY_LEN(type_names), "one name for each type");

static const char *const formats[] = {"pem", "cosign", "wasmsign2", "openssh", NULL};

static const struct opt options[] = {
    {"output", 'o', OPT_STRING, true, offsetof(struct keygen_options, name), "NAME",
     "write NAME.key and NAME.pub", NULL},
    {"type", 0, OPT_ENUM, false, offsetof(struct keygen_options, type), "TYPE",
     "ed25519 (the default), p256, p384, rsa (2048 bits),\nrsa3072, rsa4096, or nkeys-account, nkeys-module\n"
     "and others; signatures inside a module are made\nwith ed25519",
     type_names},
    {"format", 0, OPT_ENUM, false, offsetof(struct keygen_options, format), "FORMAT",
     "pem (the default), cosign, openssh or wasmsign2; keys\nof the types nkeys-* have their own", formats},
    {"encrypt", 0, OPT_FLAG, false, offsetof(struct keygen_options, encrypt), NULL,
     "encrypt the private key; pem becomes cosign", NULL},
    CMD_PASSWORD(struct keygen_options),
    CMD_JSON(struct keygen_options),
};

struct names {
    char *private, *public;
};

static void names_done(struct names *n)
{
    free(n->private);
    free(n->public);
}

static int names_make(const char *name, struct names *ret, struct err *e)
{
    if (asprintf(&ret->private, "%s.key", name) < 0) {
        ret->private = NULL;
        return err_nomem(e);
    }
    if (asprintf(&ret->public, "%s.pub", name) < 0) {
        ret->public = NULL;
        return err_nomem(e);
    }
    return 0;
}

static int choose(const struct keygen_options *o, const struct keyform **ret, struct err *e)
{
    const char *format = formats[o->format], *own = types[o->type].form;
    if (own && o->format)
        return err_set(e, ERR_USAGE, "--type %s and --format %s contradict each other", own, format);
    if (o->encrypt && own)
        return err_set(e, ERR_USAGE, "nkeys are not encrypted: --encrypt and --type %s contradict each other",
                       own);
    if (o->encrypt && strcmp(format, "wasmsign2") == 0)
        return err_set(e, ERR_USAGE, "wasmsign2's keys are not encrypted: leave --encrypt or --format away");
    if (strcmp(format, "wasmsign2") == 0 && types[o->type].type != SIGN_KEY_ED25519)
        return err_set(e, ERR_USAGE, "wasmsign2 knows ed25519 keys only");
    *ret = keyform_find(own ? own : o->encrypt && !o->format ? "cosign" : format);
    return o->password_fd && !o->encrypt && !(*ret)->private->encrypts
               ? err_set(e, ERR_USAGE, "--password-fd needs --encrypt")
               : 0;
}

static int print(const struct keygen_options *o, const struct keyform *form, const struct names *names,
                 const struct sign_key *key, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char fingerprint[SIGN_FINGERPRINT_MAX];
    (void)sign_key_fingerprint(key, fingerprint);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.keygen/1");
        jout_string(&w, "type", type_names[o->type]);
        jout_string(&w, "format", form->name);
        jout_bool(&w, "encrypted", form->private->encrypts || o->encrypt);
        jout_string(&w, "privateKey", names->private);
        jout_string(&w, "publicKey", names->public);
        jout_string(&w, "fingerprint", fingerprint);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Private key: ");
        ui_text_str(&out, names->private);
        buf_append_str(&out, "\nPublic key:  ");
        ui_text_str(&out, names->public);
        buf_printf(&out, "\nFingerprint: %s\n", fingerprint);
    }
    return ui_print(&out, e);
}

static int generate(const struct keygen_options *o, const struct keyform *form, struct sign_key **ret,
                    struct err *e)
{
    int r = types[o->type].bits ? sign_key_generate_rsa(types[o->type].bits, ret, e)
                                : sign_key_generate(types[o->type].type, ret, e);
    if (!r)
        sign_key_set_nkey_kind(*ret, form->nkey);
    return r;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct keygen_options *o = call->options;
    call->subject = o->name;
    const struct keyform *form = NULL;
    AUTO(sign_key) key = NULL;
    AUTO_DONE(buf) private = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) public = BUF_INIT(LIMIT_KEY_FILE);
    __attribute__((cleanup(names_done))) struct names names = {NULL, NULL};
    int r;
    keys_protect();
    if ((r = choose(o, &form, e)) || (r = names_make(o->name, &names, e)))
        return r;
    AUTO_DONE(password) asked = PASSWORD_INIT(o->password_fd, names.private);
    const struct sign_password password = password_source(&asked);
    const bool encrypt = o->encrypt || form->private->encrypts;
    if ((r = generate(o, form, &key, e)) ||
        (r = sign_keyfile_write_private(form->private, key, encrypt ? &password : NULL, &private, e)) ||
        (r = sign_keyfile_write_public(form->public, key, &public, e)) ||
        (r = keyform_write_pair(names.private, buf_bytes(&private), names.public, buf_bytes(&public), e)))
        return r;
    return print(o, form, &names, key, e);
}

const struct cmd cmd_keygen = {
    .name = "keygen",
    .operands = "",
    .summary = "make a pair of signing keys",
    .about = "Writes a new private key, readable by its owner alone, and its public key:\n"
             "PKCS#8 and SPKI in PEM, or in the form of another tool. An existing file is\n"
             "never overwritten.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct keygen_options),
    .run = run,
};
