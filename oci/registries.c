/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/registries.h"

#include "base/text.h"
#include "base/toml.h"

static void rule_done(struct oci_registry_rule *rule)
{
    for (size_t i = 0; i < rule->n_mirrors; i++)
        free(rule->mirrors[i].location);
    free(TAKE(rule->mirrors));
    free(TAKE(rule->prefix));
    free(TAKE(rule->location));
    rule->n_mirrors = 0;
}

static void search_done(struct oci_registries *r)
{
    for (size_t i = 0; i < r->n_search; i++)
        free(r->search[i]);
    free(TAKE(r->search));
    r->n_search = 0;
}

void oci_registries_done(struct oci_registries *r)
{
    for (size_t i = 0; i < r->n_rules; i++)
        rule_done(&r->rules[i]);
    free(TAKE(r->rules));
    search_done(r);
    for (size_t i = 0; i < r->n_aliases; i++) {
        free(r->aliases[i].name);
        free(r->aliases[i].value);
    }
    free(TAKE(r->aliases));
    r->n_rules = r->n_aliases = 0;
}

/* Room for one more element behind n. */
static int grow(void **list, size_t n, size_t size, struct err *e)
{
    void *more = n < LIMIT_REGISTRIES ? reallocarray(*list, n + 1, size) : NULL;
    if (!more)
        return n < LIMIT_REGISTRIES ? err_nomem(e)
                                    : err_set(e, ERR_LIMIT, "more than %u entries", LIMIT_REGISTRIES);
    memset((char *)more + n * size, 0, size);
    *list = more;
    return 0;
}

static int want_bool(const struct jval *v, const char *key, bool *ret, struct err *e)
{
    const struct jval *member = jobj_get(v, key);
    if (member && jval_kind(member) != JKIND_BOOL)
        return err_set(e, ERR_CONFIG, "%s is neither true nor false", key);
    *ret = member && jval_bool(member);
    return 0;
}

/* A location without scheme and trailing slashes. */
static int copy_location(const char *text, char **ret, struct err *e)
{
    size_t len = strlen(text);
    while (len && text[len - 1] == '/')
        len--;
    if (strstr(text, "://"))
        return err_set(e, ERR_CONFIG, "a location with a scheme");
    *ret = strndup(text, len);
    return *ret ? 0 : err_nomem(e);
}

static int when_read(const struct jval *v, bool digest_only, enum oci_mirror_when *ret, struct err *e)
{
    static const char *const names[] = {
        [OCI_MIRROR_ALL] = "all", [OCI_MIRROR_DIGEST] = "digest-only", [OCI_MIRROR_TAG] = "tag-only"};
    const char *text;
    int r = jobj_want_string(v, "pull-from-mirror", false, &text, e);
    *ret = digest_only ? OCI_MIRROR_DIGEST : OCI_MIRROR_ALL;
    if (r || !text || !*text)
        return r;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(text, names[i]) == 0) {
            *ret = (enum oci_mirror_when)i;
            return 0;
        }
    return err_set(e, ERR_CONFIG, "pull-from-mirror is not all, digest-only or tag-only");
}

static int mirrors_read(const struct jval *list, bool digest_only, struct oci_registry_rule *rule,
                        struct err *e)
{
    for (size_t i = 0; i < jarr_len(list); i++) {
        const struct jval *v = jarr_at(list, i);
        const char *location;
        int r = jobj_want_string(v, "location", true, &location, e);
        if (!r)
            r = grow((void **)&rule->mirrors, rule->n_mirrors, sizeof(*rule->mirrors), e);
        if (r)
            return r;
        struct oci_mirror *m = &rule->mirrors[rule->n_mirrors];
        r = copy_location(location, &m->location, e);
        if (r)
            return r;
        rule->n_mirrors++;
        r = want_bool(v, "insecure", &m->insecure, e);
        if (!r)
            r = when_read(v, digest_only, &m->when, e);
        if (r)
            return r;
    }
    return 0;
}

static int rule_read(const struct jval *v, struct oci_registry_rule *rule, struct err *e)
{
    const char *prefix, *location;
    const struct jval *mirrors;
    bool digest_only;
    int r = jobj_want_string(v, "prefix", false, &prefix, e);
    if (!r)
        r = jobj_want_string(v, "location", false, &location, e);
    if (!r)
        r = jobj_want_array(v, "mirror", false, &mirrors, e);
    if (!r)
        r = want_bool(v, "insecure", &rule->insecure, e);
    if (!r)
        r = want_bool(v, "blocked", &rule->blocked, e);
    if (!r)
        r = want_bool(v, "mirror-by-digest-only", &digest_only, e);
    if (!r && (!prefix || !*prefix) && (!location || !*location))
        r = err_set(e, ERR_CONFIG, "a registry without prefix and location");
    if (!r)
        r = copy_location(prefix && *prefix ? prefix : location, &rule->prefix, e);
    if (!r)
        r = copy_location(location ? location : "", &rule->location, e);
    return r ? r : mirrors_read(mirrors, digest_only, rule, e);
}

