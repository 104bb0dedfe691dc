/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "flow/grant_impl.h"

#include <stdio.h>
#include <stdlib.h>

/* Names that nobody knows are listed one by one up to here: a module can have 100,000. */
#define OTHERS_MAX 32

static int add(struct flow_grants *g, struct bytes name, const struct flow_row *row, struct err *e)
{
    struct flow_capability *items = reallocarray(g->items, g->n + 1, sizeof(*items));
    if (!items)
        return err_nomem(e);
    g->items = items;
    items[g->n] = (struct flow_capability){.name = strndup((const char *)name.ptr, name.len),
                                           .known = row != NULL,
                                           .missing = !row || (row->way == FLOW_NEVER && !row->refuses),
                                           .way = row ? row->way : FLOW_NEVER,
                                           .option = row ? row->option : NULL};
    if (!items[g->n].name)
        return err_nomem(e);
    g->n++;
    return 0;
}

static size_t index_of(const struct flow_grants *g, struct bytes name)
{
    size_t i = 0;
    while (i < g->n && !bytes_eq_str(name, g->items[i].name))
        i++;
    return i;
}

/* Whether an interface of WASI is of the version that is offered, or of none. */
static bool is_version_0_2(struct bytes name)
{
    const uint8_t *at = name.len ? memchr(name.ptr, '@', name.len) : NULL;
    if (!at)
        return true;
    struct bytes version = bytes_of(at + 1, (size_t)(name.ptr + name.len - at) - 1);
    return bytes_starts(version, BYTES_LIT("0.2.")) && !memchr(version.ptr, '-', version.len);
}

/* The capability of an import: of a component its package and interface without the version, of a module what
 * it imports from, where no row has it. */
static const struct flow_row *row_of(enum wbin_kind kind, const struct wbin_item *item,
                                     struct bytes *ret_name)
{
    char name[256] = "";
    const struct flow_row *row;
    struct bytes whole = kind == WBIN_COMPONENT ? item->name : item->module;
    if (kind == WBIN_COMPONENT) {
        (void)snprintf(name, sizeof(name), "%.*s", BYTES_FMT(whole));
        row = flow_row_of(name);
    } else {
        row = flow_row_of_core(item->module, item->name);
    }
    if (row && kind == WBIN_COMPONENT && row->way != FLOW_NEVER && !is_version_0_2(whole))
        row = NULL;
    const uint8_t *version = whole.len ? memchr(whole.ptr, '@', whole.len) : NULL;
    if (kind == WBIN_COMPONENT && version && !flow_row_of(name))
        whole.len = (size_t)(version - whole.ptr);
    *ret_name = row ? bytes_str(row->name) : whole;
    return row;
}

static int ask(struct flow_grants *g, const struct wbin_info *info, struct err *e)
{
    g->of = calloc(info->n_imports + 1, sizeof(*g->of));
    if (!g->of)
        return err_nomem(e);
    for (size_t i = 0; i < info->n_imports; i++) {
        struct bytes name;
        const struct flow_row *row = row_of(info->kind, &info->imports[i], &name);
        if (!row && g->n >= flow_n_rows + OTHERS_MAX)
            name = BYTES_LIT("others");
        g->of[i] = index_of(g, name);
        int r = g->of[i] == g->n ? add(g, name, row, e) : 0;
        if (r != 0)
            return r;
        g->items[g->of[i]].n_asked++;
    }
    return 0;
}

static void say(struct flow_capability *c, const char *why, const char *more)
{
    (void)snprintf(c->why, sizeof(c->why), "%s%.180s", why, more);
}

static void settle_option(struct flow_capability *c, const struct sign_decision *decision)
{
    const bool audit = c->allowed == FLOW_NO && decision->audit;
    c->refused = c->given && (c->claimed == FLOW_NO || (c->allowed == FLOW_NO && !audit));
    c->granted = c->given && !c->refused;
    if (c->claimed == FLOW_NO)
        say(c, "its claims do not state it", "");
    else if (c->allowed == FLOW_NO)
        say(c, audit ? "not enforced: not allowed by " : "not allowed by ", decision->rule);
    else if (!c->given)
        say(c, "no ", c->option);
    else if (!c->n_asked)
        say(c, "given, and not asked for", "");
}

static int settle(struct flow_capability *c, const struct flow_rights *rights, struct err *e)
{
    const struct flow_row *row = c->known ? flow_row_of(c->name) : NULL;
    if (c->way != FLOW_ALWAYS) {
        int r = flow_grant_claimed(rights->report, c->name, &c->claimed, e);
        if (r != 0)
            return r;
        c->allowed = flow_grant_allowed(rights->decision, c->name);
    }
    c->granted = c->way == FLOW_ALWAYS;
    if (c->way == FLOW_BY_OPTION)
        settle_option(c, rights->decision);
    else
        say(c, row ? row->about : "nothing of that name is offered", "");
    return 0;
}

int flow_grants_list(const struct flow_rights *rights, const struct wbin_info *imports,
                     const char *const *given, size_t n_given, struct flow_grants *ret, struct err *e)
{
    int r = 0;
    for (size_t i = 0; r == 0 && i < flow_n_rows; i++)
        r = add(ret, bytes_str(flow_rows[i].name), &flow_rows[i], e);
    if (r == 0)
        r = ask(ret, imports, e);
    for (size_t i = 0; r == 0 && i < ret->n; i++) {
        for (size_t k = 0; k < n_given; k++)
            if (strcmp(given[k], ret->items[i].name) == 0)
                ret->items[i].given = true;
        r = settle(&ret->items[i], rights, e);
    }
    return r;
}

size_t flow_grants_missing(const struct flow_grants *g, const struct wbin_info *imports)
{
    size_t i = 0;
    while (i < imports->n_imports && !g->items[g->of[i]].missing)
        i++;
    return i;
}

void flow_import_name(const struct wbin_info *imports, size_t i, struct buf *out)
{
    const struct wbin_item *item = &imports->imports[i];
    buf_append_bytes(out, item->module);
    if (imports->kind == WBIN_MODULE)
        buf_append_str(out, ".");
    buf_append_bytes(out, item->name);
}

void flow_grants_log(const struct flow_grants *g, const struct wbin_info *imports)
{
    unsigned said = 0;
    for (size_t i = 0; i < imports->n_imports && said < LIMIT_DENIED_LINES; i++) {
        char capability[128], what[400];
        AUTO_DONE(buf) name = BUF_INIT(2 * LIMIT_WASM_NAME + 2);
        if (!g->items[g->of[i]].missing)
            continue;
        flow_import_name(imports, i, &name);
        log_warn("denied capability=%s use=import what=%s error=not-offered",
                 text_escape_str(g->items[g->of[i]].name, capability, sizeof(capability)),
                 text_escape(buf_bytes(&name), what, sizeof(what)));
        said++;
    }
}

void flow_grants_done(struct flow_grants *g)
{
    for (size_t i = 0; i < g->n; i++)
        free(g->items[i].name);
    free(g->items);
    free(g->of);
}
