/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/limits.h"
#include "cli/keyform.h"
#include "cli/keys.h"
#include "cli/password.h"
#include "cli/ui.h"
#include "sign/keyid.h"
#include "sign/sigstore_key.h"

#include <stdio.h>

struct key_options {
    unsigned to; /* of keyforms[] */
    const char *output, *password_fd;
    bool public, encrypt, json;
};

static const struct opt options[] = {
    {"to", 0, OPT_ENUM, false, offsetof(struct key_options, to), "FORMAT",
     "convert: pem (the default), pkcs8, spki, cosign,\nwasmsign2, openssh, openssh-public, nkeys,\n"
     "nkeys-account, nkeys-module and others",
     keyform_names},
    {"public", 0, OPT_FLAG, false, offsetof(struct key_options, public), NULL,
     "convert: write the public key of a private one", NULL},
    {"encrypt", 0, OPT_FLAG, false, offsetof(struct key_options, encrypt), NULL,
     "convert: encrypt the private key, in the form openssh;\ncosign always does", NULL},
    {"output", 'o', OPT_STRING, false, offsetof(struct key_options, output), "OUT",
     "convert: the file to write; - is standard output", NULL},
    CMD_PASSWORD(struct key_options),
    CMD_JSON(struct key_options),
};

/* A key, and the file that it is from. */
struct from {
    const char *path;
    struct sign_key *key;
    const struct sign_keyfile *kind;
    bool encrypted;
};

/* What other formats call it; empty: they do not know keys of that type. */
struct ids {
    char fingerprint[SIGN_FINGERPRINT_MAX];
    struct buf sigstore, openssh, wasmsign2, nkeys[2];
    char kinds[3]; /* of nkeys[]: its own, or an account's and a module's */
};

static void ids_done(struct ids *x)
{
    buf_done(&x->sigstore);
    buf_done(&x->openssh);
    buf_done(&x->wasmsign2);
    buf_done(&x->nkeys[0]);
    buf_done(&x->nkeys[1]);
}

static int ids_make(const struct sign_key *k, struct ids *ret, struct err *e)
{
    char own = sign_key_nkey_kind(k);
    (void)sign_key_fingerprint(k, ret->fingerprint);
    int r = sign_sigstore_hint(k, &ret->sigstore, e);
    if (!r)
        r = sign_keyid_openssh(k, &ret->openssh, e);
    if (r || sign_key_type(k) != SIGN_KEY_ED25519)
        return r;
    (void)snprintf(ret->kinds, sizeof(ret->kinds), "%.2s", own ? (char[]){own, 0} : "AM");
    for (size_t i = 0; ret->kinds[i]; i++)
        sign_keyid_nkey(k, ret->kinds[i], &ret->nkeys[i]);
    return sign_keyid_wasmsign2(k, &ret->wasmsign2, e);
}

static void show_text(const struct from *f, const struct ids *x, struct buf *out)
{
    enum sign_key_type type = sign_key_type(f->key);
    buf_append_str(out, "File:        ");
    ui_text_str(out, f->path);
    buf_printf(out, "\nKind:        %s\nType:        %s", f->kind->title, sign_key_type_name(type));
    if (type == SIGN_KEY_RSA)
        buf_printf(out, ", %u bits", sign_key_bits(f->key));
    buf_printf(out, "\nHolds:       %s%s\nFingerprint: %s\nSigstore:    %s\nOpenSSH:     %s\n",
               sign_key_is_private(f->key) ? "private key" : "public key", f->encrypted ? ", encrypted" : "",
               x->fingerprint, buf_cstr(&x->sigstore), buf_cstr(&x->openssh));
    if (x->wasmsign2.len)
        buf_printf(out, "wasmsign2:   %s\n", buf_cstr(&x->wasmsign2));
    for (size_t i = 0; x->kinds[i]; i++)
        buf_printf(out, "nkeys:       %s\n", buf_cstr(&x->nkeys[i]));
}

static void show_json(const struct from *f, const struct ids *x, struct buf *out)
{
    struct jout w = ui_json_begin(out, "waybill.key/1");
    jout_string(&w, "action", "show");
    jout_string(&w, "file", f->path);
    jout_string(&w, "format", f->kind->name);
    jout_string(&w, "type", sign_key_type_name(sign_key_type(f->key)));
    jout_uint(&w, "bits", sign_key_bits(f->key));
    jout_bool(&w, "private", sign_key_is_private(f->key));
    jout_bool(&w, "encrypted", f->encrypted);
    jout_string(&w, "fingerprint", x->fingerprint);
    jout_string(&w, "sigstore", buf_cstr(&x->sigstore));
    jout_string(&w, "openssh", buf_cstr(&x->openssh));
    if (x->wasmsign2.len)
        jout_string(&w, "wasmsign2", buf_cstr(&x->wasmsign2));
    if (x->kinds[0]) {
        jout_array(&w, "nkeys");
        for (size_t i = 0; x->kinds[i]; i++)
            jout_string(&w, NULL, buf_cstr(&x->nkeys[i]));
        jout_array_end(&w);
    }
    ui_json_end(&w);
}

