/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/inspect.h"
#include "cli/ui.h"

struct inspect_options {
    const char *platform;
    struct oci_choice choice;
    bool sections, json;
};

static const struct opt options[] = {
    {"platform", 0, OPT_STRING, false, offsetof(struct inspect_options, platform), "OS/ARCH",
     "of an index the manifest for this platform; else it\nis the index that is shown", NULL},
    CMD_COMPONENT(struct inspect_options),
    CMD_LAYER(struct inspect_options),
    {"sections", 0, OPT_FLAG, false, offsetof(struct inspect_options, sections), NULL,
     "show each section's hash, and which of the signatures\nwould cover it", NULL},
    CMD_JSON(struct inspect_options),
};

/* The module of a manifest that is pinned already: nothing is resolved again. */
static int obtain_module(const struct flow_conf *flow, const struct flow_artifact *manifest,
                         struct flow_artifact *ret, struct err *e)
{
    AUTO_DONE(buf) pinned = BUF_INIT(64U << 10);
    char digest[DIGEST_STR_MAX];
    buf_printf(&pinned, "%s@%s", manifest->repo, digest_str(&manifest->manifest.digest, digest));
    int r = buf_check(&pinned, e);
    return r ? r : flow_obtain(flow, buf_cstr(&pinned), FLOW_WANT_CONFIG, NULL, ret, e);
}

static int obtain(const struct flow_conf *flow, const char *target, struct inspection *i, struct err *e)
{
    if (oci_ref_is_path(target))
        return flow_obtain(flow, target, 0, NULL, &i->module, e);
    int r = flow_obtain(flow, target, FLOW_WANT_MANIFEST, NULL, &i->manifest, e);
    if (r)
        return r;
    i->has_manifest = true;
    i->kind = oci_kind_of(&i->manifest.parsed);
    r = i->kind ? obtain_module(flow, &i->manifest, &i->module, e) : 0;
    if (r != ERR_UNSUPPORTED)
        return r;
    i->kind = NULL; /* an image as there are many: it looked like one with a module in it */
    return 0;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct inspect_options *o = call->options;
    const char *target = call->operands[0];
    call->subject = target;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(inspection) found = {.manifest = {.fd = -1}, .module = {.fd = -1}};
    int r = conf_load(&conf, call->network, conf_is_remote(target), e);
    if (r)
        return r;
    AUTO_DONE(ui_progress) bar;
    struct flow_conf flow =
        conf_flow(&conf, call->network, ui_progress_init(&bar, "inspect", !o->json && !call->chatty));
    flow.platform = o->platform;
    flow.choice = o->choice;
    r = obtain(&flow, target, &found, e);
    ui_progress_done(&bar);
    found.sections = o->sections;
    if (!r && (!found.has_manifest || found.kind))
        r = inspection_scan(&found, e);
    if (r)
        return r;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json)
        r = inspection_json(&found, &out, e);
    else
        inspection_text(&found, &out);
    return r ? r : ui_print(&out, e);
}

const struct cmd cmd_inspect = {
    .name = "inspect",
    .operands = "TARGET",
    .summary = "show what a file or a reference holds",
    .about = "Shows the manifest, config, sections, imports, exports and signatures of\n"
             "TARGET, a wasm file or a reference. Signatures are listed and not checked:\n"
             "that is what verify does.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct inspect_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
