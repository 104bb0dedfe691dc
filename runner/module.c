/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/module.h"

#include "base/limits.h"
#include "base/log.h"
#include "runner/cache.h"
#include "runner/compile.h"
#include "runner/failure.h"
#include "runner/limits.h"
#include "runner/wat.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

/* fd: a file that nobody can change. */
static int deserialize(wasm_engine_t *engine, int fd, struct runner_module *m, struct err *e)
{
    char path[64];
    wasmtime_error_t *error;
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (m->kind == WBIN_COMPONENT)
        error = wasmtime_component_deserialize_file(engine, path, &m->component);
    else
        error = wasmtime_module_deserialize_file(engine, path, &m->module);
    return error ? runner_failure_set(e, ERR_UNSUPPORTED, error) : 0;
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

static int size_of(int fd, uint64_t *ret, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return err_set_errno(e, ERR_IO, errno, "measure the compiled code");
    *ret = (uint64_t)st.st_size;
    return 0;
}

static int load_kept(wasm_engine_t *engine, const struct runner_cache *cache, struct bytes key,
                     struct runner_module *m, uint64_t *ret_size, struct err *e)
{
    AUTO_FD int fd = -1;
    int r = runner_cache_get(cache, key, &fd, e);
    if (r == 0)
        r = size_of(fd, ret_size, e);
    return r != 0 ? r : deserialize(engine, fd, m, e);
}

static int keep(const struct runner_cache *cache, struct bytes key, int fd, uint64_t *ret_size, struct err *e)
{
    int r = size_of(fd, ret_size, e);
    if (r != 0)
        return r;
    void *code = mmap(NULL, (size_t)*ret_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (code == MAP_FAILED)
        return err_set_errno(e, ERR_IO, errno, "map the compiled code");
    r = runner_cache_put(cache, key, bytes_of(code, (size_t)*ret_size), e);
    (void)munmap(code, (size_t)*ret_size);
    return r;
}

/* Async functions, streams and futures are what makes a component one of WASI 0.3. */
#define WASI_03 "it is made for WASI 0.3, only 0.2 is offered"

/* An engine that keeps a perf map would write the addresses of the child's into it, by way of a descriptor
 * that is another file there. The code is the same. */
static int compile(wasm_engine_t *engine, const struct runner_conf *conf, enum wbin_kind kind,
                   struct bytes binary, int *ret_fd, struct err *e)
{
    AUTO(wasm_engine_t) plain = NULL;
    struct runner_conf without = *conf;
    without.perf_map = false;
    int r = conf->perf_map ? runner_engine_new(&without, &plain, e) : 0;
    return r == 0 ? runner_code_compile(plain ? plain : engine, kind, binary, &conf->code, ret_fd, e) : r;
}

static int load_fresh(wasm_engine_t *engine, const struct runner_conf *conf, struct bytes binary,
                      struct runner_module *m, int *ret_fd, struct err *e)
{
    AUTO_FD int fd = -1;
    int r = compile(engine, conf, m->kind, binary, &fd, e);
    if (r == ERR_NOT_RUNNABLE && strstr(e->msg, "component model async"))
        return err_wrap(e, WASI_03);
    if (r == 0)
        r = deserialize(engine, fd, m, e);
    if (r == 0)
        *ret_fd = TAKE_FD(fd);
    return r;
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
    kept->found = m->was_kept = got == 0;
    if (got == 0)
        return 0;
    if (got != ERR_NOTFOUND)
        log_warn("compiled code that is kept is not used: %s", why.msg);
    AUTO_FD int fd = -1;
    r = load_fresh(engine, conf, binary, m, &fd, e);
    if (r == 0)
        kept->code = keep(cache, buf_bytes(&key), fd, &kept->size, &kept->why);
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
    AUTO_FD int fd = -1;
    return load_fresh(engine, conf, binary, m, &fd, e);
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

static int check_size(struct bytes file, const struct runner_code *code, struct err *e)
{
    char text[RUNNER_LIMIT_TEXT];
    uint64_t max = code->max_module && code->max_module < LIMIT_MODULE ? code->max_module : LIMIT_MODULE;
    if (file.len <= max)
        return 0;
    return err_set(e, ERR_LIMIT, "%s", runner_limit_text(RUNNER_LIMIT_MODULE, max, text));
}

int runner_module_load(wasm_engine_t *engine, struct bytes file, const struct digest *digest,
                       const struct runner_conf *conf, struct runner_module *ret, struct runner_kept *kept,
                       struct err *e)
{
    struct runner_module m = {.module = NULL};
    struct runner_kept unasked = {.why = ERR_INIT};
    AUTO_DONE(buf) parsed = BUF_INIT(LIMIT_MODULE);
    int r = check_size(file, &conf->code, e);
    if (r == 0)
        r = prepare(file, digest, &parsed, &file, &m, kept ? kept : &unasked, e);
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