static int rules_add(struct oci_registries *reg, const struct jval *list, struct err *e)
{
    for (size_t i = 0; i < jarr_len(list); i++) {
        struct oci_registry_rule rule = {0};
        int r = rule_read(jarr_at(list, i), &rule, e);
        size_t at = 0;
        while (!r && at < reg->n_rules && strcmp(reg->rules[at].prefix, rule.prefix) != 0)
            at++;
        if (!r && at == reg->n_rules)
            r = grow((void **)&reg->rules, reg->n_rules, sizeof(*reg->rules), e);
        if (r) {
            rule_done(&rule);
            return r;
        }
        if (at == reg->n_rules)
            reg->n_rules++;
        else
            rule_done(&reg->rules[at]);
        reg->rules[at] = rule;
    }
    return 0;
}

static int search_set(struct oci_registries *reg, const struct jval *list, struct err *e)
{
    search_done(reg);
    for (size_t i = 0; i < jarr_len(list); i++) {
        const char *host = jval_string(jarr_at(list, i));
        int r =
            host ? grow((void **)&reg->search, reg->n_search, sizeof(*reg->search), e)
                 : err_set(e, ERR_CONFIG, "unqualified-search-registries holds something that is no string");
        if (!r)
            r = copy_location(host, &reg->search[reg->n_search], e);
        if (r)
            return r;
        reg->n_search++;
    }
    return 0;
}

/* An empty value takes an alias away. */
static int alias_set(struct oci_registries *reg, const char *name, const char *value, struct err *e)
{
    size_t at = 0;
    while (at < reg->n_aliases && strcmp(reg->aliases[at].name, name) != 0)
        at++;
    if (at == reg->n_aliases) {
        int r = grow((void **)&reg->aliases, reg->n_aliases, sizeof(*reg->aliases), e);
        if (r)
            return r;
        reg->aliases[at].name = strdup(name);
        if (!reg->aliases[at].name)
            return err_nomem(e);
        reg->n_aliases++;
    }
    char *copy = strdup(value);
    if (!copy)
        return err_nomem(e);
    free(reg->aliases[at].value);
    reg->aliases[at].value = copy;
    return 0;
}

static int aliases_add(struct oci_registries *reg, const struct jval *table, struct err *e)
{
    const char *name;
    const struct jval *value = NULL;
    int r = 0;
    for (const void *i = jobj_next(table, NULL, &name, &value); !r && i;
         i = jobj_next(table, i, &name, &value))
        r = jval_string(value) ? alias_set(reg, name, jval_string(value), e)
                               : err_set(e, ERR_CONFIG, "an alias that is no string");
    return r;
}

static int file_take(struct oci_registries *reg, const struct jval *root, struct err *e)
{
    const struct jval *rules, *search, *aliases;
    int r = jobj_want_array(root, "registry", false, &rules, e);
    if (!r)
        r = jobj_want_array(root, "unqualified-search-registries", false, &search, e);
    if (!r)
        r = jobj_want_object(root, "aliases", false, &aliases, e);
    if (!r)
        r = rules_add(reg, rules, e);
    if (!r && search)
        r = search_set(reg, search, e);
    return r || !aliases ? r : aliases_add(reg, aliases, e);
}

int oci_registries_add(struct oci_registries *reg, struct bytes text, const char *path, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    int r = toml_parse(text, &doc, e);
    if (!r)
        r = file_take(reg, jdoc_root(doc), e);
    reg->any = true;
    if (r && r != ERR_NOMEM && r != ERR_LIMIT)
        r = err_recode(e, ERR_CONFIG);
    return r ? err_wrap(e, "%s", path) : 0;
}

/* "<base>/<rest of the name><tag and digest of ref>" parsed as a reference. */
static int reref(const struct oci_ref *ref, const char *base, const char *rest, struct oci_ref *ret,
                 struct err *e)
{
    char digest[DIGEST_STR_MAX], shown[256];
    AUTO_DONE(buf) text = BUF_INIT(64U << 10);
    buf_printf(&text, "%s%s", base, rest);
    if (ref->tag[0])
        buf_printf(&text, ":%s", ref->tag);
    if (ref->has_digest)
        buf_printf(&text, "@%s", digest_str(&ref->digest, digest));
    int r = buf_check(&text, e);
    if (!r)
        r = oci_ref_parse(buf_cstr(&text), ret, e);
    if (!r && (ret->kind != OCI_REF_REGISTRY || ret->short_name)) {
        oci_ref_done(ret);
        r = err_set(e, ERR_CONFIG, "registries.conf: %s is no place in a registry",
                    text_escape_str(base, shown, sizeof(shown)));
    }
    return r == ERR_USAGE ? err_recode(e, ERR_CONFIG) : r;
}

