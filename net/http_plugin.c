/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol of the shared object "http". */
#include "base/plugin.h"
#include "net/http_ops.h"

static const struct net_http_ops ops = {
    .open = net_http_session_open,
    .close = net_http_session_close,
    .send = net_http_session_send,
};

PLUGIN_DEFINE("http", &ops);
