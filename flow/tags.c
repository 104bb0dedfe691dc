/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/tags.h"

#include "base/limits.h"
#include "oci/locate.h"

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* distribution-spec 1.1, "Referrers Tag Schema", and cosign's tags beside it. */
static bool is_tool_tag(const char *tag)
{
    return strncmp(tag, "sha256-", 7) == 0 || strncmp(tag, "sha512-", 7) == 0;
}

static int sort_into(const struct buf *names, bool all, struct buf *out, struct err *e)
{
    size_t n = 0;
    for (size_t i = 0; i < names->len; i++)
        n += names->ptr[i] == 0;
    AUTO_FREE const char **list = reallocarray(NULL, n ? n : 1, sizeof(*list));
    if (!list)
        return err_nomem(e);
    const char *at = buf_cstr(names);
    for (size_t i = 0; i < n; i++, at += strlen(at) + 1)
        list[i] = at;
    qsort(list, n, sizeof(*list), by_bytes);
    for (size_t i = 0; i < n; i++)
        if ((all || !is_tool_tag(list[i])) && (i == 0 || strcmp(list[i], list[i - 1]) != 0))
            buf_append(out, list[i], strlen(list[i]) + 1);
    return buf_check(out, e);
}

int flow_tags(const struct flow_conf *conf, const char *reference, bool all, struct buf *out, struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO(oci_endpoint) ep = NULL;
    AUTO_DONE(buf) names = BUF_INIT(LIMIT_TAGS);
    int r = oci_ref_locate(reference, &conf->endpoint, false, &ref, e);
    if (!r)
        r = oci_endpoint_open(&ref, &conf->endpoint, false, &ep, e);
    if (!r)
        r = ep->ops->tags(ep, &names, e);
    return r ? r : sort_into(&names, all, out, e);
}
