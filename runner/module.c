/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/module.h"

#include "base/limits.h"
#include "base/log.h"
#include "runner/cache.h"
#include "runner/failure.h"
#include "runner/wat.h"

#include <stdio.h>

static wasmtime_error_t *compile(wasm_engine_t *engine, struct bytes binary, struct runner_module *m)
{
    if (m->kind == WBIN_COMPONENT)
        return wasmtime_component_new(engine, binary.ptr, binary.len, &m->component);
    return wasmtime_module_new(engine, binary.ptr, binary.len, &m->module);
}

static wasmtime_error_t *serialize(const struct runner_module *m, wasm_byte_vec_t *ret)
{
    if (m->kind == WBIN_COMPONENT)
        return wasmtime_component_serialize(m->component, ret);
    return wasmtime_module_serialize(m->module, ret);
}

static wasmtime_error_t *deserialize(wasm_engine_t *engine, const char *path, struct runner_module *m)
{
    if (m->kind == WBIN_COMPONENT)
        return wasmtime_component_deserialize_file(engine, path, &m->component);
    return wasmtime_module_deserialize_file(engine, path, &m->module);
}

/* What code is kept under: the digest of the module and all else that decides what the code looks like. */
static int key_text(enum wbin_kind kind, struct bytes binary, const struct digest *digest, struct buf *ret,
                    struct err *e)
{
    struct digest d;
    char text[DIGEST_STR_MAX];
    bool known = digest && digest->alg == HASH_SHA256;
    int r = known ? 0 : hash_bytes(HASH_SHA256, binary, &d, e);
    if (r != 0)
        return r;
    buf_printf(ret, "%s %s ", kind == WBIN_COMPONENT ? "component" : "module",
               digest_str(known ? digest : &d, text));
    runner_engine_identity(ret);
    return buf_check(ret, e);
}

static int load_kept(wasm_engine_t *engine, const struct runner_cache *cache, struct bytes key,
                     struct runner_module *m, struct err *e)
{
    AUTO_FD int fd = -1;
    char path[64];
    int r = runner_cache_get(cache, key, &fd, e);
    if (r != 0)
        return r;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    wasmtime_error_t *error = deserialize(engine, path, m);
    return error ? runner_failure_set(e, ERR_UNSUPPORTED, error) : 0;
}

static int keep(const struct runner_cache *cache, struct bytes key, const struct runner_module *m,
                struct err *e)
{
    wasm_byte_vec_t code;
    wasmtime_error_t *error = serialize(m, &code);
    if (error)
        return runner_failure_set(e, ERR_OTHER, error);
    int r = runner_cache_put(cache, key, bytes_of(code.data, code.size), e);
    wasm_byte_vec_delete(&code);
    return r;
}

static int load_fresh(wasm_engine_t *engine, struct bytes binary, struct runner_module *m, struct err *e)
{
    wasmtime_error_t *error = compile(engine, binary, m);
    return error ? runner_failure_set(e, ERR_NOT_RUNNABLE, error) : 0;
}

/* What goes wrong with the cache is said in the log only. */
static int load_by_cache(wasm_engine_t *engine, struct bytes binary, const struct digest *digest,
                         const char *cache_dir, struct runner_module *m, struct err *e)
{
    struct err why = ERR_INIT;
    struct runner_cache cache;
    AUTO_DONE(buf) key = BUF_INIT(1024);
    int r = key_text(m->kind, binary, digest, &key, e);
    if (r != 0)
        return r;
    if (runner_cache_open(cache_dir, &cache, &why) != 0) {
        log_warn("compiled code is not kept in %s: %s", cache_dir, why.msg);
        return load_fresh(engine, binary, m, e);
    }
    int kept = load_kept(engine, &cache, buf_bytes(&key), m, &why);
    if (kept != 0) {
        if (kept != ERR_NOTFOUND)
            log_warn("compiled code in %s is not used: %s", cache_dir, why.msg);
        r = load_fresh(engine, binary, m, e);
        if (r == 0 && keep(&cache, buf_bytes(&key), m, &why) != 0)
            log_warn("compiled code is not kept in %s: %s", cache_dir, why.msg);
    }
    runner_cache_done(&cache);
    return r;
}

int runner_module_load(wasm_engine_t *engine, struct bytes file, const struct digest *digest,
                       const char *cache_dir, struct runner_module *ret, struct err *e)
{
    struct runner_module m = {.module = NULL};
    AUTO_DONE(buf) parsed = BUF_INIT(LIMIT_MODULE);
    int r = 0;
    if (file.len > LIMIT_MODULE)
        return err_set(e, ERR_LIMIT, "the module has more than %u bytes", LIMIT_MODULE);
    if (runner_is_text(file)) {
        r = runner_wat_parse(file, &parsed, e);
        file = buf_bytes(&parsed);
        digest = NULL; /* that of the text */
    }
    if (r == 0)
        r = wbin_preamble(file, &m.kind, e);
    if (r != 0)
        return err_recode(e, ERR_NOT_RUNNABLE);
    r = cache_dir ? load_by_cache(engine, file, digest, cache_dir, &m, e) : load_fresh(engine, file, &m, e);
    if (r == 0)
        *ret = m;
    return r;
}

void runner_module_done(struct runner_module *m)
{
    wasmtime_module_drop(m->module);
    wasmtime_component_t_drop(m->component);
}
