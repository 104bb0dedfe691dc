/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scopes: the form in which they are compared, and the way from a place to its rule. A host has one spelling
 * here, whatever way it was written: lower case, without the ports 443 and 80, docker.io for its other names.
 * A prefix ends where a component ends, so that host/ns does not cover host/nsevil.
 */
#include "sign/policy_impl.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

static const char *const local_kinds[] = {"file:", "oci:", "oci-archive:"};
#define SFTP   "sftp:"
#define DOCKER "docker.io"

static bool all_of(const char *s, size_t n, const char *more)
{
    for (size_t i = 0; i < n; i++)
        if (!islower((unsigned char)s[i]) && !isdigit((unsigned char)s[i]) && !strchr(more, s[i]))
            return false;
    return n > 0;
}

/* "[...]" in the one way that inet_ntop has for an address. */
static bool put_ipv6(const char *s, size_t n, char *out, size_t size)
{
    char address[INET6_ADDRSTRLEN + 1];
    struct in6_addr parsed;
    if (n < 4 || n - 2 >= sizeof(address) || s[n - 1] != ']')
        return false;
    memcpy(address, s + 1, n - 2);
    address[n - 2] = 0;
    if (inet_pton(AF_INET6, address, &parsed) != 1 || !inet_ntop(AF_INET6, &parsed, address, sizeof(address)))
        return false;
    return snprintf(out, size, "[%s]", address) < (int)size;
}

/* Labels that are not empty, of letters, digits, - and _. */
static bool name_valid(const char *s, size_t n)
{
    if (!all_of(s, n, "-_.") || s[0] == '.' || s[n - 1] == '.' || s[0] == '-')
        return false;
    for (size_t i = 1; i < n; i++)
        if (s[i] == '.' && s[i - 1] == '.')
            return false;
    return true;
}

/* host[:port], n bytes of s, into out. web: the ports 443 and 80 go without saying. */
static bool put_host(const char *s, size_t n, bool web, char *out, size_t size)
{
    char lower[POLICY_PLACE_MAX];
    if (n == 0 || n >= sizeof(lower))
        return false;
    for (size_t i = 0; i < n; i++)
        lower[i] = (char)tolower((unsigned char)s[i]);
    lower[n] = 0;
    const char *close = lower[0] == '[' ? strchr(lower, ']') : lower;
    const char *colon = close ? strchr(close, ':') : NULL;
    size_t host = colon ? (size_t)(colon - lower) : n;
    unsigned long port = colon && isdigit((unsigned char)colon[1]) ? strtoul(colon + 1, NULL, 10) : 0;
    if (!close || (colon && (strspn(colon + 1, "0123456789") != strlen(colon + 1) || strlen(colon + 1) > 5 ||
                             port == 0 || port > 65535)))
        return false;
    if (lower[0] == '[') {
        if (!put_ipv6(lower, host, out, size))
            return false;
    } else if (!name_valid(lower, host) || snprintf(out, size, "%.*s", (int)host, lower) >= (int)size) {
        return false;
    }
    if (port && !(web && (port == 443 || port == 80))) {
        size_t at = strlen(out);
        return snprintf(out + at, size - at, ":%lu", port) < (int)(size - at);
    }
    if (strcmp(out, "index.docker.io") == 0 || strcmp(out, "registry-1.docker.io") == 0)
        (void)snprintf(out, size, DOCKER);
    return true;
}

static const char *put_path(const char *path, char *out, size_t size)
{
    for (const char *p = path; *p;) {
        size_t n = strcspn(p + 1, "/");
        if (memchr(p + 1, ':', n) || memchr(p + 1, '@', n))
            return "a scope has no tag and no digest: tags move, and digests are pinned by `digests`";
        if (!all_of(p + 1, n, "._-") || ispunct((unsigned char)p[1]) || ispunct((unsigned char)p[n]))
            return n ? "not the name of a repository: lower-case letters, digits, and . _ - between them"
                     : "an empty component in the path";
        p += n + 1;
    }
    return snprintf(out, size, "%s", path) < (int)size ? NULL : "too long";
}

/* "host[:port][/path]". */
static const char *put_registry(const char *text, struct policy_place *ret)
{
    size_t host = strcspn(text, "/");
    if (!memchr(text, '.', host) && !memchr(text, ':', host) &&
        !(host == 9 && strncasecmp(text, "localhost", 9) == 0))
        return "a scope starts with a host: docker.io/... for a name without one";
    if (!put_host(text, host, true, ret->text, sizeof(ret->text)))
        return "the host is malformed";
    size_t n = strlen(ret->text);
    ret->is_registry = true;
    return put_path(text + host, ret->text + n, sizeof(ret->text) - n);
}

