/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/limits.h"
#include "cli/ci.h"
#include "cli/pairs.h"
#include "cli/ui.h"

#include <fcntl.h>
#include <stdlib.h>

struct provenance_options {
    const char *output, *builder_id, *build_type, *invocation_id, *started_on, *finished_on;
    unsigned ci; /* an enum ci_kind */
    struct opt_list parameters, dependencies;
};

static const char *const systems[] = {"auto", "github", "gitlab", "jenkins", "none", NULL};

#define ROW(field) offsetof(struct provenance_options, field)
static const struct opt options[] = {
    {"output", 'o', OPT_STRING, false, ROW(output), "FILE", "where to write it; else standard output", NULL},
    {"ci", 0, OPT_ENUM, false, ROW(ci), "SYSTEM",
     "whose variables to read: github, gitlab, jenkins or\nnone; by default the one that shows itself",
     systems},
    {"builder-id", 0, OPT_STRING, false, ROW(builder_id), "URI", "what ran the build", NULL},
    {"build-type", 0, OPT_STRING, false, ROW(build_type), "URI", "what the parameters mean", NULL},
    {"parameter", 0, OPT_LIST, false, ROW(parameters), "KEY=VALUE",
     "an external parameter; a.b is b in a; may be repeated,\nand replaces the system's of that name", NULL},
    {"dependency", 0, OPT_LIST, false, ROW(dependencies), "URI@ALG:HEX",
     "what went into the build; the digest may be left out;\nmay be repeated", NULL},
    {"invocation-id", 0, OPT_STRING, false, ROW(invocation_id), "TEXT", "which run it was", NULL},
    {"started-on", 0, OPT_STRING, false, ROW(started_on), "TIME", "as 2026-01-31T12:00:00Z", NULL},
    {"finished-on", 0, OPT_STRING, false, ROW(finished_on), "TIME", "likewise", NULL},
};

/* What is on the command line and what the environment says, together. */
struct gathered {
    struct pairs parameters;
    struct sign_pair *external;
    struct sign_dependency *dependencies;
    char **texts; /* of the dependencies, cut in pieces */
    size_t n_texts;
};

static void gathered_done(struct gathered *g)
{
    pairs_done(&g->parameters);
    free(g->external);
    free(g->dependencies);
    for (size_t i = 0; i < g->n_texts; i++)
        free(g->texts[i]);
    free(g->texts);
}

static bool is_given(const struct pairs *p, const char *key)
{
    for (size_t i = 0; i < p->n; i++)
        if (strcmp(p->all[i].key, key) == 0)
            return true;
    return false;
}

static int add_parameters(const struct provenance_options *o, struct gathered *g, struct sign_provenance *p,
                          struct err *e)
{
    int r = pairs_parse(&o->parameters, &g->parameters, e);
    if (r)
        return r;
    size_t n = 0;
    g->external = calloc(p->n_external + g->parameters.n + 1, sizeof(*g->external));
    if (!g->external)
        return err_nomem(e);
    for (size_t i = 0; i < p->n_external; i++)
        if (!is_given(&g->parameters, p->external[i].key))
            g->external[n++] = p->external[i];
    for (size_t i = 0; i < g->parameters.n; i++)
        g->external[n++] = (struct sign_pair){g->parameters.all[i].key, g->parameters.all[i].value};
    p->external = g->external;
    p->n_external = n;
    return 0;
}

/* "URI@ALG:HEX": the digest is what stands behind the last @, when that has a colon and no slash. */
static void cut(char *text, struct sign_dependency *ret)
{
    char *at = strrchr(text, '@'), *colon = at ? strchr(at, ':') : NULL;
    *ret = (struct sign_dependency){.uri = text};
    if (!colon || strchr(at, '/'))
        return;
    *at = *colon = 0;
    ret->algorithm = at + 1;
    ret->digest = colon + 1;
}

static int add_dependencies(const struct provenance_options *o, struct gathered *g, struct sign_provenance *p,
                            struct err *e)
{
    const struct opt_list *list = &o->dependencies;
    size_t n = p->n_dependencies;
    g->dependencies = calloc(n + list->n + 1, sizeof(*g->dependencies));
    g->texts = calloc(list->n + 1, sizeof(*g->texts));
    if (!g->dependencies || !g->texts)
        return err_nomem(e);
    if (n)
        memcpy(g->dependencies, p->dependencies, n * sizeof(*g->dependencies));
    for (size_t i = 0; i < list->n; i++) {
        char *text = strdup(list->items[i]);
        if (!text)
            return err_nomem(e);
        g->texts[g->n_texts++] = text;
        cut(text, &g->dependencies[n++]);
    }
    p->dependencies = g->dependencies;
    p->n_dependencies = n;
    return 0;
}

static void take(const char **to, const char *given)
{
    if (given)
        *to = given;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct provenance_options *o = call->options;
    AUTO_DONE(ci) ci = {.n_texts = 0};
    AUTO_DONE(gathered) g = {.external = NULL};
    AUTO_DONE(buf) out = BUF_INIT(LIMIT_BUNDLE);
    int r = ci_read((enum ci_kind)o->ci, getenv, &ci, e);
    if (r)
        return r;
    struct sign_provenance *p = &ci.provenance;
    take(&p->builder_id, o->builder_id);
    take(&p->build_type, o->build_type);
    take(&p->invocation_id, o->invocation_id);
    take(&p->started_on, o->started_on);
    take(&p->finished_on, o->finished_on);
    if (!p->builder_id || !p->build_type)
        return err_set(e, ERR_USAGE,
                       "no CI system says what built it: --builder-id and --build-type are needed");
    if ((r = add_parameters(o, &g, p, e)) || (r = add_dependencies(o, &g, p, e)) ||
        (r = sign_provenance_write(p, &out, e)))
        return r;
    buf_append_str(&out, "\n");
    if (!o->output || strcmp(o->output, "-") == 0)
        return ui_print(&out, e);
    call->subject = o->output;
    r = buf_check(&out, e);
    return r ? r : file_write(AT_FDCWD, o->output, buf_bytes(&out), 0666, FILE_REPLACE, e);
}

const struct cmd cmd_provenance = {
    .name = "provenance",
    .operands = "",
    .summary = "write down where an artifact was built and from what",
    .about = "Writes a SLSA provenance predicate (v1), JSON, from the command line and from\n"
             "what GitHub Actions, GitLab CI or Jenkins tell their jobs. 'waybill attest\n"
             "--type slsaprovenance1' signs it.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct provenance_options),
    .run = run,
};
