/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/log.h"
#include "cli/conf.h"
#include "cli/ui.h"
#include "flow/cache.h"

#include <inttypes.h>

struct cache_options {
    uint64_t older_than_ms, max_size;
    bool all, json;
};

static const struct opt options[] = {
    {"older-than", 0, OPT_DURATION, false, offsetof(struct cache_options, older_than_ms), "DURATION",
     "prune: remove what was not used for so long; 30d", NULL},
    {"max-size", 0, OPT_SIZE, false, offsetof(struct cache_options, max_size), "SIZE",
     "prune: remove what was not used for longest until\nno more is left; 1GiB", NULL},
    {"all", 0, OPT_FLAG, false, offsetof(struct cache_options, all), NULL, "prune: remove everything", NULL},
    CMD_JSON(struct cache_options),
};

static void add_time(struct buf *out, time_t t)
{
    struct tm tm;
    char text[32];
    if (gmtime_r(&t, &tm) && strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm))
        buf_append_str(out, text);
}

static void json_time(struct jout *w, const char *key, time_t t)
{
    AUTO_DONE(buf) text = BUF_INIT(64);
    add_time(&text, t);
    jout_string(w, key, buf_cstr(&text));
}

/* The n-th word of what a compiled module says of itself, 2 for the engine's name and version. */
static struct bytes about_part(const char *about, unsigned n)
{
    size_t len;
    for (unsigned i = 0; i < n; i++) {
        about += strcspn(about, " ");
        about += *about == ' ';
    }
    len = strcspn(about, " ");
    if (n == 2 && about[len])
        len += 1 + strcspn(about + len + 1, " ");
    return bytes_of(about, len);
}

static void module_text(const char *about, struct buf *out)
{
    ui_text(out, about_part(about, 1));
    buf_append_str(out, " ");
    ui_text(out, about_part(about, 0));
    buf_append_str(out, ", ");
    ui_text(out, about_part(about, 2));
}

static void module_json(struct jout *w, const struct flow_cache_file *f, const char *about)
{
    static const char *const keys[] = {"moduleKind", "digest", "engine"};
    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        AUTO_DONE(buf) text = BUF_INIT(8192);
        ui_text(&text, about_part(about, i));
        jout_string(w, keys[i], text.len ? buf_cstr(&text) : NULL);
    }
    jout_bool(w, "stale", f->stale);
}

static void list_text(const struct flow_cache *c, struct buf *out)
{
    for (size_t i = 0; i < c->n; i++) {
        const struct flow_cache_file *f = &c->all[i];
        buf_printf(out, "%-7s  %12" PRIu64 "  ", flow_cache_kind_names[f->kind], f->size);
        add_time(out, f->used);
        buf_append_str(out, "  ");
        const char *about = f->kind == FLOW_CACHE_MODULE ? flow_cache_text(c, f->about) : "";
        if (*about)
            module_text(about, out);
        else
            ui_text_str(out, flow_cache_text(c, f->name));
        buf_append_str(out, "\n");
    }
    buf_printf(out, "total    %12" PRIu64 "\n", c->size);
}

static void list_json(const struct flow_cache *c, struct buf *out)
{
    struct jout w = ui_json_begin(out, "waybill.cache/1");
    jout_string(&w, "action", "list");
    jout_array(&w, "files");
    for (size_t i = 0; i < c->n; i++) {
        const struct flow_cache_file *f = &c->all[i];
        jout_object(&w, NULL);
        jout_string(&w, "kind", flow_cache_kind_names[f->kind]);
        jout_string(&w, "name", flow_cache_text(c, f->name));
        jout_string(&w, "folder", flow_cache_text(c, f->folder));
        jout_uint(&w, "size", f->size);
        json_time(&w, "written", f->made);
        json_time(&w, "used", f->used);
        if (f->kind == FLOW_CACHE_MODULE)
            module_json(&w, f, flow_cache_text(c, f->about));
        jout_object_end(&w);
    }
    jout_array_end(&w);
    jout_uint(&w, "size", c->size);
    ui_json_end(&w);
}

