/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded_parts.h"

#include <regex.h>
#include <stdlib.h>

#define NAME_MAX_LEN 4096U

/* A compiled expression. */
struct pattern {
    regex_t regex;
    bool open;
};

static void pattern_done(struct pattern *p)
{
    if (p->open)
        regfree(&p->regex);
}

/* A back reference makes matching take any time. */
static bool refers_back(const char *expression)
{
    for (const char *at = expression; *at; at++)
        if (*at == '\\' && at[1]) {
            if (at[1] >= '1' && at[1] <= '9')
                return true;
            at++;
        }
    return false;
}

static int pattern_init(struct pattern *p, const char *expression, struct err *e)
{
    char why[128];
    if (refers_back(expression))
        return err_set(e, ERR_USAGE, "the expression for sections: back references are not supported");
    int failed = regcomp(&p->regex, expression, REG_EXTENDED | REG_NOSUB);
    p->open = failed == 0;
    if (!failed)
        return 0;
    (void)regerror(failed, &p->regex, why, sizeof(why));
    return err_set(e, failed == REG_ESPACE ? ERR_NOMEM : ERR_USAGE, "the expression for sections: %s", why);
}

/* Whether the section is one of those that count; ret_named: because of its name. */
static bool counts(const struct sign_scan *scan, size_t i, const struct pattern *p, bool *ret_named)
{
    struct bytes name = sign_section_name(scan, i);
    regmatch_t span[1] = {{.rm_so = 0, .rm_eo = (regoff_t)name.len}};
    *ret_named = false;
    if (scan->sections[i].id != 0 || name.len > NAME_MAX_LEN)
        return true; /* such a name is nobody's: its section counts, so that it must be signed */
    *ret_named = regexec(&p->regex, name.len ? (const char *)name.ptr : "", 1, span, REG_STARTEND) == 0;
    return *ret_named;
}

int sign_parts_wanted(const struct sign_scan *scan, const char *expression, size_t *ret, struct err *e)
{
    AUTO_DONE(pattern) p = {.open = false};
    bool named = false, any = false;
    size_t parts = 0, n = scan->n_sections;
    int r = pattern_init(&p, expression, e);
    if (r)
        return r;
    if (n == 0 || scan->sections[n - 1].part + (scan->sections[n - 1].role == SIGN_ROLE_DELIMITER) == 0)
        return err_set(e, ERR_DIGEST, "the file has no delimiters: it can be verified only as a whole");
    if (scan->sections[n - 1].role != SIGN_ROLE_DELIMITER)
        return err_set(e, ERR_DIGEST, "sections stand behind the last delimiter, in no part");
    for (size_t i = 0; i < n; i++) {
        enum sign_role role = scan->sections[i].role;
        if (role == SIGN_ROLE_SIGNATURE || role == SIGN_ROLE_DELIMITER || !counts(scan, i, &p, &named))
            continue;
        parts = scan->sections[i].part + 1;
        any = any || named;
    }
    if (!any)
        return err_set(e, ERR_DIGEST, "no custom section has a name that matches the expression");
    *ret = parts;
    return 0;
}

/* One more cut, in front of that offset. */
static int add_cut(struct sign_split *to, uint64_t offset, struct err *e)
{
    static const uint8_t head[] = "\x00\x24\x13signature_delimiter";
    const size_t random = SIGN_DELIMITER_SIZE - (sizeof(head) - 1);
    uint64_t *cuts = reallocarray(to->cuts, to->n + 1, sizeof(*cuts));
    if (!cuts)
        return err_nomem(e);
    to->cuts = cuts;
    uint8_t(*delimiters)[SIGN_DELIMITER_SIZE] = reallocarray(to->delimiters, to->n + 1, sizeof(*delimiters));
    if (!delimiters)
        return err_nomem(e);
    to->delimiters = delimiters;
    memcpy(delimiters[to->n], head, sizeof(head) - 1);
    cuts[to->n] = offset;
    return hash_random(delimiters[to->n++] + sizeof(head) - 1, random, e);
}

static int find_cuts(struct sign_split *to, const struct sign_scan *scan, const struct pattern *p,
                     struct err *e)
{
    enum { NOTHING, COUNTS, OTHER } before = NOTHING;
    bool named;
    int r = 0;
    for (size_t i = 0; !r && i < scan->n_sections; i++) {
        const struct sign_section *s = &scan->sections[i];
        if (s->role == SIGN_ROLE_SIGNATURE)
            continue;
        if (s->role == SIGN_ROLE_DELIMITER) {
            before = NOTHING;
            continue;
        }
        bool now = counts(scan, i, p, &named);
        if (before != NOTHING && now != (before == COUNTS))
            r = add_cut(to, s->offset, e);
        before = now ? COUNTS : OTHER;
        if (to->n >= LIMIT_SIG_HASHES)
            return err_set(e, ERR_LIMIT, "more parts than the format has room for (%u)", LIMIT_SIG_HASHES);
    }
    return r || before == NOTHING ? r : add_cut(to, scan->size, e);
}

static int split_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    struct sign_split *s = (struct sign_split *)base;
    bool more = s->next < s->n;
    if (more && s->at == s->cuts[s->next]) {
        size_t left = SIGN_DELIMITER_SIZE - s->put, n = cap < left ? cap : left;
        memcpy(buf, s->delimiters[s->next] + s->put, n);
        s->put += n;
        if (s->put == SIGN_DELIMITER_SIZE) {
            s->next++;
            s->put = 0;
        }
        *ret_n = n;
        return 0;
    }
    if (more && cap > s->cuts[s->next] - s->at)
        cap = (size_t)(s->cuts[s->next] - s->at);
    int r = source_read(s->in, buf, cap, ret_n, e);
    if (!r && *ret_n == 0 && more)
        return err_set(e, ERR_IO, "the file changed while it was read");
    if (!r)
        s->at += *ret_n;
    return r;
}

static void split_close(struct source *base)
{
    source_close(TAKE(((struct sign_split *)base)->in));
}

static int split_open(void *ctx, struct source **ret, struct err *e)
{
    struct sign_split *s = ctx;
    int r = s->from->open(s->from->ctx, &s->in, e);
    if (r)
        return r;
    s->at = 0;
    s->next = s->put = 0;
    *ret = &s->base;
    return 0;
}

int sign_split_init(struct sign_split *to, const struct source_opener *from, const char *expression,
                    struct source_opener *ret_from, struct err *e)
{
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    AUTO_DONE(pattern) p = {.open = false};
    *to = (struct sign_split){.base = {.read = split_read, .close = split_close}, .from = from};
    int r = pattern_init(&p, expression, e);
    if (!r)
        r = sign_scan_run(from, 0, &scan, e);
    if (!r && scan.broken.code)
        r = err_set(e, ERR_FORMAT, "%s", scan.broken.msg);
    if (!r)
        r = find_cuts(to, &scan, &p, e);
    if (r)
        return r;
    *ret_from = (struct source_opener){split_open, to, from->size + to->n * SIGN_DELIMITER_SIZE};
    return 0;
}

void sign_split_done(struct sign_split *s)
{
    free(TAKE(s->cuts));
    free(TAKE(s->delimiters));
}
