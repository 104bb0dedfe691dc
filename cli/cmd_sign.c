/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/limits.h"
#include "cli/signing.h"
#include "cli/ui.h"

#include <fcntl.h>

struct sign_options {
    const char *key, *output, *certificates, *identity;
    unsigned format; /* of formats[] */
    struct opt_list annotations;
    uint64_t expires; /* milliseconds from now on; 0: never */
    bool recursive, quiet, json;
};

enum { BY_TARGET };
static const char *const formats[] = {"default", "sigstore", "cosign", "embedded", NULL};

static const struct opt options[] = {
    {"key", 0, OPT_STRING, true, offsetof(struct sign_options, key), "KEY", "the private key to sign with",
     NULL},
    {"format", 0, OPT_ENUM, false, offsetof(struct sign_options, format), "FORMAT",
     "embedded for files; for references sigstore (a bundle\nthat is a referrer), cosign (an image under the "
     "tag\nsha256-....sig). By default embedded and sigstore",
     formats},
    {"output", 'o', OPT_STRING, false, offsetof(struct sign_options, output), "OUT",
     "files: where to write the signed one; FILE itself is\nfine", NULL},
    {"annotation", 'a', OPT_LIST, false, offsetof(struct sign_options, annotations), "KEY=VALUE",
     "references: sign an annotation along; may be repeated", NULL},
    {"certificate", 0, OPT_STRING, false, offsetof(struct sign_options, certificates), "FILE",
     "notation: the certificates of the key in PEM, its own\nfirst, the root last", NULL},
    {"expires", 0, OPT_DURATION, false, offsetof(struct sign_options, expires), "DURATION",
     "notation: how long the signature is good: 90d", NULL},
    {"identity", 0, OPT_STRING, false, offsetof(struct sign_options, identity), "REPO",
     "cosign: the repository that the signature names, not\nthat of the reference", NULL},
    {"recursive", 'r', OPT_FLAG, false, offsetof(struct sign_options, recursive), NULL,
     "references: of an index sign all its manifests, too", NULL},
    CMD_QUIET(struct sign_options),
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

static int sign_file(struct cmd_call *call, const char *path, struct err *e)
{
    const struct sign_options *o = call->options;
    AUTO(sign_key) key = NULL;
    AUTO_FD int fd = -1;
    struct opener_file opener;
    struct source_opener from;
    if (!o->output)
        return err_set(e, ERR_USAGE, "--output OUT is needed to sign a file");
    if (o->certificates || o->expires || o->recursive || o->identity || o->annotations.n)
        return err_set(
            e, ERR_USAGE,
            "--annotation, --certificate, --expires, --identity and --recursive are for references");
    int r = signing_key(o->key, &key, e);
    if (r || (r = file_open_read(AT_FDCWD, path, false, &fd, e)) ||
        (r = opener_file_init(&opener, fd, &from, e)) || (r = sign_to(&from, key, o->output, e)))
        return r;
    return o->quiet ? 0 : print(o, key, e);
}

static int sign_reference(struct cmd_call *call, const char *reference, struct err *e)
{
    const struct sign_options *o = call->options;
    AUTO_DONE(buf) certificates = BUF_INIT(LIMIT_CERT_FILE);
    struct signing s = {.verb = "sign",
                        .format = o->format == BY_TARGET ? "sigstore" : formats[o->format],
                        .key = o->key,
                        .annotations = &o->annotations,
                        .expires = o->expires,
                        .quiet = o->quiet,
                        .json = o->json};
    if (o->output)
        return err_set(e, ERR_USAGE, "--output is for files; the signature of a reference goes beside it");
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
    const struct sign_format *format = o->format == BY_TARGET ? NULL : sign_format_find(formats[o->format]);
    if (format && is_file && !format->sign)
        return err_set(e, ERR_USAGE, "%s signatures are for references, this is a file", format->name);
    return is_file ? sign_file(call, target, e) : sign_reference(call, target, e);
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