int oci_registries_short(const struct oci_registries *reg, struct oci_ref *ref, struct err *e)
{
    struct oci_ref full;
    char shown[256];
    /* As it was written: a name of one component was given the folder "library/". */
    const char *name = strncmp(ref->path, "library/", 8) == 0 ? ref->path + 8 : ref->path;
    const char *base = NULL, *rest = "";
    for (size_t i = 0; i < reg->n_aliases && !base; i++)
        if (strcmp(reg->aliases[i].name, name) == 0 && *reg->aliases[i].value)
            base = reg->aliases[i].value;
    if (!base && reg->n_search > 1)
        return err_set(
            e, ERR_USAGE, "%s: which registry? registries.conf has %zu to search, %s and %s among them",
            text_escape_str(name, shown, sizeof(shown)), reg->n_search, reg->search[0], reg->search[1]);
    AUTO_DONE(buf) joined = BUF_INIT(64U << 10);
    if (!base && reg->n_search == 1) {
        buf_printf(&joined, "/%s", name);
        base = reg->search[0];
        rest = buf_cstr(&joined);
    }
    if (!base)
        return 0;
    int r = buf_check(&joined, e);
    if (!r)
        r = reref(ref, base, rest, &full, e);
    if (r)
        return r;
    oci_ref_done(ref);
    *ref = full;
    return 0;
}

/* How many characters of the name a prefix covers; 0: the rule does not match. */
static size_t prefix_match(const char *prefix, const char *name)
{
    size_t len = strlen(prefix), host = strcspn(name, "/:");
    if (strncmp(prefix, "*.", 2) == 0)
        return len > 2 && host > len - 1 && strncmp(name + host - (len - 1), prefix + 1, len - 1) == 0 ? host
                                                                                                       : 0;
    if (strncmp(prefix, name, len) != 0)
        return 0;
    char next = name[len];
    return next == '\0' || next == '/' || next == '@' || (next == ':' && strchr(prefix, '/')) ? len : 0;
}

static const struct oci_registry_rule *rule_for(const struct oci_registries *reg, const char *name,
                                                size_t *ret_len)
{
    const struct oci_registry_rule *best = NULL;
    size_t best_len = 0;
    for (size_t i = 0; i < reg->n_rules; i++) {
        if (!prefix_match(reg->rules[i].prefix, name))
            continue;
        size_t len = strlen(reg->rules[i].prefix);
        if (!best || len > best_len) {
            best = &reg->rules[i];
            best_len = len;
        }
    }
    if (best)
        *ret_len = prefix_match(best->prefix, name);
    return best;
}

/* One place, twice where any certificate, and no TLS at all, will do. base: NULL for the reference as it is.
 */
static int candidate_add(struct oci_candidates *c, const struct oci_ref *ref, const char *base,
                         const char *rest, bool insecure, struct err *e)
{
    AUTO_DONE(buf) own = BUF_INIT(64U << 10);
    if (!base)
        oci_ref_repo_str(ref, &own);
    int r = buf_check(&own, e);
    for (int plain = 0; !r && plain <= (insecure ? 1 : 0); plain++) {
        r = grow((void **)&c->list, c->n, sizeof(*c->list), e);
        if (!r)
            r = reref(ref, base ? base : buf_cstr(&own), base ? rest : "", &c->list[c->n].ref, e);
        if (!r)
            c->list[c->n++].trust = !insecure ? OCI_TRUST_TLS
                                    : plain   ? OCI_TRUST_PLAIN
                                              : OCI_TRUST_UNVERIFIED;
    }
    return r;
}

static int candidates_fill(const struct oci_registry_rule *rule, const struct oci_ref *ref, const char *rest,
                           struct oci_candidates *c, struct err *e)
{
    int r = 0;
    for (size_t i = 0; !r && rule && i < rule->n_mirrors; i++) {
        const struct oci_mirror *m = &rule->mirrors[i];
        if (m->when == OCI_MIRROR_ALL || (m->when == OCI_MIRROR_DIGEST) == ref->has_digest)
            r = candidate_add(c, ref, m->location, rest, m->insecure, e);
    }
    if (r)
        return r;
    const char *location = rule && *rule->location ? rule->location : NULL;
    return candidate_add(c, ref, location, rest, rule && rule->insecure, e);
}

int oci_registries_candidates(const struct oci_registries *reg, const struct oci_ref *ref,
                              struct oci_candidates *ret, struct err *e)
{
    AUTO_DONE(buf) name = BUF_INIT(64U << 10);
    AUTO_DONE(oci_candidates) c = {NULL, 0};
    size_t len = 0;
    oci_ref_repo_str(ref, &name);
    int r = buf_check(&name, e);
    if (r)
        return r;
    const struct oci_registry_rule *rule = rule_for(reg, buf_cstr(&name), &len);
    if (rule && rule->blocked)
        return err_set(e, ERR_POLICY, "registries.conf blocks %s", rule->prefix);
    r = candidates_fill(rule, ref, buf_cstr(&name) + len, &c, e);
    if (r)
        return r;
    *ret = c;
    c = (struct oci_candidates){NULL, 0};
    return 0;
}

void oci_candidates_done(struct oci_candidates *c)
{
    for (size_t i = 0; i < c->n; i++)
        oci_ref_done(&c->list[i].ref);
    free(TAKE(c->list));
    c->n = 0;
}
