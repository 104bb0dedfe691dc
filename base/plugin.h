/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Code that needs a heavy library is a shared object loaded on first use. It exports one symbol,
 * `waybill_plugin`, and links its own copy of base/. It is looked for in one folder only: ../lib/waybill
 * beside the folder of the running program, or waybill/ beside libwaybill, where this code is in that, or
 * what plugin_set_folder said; never where the environment or the working folder point.
 */
#ifndef WAYBILL_BASE_PLUGIN_H
#define WAYBILL_BASE_PLUGIN_H

#include "base/err.h"
#include "base/log.h"
#include "base/version.h"

#define PLUGIN_ABI 1

struct plugin {
    unsigned abi;      /* PLUGIN_ABI of the plugin's build */
    const char *name;  /* "http" */
    const char *build; /* WAYBILL_VERSION of the plugin's build: must be that of the program */
    const void *ops;   /* what its header says */
    void (*set_log)(log_handler *handler, void *ctx, enum log_level level);
};

/* PLUGIN_DEFINE(name, ops) - the one symbol of a shared object, at the end of its file. */
#define PLUGIN_DEFINE(name_, ops_)                                                \
    extern const struct plugin waybill_plugin;                                    \
    __attribute__((visibility("default"))) const struct plugin waybill_plugin = { \
        .abi = PLUGIN_ABI,                                                        \
        .name = name_,                                                            \
        .build = WAYBILL_VERSION,                                                 \
        .ops = ops_,                                                              \
        .set_log = log_set_handler,                                               \
    }

/* plugin_load - the ops of plugin `name` (a constant of ours, never outside input), loaded once per process
 * and kept to its end. ERR_CONFIG (missing, damaged, or of another build). Thread: any. */
MUST_CHECK int plugin_load(const char *name, const void **ret_ops, struct err *e);

/* plugin_set_folder - for programs and libraries that were not installed beside their plugins. path:
 * absolute, outlives the process. */
void plugin_set_folder(const char *path);

#endif
