/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/text.h"
#include "cli/conf.h"
#include "cli/ui.h"
#include "flow/graph.h"

#include <stdio.h>

struct delete_options {
    bool yes, json;
};

static const struct opt options[] = {
    {"yes", 'y', OPT_FLAG, false, offsetof(struct delete_options, yes), NULL,
     "do not ask; wanted where there is no terminal", NULL},
    CMD_JSON(struct delete_options),
};

/* The first letter of a line from the terminal. */
static bool says_yes(void)
{
    char line[64];
    ssize_t n = read(STDIN_FILENO, line, sizeof(line));
    return n > 0 && (line[0] == 'y' || line[0] == 'Y');
}

static int confirm(void *reference, struct err *e)
{
    AUTO_DONE(buf) question = BUF_INIT(4096);
    if (!isatty(STDIN_FILENO) || !isatty(STDERR_FILENO))
        return err_set(e, ERR_USAGE, "nobody can be asked here: --yes is wanted");
    buf_append_str(&question, "Remove ");
    ui_text_str(&question, reference);
    buf_append_str(&question, "? [y/N] ");
    int r = ui_print_to(STDERR_FILENO, &question, e);
    if (!r && !says_yes())
        r = err_set(e, ERR_INTERRUPTED, "left as it is");
    return r;
}

static int print(const struct delete_options *o, const struct flow_published *p, bool by_digest,
                 struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    char digest[DIGEST_STR_MAX];
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.delete/1");
        jout_string(&w, "reference", p->name);
        jout_string(&w, "repository", p->repo);
        jout_string(&w, "digest", by_digest ? digest_str(&p->digest, digest) : NULL);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Removed: ");
        ui_text_str(&out, p->name);
        buf_append_str(&out, "\n");
    }
    return ui_print(&out, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct delete_options *o = call->options;
    char *reference = call->operands[0];
    call->subject = reference;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(flow_published) removed = {.name = NULL};
    int r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e);
    if (r)
        return r;
    const struct flow_conf flow = conf_flow(&conf, call->network, NULL);
    r = flow_remove(&flow, reference, o->yes ? NULL : confirm, reference, &removed, e);
    return r ? r : print(o, &removed, strchr(reference, '@') != NULL, e);
}

const struct cmd cmd_delete = {
    .name = "delete",
    .operands = "REF",
    .summary = "remove a tag or an artifact",
    .about = "Removes the tag that REF names, or with @DIGEST the artifact and all its tags.\n"
             "A signature or another referrer leaves the list of its subject, too. In an\n"
             "image layout the blobs that nothing refers to any more go with it.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct delete_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