static int show(const struct key_options *o, const struct from *f, const struct sign_password *password,
                struct err *e)
{
    (void)password;
    __attribute__((cleanup(ids_done))) struct ids x = {.sigstore = BUF_INIT(128),
                                                       .openssh = BUF_INIT(128),
                                                       .wasmsign2 = BUF_INIT(128),
                                                       .nkeys = {BUF_INIT(128), BUF_INIT(128)}};
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->to || o->public || o->output || o->encrypt)
        return err_set(e, ERR_USAGE, "--to, --public, --encrypt and --output are for convert");
    int r = ids_make(f->key, &x, e);
    if (r)
        return r;
    if (o->json)
        show_json(f, &x, &out);
    else
        show_text(f, &x, &out);
    return ui_print(&out, e);
}

static int print_converted(const struct key_options *o, const struct sign_keyfile *kind, bool private,
                           bool encrypted, const struct sign_key *k, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char fingerprint[SIGN_FINGERPRINT_MAX];
    (void)sign_key_fingerprint(k, fingerprint);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.key/1");
        jout_string(&w, "action", "convert");
        jout_string(&w, "file", o->output);
        jout_string(&w, "format", kind->name);
        jout_string(&w, "type", sign_key_type_name(sign_key_type(k)));
        jout_bool(&w, "private", private);
        jout_bool(&w, "encrypted", encrypted);
        jout_string(&w, "fingerprint", fingerprint);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, private ? "Private key: " : "Public key:  ");
        ui_text_str(&out, o->output);
        buf_printf(&out, "\nFingerprint: %s\n", fingerprint);
    }
    return ui_print(&out, e);
}

static int convert(const struct key_options *o, const struct from *f, const struct sign_password *password,
                   struct err *e)
{
    const struct keyform *form = &keyforms[o->to];
    AUTO_DONE(buf) content = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    if (!o->output)
        return err_set(e, ERR_USAGE, "option '--output OUT' is missing");
    const bool to_stdout = strcmp(o->output, "-") == 0;
    const bool private = sign_key_is_private(f->key) && !o->public && form->private;
    const struct sign_keyfile *kind = private ? form->private : form->public;
    if (!kind)
        return err_set(e, ERR_USAGE, "%s is for private keys", form->name);
    if (to_stdout && o->json)
        return err_set(e, ERR_USAGE, "--json and a key on standard output contradict each other");
    if (form->nkey)
        sign_key_set_nkey_kind(f->key, form->nkey);
    else if (kind == &sign_keyfile_nkeys && !sign_key_nkey_kind(f->key))
        return err_set(e, ERR_USAGE,
                       "nkeys say whose key it is: --to nkeys-account, nkeys-module or another");
    const bool encrypt = private && (kind->encrypts || o->encrypt);
    if (encrypt && !kind->encrypts && kind != &sign_keyfile_openssh)
        return err_set(e, ERR_USAGE, "%s keys are not encrypted; cosign and openssh are", form->name);
    int r = private ? sign_keyfile_write_private(kind, f->key, encrypt ? password : NULL, &content, e)
                    : sign_keyfile_write_public(kind, f->key, &content, e);
    if (!r)
        r = keyform_write(o->output, private, buf_bytes(&content), e);
    return r || to_stdout ? r : print_converted(o, kind, private, encrypt, f->key, e);
}

static const struct action {
    const char *name;
    int (*run)(const struct key_options *o, const struct from *f, const struct sign_password *password,
               struct err *e);
} actions[] = {{"show", show}, {"convert", convert}};

/* A descriptor gives one password, for the file that is read and the one that is written; who types is asked
 * for both. */
static int act(const struct action *a, const struct key_options *o, const char *path, struct err *e)
{
    AUTO_DONE(password) old = PASSWORD_INIT(o->password_fd, path);
    AUTO_DONE(password) new = PASSWORD_INIT(NULL, o->output ? o->output : path);
    const struct sign_password reading = password_source(&old), writing = password_source(&new);
    AUTO(sign_key) key = NULL;
    struct from f = {.path = path};
    int r = keys_read_with(path, &reading, &key, &f.kind, &f.encrypted, e);
    f.key = key;
    return r ? r : a->run(o, &f, o->password_fd ? &reading : &writing, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct key_options *o = call->options;
    const char *name = call->operands[0];
    size_t i = 0;
    call->subject = name;
    while (i < ARRAY_LEN(actions) && strcmp(actions[i].name, name) != 0)
        i++;
    if (i == ARRAY_LEN(actions))
        return err_set(e, ERR_USAGE, "no such action: show and convert are known");
    keys_protect();
    return act(&actions[i], o, call->operands[1], e);
}

const struct cmd cmd_key = {
    .name = "key",
    .operands = "ACTION FILE",
    .summary = "show and convert key files",
    .about = "ACTION is one of:\n"
             "  show     what a key file holds, and what each format calls the key\n"
             "  convert  write the key, or its public key, in the form of another tool\n"
             "\n"
             "Key files are told apart by their content. An existing file is never\n"
             "overwritten.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct key_options),
    .min_operands = 2,
    .max_operands = 2,
    .run = run,
};
