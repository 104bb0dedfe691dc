/* SPDX-License-Identifier: Apache-2.0 */
/* The wasm binary reader: the same answer whatever the pieces in which the bytes come. */
#include "base/wbin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct drip {
    struct source base;
    struct bytes rest;
    size_t step;
};

static int drip_read(struct source *base, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    (void)e;
    struct drip *d = (struct drip *)base;
    struct bytes part = BYTES_NONE;
    size_t n = d->step < cap ? d->step : cap;
    n = n < d->rest.len ? n : d->rest.len;
    (void)bytes_take(&d->rest, n, &part);
    if (n)
        memcpy(buf, part.ptr, n);
    *ret_n = n;
    return 0;
}

static bool same_items(const struct wbin_item *a, size_t n, const struct wbin_item *b, size_t m)
{
    for (size_t i = 0; n == m && i < n; i++)
        if (!bytes_eq(a[i].module, b[i].module) || !bytes_eq(a[i].name, b[i].name) ||
            a[i].kind != b[i].kind || !bytes_is_utf8(a[i].name) || !bytes_is_utf8(a[i].module))
            return false;
    return n == m;
}

/* The sections lie end to end and fill the file. */
static bool fills(const struct wbin_info *info)
{
    uint64_t at = WBIN_PREAMBLE;
    for (size_t i = 0; i < info->n_sections; i++) {
        if (info->sections[i].offset != at)
            return false;
        at += (uint64_t)info->sections[i].header_size + info->sections[i].size;
    }
    return at == info->size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes all = bytes_of(data, size);
    struct source_bytes whole;
    struct drip pieces = {.base = {drip_read, NULL}, .rest = all, .step = 1 + size % 7};
    struct wbin_info a = {.kind = WBIN_MODULE}, b = {.kind = WBIN_MODULE};
    struct err ea = ERR_INIT, eb = ERR_INIT;
    int ra = wbin_scan(source_bytes_init(&whole, all), &a, &ea);
    int rb = wbin_scan(&pieces.base, &b, &eb);
    if (ra != rb || (ra && strcmp(ea.msg, eb.msg) != 0))
        abort();
    if (!ra && (a.size != size || a.kind != b.kind || !fills(&a) ||
                !same_items(a.imports, a.n_imports, b.imports, b.n_imports) ||
                !same_items(a.exports, a.n_exports, b.exports, b.n_exports)))
        abort();
    wbin_info_done(&a);
    wbin_info_done(&b);
    return 0;
}
