/* SPDX-License-Identifier: Apache-2.0 */
/* The reading of a policy: its own tables, and the words that its other readers share. */
#include "base/text.h"
#include "sign/policy_impl.h"

#include <stdarg.h>
#include <stdio.h>

/* "scopes."a/b".attestation[1].type" */
static void put_path(struct buf *out, const struct toml_at *at)
{
    static const char bare[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    char shown[300];
    if (!at)
        return;
    put_path(out, at->up);
    if (!at->key) {
        buf_printf(out, "[%zu]", at->index);
        return;
    }
    if (at->up)
        buf_append_str(out, ".");
    const char *quote = *at->key && strspn(at->key, bare) == strlen(at->key) ? "" : "\"";
    buf_printf(out, "%s%s%s", quote, text_escape_str(at->key, shown, sizeof(shown)), quote);
}

int policy_fail(struct policy_reader *rd, const struct toml_at *at, const char *fmt, ...)
{
    AUTO_DONE(buf) path = BUF_INIT(64U << 10);
    char text[ERR_MSG_MAX];
    unsigned line, column;
    va_list ap;
    va_start(ap, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    toml_locate(buf_bytes(&rd->p->text), at, &line, &column);
    put_path(&path, at);
    return err_set(rd->e, ERR_CONFIG, "line %u column %u: %.300s%s%s", line, column, buf_cstr(&path),
                   at ? ": " : "", text);
}

int policy_table(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                 const struct policy_member *members, size_t n, void *into)
{
    const char *name;
    const struct jval *value = NULL;
    int r = 0;
    if (jval_kind(v) != JKIND_OBJECT)
        return policy_fail(rd, at, "not a table");
    for (const void *i = jobj_next(v, NULL, &name, &value); !r && i; i = jobj_next(v, i, &name, &value)) {
        const struct toml_at member = {at, name, 0};
        size_t row = 0;
        while (row < n && strcmp(members[row].name, name) != 0)
            row++;
        r = row < n ? members[row].read(rd, &member, value, into)
                    : policy_fail(rd, &member, "not known here");
    }
    return r;
}

int policy_want_text(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                     const char **ret)
{
    const char *text = jval_string(v);
    if (!text || !*text)
        return policy_fail(rd, at, text ? "empty" : "not a string");
    *ret = text;
    return 0;
}

int policy_want_bool(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, bool *ret)
{
    if (jval_kind(v) != JKIND_BOOL)
        return policy_fail(rd, at, "neither true nor false");
    *ret = jval_bool(v);
    return 0;
}

int policy_want_number(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, uint64_t min,
                       uint64_t max, uint64_t *ret)
{
    int64_t n = 0;
    if (!jval_int(v, &n) || n < 0 || (uint64_t)n < min || (uint64_t)n > max)
        return policy_fail(rd, at, "not a whole number from %llu to %llu", (unsigned long long)min,
                           (unsigned long long)max);
    *ret = (uint64_t)n;
    return 0;
}

int policy_want_choice(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                       const char *const *choices, size_t n, size_t *ret)
{
    const char *text = jval_string(v);
    char known[256] = "";
    for (size_t i = 0; i < n; i++) {
        if (text && strcmp(choices[i], text) == 0) {
            *ret = i;
            return 0;
        }
        size_t len = strlen(known);
        (void)snprintf(known + len, sizeof(known) - len, "%s\"%s\"", i ? ", " : "", choices[i]);
    }
    return policy_fail(rd, at, "not one of %s", known);
}

int policy_want_names(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, size_t min,
                      struct policy_names *ret)
{
    size_t n = jarr_len(v);
    if (jval_kind(v) != JKIND_ARRAY)
        return policy_fail(rd, at, "not a list of strings");
    if (n < min || n > LIMIT_POLICY_LIST)
        return policy_fail(rd, at, n ? "more than %u entries" : "empty", LIMIT_POLICY_LIST);
    ret->names = calloc(n ? n : 1, sizeof(*ret->names));
    if (!ret->names)
        return err_nomem(rd->e);
    for (; ret->n < n; ret->n++) {
        const struct toml_at element = {at, NULL, ret->n};
        int r = policy_want_text(rd, &element, jarr_at(v, ret->n), &ret->names[ret->n]);
        if (r)
            return r;
        for (size_t i = 0; i < ret->n; i++)
            if (strcmp(ret->names[i], ret->names[ret->n]) == 0)
                return policy_fail(rd, &element, "twice");
    }
    return 0;
}

int policy_want_list(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, size_t size,
                     void **ret_list, size_t *ret_n,
                     int (*read)(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                                 void *into))
{
    size_t n = jarr_len(v);
    if (jval_kind(v) != JKIND_ARRAY || n == 0 || n > LIMIT_POLICY_LIST)
        return policy_fail(rd, at,
                           jval_kind(v) != JKIND_ARRAY ? "not a list"
                           : n                         ? "more than %u entries"
                                                       : "empty",
                           LIMIT_POLICY_LIST);
    *ret_list = calloc(n, size);
    if (!*ret_list)
        return err_nomem(rd->e);
    int r = 0;
    for (size_t i = 0; !r && i < n; i++) {
        const struct toml_at element = {at, NULL, i};
        *ret_n = i + 1;
        r = read(rd, &element, jarr_at(v, i), (char *)*ret_list + i * size);
    }
    return r;
}

int policy_want_age(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, int64_t *ret)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    const char *text = jval_string(v);
    size_t digits = text ? strspn(text, "0123456789") : 0;
    /* Nine digits of weeks are far from what 64 bits hold. */
    if (digits > 0 && digits < 10 && text[digits] && !text[digits + 1])
        for (size_t i = 0; i < ARRAY_LEN(units); i++)
            if (text[digits] == units[i].letter && strtoll(text, NULL, 10) > 0) {
                *ret = strtoll(text, NULL, 10) * units[i].seconds;
                return 0;
            }
    return policy_fail(rd, at, "not a time as in \"90d\", \"12h\", \"30m\"");
}

int policy_want_digests(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                        struct policy_digests *ret)
{
    struct policy_names names = {NULL, 0};
    struct err why = ERR_INIT;
    int r = policy_want_names(rd, at, v, 1, &names);
    if (!r && !(ret->all = calloc(names.n, sizeof(*ret->all))))
        r = err_nomem(rd->e);
    for (size_t i = 0; !r && i < names.n; i++) {
        const struct toml_at element = {at, NULL, i};
        if (digest_parse(bytes_str(names.names[i]), &ret->all[i], &why))
            r = policy_fail(rd, &element, "not a digest as in sha256:<64 hexadecimal digits>");
        ret->n = i + 1;
    }
    free(names.names);
    return r;
}

static int read_version(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    uint64_t version;
    (void)into;
    return policy_want_number(rd, at, v, 1, 1, &version);
}

static int read_default(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    size_t choice = 0;
    (void)into;
    int r = policy_want_choice(rd, at, v, &policy_verdicts[1], 2, &choice);
    if (!r)
        rd->p->by_default.verdict = (enum sign_verdict)(choice + 1);
    return r;
}

static int read_deny(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    (void)into;
    return policy_want_digests(rd, at, v, &rd->p->deny);
}

static int read_file(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_source *s = into;
    s->shown.n_paths++;
    return policy_want_text(rd, at, v, &s->path);
}

static int read_dir(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_source *s = into;
    s->shown.is_dir = true;
    return read_file(rd, at, v, into);
}

static int read_files(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_source *s = into;
    struct policy_names names = {NULL, 0};
    int r = policy_want_names(rd, at, v, 1, &names);
    s->paths = names.names;
    s->shown.n_paths += names.n;
    return r;
}

static int read_names(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_source *s = into;
    struct policy_names names = {NULL, 0};
    int r = policy_want_names(rd, at, v, 1, &names);
    s->names = names.names;
    s->shown.names = names.names;
    s->shown.n_names = names.n;
    return r;
}

static void release_key(void *object)
{
    sign_key_free(object);
}

static int read_pem(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    struct policy_source *s = into;
    const char *text = NULL;
    struct sign_key *key = NULL;
    struct err why = ERR_INIT;
    int r = policy_want_text(rd, at, v, &text);
    if (r)
        return r;
    if ((r = sign_key_parse(bytes_str(text), s->shown.name, &key, &why)))
        return r == ERR_NOMEM ? err_nomem(rd->e) : policy_fail(rd, at, "%.300s", why.msg);
    if (s->object || sign_key_is_private(key)) {
        r = policy_fail(rd, at, s->object ? "twice" : "a private key: the policy takes the public one");
        sign_key_free(key);
        return r;
    }
    s->object = key;
    s->release = release_key;
    s->shown.bound = true;
    (void)sign_key_fingerprint(key, s->id);
    return 0;
}

/* The tables whose members are sources, and what may stand in one. */
static const struct {
    const char *name;
    struct policy_member members[3];
    size_t n;
} source_tables[] = {
    [SIGN_SOURCE_KEY] = {"keys", {{"file", read_file}, {"pem", read_pem}}, 2},
    [SIGN_SOURCE_ROOT] = {"roots", {{"file", read_file}}, 1},
    [SIGN_SOURCE_STORE] = {"stores", {{"files", read_files}, {"dir", read_dir}, {"names", read_names}}, 3},
    [SIGN_SOURCE_SIGNERS] = {"signers", {{"file", read_file}}, 1},
};

static int read_source(struct policy_reader *rd, const struct toml_at *at, const struct jval *v,
                       enum sign_source_kind kind)
{
    struct sign_policy *p = rd->p;
    struct policy_source *more =
        p->n_sources < LIMIT_SCOPES ? reallocarray(p->sources, p->n_sources + 1, sizeof(*more)) : NULL;
    if (!more)
        return p->n_sources < LIMIT_SCOPES ? err_nomem(rd->e)
                                           : policy_fail(rd, at, "more than %u names", LIMIT_SCOPES);
    p->sources = more;
    struct policy_source *s = &p->sources[p->n_sources++];
    *s = (struct policy_source){.shown = {.kind = kind, .name = at->key}};
    if (!*at->key || strlen(at->key) > LIMIT_TAG)
        return policy_fail(rd, at, "a name of 1 to %u characters is wanted", LIMIT_TAG);
    int r = policy_table(rd, at, v, source_tables[kind].members, source_tables[kind].n, s);
    if (r)
        return r;
    size_t ways = (s->path ? 1U : 0U) + (s->paths ? 1U : 0U) + (s->object ? 1U : 0U);
    const struct policy_member *known = source_tables[kind].members;
    if (ways == 0 && source_tables[kind].n == 1)
        return policy_fail(rd, at, "`%s` is missing", known[0].name);
    if (ways != 1)
        return policy_fail(rd, at, ways ? "`%s` and `%s` contradict each other" : "neither `%s` nor `%s`",
                           known[0].name, known[1].name);
    if (s->names && !s->shown.is_dir)
        return policy_fail(rd, at, "`names` are those of a `dir`");
    return 0;
}

static int read_sources(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    const char *name;
    const struct jval *value = NULL;
    enum sign_source_kind kind = SIGN_SOURCE_KEY;
    int r = 0;
    (void)into;
    while (strcmp(source_tables[kind].name, at->key) != 0)
        kind++;
    if (jval_kind(v) != JKIND_OBJECT)
        return policy_fail(rd, at, "not a table");
    for (const void *i = jobj_next(v, NULL, &name, &value); !r && i; i = jobj_next(v, i, &name, &value)) {
        const struct toml_at member = {at, name, 0};
        r = read_source(rd, &member, value, kind);
    }
    return r;
}

/* Scopes name sources, which may stand behind them: they are read when all else was. */
static int read_nothing(struct policy_reader *rd, const struct toml_at *at, const struct jval *v, void *into)
{
    (void)into;
    return jval_kind(v) == JKIND_OBJECT ? 0 : policy_fail(rd, at, "not a table");
}

static const struct policy_member members[] = {
    {"version", read_version}, {"default", read_default}, {"deny", read_deny},       {"keys", read_sources},
    {"roots", read_sources},   {"stores", read_sources},  {"signers", read_sources}, {"scopes", read_nothing},
};

static int scope_name(struct policy_reader *rd, const struct toml_at *at, struct sign_rule *rule)
{
    struct policy_place place;
    char shown[300];
    const char *why = policy_scope_set(at->key, &place);
    if (why)
        return policy_fail(rd, at, "%s", why);
    rule->written = at->key;
    rule->in_registry = place.is_registry || !*place.text;
    rule->scope = strdup(place.text);
    if (!rule->scope ||
        asprintf(&rule->name, "scopes.\"%s\"", text_escape_str(at->key, shown, sizeof(shown))) < 0) {
        rule->name = NULL;
        return err_nomem(rd->e);
    }
    return 0;
}

static int read_scope(struct policy_reader *rd, const struct toml_at *at, const struct jval *v)
{
    struct sign_policy *p = rd->p;
    struct sign_rule *rule = &p->rules[p->n_rules++];
    int r = scope_name(rd, at, rule);
    if (r)
        return r;
    const struct sign_rule *twice = policy_table_add(p, p->n_rules - 1);
    if (twice)
        return policy_fail(rd, at, "the same scope as %s", twice->name);
    r = policy_rule_read(rd, at, v, rule);
    return r ? r : policy_rule_possible(rd, at, rule);
}

static int read_scopes(struct policy_reader *rd, const struct jval *v)
{
    struct sign_policy *p = rd->p;
    const struct toml_at at = {NULL, "scopes", 0};
    const char *name;
    const struct jval *value = NULL;
    size_t n = jobj_len(v);
    if (n > LIMIT_SCOPES)
        return policy_fail(rd, &at, "more than %u scopes", LIMIT_SCOPES);
    int r = policy_table_make(p, n, rd->e);
    p->rules = calloc(n ? n : 1, sizeof(*p->rules));
    if (!r && !p->rules)
        r = err_nomem(rd->e);
    for (size_t i = 0; p->rules && i < n; i++)
        p->rules[i].policy = p;
    for (const void *i = jobj_next(v, NULL, &name, &value); !r && i; i = jobj_next(v, i, &name, &value)) {
        const struct toml_at member = {&at, name, 0};
        r = read_scope(rd, &member, value);
    }
    return r;
}

int policy_read(struct sign_policy *p, struct err *e)
{
    struct policy_reader rd = {p, e};
    const struct jval *root = jdoc_root(p->doc), *scopes = jobj_get(root, "scopes");
    int r = policy_table(&rd, NULL, root, members, ARRAY_LEN(members), NULL);
    if (r)
        return r;
    if (!jobj_get(root, "version"))
        return policy_fail(&rd, NULL, "`version = 1` is missing");
    /* A file with nothing in it may be one that was cut short: whoever means to reject all says so. */
    if (!scopes && !jobj_get(root, "default"))
        return policy_fail(&rd, NULL, "neither a scope nor a default: an empty policy");
    return read_scopes(&rd, scopes);
}
