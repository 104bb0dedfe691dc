/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/file.h"
#include "cli/keys.h"
#include "cli/ui.h"

#include <fcntl.h>

struct sign_options {
    const char *key, *output;
    bool json;
};

static const struct opt options[] = {
    {"key", 0, OPT_STRING, true, offsetof(struct sign_options, key), "KEY", "the private key to sign with",
     NULL},
    {"output", 'o', OPT_STRING, true, offsetof(struct sign_options, output), "OUT",
     "where to write the signed file; FILE itself is fine", NULL},
    CMD_JSON(struct sign_options),
};

static int sign_to(const struct source_opener *from, const struct sign_key *key, const char *path,
                   struct err *e)
{
    struct sink_file to;
    int r = sink_file_init(&to, AT_FDCWD, path, 0666, FILE_REPLACE, e);
    if (r)
        return r;
    r = sign_embedded.sign(from, key, &to.base, e);
    if (!r)
        r = sink_commit(&to.base, e);
    sink_abort(&to.base);
    return r;
}

static int print(const struct sign_options *o, const struct sign_key *key, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char fingerprint[SIGN_FINGERPRINT_MAX];
    (void)sign_key_fingerprint(key, fingerprint);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.sign/1");
        jout_string(&w, "file", o->output);
        jout_string(&w, "format", sign_embedded.name);
        jout_string(&w, "keyType", sign_key_type_name(sign_key_type(key)));
        jout_string(&w, "fingerprint", fingerprint);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Signed: ");
        ui_text_str(&out, o->output);
        buf_printf(&out, "\nKey:    %s\n", fingerprint);
    }
    return ui_print(&out, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct sign_options *o = call->options;
    const char *path = call->operands[0];
    call->subject = path;
    AUTO(sign_key) key = NULL;
    AUTO_FD int fd = -1;
    struct opener_file opener;
    struct source_opener from;
    int r = keys_read(o->key, &key, e);
    if (r)
        return r;
    if (!sign_key_is_private(key))
        return err_set(e, ERR_USAGE, "%s is a public key, signing takes the private one", o->key);
    if ((r = file_open_read(AT_FDCWD, path, false, &fd, e)) ||
        (r = opener_file_init(&opener, fd, &from, e)) || (r = sign_to(&from, key, o->output, e)))
        return r;
    return print(o, key, e);
}

const struct cmd cmd_sign = {
    .name = "sign",
    .operands = "FILE",
    .summary = "put a signature into a wasm file",
    .about = "Signs the whole of FILE, a WebAssembly module or component, and writes it\n"
             "with the signature in its first section. Signatures of other keys stay.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct sign_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
