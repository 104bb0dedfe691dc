/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/pairs.h"
#include "cli/sign_file.h"
#include "cli/ui.h"
#include "flow/graph.h"

#include <inttypes.h>

struct attach_options {
    const char *type, *media_type;
    const char *signature, *output;
    struct opt_list annotations;
    bool quiet, json;
};

static const struct opt options[] = {
    {"type", 'T', OPT_STRING, false, offsetof(struct attach_options, type), "TYPE",
     "what the attachment is: its artifact type", NULL},
    {"media-type", 0, OPT_STRING, false, offsetof(struct attach_options, media_type), "TYPE",
     "of the file; else application/octet-stream", NULL},
    {"annotation", 'a', OPT_LIST, false, offsetof(struct attach_options, annotations), "KEY=VALUE",
     "add an annotation to the manifest; may be repeated", NULL},
    {"signature", 0, OPT_STRING, false, offsetof(struct attach_options, signature), "SIG",
     "put this embedded signature into FILE; there is no REF\nthen", NULL},
    {"output", 'o', OPT_STRING, false, offsetof(struct attach_options, output), "OUT",
     "with --signature: where to write the file with it", NULL},
    CMD_QUIET(struct attach_options),
    CMD_JSON(struct attach_options),
};

static int print(const struct attach_options *o, const struct flow_published *p, const struct digest *subject,
                 struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char digest[DIGEST_STR_MAX], to[DIGEST_STR_MAX];
    (void)digest_str(&p->digest, digest);
    (void)digest_str(subject, to);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.attach/1");
        jout_string(&w, "reference", p->name);
        jout_string(&w, "repository", p->repo);
        jout_string(&w, "digest", digest);
        jout_string(&w, "subject", to);
        jout_string(&w, "artifactType", o->type);
        jout_uint(&w, "size", p->size);
        ui_json_end(&w);
    } else if (o->quiet) {
        ui_text_str(&out, p->repo);
        buf_printf(&out, "@%s\n", digest);
    } else {
        buf_append_str(&out, "Attached: ");
        ui_text_str(&out, p->name);
        buf_printf(&out, "\nSubject:  %s\nSize:     %" PRIu64 "\nDigest:   %s\n", to, p->size, digest);
    }
    return ui_print(&out, e);
}

/* A signature of the embedded format goes into its file. */
static int run_signature(struct cmd_call *call, const struct attach_options *o, struct err *e)
{
    const char *path = call->operands[0];
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    call->subject = path;
    if (call->n_operands != 1 || o->type || o->media_type || o->annotations.n || o->quiet)
        return err_set(e, ERR_USAGE, "--signature goes with one FILE and -o alone");
    if (!o->output)
        return err_set(e, ERR_USAGE, "-o OUT is missing: where to write the file with its signature");
    int r = sign_file_attach(path, o->signature, o->output, e);
    if (r)
        return r;
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.attach/1");
        jout_string(&w, "file", o->output);
        jout_string(&w, "signature", o->signature);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Attached: ");
        ui_text_str(&out, o->output);
        buf_append_str(&out, "\n");
    }
    return ui_print(&out, e);
}

static int check_options(const struct cmd_call *call, const struct attach_options *o, struct err *e)
{
    if (o->output)
        return err_set(e, ERR_USAGE, "-o is for --signature");
    if (!o->type)
        return err_set(e, ERR_USAGE, "option '--type TYPE' is missing");
    if (call->n_operands != 2)
        return err_set(e, ERR_USAGE, "FILE and REF are wanted");
    return 0;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct attach_options *o = call->options;
    if (o->signature)
        return run_signature(call, o, e);
    int r = check_options(call, o, e);
    if (r)
        return r;
    const char *path = call->operands[0], *reference = call->operands[1];
    call->subject = reference;
    AUTO_DONE(pairs) annotations = {NULL, 0};
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(flow_published) published = {.name = NULL};
    struct digest subject;
    r = pairs_parse(&o->annotations, &annotations, e);
    if (r || (r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e)))
        return r;
    AUTO_DONE(ui_progress) bar;
    struct progress *progress = ui_progress_init(&bar, "attach", !o->quiet && !o->json && !call->chatty);
    const struct flow_conf flow = conf_flow(&conf, call->network, progress);
    const struct flow_attach how = {.artifact_type = o->type,
                                    .media_type = o->media_type,
                                    .annotations = annotations.all,
                                    .n_annotations = annotations.n};
    r = flow_attach(&flow, path, reference, &how, &published, &subject, e);
    if (r)
        return r;
    ui_progress_done(&bar);
    return print(o, &published, &subject, e);
}

const struct cmd cmd_attach = {
    .name = "attach",
    .operands = "FILE [REF]",
    .summary = "attach a file to an artifact",
    .about = "Makes an artifact of FILE, which may hold anything, and brings it to where\n"
             "REF is with REF as its subject, so that it is found from there: see\n"
             "'waybill tree'. The digest printed is the new manifest's.\n"
             "With --signature: puts a signature that 'waybill detach' or 'waybill sign\n"
             "--detached' wrote into FILE, a wasm file.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct attach_options),
    .min_operands = 1,
    .max_operands = 2,
    .network = true,
    .run = run,
};
