/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/module.h"

#include "base/limits.h"
#include "base/log.h"
#include "runner/cache.h"
#include "runner/failure.h"
#include "runner/wat.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

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
static int key_text(const struct runner_conf *conf, enum wbin_kind kind, const struct digest *digest,
                    struct buf *ret, struct err *e)
{
    char text[DIGEST_STR_MAX];
    buf_printf(ret, "%s %s ", kind == WBIN_COMPONENT ? "component" : "module", digest_str(digest, text));
    runner_engine_identity(conf, ret);
    return buf_check(ret, e);
}

static int load_kept(wasm_engine_t *engine, const struct runner_cache *cache, struct bytes key,
                     struct runner_module *m, uint64_t *ret_size, struct err *e)
{
    AUTO_FD int fd = -1;
    char path[64];
    struct stat st;
    int r = runner_cache_get(cache, key, &fd, e);
    if (r != 0)
        return r;
    if (fstat(fd, &st) != 0)
        return err_set_errno(e, ERR_IO, errno, "the entry");
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    wasmtime_error_t *error = deserialize(engine, path, m);
    if (error)
        return runner_failure_set(e, ERR_UNSUPPORTED, error);
    *ret_size = (uint64_t)st.st_size;
    return 0;
}

static int keep(const struct runner_cache *cache, struct bytes key, const struct runner_module *m,
                uint64_t *ret_size, struct err *e)
{
    wasm_byte_vec_t code;
    wasmtime_error_t *error = serialize(m, &code);
    if (error)
        return runner_failure_set(e, ERR_OTHER, error);
    *ret_size = code.size;
    int r = runner_cache_put(cache, key, bytes_of(code.data, code.size), e);
    wasm_byte_vec_delete(&code);
    return r;
}

/* Async functions, streams and futures are what makes a component one of WASI 0.3. */
#define WASI_03 "it is made for WASI 0.3, only 0.2 is offered"

static int load_fresh(wasm_engine_t *engine, struct bytes binary, struct runner_module *m, struct err *e)
{
    wasmtime_error_t *error = compile(engine, binary, m);
    if (!error)
        return 0;
    int r = runner_failure_set(e, ERR_NOT_RUNNABLE, error);
    return strstr(e->msg, "component model async") ? err_wrap(e, WASI_03) : r;
}

/* What goes wrong with an entry that is there is said in the log only: a new one takes its place. */
static int load_with(wasm_engine_t *engine, const struct runner_conf *conf, const struct runner_cache *cache,
                     struct bytes binary, struct runner_module *m, struct runner_kept *kept, struct err *e)
{
    AUTO_DONE(buf) key = BUF_INIT(RUNNER_CACHE_TEXT);
    struct err why = ERR_INIT;
    int r = key_text(conf, m->kind, &kept->digest, &key, e);
    if (r != 0)
        return r;
    int got = load_kept(engine, cache, buf_bytes(&key), m, &kept->size, &why);
    kept->found = got == 0;
    if (got == 0)
        return 0;
    if (got != ERR_NOTFOUND)
        log_warn("compiled code that is kept is not used: %s", why.msg);
    r = load_fresh(engine, binary, m, e);
    if (r == 0)
        kept->code = keep(cache, buf_bytes(&key), m, &kept->size, &kept->why);
    return r;
}

static int load(wasm_engine_t *engine, struct bytes binary, const struct runner_conf *conf,
                struct runner_module *m, struct runner_kept *kept, struct err *e)
{
    struct runner_cache cache;
    kept->code = conf->cache_dir ? runner_cache_open(conf->cache_dir, conf->cache_max, &cache, &kept->why)
                                 : err_set(&kept->why, ERR_CONFIG, "there is no folder for it");
    if (kept->code == 0) {
        int r = load_with(engine, conf, &cache, binary, m, kept, e);
        runner_cache_done(&cache);
        return r;
    }
    return load_fresh(engine, binary, m, e);
}

/* The binary, and what is known of it before it is compiled. parsed: where that of a text goes. */
static int prepare(struct bytes file, const struct digest *digest, struct buf *parsed, struct bytes *ret,
                   struct runner_module *m, struct runner_kept *kept, struct err *e)
{
    int r = 0;
    if (runner_is_text(file)) {
        r = runner_wat_parse(file, parsed, e);
        file = buf_bytes(parsed);
        digest = NULL; /* that of the text */
    }
    if (r == 0)
        r = wbin_preamble(file, &m->kind, e);
    if (r != 0)
        return err_recode(e, ERR_NOT_RUNNABLE);
    *ret = file;
    if (!digest || digest->alg != HASH_SHA256)
        return hash_bytes(HASH_SHA256, file, &kept->digest, e);
    kept->digest = *digest;
    return 0;
}

int runner_module_load(wasm_engine_t *engine, struct bytes file, const struct digest *digest,
                       const struct runner_conf *conf, struct runner_module *ret, struct runner_kept *kept,
                       struct err *e)
{
    struct runner_module m = {.module = NULL};
    struct runner_kept unasked = {.why = ERR_INIT};
    AUTO_DONE(buf) parsed = BUF_INIT(LIMIT_MODULE);
    if (file.len > LIMIT_MODULE)
        return err_set(e, ERR_LIMIT, "the module has more than %u bytes", LIMIT_MODULE);
    int r = prepare(file, digest, &parsed, &file, &m, kept ? kept : &unasked, e);
    if (r == 0)
        r = load(engine, file, conf, &m, kept ? kept : &unasked, e);
    if (r == 0 && conf->cache_dir && unasked.code != 0)
        log_warn("compiled code is not kept in %s: %s", conf->cache_dir, unasked.why.msg);
    if (r == 0)
        *ret = m;
    return r;
}

void runner_module_done(struct runner_module *m)
{
    wasmtime_module_drop(m->module);
    wasmtime_component_t_drop(m->component);
}
