/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/grant_impl.h"

#define NOT_YET "run has none to give"

const struct flow_row flow_rows[] = {
    {.name = "wasi:cli",
     .way = FLOW_ALWAYS,
     .core = {"args_", "proc_", "sched_", "fd_"},
     .about = "arguments, standard streams, exit"},
    {.name = "wasi:io", .way = FLOW_ALWAYS, .core = {"poll_"}, .about = "streams, waiting"},
    {.name = "wasi:clocks", .way = FLOW_ALWAYS, .core = {"clock_"}, .about = "as coarse as --clock says"},
    {.name = "wasi:random",
     .way = FLOW_ALWAYS,
     .core = {"random_"},
     .about = "the kernel's, or seeded with --deterministic"},
    {.name = FLOW_GRANT_ENVIRONMENT,
     .way = FLOW_BY_OPTION,
     .option = "--env or --env-file",
     .core = {"environ_"}},
    {.name = FLOW_GRANT_FILESYSTEM,
     .way = FLOW_BY_OPTION,
     .option = "--dir",
     .core = {"path_", "fd_readdir"}},
    {.name = "wasi:sockets",
     .way = FLOW_NEVER,
     .refuses = true,
     .core = {"sock_"},
     .about = "run gives no network"},
    {.name = "wasi:http/incoming-handler",
     .way = FLOW_NEVER,
     .claims = {"wasmcloud:httpserver", "wascc:http_server", "wasmcloud:http_server", "wascc:httpserver"},
     .about = NOT_YET},
    {.name = "wasi:http/outgoing-handler",
     .way = FLOW_NEVER,
     .claims = {"wasmcloud:httpclient", "wascc:http_client", "wasmcloud:http_client", "wascc:httpclient"},
     .about = NOT_YET},
    {.name = "wasi:http", .way = FLOW_NEVER, .about = NOT_YET},
    {.name = "wasi:keyvalue",
     .way = FLOW_NEVER,
     .claims = {"wasmcloud:keyvalue", "wascc:keyvalue", "wasmcloud:key_value", "wascc:key_value"},
     .about = NOT_YET},
    {.name = "wasi:messaging",
     .way = FLOW_NEVER,
     .claims = {"wasmcloud:messaging", "wascc:messaging"},
     .about = NOT_YET},
    {.name = "wasi:blobstore",
     .way = FLOW_NEVER,
     .claims = {"wasmcloud:blobstore", "wascc:blobstore"},
     .about = NOT_YET},
    {.name = "wasi:logging",
     .way = FLOW_NEVER,
     .claims = {"wasmcloud:builtin:logging", "wasmcloud:logging", "wascc:logging"},
     .about = NOT_YET},
    {.name = "wasi:config", .way = FLOW_NEVER, .about = NOT_YET},
};
const size_t flow_n_rows = ARRAY_LEN(flow_rows);

const struct flow_row *flow_row_of(const char *name)
{
    const struct flow_row *best = NULL;
    size_t longest = 0;
    for (size_t i = 0; i < flow_n_rows; i++) {
        size_t n = strlen(flow_rows[i].name);
        if (n > longest && strncmp(flow_rows[i].name, name, n) == 0 && strchr("/@", name[n])) {
            best = &flow_rows[i];
            longest = n;
        }
    }
    return best;
}

/* Of the beginnings the longest counts: "fd_readdir" before "fd_". */
const struct flow_row *flow_row_of_core(struct bytes module, struct bytes name)
{
    const struct flow_row *best = NULL;
    size_t longest = 0;
    if (!bytes_eq_str(module, "wasi_snapshot_preview1") && !bytes_eq_str(module, "wasi_unstable"))
        return NULL;
    for (size_t i = 0; i < flow_n_rows; i++)
        for (size_t k = 0; k < ARRAY_LEN(flow_rows[i].core) && flow_rows[i].core[k]; k++) {
            struct bytes start = bytes_str(flow_rows[i].core[k]);
            if (start.len > longest && bytes_starts(name, start)) {
                best = &flow_rows[i];
                longest = start.len;
            }
        }
    return best;
}
