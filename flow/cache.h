/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept on this machine to save work: the store's blobs, pulls that are not complete, compiled
 * modules, memos of registries. All of it may go at any time, whoever is using it. */
#ifndef WAYBILL_FLOW_CACHE_H
#define WAYBILL_FLOW_CACHE_H

#include "base/buf.h"

#include <time.h>

enum flow_cache_kind {
    FLOW_CACHE_BLOB,
    FLOW_CACHE_PARTIAL,
    FLOW_CACHE_MODULE,
    FLOW_CACHE_MEMO,
    FLOW_CACHE_KINDS
};
extern const char *const flow_cache_kind_names[FLOW_CACHE_KINDS]; /* "blob" */

/* Where they are; each may be NULL. */
struct flow_cache_conf {
    const char *store_dir, *modules_dir, *memo_dir;
};

struct flow_cache_file {
    enum flow_cache_kind kind;
    uint32_t folder, name; /* of flow_cache.text: the folder's path, and the file in it */
    uint64_t size;         /* bytes */
    time_t made, used;     /* written; last read, as far as the file system notes that */
    uint32_t about;        /* FLOW_CACHE_MODULE: of flow_cache.text: what it says it was compiled from and by:
                              "module sha256:... wasmtime 48.0.8 ..."; "" where it does not say it */
    bool stale;            /* FLOW_CACHE_MODULE: this program's engine cannot use it, now or ever */
};

struct flow_cache {
    struct flow_cache_file *all; /* those that were not used for longest first */
    size_t n, room;
    struct buf text;
    uint64_t size; /* of all, bytes */
};

#define FLOW_CACHE_INIT                               \
    {                                                 \
        .all = NULL, .text = BUF_INIT(UINT32_MAX - 1) \
    }

/* flow_cache_list - what there is; folders that are not there are empty ones. ERR_CONFIG: a folder belongs to
 * somebody else or is open to others; ERR_LIMIT: more than LIMIT_CACHE_FILES. ret: flow_cache_done, whatever
 * is returned. */
MUST_CHECK int flow_cache_list(const struct flow_cache_conf *conf, struct flow_cache *ret, struct err *e);
void flow_cache_done(struct flow_cache *c);
const char *flow_cache_text(const struct flow_cache *c, uint32_t at);

struct flow_prune {
    bool all;
    uint64_t older_than_ms; /* files that were not used for so long; 0: none */
    uint64_t max_size;      /* and of the others those that were not used for longest, until no more bytes are
                               left; UINT64_MAX: none */
};

/* What prune and verify did. */
struct flow_cleared {
    uint64_t removed, removed_size; /* files and their bytes */
    uint64_t left, left_size;
    uint64_t checked, damaged; /* verify: blobs that were read, and those removed since they were damaged */
};

/* flow_cache_prune - and compiled modules that are stale. Files that another process is writing at stay. */
MUST_CHECK int flow_cache_prune(const struct flow_cache_conf *conf, const struct flow_prune *rules,
                                time_t now, struct flow_cleared *ret, struct err *e);

/* flow_cache_verify - reads every blob of the store and removes those whose bytes are not what their name
 * says. Compiled modules and memos are authenticated or compared whenever they are used. damaged: called with
 * the name of each, or NULL. */
MUST_CHECK int flow_cache_verify(const struct flow_cache_conf *conf,
                                 void (*damaged)(void *ctx, const char *digest), void *ctx,
                                 struct flow_cleared *ret, struct err *e);

#endif
