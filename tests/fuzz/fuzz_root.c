/* SPDX-License-Identifier: Apache-2.0 */
/* Trusted roots, certificates in them decoded. */
#include "base/limits.h"
#include "base/plugin.h"
#include "sign/cert_ops.h"
#include "sign/root.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plugin is linked into this program. */
int plugin_load(const char *name, const void **ret_ops, struct err *e)
{
    (void)name, (void)e;
    *ret_ops = &sign_cert_plugin_ops;
    return 0;
}

static void must(bool good)
{
    if (!good)
        abort();
}

static void check_logs(const struct sign_log *logs, size_t n)
{
    must(n <= LIMIT_ROOT_MEMBERS);
    for (size_t i = 0; i < n; i++) {
        must(sign_log_find(logs, n, BYTES_ARR(logs[i].id)) == &logs[i]);
        must(logs[i].origin && logs[i].window.from <= logs[i].window.to);
    }
}

static void check_authorities(const struct sign_authority *list, size_t n)
{
    must(n <= LIMIT_ROOT_MEMBERS);
    for (size_t i = 0; i < n; i++)
        must(list[i].name && sign_store_len(list[i].anchor) + list[i].middle.n <= LIMIT_CHAIN &&
             sign_store_len(list[i].anchor) > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO(sign_root) root = NULL;
    int r = sign_root_parse(bytes_of(data, size), &root, &e);
    if (r) {
        must(e.code == r && e.msg[0] && !root);
        return 0;
    }
    check_logs(root->tlogs, root->n_tlogs);
    check_logs(root->ctlogs, root->n_ctlogs);
    check_authorities(root->cas, root->n_cas);
    check_authorities(root->tsas, root->n_tsas);
    return 0;
}
