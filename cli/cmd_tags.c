/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/limits.h"
#include "cli/conf.h"
#include "cli/ui.h"
#include "flow/tags.h"

struct tags_options {
    bool all, json;
};

static const struct opt options[] = {
    {"all", 'a', OPT_FLAG, false, offsetof(struct tags_options, all), NULL,
     "also the tags that tools keep signatures under", NULL},
    CMD_JSON(struct tags_options),
};

static int print(const struct tags_options *o, const char *reference, const struct buf *names, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    struct jout w = {.out = &out};
    if (o->json) {
        w = ui_json_begin(&out, "waybill.tags/1");
        jout_string(&w, "reference", reference);
        jout_array(&w, "tags");
    }
    const char *first = buf_cstr(names), *end = first + names->len;
    for (const char *tag = first; tag < end; tag += strlen(tag) + 1) {
        if (o->json) {
            jout_string(&w, NULL, tag);
        } else {
            ui_text_str(&out, tag);
            buf_append_str(&out, "\n");
        }
    }
    if (o->json) {
        jout_array_end(&w);
        ui_json_end(&w);
    }
    return ui_print(&out, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct tags_options *o = call->options;
    const char *reference = call->operands[0];
    call->subject = reference;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(buf) names = BUF_INIT(LIMIT_TAGS);
    int r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e);
    if (r)
        return r;
    const struct flow_conf flow = conf_flow(&conf, call->network, NULL);
    r = flow_tags(&flow, reference, o->all, &names, e);
    return r ? r : print(o, reference, &names, e);
}

const struct cmd cmd_tags = {
    .name = "tags",
    .operands = "REPO",
    .summary = "list the tags of a repository",
    .about = "Lists the tags of REPO, HOST[:PORT]/REPO or oci:DIR, one per line in the\n"
             "order of their characters. The tags that tools keep signatures under\n"
             "(sha256-...) are left out unless --all asks for them.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct tags_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
