/* SPDX-License-Identifier: Apache-2.0 */
/* What calls into modules and into components have in common: names and results. */
#include "runner/invoke.h"

#include "base/limits.h"
#include "base/text.h"

void runner_call_done(struct runner_call *call)
{
    if (call->params)
        wave_value_done(call->params, &call->args);
    wave_type_free(TAKE(call->params));
    wave_type_free(TAKE(call->results));
    wasmtime_component_export_index_t_drop(TAKE(call->func));
}

int runner_call_print(const struct runner_call *call, const struct wave_value *results, char **ret,
                      struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_WAVE_TEXT);
    struct jout w = {.out = &text};
    if (call->json)
        jout_array(&w, NULL);
    for (size_t i = 0; i < results->n; i++) {
        const struct wave_type *type = call->results->parts[i].type;
        if (call->json) {
            wave_print_json(&w, NULL, type, &results->items[i]);
        } else {
            wave_print(type, &results->items[i], &text);
            buf_append_u8(&text, '\n');
        }
    }
    if (call->json)
        jout_array_end(&w);
    else if (results->n == 0 && call->nothing)
        buf_printf(&text, "%s\n", call->nothing);
    int r = buf_check(&text, e);
    if (r != 0)
        return err_wrap(e, "the result");
    buf_append_str(&text, "");
    *ret = text.len ? buf_take_str(&text) : strdup("");
    return *ret ? 0 : err_nomem(e);
}

/* Cuts `end` and the dot or hash in front of it off. */
static bool cut_end(struct bytes *name, struct bytes end)
{
    if (name->len <= end.len || memcmp(name->ptr + name->len - end.len, end.ptr, end.len) != 0)
        return false;
    uint8_t before = name->ptr[name->len - end.len - 1];
    if (before != '.' && before != '#')
        return false;
    name->len -= end.len + 1;
    return true;
}

static struct bytes behind_slash(struct bytes s)
{
    const uint8_t *slash = s.len ? memrchr(s.ptr, '/', s.len) : NULL;
    return slash ? bytes_of(slash + 1, s.len - (size_t)(slash + 1 - s.ptr)) : s;
}

static struct bytes before_version(struct bytes s)
{
    const uint8_t *at = s.len ? memchr(s.ptr, '@', s.len) : NULL;
    return at ? bytes_of(s.ptr, (size_t)(at - s.ptr)) : s;
}

/* The instances of a path, the last of which is the nearest to the function. */
static int match_instances(const char *const *path, size_t n, struct bytes name)
{
    struct bytes full = bytes_str(path[n - 1]), bare = before_version(full);
    const struct bytes spellings[] = {full, bare, behind_slash(full), behind_slash(bare)};
    int best = 0;
    for (size_t i = 0; i < ARRAY_LEN(spellings) && best < 2; i++) {
        struct bytes rest = name;
        int fits = i == 0 ? 2 : 1, outer = 0;
        if (bytes_eq(name, spellings[i]))
            outer = n == 1 ? 2 : 1;
        else if (n > 1 && cut_end(&rest, spellings[i]))
            outer = match_instances(path, n - 1, rest);
        fits = outer < fits ? outer : fits;
        best = fits > best ? fits : best;
    }
    return best;
}

int runner_export_match(const char *const *path, size_t n, struct bytes name)
{
    struct bytes func = bytes_str(path[n - 1]), rest = name;
    if (bytes_eq(name, func))
        return n == 1 ? 2 : 1;
    if (n == 1)
        return 0;
    int best = cut_end(&rest, func) ? match_instances(path, n - 1, rest) : 0;
    if (best == 2)
        return 2;
    /* "ns:pkg/face.func@1.0.0", as WAVE has it */
    struct bytes instance = bytes_str(path[n - 2]), bare = before_version(instance);
    struct bytes version = bytes_of(instance.ptr + bare.len, instance.len - bare.len);
    if (version.len && name.len > version.len && !memchr(name.ptr, '@', name.len - version.len) &&
        memcmp(name.ptr + name.len - version.len, version.ptr, version.len) == 0) {
        rest = bytes_of(name.ptr, name.len - version.len);
        if (cut_end(&rest, func) && match_instances(path, n - 1, rest))
            return 1;
    }
    return best;
}

int runner_exports_say(const char *what, struct bytes name, const char *but, const struct buf *names,
                       struct err *e)
{
    char shown[128], list[ERR_MSG_MAX - 200];
    (void)text_escape(name, shown, sizeof(shown));
    if (names->len == 0)
        return err_set(e, ERR_USAGE, "%s '%s': it exports no function", what, shown);
    return err_set(e, ERR_USAGE, "%s '%s': %s %s", what, shown, but,
                   text_escape(buf_bytes(names), list, sizeof(list)));
}
