/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/explain.h"

#include "base/limits.h"
#include "base/text.h"
#include "cli/ui.h"
#include "runner/wat.h"

#include <inttypes.h>
#include <stdio.h>

static const char *answer_text(enum flow_answer a)
{
    return a == FLOW_YES ? "yes" : a == FLOW_NO ? "no" : "-";
}

static const char *way_text(const struct flow_capability *c)
{
    switch (c->way) {
    case FLOW_ALWAYS: return "always";
    case FLOW_NEVER: return "never";
    case FLOW_BY_OPTION: break;
    }
    return c->given ? "yes" : "no";
}

static const char *result_text(const struct flow_capability *c)
{
    if (c->granted)
        return c->n_asked ? "granted" : "unused";
    return c->n_asked || c->refused ? "denied" : "not asked";
}

/* What is neither asked for nor given nor claimed is of no interest. */
static bool is_of_interest(const struct flow_capability *c)
{
    return c->n_asked || c->given || c->claimed == FLOW_YES;
}

static uint64_t resolution_of(const struct explanation *x)
{
    return x->options->clock_ns ? x->options->clock_ns : RUNNER_CLOCK_NS;
}

static void text_grants(const struct explanation *x, struct buf *out)
{
    const struct runner_grants *g = &x->grants->runner;
    for (size_t i = 0; i < g->n_dirs; i++) {
        buf_append_str(out, "folder ");
        ui_text_str(out, g->dirs[i].guest);
        buf_append_str(out, " is ");
        ui_text_str(out, g->dirs[i].host);
        buf_append_str(out, g->dirs[i].writable ? ", writable\n" : ", read-only\n");
    }
    for (size_t i = 0; i < g->n_env; i++) {
        buf_append_str(out, "variable ");
        ui_text(out, bytes_of(g->env[i], strcspn(g->env[i], "=")));
        buf_append_str(out, "\n");
    }
    buf_printf(out, "clocks tell multiples of %" PRIu64 " ns%s\n", resolution_of(x),
               x->options->deterministic ? ", the same in each run" : "");
}

/* One line for each layer of the second wall. */
static void text_sandbox(const struct runner_sandbox_report *report, struct buf *out)
{
    AUTO_DONE(buf) lines = BUF_INIT(4096);
    runner_sandbox_describe(report, &lines);
    struct bytes rest = buf_bytes(&lines);
    while (rest.len) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        struct bytes line;
        (void)bytes_take(&rest, end ? (size_t)(end - rest.ptr) + 1 : rest.len, &line);
        buf_append_str(out, "sandbox ");
        buf_append_bytes(out, line);
    }
    buf_append_str(out, lines.len && lines.ptr[lines.len - 1] != '\n' ? "\n" : "");
}

static void text(const struct explanation *x, const struct wbin_info *info, const struct flow_grants *all,
                 struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    ui_text_str(out, x->artifact->name);
    buf_printf(out, ": %s %s, %s\n", info->kind == WBIN_COMPONENT ? "component" : "module",
               digest_str(&x->artifact->digest, digest), x->artifact->verified ? "verified" : "not verified");
    buf_printf(out, "%-26s  %-5s  %-7s  %-7s  %-6s  %s\n", "CAPABILITY", "ASKED", "CLAIMED", "ALLOWED",
               "GIVEN", "RESULT");
    for (size_t i = 0; i < all->n; i++) {
        const struct flow_capability *c = &all->items[i];
        char name[128];
        if (!is_of_interest(c))
            continue;
        buf_printf(out, "%-26s  %-5s  %-7s  %-7s  %-6s  %s", text_escape_str(c->name, name, sizeof(name)),
                   c->n_asked ? "yes" : "no", answer_text(c->claimed), answer_text(c->allowed), way_text(c),
                   result_text(c));
        buf_append_str(out, *c->why ? ": " : "");
        ui_text_str(out, c->why);
        buf_append_str(out, "\n");
    }
    text_grants(x, out);
    text_sandbox(&x->sandbox, out);
    buf_append_str(out, x->refused->code ? "would not start: " : "would start");
    ui_text_str(out, x->refused->code ? x->refused->msg : "");
    buf_append_str(out, "\n");
}

static void answer_json(struct jout *w, const char *key, enum flow_answer a)
{
    if (a == FLOW_SILENT)
        jout_null(w, key);
    else
        jout_bool(w, key, a == FLOW_YES);
}

static void asked_json(struct jout *w, const struct wbin_info *info, const struct flow_grants *all,
                       size_t item)
{
    jout_array(w, "asked");
    for (size_t i = 0; all->items[item].n_asked && i < info->n_imports; i++) {
        AUTO_DONE(buf) name = BUF_INIT(2 * LIMIT_WASM_NAME + 2);
        if (all->of[i] != item)
            continue;
        flow_import_name(info, i, &name);
        jout_bytes(w, NULL, buf_bytes(&name));
    }
    jout_array_end(w);
}

static void capabilities_json(struct jout *w, const struct wbin_info *info, const struct flow_grants *all)
{
    jout_array(w, "capabilities");
    for (size_t i = 0; i < all->n; i++) {
        const struct flow_capability *c = &all->items[i];
        jout_object(w, NULL);
        jout_string(w, "name", c->name);
        asked_json(w, info, all, i);
        answer_json(w, "claimed", c->claimed);
        answer_json(w, "allowed", c->allowed);
        jout_string(w, "given", way_text(c));
        jout_bool(w, "granted", c->granted);
        jout_string(w, "result", result_text(c));
        jout_string(w, "why", *c->why ? c->why : NULL);
        jout_object_end(w);
    }
    jout_array_end(w);
}