/* "//[user@]host[:port][/path]": the host alone counts, the folder has many names there. */
static const char *put_sftp(const char *rest, struct policy_place *ret)
{
    size_t n = strlen(SFTP "//");
    if (strncmp(rest, "//", 2) != 0)
        return "after sftp: comes //HOST";
    size_t len = strcspn(rest + 2, "/");
    const char *at = memrchr(rest + 2, '@', len), *host = at ? at + 1 : rest + 2;
    len -= (size_t)(host - (rest + 2));
    if (len > 3 && memcmp(host + len - 3, ":22", 3) == 0)
        len -= 3;
    memcpy(ret->text, SFTP "//", n);
    ret->is_registry = false;
    return put_host(host, len, false, ret->text + n, sizeof(ret->text) - n) ? NULL : "the host is malformed";
}

bool policy_place_set(const char *repo, struct policy_place *ret)
{
    *ret = (struct policy_place){.text = "file:"};
    if (!repo)
        return true;
    for (size_t i = 1; i < ARRAY_LEN(local_kinds); i++)
        if (strncmp(repo, local_kinds[i], strlen(local_kinds[i])) == 0) {
            (void)snprintf(ret->text, sizeof(ret->text), "%s", local_kinds[i]);
            return true;
        }
    if (strncmp(repo, SFTP, strlen(SFTP)) == 0)
        return !put_sftp(repo + strlen(SFTP), ret);
    if (put_registry(repo, ret) || !strchr(ret->text, '/'))
        return false;
    /* Its repositories of one component are those of "library". */
    char *path = ret->text + strlen(DOCKER "/");
    if (strncmp(ret->text, DOCKER "/", strlen(DOCKER "/")) == 0 && !strchr(path, '/')) {
        char name[POLICY_PLACE_MAX];
        (void)snprintf(name, sizeof(name), "%s", path);
        size_t room = sizeof(ret->text) - strlen(DOCKER "/");
        return snprintf(path, room, "library/%s", name) < (int)room;
    }
    return true;
}

static const char *set_wildcard(const char *written, struct policy_place *ret)
{
    struct policy_place rest = {.text = ""};
    const char *why = put_registry(written + 2, &rest);
    /* "*.com" has no dot behind the first one, and is a host's end all the same. */
    if (why && !memchr(written + 2, '.', strcspn(written + 2, "/"))) {
        char named[POLICY_PLACE_MAX];
        if (snprintf(named, sizeof(named), "x.%s", written + 2) >= (int)sizeof(named))
            return "too long";
        why = put_registry(named, &rest);
        if (!why)
            memmove(rest.text, rest.text + 2, strlen(rest.text) - 1);
    }
    if (why)
        return why;
    ret->is_registry = true;
    return snprintf(ret->text, sizeof(ret->text), "*.%s", rest.text) < (int)sizeof(ret->text) ? NULL
                                                                                              : "too long";
}

const char *policy_scope_set(const char *written, struct policy_place *ret)
{
    *ret = (struct policy_place){.text = ""};
    if (!*written)
        return NULL;
    for (size_t i = 0; i < ARRAY_LEN(local_kinds); i++)
        if (strncmp(written, local_kinds[i], strlen(local_kinds[i])) == 0) {
            (void)snprintf(ret->text, sizeof(ret->text), "%s", local_kinds[i]);
            return written[strlen(local_kinds[i])]
                       ? "one scope is for all of these: a folder or file has many names"
                       : NULL;
        }
    if (strcmp(written, SFTP) == 0) {
        (void)snprintf(ret->text, sizeof(ret->text), SFTP);
        return NULL;
    }
    if (strncmp(written, SFTP, strlen(SFTP)) == 0) {
        const char *host = written + strlen(SFTP "//");
        if (strlen(written) > strlen(SFTP "//") && (strchr(host, '/') || strchr(host, '@')))
            return "a scope of sftp has a host and no more";
        return put_sftp(written + strlen(SFTP), ret);
    }
    if (strncmp(written, "*.", 2) == 0)
        return set_wildcard(written, ret);
    if (strchr(written, '*'))
        return "a * stands for whole labels at the start of a host, as in *.example.com";
    return put_registry(written, ret);
}

/* FNV-1a, 64 bits: policies are written by those who trust them. */
#define HASH_START UINT64_C(0xcbf29ce484222325)
static uint64_t hash_more(uint64_t hash, char c)
{
    return (hash ^ (unsigned char)c) * UINT64_C(0x100000001b3);
}

static const struct sign_rule *table_find(const struct sign_policy *p, const char *text, size_t n,
                                          uint64_t hash)
{
    for (size_t i = hash & (p->table_size - 1); p->table_size && p->table[i] != POLICY_NONE;
         i = (i + 1) & (p->table_size - 1)) {
        const struct sign_rule *rule = &p->rules[p->table[i]];
        if (strncmp(rule->scope, text, n) == 0 && !rule->scope[n])
            return rule;
    }
    return NULL;
}

