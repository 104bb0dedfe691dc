/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/trust.h"
#include "cli/ui.h"
#include "flow/graph.h"

#include <inttypes.h>

#define DEPTH_MAX 16

struct tree_options {
    const char *type;
    uint64_t depth;
    bool annotations, json;
};

static const struct opt options[] = {
    {"type", 'T', OPT_STRING, false, offsetof(struct tree_options, type), "TYPE",
     "only referrers of this artifact type, and theirs", NULL},
    {"depth", 0, OPT_COUNT, false, offsetof(struct tree_options, depth), "N",
     "go down so far; 1: without referrers of referrers", NULL},
    {"annotations", 'a', OPT_FLAG, false, offsetof(struct tree_options, annotations), NULL,
     "show annotations too", NULL},
    CMD_JSON(struct tree_options),
};

/* Whether a node has another sibling further down. */
static bool goes_on(const struct flow_tree *t, size_t i, unsigned depth)
{
    for (i++; i < t->n && t->all[i].depth >= depth; i++)
        if (t->all[i].depth == depth)
            return true;
    return false;
}

/* open[d]: a line goes down at depth d. */
static void print_stem(const bool *open, unsigned depth, const char *last, struct buf *out)
{
    for (unsigned d = 1; d < depth; d++)
        buf_append_str(out, open[d] ? "│   " : "    ");
    if (depth)
        buf_append_str(out, last);
}

static void print_annotations(const struct flow_tree *t, const struct flow_node *n, const bool *open,
                              struct buf *out)
{
    AUTO(jdoc) doc = NULL;
    struct err ignored;
    const struct jval *value;
    const char *key, *text = flow_tree_text(t, n->annotations);
    if (!text || jdoc_parse(bytes_str(text), &doc, &ignored) != 0)
        return;
    const struct jval *root = jdoc_root(doc);
    for (const void *i = jobj_next(root, NULL, &key, &value); i; i = jobj_next(root, i, &key, &value)) {
        print_stem(open, n->depth, n->depth && open[n->depth] ? "│   " : "    ", out);
        buf_append_str(out, "  ");
        ui_text_str(out, key);
        buf_append_str(out, "=");
        ui_text_str(out, jval_string(value) ? jval_string(value) : "");
        buf_append_str(out, "\n");
    }
}

static void print_finding(const struct flow_tree *t, const struct flow_node *n, struct buf *out)
{
    if (!n->judged)
        return;
    buf_append_str(out, n->code ? "  FAILED " : "  ok ");
    ui_text_str(out, flow_tree_text(t, n->finding));
}

static void print_text(const struct tree_options *o, const struct flow_tree *t, struct buf *out)
{
    bool open[DEPTH_MAX + 3] = {false};
    char digest[DIGEST_STR_MAX];
    for (size_t i = 0; i < t->n; i++) {
        const struct flow_node *n = &t->all[i];
        const char *type = flow_tree_text(t, n->artifact_type);
        if (n->depth < ARRAY_LEN(open))
            open[n->depth] = n->depth > 0 && goes_on(t, i, n->depth);
        print_stem(open, n->depth, open[n->depth] ? "├── " : "└── ", out);
        if (n->depth == 0) {
            ui_text_str(out, t->repo);
            buf_append_str(out, "@");
        }
        buf_append_str(out, digest_str(&n->digest, digest));
        buf_append_str(out, "  ");
        ui_text_str(out, type ? type : "?");
        buf_printf(out, "  %" PRIu64 "%s", n->size, n->again ? "  (above)" : "");
        print_finding(t, n, out);
        buf_append_str(out, "\n");
        if (o->annotations)
            print_annotations(t, n, open, out);
    }
}

static void json_annotations(struct jout *w, const char *text)
{
    AUTO(jdoc) doc = NULL;
    struct err ignored;
    if (text && jdoc_parse(bytes_str(text), &doc, &ignored) == 0) {
        jout_value(w, "annotations", jdoc_root(doc));
        return;
    }
    jout_object(w, "annotations");
    jout_object_end(w);
}

static void json_verdict(const struct flow_tree *t, const struct flow_node *n, struct jout *w)
{
    if (n->tag)
        jout_string(w, "tag", flow_tree_text(t, n->tag));
    if (!n->judged)
        return;
    jout_bool(w, "verified", n->code == 0);
    jout_string(w, "error", n->code ? err_name(n->code) : NULL);
    jout_string(w, "finding", flow_tree_text(t, n->finding));
}

/* Objects in objects: what stands deeper than the next node is closed before it. */
static void print_json(const struct flow_tree *t, struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    struct jout w = ui_json_begin(out, "waybill.tree/1");
    jout_string(&w, "reference", t->name);
    jout_string(&w, "repository", t->repo);
    for (size_t i = 0; i < t->n; i++) {
        const struct flow_node *n = &t->all[i];
        if (n->depth)
            jout_object(&w, NULL);
        jout_string(&w, "digest", digest_str(&n->digest, digest));
        jout_string(&w, "mediaType", flow_tree_text(t, n->media_type));
        jout_string(&w, "artifactType", flow_tree_text(t, n->artifact_type));
        jout_uint(&w, "size", n->size);
        json_annotations(&w, flow_tree_text(t, n->annotations));
        if (n->again)
            jout_bool(&w, "again", true);
        json_verdict(t, n, &w);
        jout_array(&w, "referrers");
        unsigned next = i + 1 < t->n ? t->all[i + 1].depth : 0;
        for (unsigned d = n->depth + 1; d > next; d--) {
            jout_array_end(&w);
            if (d > 1)
                jout_object_end(&w);
        }
    }
    ui_json_end(&w);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct tree_options *o = call->options;
    const char *reference = call->operands[0];
    call->subject = reference;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(flow_tree) tree = {.name = NULL};
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    AUTO_DONE(trust) trust = {.loaded = NULL};
    int r = trust_load_given(call->trust, &trust, e);
    const struct flow_demand demand = trust_demand(&trust);
    if (r)
        return r;
    r = conf_load(&conf, call->network, oci_ref_in_registry(reference), e);
    if (r)
        return r;
    const struct flow_conf flow = conf_flow(&conf, call->network, NULL);
    r = flow_tree_get(&flow, reference, o->type, o->depth < DEPTH_MAX ? (unsigned)o->depth : 0, &demand,
                      &tree, e);
    if (r)
        return r;
    if (o->json)
        print_json(&tree, &out);
    else
        print_text(o, &tree, &out);
    return ui_print(&out, e);
}

const struct cmd cmd_tree = {
    .name = "tree",
    .operands = "REF",
    .summary = "show what refers to an artifact",
    .about = "Shows what has REF as its subject, as signatures and attestations do, and\n"
             "what has those as theirs: digest, artifact type and size of each manifest.\n"
             "Nothing of it is checked; it is what the registry lists. With keys or a policy\n"
             "each signature and attestation is judged, cosign's under tags as well.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct tree_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .trust = true,
    .run = run,
};
