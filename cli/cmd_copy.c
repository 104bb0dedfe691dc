/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/ui.h"
#include "flow/copy.h"

#include <inttypes.h>

struct copy_options {
    const char *platform;
    bool all_tags, recursive, quiet, json;
};

static const struct opt options[] = {
    {"recursive", 'r', OPT_FLAG, false, offsetof(struct copy_options, recursive), NULL,
     "with signatures, attestations and all other referrers", NULL},
    {"all-tags", 0, OPT_FLAG, false, offsetof(struct copy_options, all_tags), NULL,
     "copy every tag of the repository", NULL},
    {"platform", 0, OPT_STRING, false, offsetof(struct copy_options, platform), "OS/ARCH",
     "of an index only the manifest for this platform", NULL},
    CMD_QUIET(struct copy_options),
    CMD_JSON(struct copy_options),
};

static void print_json(const struct copy_options *o, const struct flow_copied *c, const char *from,
                       struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    struct jout w = ui_json_begin(out, "waybill.copy/1");
    jout_string(&w, "source", from);
    jout_string(&w, "reference", o->all_tags ? c->repo : c->name);
    jout_string(&w, "repository", c->repo);
    if (!o->all_tags)
        jout_string(&w, "digest", digest_str(&c->digest, digest));
    jout_uint(&w, "tags", c->tags);
    jout_object(&w, "manifests");
    jout_uint(&w, "pushed", c->manifests);
    jout_uint(&w, "referrers", c->referrers);
    jout_uint(&w, "existed", c->known);
    jout_object_end(&w);
    jout_object(&w, "blobs");
    jout_uint(&w, "copied", c->blobs);
    jout_uint(&w, "bytes", c->bytes);
    jout_uint(&w, "mounted", c->mounted);
    jout_uint(&w, "existed", c->existed);
    jout_uint(&w, "foreign", c->foreign);
    jout_object_end(&w);
    ui_json_end(&w);
}

static void print_text(const struct copy_options *o, const struct flow_copied *c, struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    if (!o->quiet)
        buf_append_str(out, "Copied:    ");
    ui_text_str(out, c->repo);
    if (o->all_tags)
        buf_append_str(out, "\n");
    else
        buf_printf(out, "@%s\n", digest_str(&c->digest, digest));
    if (o->quiet)
        return;
    if (o->all_tags)
        buf_printf(out, "Tags:      %" PRIu64 "\n", c->tags);
    buf_printf(out, "Manifests: %" PRIu64 " pushed, %" PRIu64 " of them referrers; %" PRIu64 " existed\n",
               c->manifests, c->referrers, c->known);
    buf_printf(out, "Blobs:     %" PRIu64 " copied, %" PRIu64 " mounted, %" PRIu64 " existed\n", c->blobs,
               c->mounted, c->existed);
    if (c->foreign)
        buf_printf(out, "Left out:  %" PRIu64 " layers that are not for distribution\n", c->foreign);
}

static int check(const struct copy_options *o, struct err *e)
{
    if (o->all_tags && o->platform)
        return err_set(e, ERR_USAGE, "--all-tags and --platform do not go together");
    return 0;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct copy_options *o = call->options;
    const char *from = call->operands[0], *to = call->operands[1];
    const struct flow_copy how = {.all_tags = o->all_tags, .recursive = o->recursive};
    call->subject = to;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(flow_copied) copied = {.name = NULL};
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    int r = check(o, e);
    if (r || (r = conf_load(&conf, call->network, oci_ref_in_registry(from) || oci_ref_in_registry(to), e)))
        return r;
    AUTO_DONE(ui_progress) bar;
    struct progress *progress = ui_progress_init(&bar, "copy", !o->quiet && !o->json && !call->chatty);
    struct flow_conf flow = conf_flow(&conf, call->network, progress);
    flow.platform = o->platform;
    r = flow_copy_run(&flow, from, to, &how, &copied, e);
    ui_progress_done(&bar);
    if (r)
        return r;
    if (o->json)
        print_json(o, &copied, from, &out);
    else
        print_text(o, &copied, &out);
    return ui_print(&out, e);
}

const struct cmd cmd_copy = {
    .name = "copy",
    .operands = "SRC DST",
    .summary = "copy an artifact, an image or a repository",
    .about = "Copies what SRC names to DST, byte for byte, so that every digest stays: from\n"
             "registries and image layouts to registries and image layouts, artifacts of\n"
             "any kind, images and indexes. What is there already is not sent again, and\n"
             "within one registry blobs are mounted.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct copy_options),
    .min_operands = 2,
    .max_operands = 2,
    .network = true,
    .run = run,
};
