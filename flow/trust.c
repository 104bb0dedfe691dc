/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/trust.h"

#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "flow/truststore.h"
#include "sign/root.h"
#include "sign/signers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

/* What was loaded by itself, without a policy. */
struct loaded {
    void *object;
    void (*release)(void *object);
};

struct flow_trust {
    struct sign_policy *policy;
    struct sign_key **keys; /* without a policy: what was given */
    size_t n_keys;
    struct loaded others[SIGN_SOURCE_SIGNERS + 1]; /* by kind; no keys */
    struct sign_trust trust;
};

/* Where paths start, and whether files must be ours. */
struct place {
    int dirfd;
    bool strict;
};

/* Whoever can write to what trust is built on decides what is trusted. */
static int check_owner(int fd, const char *path, struct err *e)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", path);
    if (st.st_uid != 0 && st.st_uid != geteuid())
        return err_set(e, ERR_CONFIG, "%s belongs to neither root nor us", path);
    if (st.st_mode & (S_IWGRP | S_IWOTH))
        return err_set(e, ERR_CONFIG, "%s can be written by others (chmod go-w)", path);
    return 0;
}

/* The same of who can put another file in its place. */
static int check_folder(int dirfd, const char *path, struct err *e)
{
    struct stat st;
    AUTO_FREE char *folder = strdup(path);
    if (!folder)
        return err_nomem(e);
    for (size_t len = strlen(folder); len > 1 && folder[len - 1] == '/'; len--)
        folder[len - 1] = '\0';
    char *slash = strrchr(folder, '/');
    if (slash)
        slash[1] = '\0';
    const char *shown = slash ? folder : ".";
    if (fstatat(dirfd, shown, &st, 0) < 0)
        return err_set_errno(e, ERR_IO, errno, "%s", shown);
    if ((st.st_mode & S_IWOTH) && !(st.st_mode & S_ISVTX))
        return err_set(e, ERR_CONFIG,
                       "anybody can put another file in the place of %s (chmod o-w its folder)", path);
    return 0;
}

static int read_one(const struct place *at, const char *path, struct buf *out, struct err *e)
{
    AUTO_FD int fd = -1;
    struct source_file file;
    /* Pipes for what is given by hand alone. */
    int r = at->strict ? file_open_read(at->dirfd, path, false, &fd, e)
                       : file_open_input(at->dirfd, path, &fd, &file, e);
    if (!r && at->strict) {
        (void)source_file_init(&file, fd);
        r = check_owner(fd, path, e);
        if (!r)
            r = check_folder(at->dirfd, path, e);
    }
    if (!r && (r = source_read_all(&file.base, out, e)))
        (void)err_wrap(e, "%s", path);
    if (r && at->strict && r != ERR_NOMEM && r != ERR_LIMIT)
        (void)err_recode(e, ERR_CONFIG);
    return r ? e->code : 0;
}

static void release_key(void *object)
{
    sign_key_free(object);
}

static int load_store(const struct place *at, const struct sign_source *s, void **ret, struct err *e)
{
    AUTO(sign_store) store = NULL;
    int r = sign_store_new(&store, e);
    for (size_t i = 0; !r && i < s->n_paths; i++) {
        r = flow_truststore_add(at->dirfd, s->paths[i], s->names, s->n_names, at->strict ? check_owner : NULL,
                                store, e);
        if (!r && at->strict)
            r = check_folder(at->dirfd, s->paths[i], e);
    }
    if (!r)
        *ret = TAKE(store);
    return r;
}

static void release_store(void *object)
{
    sign_store_free(object);
}

static int load_key(const struct place *at, const struct sign_source *s, void **ret, struct err *e)
{
    AUTO_DONE(buf) content = BUF_SECRET_INIT(LIMIT_KEY_FILE);
    struct sign_key *key = NULL;
    int r = read_one(at, s->paths[0], &content, e);
    if (r)
        return r;
    if ((r = sign_key_parse(buf_bytes(&content), s->paths[0], &key, e)))
        return err_wrap(e, "%s", s->paths[0]);
    if (sign_key_is_private(key)) {
        sign_key_free(key);
        return err_set(e, ERR_USAGE, "%s is a private key, verifying takes the public one", s->paths[0]);
    }
    *ret = key;
    return 0;
}

static void release_root(void *object)
{
    sign_root_free(object);
}

