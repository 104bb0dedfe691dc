/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol of the shared object "http". */
#include "base/plugin.h"
#include "base/version.h"
#include "net/http_ops.h"

static const struct net_http_ops ops = {
    .open = net_http_session_open,
    .close = net_http_session_close,
    .send = net_http_session_send,
};

extern const struct plugin waybill_plugin;

PLUGIN_EXPORT const struct plugin waybill_plugin = {
    .abi = PLUGIN_ABI,
    .name = "http",
    .build = WAYBILL_VERSION,
    .ops = &ops,
    .set_log = log_set_handler,
};