int policy_table_make(struct sign_policy *p, size_t n, struct err *e)
{
    size_t size = 4;
    while (size < 2 * n)
        size *= 2;
    p->table = malloc(size * sizeof(*p->table));
    if (!p->table)
        return err_nomem(e);
    for (size_t i = 0; i < size; i++)
        p->table[i] = POLICY_NONE;
    p->table_size = size;
    return 0;
}

const struct sign_rule *policy_table_add(struct sign_policy *p, size_t rule)
{
    const char *scope = p->rules[rule].scope;
    uint64_t hash = HASH_START;
    for (const char *c = scope; *c; c++)
        hash = hash_more(hash, *c);
    const struct sign_rule *twice = table_find(p, scope, strlen(scope), hash);
    if (twice)
        return twice;
    size_t i = hash & (p->table_size - 1);
    while (p->table[i] != POLICY_NONE)
        i = (i + 1) & (p->table_size - 1);
    p->table[i] = rule;
    if (scope[0] == '*')
        p->has_wildcards = true;
    return NULL;
}

struct walk {
    const struct sign_policy *p;
    /* or NULL: only the first rule is wanted */
    void (*see)(void *ctx, const char *scope, const struct sign_rule *rule);
    void *ctx;
    const struct sign_rule *found;
};

/* One candidate; true: go on. */
static bool try(struct walk *w, const char *text, size_t n, uint64_t hash)
{
    const struct sign_rule *rule = table_find(w->p, text, n, hash);
    if (!w->found)
        w->found = rule;
    if (w->see) {
        char scope[POLICY_PLACE_MAX];
        (void)snprintf(scope, sizeof(scope), "%.*s", (int)n, text);
        w->see(w->ctx, scope, rule);
    }
    return w->see || !rule;
}

/* One spelling of the host with all prefixes of the path, the longest first. The hashes of all of them come
 * of one way over the text. */
static bool try_prefixes(struct walk *w, const char *text)
{
    struct {
        size_t n;
        uint64_t hash;
    } ends[LIMIT_NAME];
    size_t n = 0, i = 0;
    uint64_t hash = HASH_START;
    for (; text[i] && n < ARRAY_LEN(ends) - 1; i++) {
        if (text[i] == '/') {
            ends[n].n = i;
            ends[n++].hash = hash;
        }
        hash = hash_more(hash, text[i]);
    }
    ends[n].n = i;
    ends[n++].hash = hash;
    while (n-- > 0)
        if (!try(w, text, ends[n].n, ends[n].hash))
            return false;
    return true;
}

static void walk_registry(struct walk *w, const struct policy_place *place)
{
    size_t host = strcspn(place->text, "/");
    bool is_name = place->text[0] != '[' && strspn(place->text, "0123456789.") < strcspn(place->text, ":/");
    if (!try_prefixes(w, place->text))
        return;
    const char *dot = is_name && (w->p->has_wildcards || w->see) ? memchr(place->text, '.', host) : NULL;
    while (dot) {
        char text[POLICY_PLACE_MAX + 1];
        (void)snprintf(text, sizeof(text), "*%s", dot);
        if (!try_prefixes(w, text))
            return;
        dot = memchr(dot + 1, '.', host - (size_t)(dot + 1 - place->text));
    }
    (void)try(w, "", 0, HASH_START);
}

static uint64_t hash_text(const char *text)
{
    uint64_t hash = HASH_START;
    for (; *text; text++)
        hash = hash_more(hash, *text);
    return hash;
}

static void walk_place(struct walk *w, const struct policy_place *place)
{
    if (place->is_registry) {
        walk_registry(w, place);
        return;
    }
    bool more = try(w, place->text, strlen(place->text), hash_text(place->text));
    if (more && strncmp(place->text, SFTP "//", strlen(SFTP "//")) == 0)
        (void)try(w, SFTP, strlen(SFTP), hash_text(SFTP));
}

const struct sign_rule *sign_policy_rule(const struct sign_policy *p, const char *repo)
{
    struct policy_place place;
    struct walk w = {.p = p};
    if (!p->ready || !policy_place_set(repo, &place))
        return &p->no_place;
    walk_place(&w, &place);
    return w.found ? w.found : &p->by_default;
}

int sign_policy_candidates(const struct sign_policy *p, const char *repo,
                           void (*see)(void *ctx, const char *scope, const struct sign_rule *rule), void *ctx,
                           struct err *e)
{
    struct policy_place place;
    struct walk w = {.p = p, .see = see, .ctx = ctx};
    if (!policy_place_set(repo, &place))
        return err_set(e, ERR_USAGE, "no place that a scope could cover");
    walk_place(&w, &place);
    return 0;
}