static void grants_json(struct jout *w, const struct explanation *x)
{
    const struct runner_grants *g = &x->grants->runner;
    jout_array(w, "folders");
    for (size_t i = 0; i < g->n_dirs; i++) {
        jout_object(w, NULL);
        jout_string(w, "host", g->dirs[i].host);
        jout_string(w, "guest", g->dirs[i].guest);
        jout_bool(w, "writable", g->dirs[i].writable);
        jout_object_end(w);
    }
    jout_array_end(w);
    jout_array(w, "variables");
    for (size_t i = 0; i < g->n_env; i++)
        jout_bytes(w, NULL, bytes_of(g->env[i], strcspn(g->env[i], "=")));
    jout_array_end(w);
    jout_uint(w, "clockResolutionNs", resolution_of(x));
    jout_bool(w, "deterministic", x->options->deterministic);
}

static void sandbox_json(struct jout *w, const struct runner_sandbox_report *report)
{
    jout_object(w, "sandbox");
    for (enum runner_sandbox_layer layer = 0; layer < RUNNER_SANDBOX_LAYERS; layer++)
        jout_bool(w, runner_sandbox_layer_name(layer),
                  report->mode != RUNNER_SANDBOX_OFF && report->missing[layer] == 0);
    jout_object_end(w);
}

static void json(const struct explanation *x, const struct wbin_info *info, const struct flow_grants *all,
                 struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    const struct sign_decision *decision = &x->artifact->decision;
    struct jout w = ui_json_begin(out, "waybill.run.explain/1");
    jout_string(&w, "target", x->artifact->name);
    jout_string(&w, "digest", digest_str(&x->artifact->digest, digest));
    jout_string(&w, "kind", info->kind == WBIN_COMPONENT ? "component" : "module");
    jout_bool(&w, "verified", x->artifact->verified);
    jout_string(&w, "rule", decision->rule);
    capabilities_json(&w, info, all);
    grants_json(&w, x);
    sandbox_json(&w, &x->sandbox);
    jout_bool(&w, "starts", x->refused->code == 0);
    jout_string(&w, "reason", x->refused->code ? x->refused->msg : NULL);
    ui_json_end(&w);
}

/* Its imports, by a reader of our own: the engine may have refused it. */
static int scan(struct bytes file, struct buf *parsed, struct wbin_info *ret, struct err *e)
{
    struct source_bytes source;
    int r = 0;
    if (runner_is_text(file)) {
        r = runner_wat_parse(file, parsed, e);
        file = buf_bytes(parsed);
    }
    if (!r)
        r = wbin_scan(source_bytes_init(&source, file), ret, e);
    return r ? err_recode(e, ERR_NOT_RUNNABLE) : 0;
}

static void check_missing(const struct explanation *x, const struct wbin_info *info,
                          const struct flow_grants *all)
{
    char shown[256];
    AUTO_DONE(buf) name = BUF_INIT(2 * LIMIT_WASM_NAME + 2);
    size_t i = flow_grants_missing(all, info);
    if (x->refused->code || i == info->n_imports)
        return;
    flow_import_name(info, i, &name);
    (void)err_set(x->refused, ERR_NOT_RUNNABLE, "it asks for %s, which is not offered",
                  text_escape(buf_bytes(&name), shown, sizeof(shown)));
}

static int list(const struct flow_artifact *artifact, const struct wbin_info *info, const char *const *given,
                size_t n_given, struct flow_grants *ret, struct err *e)
{
    const struct flow_rights rights = {&artifact->decision, &artifact->report};
    return flow_grants_list(&rights, info, given, n_given, ret, e);
}

int explain(const struct explanation *x, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) parsed = BUF_INIT(LIMIT_MODULE);
    AUTO_DONE(flow_grants) all = {.n = 0};
    struct wbin_info info;
    const char *given[2];
    size_t n = 0;
    if (x->grants->runner.n_dirs)
        given[n++] = FLOW_GRANT_FILESYSTEM;
    if (x->grants->runner.n_env)
        given[n++] = FLOW_GRANT_ENVIRONMENT;
    int r = scan(buf_bytes(&x->artifact->bytes), &parsed, &info, e);
    if (r)
        return r;
    r = list(x->artifact, &info, given, n, &all, e);
    if (!r) {
        check_missing(x, &info, &all);
        if (x->json)
            json(x, &info, &all, out);
        else
            text(x, &info, &all, out);
        r = buf_check(out, e);
    }
    wbin_info_done(&info);
    return r;
}

void explain_denied(const struct flow_artifact *artifact)
{
    AUTO_DONE(buf) parsed = BUF_INIT(LIMIT_MODULE);
    AUTO_DONE(flow_grants) all = {.n = 0};
    struct wbin_info info;
    struct err ignored = ERR_INIT;
    if (scan(buf_bytes(&artifact->bytes), &parsed, &info, &ignored))
        return;
    if (!list(artifact, &info, NULL, 0, &all, &ignored))
        flow_grants_log(&all, &info);
    wbin_info_done(&info);
}
