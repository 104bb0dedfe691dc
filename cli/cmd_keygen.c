/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/limits.h"
#include "cli/ui.h"
#include "sign/key.h"

#include <fcntl.h>
#include <stdio.h>

struct keygen_options {
    unsigned type; /* an enum sign_key_type */
    const char *name;
    bool json;
};

static const char *const types[] = {"ed25519", "p256", NULL};

static const struct opt options[] = {
    {"output", 'o', OPT_STRING, true, offsetof(struct keygen_options, name), "NAME",
     "write NAME.key and NAME.pub", NULL},
    {"type", 0, OPT_ENUM, false, offsetof(struct keygen_options, type), "TYPE",
     "ed25519 (the default) or p256; signatures inside a\nmodule are made with ed25519", types},
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

/* Both files or none: each is written aside first, and neither takes the place of one that is there. */
static int write_pair(const struct names *names, struct bytes private, struct bytes public, struct err *e)
{
    struct sink_file key, pub;
    int r = sink_file_init(&key, AT_FDCWD, names->private, 0600, FILE_REFUSE, e);
    if (r)
        return r;
    r = sink_file_init(&pub, AT_FDCWD, names->public, 0644, FILE_REFUSE, e);
    if (!r) {
        if (!(r = sink_write(&key.base, private, e)) && !(r = sink_write(&pub.base, public, e)) &&
            !(r = sink_commit(&key.base, e)) && (r = sink_commit(&pub.base, e)))
            (void)unlink(names->private);
        sink_abort(&pub.base);
    }
    sink_abort(&key.base);
    return r;
}

static int print(const struct keygen_options *o, const struct names *names, const struct sign_key *key,
                 struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char fingerprint[SIGN_FINGERPRINT_MAX];
    (void)sign_key_fingerprint(key, fingerprint);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.keygen/1");
        jout_string(&w, "type", types[o->type]);
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

static int run(struct cmd_call *call, struct err *e)
{
    const struct keygen_options *o = call->options;
    static const enum sign_key_type of_choice[] = {SIGN_KEY_ED25519, SIGN_KEY_P256};
    call->subject = o->name;
    AUTO(sign_key) key = NULL;
    AUTO_DONE(buf) private = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    AUTO_DONE(buf) public = BUF_INIT(LIMIT_KEY_FILE);
    __attribute__((cleanup(names_done))) struct names names = {NULL, NULL};
    int r;
    if ((r = names_make(o->name, &names, e)) || (r = sign_key_generate(of_choice[o->type], &key, e)) ||
        (r = sign_key_write_private(key, &private, e)) || (r = sign_key_write_public(key, &public, e)) ||
        (r = write_pair(&names, buf_bytes(&private), buf_bytes(&public), e)))
        return r;
    return print(o, &names, key, e);
}

const struct cmd cmd_keygen = {
    .name = "keygen",
    .operands = "",
    .summary = "make a pair of signing keys",
    .about = "Writes a new private key (PKCS#8 PEM, readable by its owner alone) and its\n"
             "public key (SPKI PEM). An existing file is never overwritten.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct keygen_options),
    .run = run,
};
