/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/pairs.h"
#include "cli/ui.h"
#include "flow/publish.h"

#include <inttypes.h>

struct push_options {
    struct opt_list annotations;
    unsigned format;
    bool quiet, json;
};

static const char *const formats[] = {"cncf", "wasm-to-oci", "compat", "image", NULL};

static const struct opt options[] = {
    {"annotation", 'a', OPT_LIST, false, offsetof(struct push_options, annotations), "KEY=VALUE",
     "add an annotation to the manifest; may be repeated", NULL},
    {"format", 0, OPT_ENUM, false, offsetof(struct push_options, format), "FORMAT",
     "what to make: cncf (as without it), wasm-to-oci,\ncompat (an image as Istio reads it) or image (as\n"
     "containerd and crun start it)",
     formats},
    CMD_QUIET(struct push_options),
    CMD_JSON(struct push_options),
};

static int print(const struct push_options *o, const struct flow_published *p, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char digest[DIGEST_STR_MAX];
    (void)digest_str(&p->digest, digest);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.push/1");
        jout_string(&w, "reference", p->name);
        jout_string(&w, "repository", p->repo);
        jout_string(&w, "digest", digest);
        jout_uint(&w, "size", p->size);
        jout_bool(&w, "existed", p->existed);
        ui_json_end(&w);
    } else if (o->quiet) {
        ui_text_str(&out, p->repo);
        buf_printf(&out, "@%s\n", digest);
    } else {
        buf_append_str(&out, "Pushed: ");
        ui_text_str(&out, p->name);
        buf_printf(&out, "\nSize:   %" PRIu64 "\nDigest: %s\n", p->size, digest);
    }
    return ui_print(&out, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct push_options *o = call->options;
    const char *path = call->operands[0], *reference = call->operands[1];
    call->subject = reference;
    AUTO_DONE(pairs) annotations = {NULL, 0};
    AUTO_DONE(conf) conf = {0};
    int r = pairs_parse(&o->annotations, &annotations, e);
    if (r || (r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e)))
        return r;
    AUTO_DONE(ui_progress) bar;
    struct progress *progress = ui_progress_init(&bar, "push", !o->quiet && !o->json && !call->chatty);
    struct flow_conf flow = conf_flow(&conf, call->network, progress);
    char created[CONF_TIME_MAX];
    if ((r = conf_created(created, &flow.created, e)))
        return r;
    flow.format = formats[o->format];
    AUTO_DONE(flow_published) published = {0};
    r = flow_push(&flow, path, reference, annotations.all, annotations.n, &published, e);
    if (r)
        return r;
    ui_progress_done(&bar);
    return print(o, &published, e);
}

const struct cmd cmd_push = {
    .name = "push",
    .operands = "FILE REF",
    .summary = "push a wasm file to a registry or an image layout",
    .about = "Wraps FILE, a WebAssembly module or component, as an OCI artifact and brings\n"
             "it to REF: HOST[:PORT]/REPO[:TAG] or oci:DIR[:TAG]. The digest printed is\n"
             "the manifest's.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct push_options),
    .min_operands = 2,
    .max_operands = 2,
    .network = true,
    .run = run,
};