static int load_root(const struct place *at, const struct sign_source *s, void **ret, struct err *e)
{
    AUTO_DONE(buf) content = BUF_INIT(LIMIT_ROOT);
    struct sign_root *root = NULL;
    int r = read_one(at, s->paths[0], &content, e);
    if (r)
        return r;
    if ((r = sign_root_parse(buf_bytes(&content), &root, e)))
        return err_wrap(e, "%s", s->paths[0]);
    *ret = root;
    return 0;
}

static int load_signers(const struct place *at, const struct sign_source *s, void **ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_SIGNERS);
    struct sign_signers *signers = NULL;
    int r = read_one(at, s->paths[0], &text, e);
    if (!r)
        r = sign_signers_parse(buf_bytes(&text), s->paths[0], &signers, e);
    if (!r)
        *ret = signers;
    return r;
}

static void release_signers(void *object)
{
    sign_signers_free(object);
}

/* One row for each kind of source: what reads its files, and what frees what came of them. A kind without a
 * reader cannot be verified with, and a policy that needs it is refused. */
static const struct loader {
    int (*load)(const struct place *at, const struct sign_source *s, void **ret, struct err *e);
    void (*release)(void *object);
} loaders[] = {
    [SIGN_SOURCE_KEY] = {load_key, release_key},
    [SIGN_SOURCE_ROOT] = {load_root, release_root},
    [SIGN_SOURCE_STORE] = {load_store, release_store},
    [SIGN_SOURCE_SIGNERS] = {load_signers, release_signers},
};

static int load_source(const struct place *at, const struct sign_source *s, void **ret, struct err *e)
{
    if (!loaders[s->kind].load)
        return err_set(e, ERR_UNSUPPORTED, "a %s cannot be verified with in this build",
                       sign_source_kind_name(s->kind));
    return loaders[s->kind].load(at, s, ret, e);
}

static int bind_sources(struct sign_policy *p, const struct place *at, const char *name, struct err *e)
{
    for (size_t i = 0; i < sign_policy_n_sources(p); i++) {
        const struct sign_source *s = sign_policy_source(p, i);
        void *object = NULL;
        unsigned line, column;
        if (!s->used || s->bound)
            continue;
        int r = load_source(at, s, &object, e);
        if (!r)
            r = sign_policy_bind(p, i, object, loaders[s->kind].release, e);
        if (r) {
            sign_policy_source_at(p, i, &line, &column);
            /* A file that is wrong makes the policy wrong. */
            if (r != ERR_NOMEM && r != ERR_UNSUPPORTED)
                (void)err_recode(e, ERR_CONFIG);
            return err_wrap(e, "%s: line %u column %u", name, line, column);
        }
    }
    return sign_policy_ready(p, e);
}

static int load_policy(struct flow_trust *t, const struct flow_trust_conf *conf, struct err *e)
{
    const char *path = conf->policy;
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_TOML);
    AUTO_FD int fd = -1;
    struct place at = {AT_FDCWD, true};
    const char *slash = strrchr(path, '/');
    AUTO_FREE char *folder = strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
    int r = folder ? 0 : err_nomem(e);
    if (!r && conf->policy_text.ptr)
        buf_append_bytes(&text, conf->policy_text);
    else if (!r)
        r = read_one(&at, path, &text, e);
    if (!r)
        r = buf_check(&text, e);
    if (!r)
        r = dir_open(AT_FDCWD, *folder ? folder : ".", false, &fd, e);
    if (!r)
        r = sign_policy_parse(buf_bytes(&text), path, &t->policy, e);
    if (r)
        return r;
    at.dirfd = fd;
    return bind_sources(t->policy, &at, path, e);
}

static int load_keys(struct flow_trust *t, const struct flow_trust_conf *conf, struct err *e)
{
    const struct place at = {AT_FDCWD, false};
    t->keys = calloc(conf->n_keys ? conf->n_keys : 1, sizeof(struct sign_key *));
    if (!t->keys)
        return err_nomem(e);
    for (size_t i = 0; i < conf->n_keys; i++) {
        const struct sign_source s = {.kind = SIGN_SOURCE_KEY, .paths = &conf->keys[i], .n_paths = 1};
        void *object = NULL;
        int r = load_source(&at, &s, &object, e);
        if (r)
            return r;
        size_t k = 0;
        while (k < t->n_keys && !sign_key_eq(t->keys[k], object))
            k++;
        if (k == t->n_keys)
            t->keys[t->n_keys++] = object;
        else
            sign_key_free(object);
    }
    return 0;
}