static int list(const struct cache_options *o, const struct flow_cache_conf *conf, struct err *e)
{
    AUTO_DONE(flow_cache) c = FLOW_CACHE_INIT;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    int r = flow_cache_list(conf, &c, e);
    if (r)
        return r;
    if (o->json)
        list_json(&c, &out);
    else
        list_text(&c, &out);
    return ui_print(&out, e);
}

static int print_cleared(const struct cache_options *o, const char *action, const struct flow_cleared *c,
                         struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.cache/1");
        jout_string(&w, "action", action);
        jout_uint(&w, "checked", c->checked);
        jout_uint(&w, "damaged", c->damaged);
        jout_uint(&w, "removed", c->removed);
        jout_uint(&w, "removedSize", c->removed_size);
        jout_uint(&w, "left", c->left);
        jout_uint(&w, "leftSize", c->left_size);
        ui_json_end(&w);
        return ui_print(&out, e);
    }
    if (c->checked)
        buf_printf(&out, "Checked: %" PRIu64 " blobs, %" PRIu64 " damaged\n", c->checked, c->damaged);
    buf_printf(&out, "Removed: %" PRIu64 " files, %" PRIu64 " bytes\n", c->removed, c->removed_size);
    buf_printf(&out, "Left:    %" PRIu64 " files, %" PRIu64 " bytes\n", c->left, c->left_size);
    return ui_print(&out, e);
}

static int prune(const struct cache_options *o, const struct flow_cache_conf *conf, struct err *e)
{
    struct flow_cleared cleared;
    const struct flow_prune rules = {
        .all = o->all, .older_than_ms = o->older_than_ms, .max_size = o->max_size ? o->max_size : UINT64_MAX};
    if (!o->all && !o->older_than_ms && !o->max_size)
        return err_set(e, ERR_USAGE, "what shall go? --older-than, --max-size or --all is wanted");
    int r = flow_cache_prune(conf, &rules, time(NULL), &cleared, e);
    return r ? r : print_cleared(o, "prune", &cleared, e);
}

static void say_damaged(void *ctx, const char *digest)
{
    (void)ctx;
    log_warn("blob %s is damaged", digest);
}

static int verify(const struct cache_options *o, const struct flow_cache_conf *conf, struct err *e)
{
    struct flow_cleared cleared;
    int r = flow_cache_verify(conf, say_damaged, NULL, &cleared, e);
    return r ? r : print_cleared(o, "verify", &cleared, e);
}

static const struct {
    const char *name;
    int (*run)(const struct cache_options *o, const struct flow_cache_conf *conf, struct err *e);
} actions[] = {{"list", list}, {"prune", prune}, {"verify", verify}};

static int run(struct cmd_call *call, struct err *e)
{
    const struct cache_options *o = call->options;
    const char *name = call->operands[0];
    AUTO_DONE(conf) conf = {0};
    size_t i = 0;
    call->subject = name;
    while (i < ARRAY_LEN(actions) && strcmp(actions[i].name, name) != 0)
        i++;
    if (i == ARRAY_LEN(actions))
        return err_set(e, ERR_USAGE, "no such action: list, prune and verify are known");
    if (actions[i].run != prune && (o->all || o->older_than_ms || o->max_size))
        return err_set(e, ERR_USAGE, "--older-than, --max-size and --all belong to prune");
    int r = conf_load(&conf, call->network, false, e);
    if (r)
        return r;
    const struct flow_cache_conf folders = {conf.store_dir, conf.modules_dir, conf.memo_dir};
    return actions[i].run(o, &folders, e);
}

const struct cmd cmd_cache = {
    .name = "cache",
    .operands = "ACTION",
    .summary = "look after what is kept on this machine",
    .about = "ACTION list shows the blobs, compiled modules, incomplete pulls and memos of\n"
             "registries that are kept, those first that were not used for longest; prune\n"
             "removes some or all; verify reads every blob and removes those that are\n"
             "damaged. All of it is made again when it is wanted.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct cache_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
