/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/provenance.h"

#include "base/json.h"
#include "base/text.h"
#include "base/time.h"

#include <string.h>

/* RFC 3986 section 3: a scheme and something behind it; enough to tell a URI from a name. */
static bool is_uri(const char *text)
{
    static const char alpha[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");
    if (!n || !strchr(alpha, *text) || text[n] != ':' || !text[n + 1])
        return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
            return false;
    return true;
}

static int check_uri(const char *what, const char *text, struct err *e)
{
    char shown[128];
    if (!text)
        return err_set(e, ERR_USAGE, "%s is needed", what);
    return is_uri(text) ? 0
                        : err_set(e, ERR_USAGE, "%s '%s' is no URI", what,
                                  text_escape_str(text, shown, sizeof(shown)));
}

static int check_time(const char *what, const char *text, struct err *e)
{
    char shown[64];
    int64_t ignored;
    if (!text || time_parse_rfc3339(bytes_of(text, strlen(text)), &ignored))
        return 0;
    return err_set(e, ERR_USAGE, "%s '%s' is no time such as 2026-01-31T12:00:00Z", what,
                   text_escape_str(text, shown, sizeof(shown)));
}

static int check_dependency(const struct sign_dependency *d, struct err *e)
{
    char shown[160];
    int r = check_uri("a dependency", d->uri, e);
    if (r || !d->algorithm)
        return r;
    size_t n = strlen(d->digest);
    if (!*d->algorithm || n < 40 || n % 2 || strspn(d->digest, "0123456789abcdef") != n)
        return err_set(e, ERR_USAGE, "the digest of '%s' is no lower-case hexadecimal one",
                       text_escape_str(d->uri, shown, sizeof(shown)));
    return 0;
}

static size_t top_len(const char *key)
{
    return strcspn(key, ".");
}

static bool same_top(const char *a, const char *b)
{
    return top_len(a) == top_len(b) && strncmp(a, b, top_len(a)) == 0;
}

static int check_parameters(const struct sign_pair *all, size_t n, struct err *e)
{
    char shown[128];
    for (size_t i = 0; i < n; i++) {
        const char *key = all[i].key;
        bool bad = !top_len(key) || (key[top_len(key)] && !key[top_len(key) + 1]);
        for (size_t j = 0; !bad && j < i; j++)
            bad = same_top(key, all[j].key) &&
                  (!key[top_len(key)] || !all[j].key[top_len(all[j].key)] || strcmp(key, all[j].key) == 0);
        if (bad)
            return err_set(e, ERR_USAGE, "the parameter '%s' is there twice, or has no name",
                           text_escape_str(key, shown, sizeof(shown)));
    }
    return 0;
}

/* The members of one object of the parameters; the first of them is i. */
static int write_group(struct jout *w, const struct sign_pair *all, size_t n, size_t i, struct err *e)
{
    const char *key = all[i].key;
    AUTO_FREE char *top = strndup(key, top_len(key));
    if (!top)
        return err_nomem(e);
    for (size_t j = 0; j < i; j++)
        if (same_top(key, all[j].key))
            return 0; /* written with that */
    if (!key[top_len(key)]) {
        jout_string(w, top, all[i].value);
        return 0;
    }
    jout_object(w, top);
    for (size_t j = i; j < n; j++)
        if (same_top(key, all[j].key))
            jout_string(w, all[j].key + top_len(key) + 1, all[j].value);
    jout_object_end(w);
    return 0;
}

static int write_parameters(struct jout *w, const char *name, const struct sign_pair *all, size_t n,
                            struct err *e)
{
    int r = check_parameters(all, n, e);
    jout_object(w, name);
    for (size_t i = 0; !r && i < n; i++)
        r = write_group(w, all, n, i, e);
    jout_object_end(w);
    return r;
}

static void write_dependency(struct jout *w, const struct sign_dependency *d)
{
    jout_object(w, NULL);
    jout_string(w, "uri", d->uri);
    if (d->algorithm) {
        jout_object(w, "digest");
        jout_string(w, d->algorithm, d->digest);
        jout_object_end(w);
    }
    jout_object_end(w);
}

static int write_definition(struct jout *w, const struct sign_provenance *p, struct err *e)
{
    jout_object(w, "buildDefinition");
    jout_string(w, "buildType", p->build_type);
    int r = write_parameters(w, "externalParameters", p->external, p->n_external, e);
    if (!r && p->n_internal)
        r = write_parameters(w, "internalParameters", p->internal, p->n_internal, e);
    if (p->n_dependencies) {
        jout_array(w, "resolvedDependencies");
        for (size_t i = 0; i < p->n_dependencies; i++)
            write_dependency(w, &p->dependencies[i]);
        jout_array_end(w);
    }
    jout_object_end(w);
    return r;
}

static void write_details(struct jout *w, const struct sign_provenance *p)
{
    jout_object(w, "runDetails");
    jout_object(w, "builder");
    jout_string(w, "id", p->builder_id);
    jout_object_end(w);
    if (p->invocation_id || p->started_on || p->finished_on) {
        jout_object(w, "metadata");
        if (p->invocation_id)
            jout_string(w, "invocationId", p->invocation_id);
        if (p->started_on)
            jout_string(w, "startedOn", p->started_on);
        if (p->finished_on)
            jout_string(w, "finishedOn", p->finished_on);
        jout_object_end(w);
    }
    jout_object_end(w);
}

int sign_provenance_write(const struct sign_provenance *p, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    int r = check_uri("the builder's id", p->builder_id, e);
    if (!r)
        r = check_uri("the build's type", p->build_type, e);
    if (!r)
        r = check_time("the start", p->started_on, e);
    if (!r)
        r = check_time("the end", p->finished_on, e);
    for (size_t i = 0; !r && i < p->n_dependencies; i++)
        r = check_dependency(&p->dependencies[i], e);
    if (r)
        return r;
    jout_object(&w, NULL);
    r = write_definition(&w, p, e);
    write_details(&w, p);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}