static bool is_folder(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

static int load_other(struct flow_trust *t, enum sign_source_kind kind, const char *const *paths, size_t n,
                      struct err *e)
{
    const struct place at = {AT_FDCWD, false};
    const struct sign_source s = {.kind = kind,
                                  .name = paths[0],
                                  .paths = paths,
                                  .n_paths = n,
                                  .is_dir = n == 1 && is_folder(paths[0])};
    t->others[kind].release = loaders[kind].release;
    return load_source(&at, &s, &t->others[kind].object, e);
}

static int load_given(struct flow_trust *t, const struct flow_trust_conf *conf, struct err *e)
{
    int r = load_keys(t, conf, e);
    if (!r && conf->root)
        r = load_other(t, SIGN_SOURCE_ROOT, &conf->root, 1, e);
    if (!r && conf->n_stores)
        r = load_other(t, SIGN_SOURCE_STORE, conf->stores, conf->n_stores, e);
    if (!r && conf->signers)
        r = load_other(t, SIGN_SOURCE_SIGNERS, &conf->signers, 1, e);
    t->trust = (struct sign_trust){
        .keys = {t->keys, t->n_keys},
        .store = t->others[SIGN_SOURCE_STORE].object,
        .root = t->others[SIGN_SOURCE_ROOT].object,
        .signers = t->others[SIGN_SOURCE_SIGNERS].object,
        .identities = conf->identities,
        .n_identities = conf->n_identities,
        .annotations = conf->annotations,
        .n_annotations = conf->n_annotations,
        .ed25519ph = conf->ed25519ph,
        .old_claims = conf->old_claims,
        .claims = conf->claims,
    };
    return r;
}

/* What would be passed over in silence, or would let anybody sign, is refused. */
static int check_conf(const struct flow_trust_conf *conf, struct err *e)
{
    bool named = conf->root || conf->n_stores || conf->signers, given = conf->n_keys || named;
    bool detail = conf->n_identities || conf->n_annotations || conf->ed25519ph || conf->old_claims;
    if (conf->policy && given)
        return err_set(e, ERR_USAGE, "a policy says itself which keys count: keys beside it would not");
    if (conf->policy && detail)
        return err_set(
            e, ERR_USAGE,
            "the policy %s says itself who may sign and what counts: an identity, an annotation or an "
            "exception beside it would not",
            conf->policy);
    if (!conf->policy && !given)
        return err_set(e, ERR_USAGE, "neither a policy nor a key: nothing to verify with");
    if (conf->n_identities && !named)
        return err_set(e, ERR_USAGE,
                       "an identity without a trusted root, a trust store or signers: keys have none");
    if (conf->root && !conf->n_identities && !conf->n_keys)
        return err_set(e, ERR_USAGE, "a trusted root without an identity: anybody could have signed");
    for (size_t i = 0; conf->root && i < conf->n_identities; i++)
        if (!conf->identities[i].issuer || !conf->identities[i].subject)
            return err_set(e, ERR_USAGE, "a trusted root with %s: who signed is known by both of them",
                           conf->identities[i].issuer ? "an issuer and no identity"
                                                      : "an identity and no issuer");
    return 0;
}

int flow_trust_load(const struct flow_trust_conf *conf, struct flow_trust **ret, struct err *e)
{
    int r = check_conf(conf, e);
    if (r)
        return r;
    AUTO(flow_trust) t = calloc(1, sizeof(*t));
    r = !t ? err_nomem(e) : conf->policy ? load_policy(t, conf, e) : load_given(t, conf, e);
    if (!r)
        *ret = TAKE(t);
    return r;
}

void flow_trust_free(struct flow_trust *t)
{
    if (!t)
        return;
    sign_policy_free(t->policy);
    for (size_t i = 0; i < t->n_keys; i++)
        sign_key_free(t->keys[i]);
    free(t->keys);
    for (size_t i = 0; i < ARRAY_LEN(t->others); i++)
        if (t->others[i].object)
            t->others[i].release(t->others[i].object);
    free(t);
}

void flow_trust_for(const struct flow_trust *t, const char *repo, int64_t now, struct sign_trust *ret_trust,
                    const struct sign_rule **ret_rule)
{
    *ret_rule = NULL;
    if (t->policy) {
        *ret_rule = sign_policy_rule(t->policy, repo);
        sign_rule_trust(*ret_rule, now, ret_trust);
        return;
    }
    *ret_trust = t->trust;
    ret_trust->now = now;
}

const struct sign_policy *flow_trust_policy(const struct flow_trust *t)
{
    return t->policy;
}
