/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/limits.h"
#include "cli/keys.h"
#include "cli/sign_file.h"
#include "cli/signing.h"
#include "cli/ui.h"

struct sign_options {
    const char *key, *password_fd, *certificates, *identity;
    unsigned format; /* of formats[] */
    struct opt_list annotations;
    struct sign_file_options file; /* also: expires */
    bool recursive, quiet, json;
};

enum { BY_TARGET };
static const char *const formats[] = {"default", "sigstore", "cosign", "notation",
                                      "ssh",     "embedded", "claims", NULL};

static const struct opt options[] = {
    {"key", 0, OPT_STRING, true, offsetof(struct sign_options, key), "KEY",
     "the private key to sign with; a public one, or\nagent:SHA256:..., that ssh-agent holds", NULL},
    CMD_PASSWORD(struct sign_options),
    {"format", 0, OPT_ENUM, false, offsetof(struct sign_options, format), "FORMAT",
     "for files embedded (the default), claims or ssh; for\nreferences sigstore (the default), a bundle that "
     "is a\n"
     "referrer, cosign, an image under sha256-....sig,\nnotation or ssh",
     formats},
    SIGN_FILE_OPTIONS(struct sign_options),
    {"annotation", 'a', OPT_LIST, false, offsetof(struct sign_options, annotations), "KEY=VALUE",
     "references: sign an annotation along; may be repeated", NULL},
    {"certificate", 0, OPT_STRING, false, offsetof(struct sign_options, certificates), "FILE",
     "references: the certificates of the key in PEM, its\nown first, the root last", NULL},
    {"identity", 0, OPT_STRING, false, offsetof(struct sign_options, identity), "REPO",
     "cosign: the repository that the signature names, not\nthat of the reference", NULL},
    {"recursive", 'r', OPT_FLAG, false, offsetof(struct sign_options, recursive), NULL,
     "references: of an index sign all its manifests, too", NULL},
    CMD_QUIET(struct sign_options),
    CMD_JSON(struct sign_options),
};

static int print(const struct sign_options *o, const struct sign_file_result *made,
                 const struct sign_key *key, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char fingerprint[SIGN_FINGERPRINT_MAX];
    (void)sign_key_fingerprint(key, fingerprint);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.sign/1");
        jout_string(&w, "file", made->output);
        jout_string(&w, "signature", made->detached);
        jout_string(&w, "format", made->format);
        jout_string(&w, "keyType", sign_key_type_name(sign_key_type(key)));
        jout_string(&w, "fingerprint", fingerprint);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Signed: ");
        ui_text_str(&out, made->detached ? made->detached : made->output);
        buf_printf(&out, "\nKey:    %s\n", fingerprint);
    }
    return ui_print(&out, e);
}

static int sign_file(const struct sign_options *o, const char *format, const char *path, struct err *e)
{
    AUTO(sign_key) key = NULL;
    struct sign_file_result made;
    struct sign_file_options file = o->file;
    file.password_fd = o->password_fd;
    if (o->certificates || o->recursive || o->identity || o->annotations.n)
        return err_set(e, ERR_USAGE,
                       "--annotation, --certificate, --identity and --recursive are for references");
    int r = keys_read_private(o->key, o->password_fd, &key, e);
    if (!r)
        r = sign_file_run(path, format, key, &file, &made, e);
    return r || o->quiet ? r : print(o, &made, key, e);
}

static int sign_reference(struct cmd_call *call, const char *format, const char *reference, struct err *e)
{
    const struct sign_options *o = call->options;
    AUTO_DONE(buf) certificates = BUF_INIT(LIMIT_CERT_FILE);
    struct signing s = {.verb = "sign",
                        .format = format ? format : "sigstore",
                        .key = o->key,
                        .password_fd = o->password_fd,
                        .annotations = &o->annotations,
                        .expires = o->file.expires,
                        .quiet = o->quiet,
                        .json = o->json};
    if (sign_file_any(&o->file))
        return err_set(e, ERR_USAGE, "%s is for files; the signature of a reference goes beside it",
                       sign_file_any(&o->file));
    int r = o->certificates ? signing_read(o->certificates, &certificates, e) : 0;
    s.how.certificates = buf_bytes(&certificates);
    s.how.recursive = o->recursive;
    s.how.identity = o->identity;
    return r ? r : signing_run(call, reference, &s, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct sign_options *o = call->options;
    const char *target = call->operands[0];
    call->subject = target;
    const bool is_file = oci_ref_is_path(target);
    const char *name = o->format == BY_TARGET ? NULL : formats[o->format];
    const struct sign_format *format = name ? sign_format_find(name) : NULL;
    if (format && is_file && format->make && !format->is_file)
        return err_set(e, ERR_USAGE, "%s signatures are for references, this is a file", format->name);
    return is_file ? sign_file(o, name, target, e) : sign_reference(call, name, target, e);
}

const struct cmd cmd_sign = {
    .name = "sign",
    .operands = "TARGET",
    .summary = "sign a wasm file, or what a reference names",
    .about = "Of a file, a WebAssembly module or component, the whole is signed, and it is\n"
             "written with the signature in its first section. Of a reference the digest\n"
             "is signed, and the signature is put beside the artifact, where it is. What\n"
             "was signed by other keys stays so.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct sign_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
