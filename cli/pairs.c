/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/pairs.h"

void pairs_done(struct pairs *p)
{
    for (size_t i = 0; i < p->n; i++)
        free((void *)(uintptr_t)p->all[i].key);
    free(p->all);
}

static int pair_add(struct pairs *to, const char *text, struct err *e)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_set(e, ERR_USAGE, "annotation '%s': KEY=VALUE is wanted", text);
    AUTO_FREE char *key = strndup(text, (size_t)(equals - text));
    if (!key)
        return err_nomem(e);
    for (size_t i = 0; i < to->n; i++)
        if (strcmp(to->all[i].key, key) == 0)
            return err_set(e, ERR_USAGE, "annotation '%s' is given twice", key);
    if (!bytes_is_utf8(bytes_str(text)))
        return err_set(e, ERR_USAGE, "annotation '%s' is not UTF-8", key);
    to->all[to->n++] = (struct oci_pair){TAKE(key), equals + 1};
    return 0;
}

int pairs_parse(const struct opt_list *texts, struct pairs *ret, struct err *e)
{
    ret->all = calloc(texts->n ? texts->n : 1, sizeof(*ret->all));
    if (!ret->all)
        return err_nomem(e);
    for (size_t i = 0; i < texts->n; i++) {
        int r = pair_add(ret, texts->items[i], e);
        if (r)
            return r;
    }
    return 0;
}
