/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/limits.h"
#include "base/text.h"
#include "cli/signing.h"
#include "sign/predicate.h"

struct attest_options {
    const char *key, *password_fd, *type, *predicate;
    unsigned format;
    struct opt_list annotations;
    bool quiet, json;
};

static const char *const formats[] = {"sigstore", "cosign", NULL};

static const struct opt options[] = {
    {"key", 0, OPT_STRING, true, offsetof(struct attest_options, key), "KEY", "the private key to sign with",
     NULL},
    CMD_PASSWORD(struct attest_options),
    {"type", 'T', OPT_STRING, true, offsetof(struct attest_options, type), "TYPE",
     "what the predicate is: slsaprovenance1, spdx,\ncyclonedx, vuln, openvex, link, custom, or a URI", NULL},
    {"predicate", 0, OPT_STRING, true, offsetof(struct attest_options, predicate), "FILE",
     "the predicate, JSON; - is standard input", NULL},
    {"format", 0, OPT_ENUM, false, offsetof(struct attest_options, format), "FORMAT",
     "sigstore (the default), a referrer, or cosign, an\nimage under the tag sha256-....att", formats},
    {"annotation", 'a', OPT_LIST, false, offsetof(struct attest_options, annotations), "KEY=VALUE",
     "sign an annotation along; may be repeated", NULL},
    CMD_QUIET(struct attest_options),
    CMD_JSON(struct attest_options),
};

static int run(struct cmd_call *call, struct err *e)
{
    const struct attest_options *o = call->options;
    const char *reference = call->operands[0];
    AUTO_DONE(buf) predicate = BUF_INIT(LIMIT_BUNDLE);
    char shown[128];
    struct signing s = {.verb = "attest",
                        .format = formats[o->format],
                        .key = o->key,
                        .password_fd = o->password_fd,
                        .annotations = &o->annotations,
                        .quiet = o->quiet,
                        .json = o->json};
    call->subject = reference;
    s.how.predicate_type = sign_predicate_type(o->type);
    if (!s.how.predicate_type)
        return err_set(e, ERR_USAGE, "'%s' is no type of predicate: neither a short name nor a URI",
                       text_escape_str(o->type, shown, sizeof(shown)));
    if (oci_ref_is_path(reference))
        return err_set(e, ERR_USAGE, "attestations are about references, this is a file");
    int r = signing_read(o->predicate, &predicate, e);
    s.how.predicate = buf_bytes(&predicate);
    return r ? r : signing_run(call, reference, &s, e);
}

const struct cmd cmd_attest = {
    .name = "attest",
    .operands = "REF",
    .summary = "sign a statement about an artifact and put it beside it",
    .about = "Makes an in-toto statement of the predicate in FILE and the digest of what REF\n"
             "names, signs it and brings it to where the artifact is. It says something\n"
             "about the artifact; it does not count as a signature of it.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct attest_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
