/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The list of referrers that a client keeps itself, under a tag, where the registry does not.
 * distribution-spec 1.1, "Pushing Manifests with Subject" and "Deleting Manifests".
 *
 * No registry that was looked at honours If-Match when a manifest is put, so that two writers can overwrite
 * each other. Those of one user and machine wait for each other on a lock. Against others every change is
 * looked for again after the time in which another writer, who read the list before us, would have written
 * his, and is made again on top of what is there then; where others are seen to write, it is looked for until
 * they are done. A list is never deleted, only replaced.
 */
#include "oci/registry.h"

#include "base/limits.h"
#include "base/log.h"
#include "oci/memo.h"

#include <stdio.h>
#include <time.h>

#define TRIES_MAX     10U
#define PAUSE_MAX     3U /* the wait between tries grows until this one */
#define SETTLE_MIN_MS 20
#define SETTLE_MAX_MS 2000
#define MEMO_KIND     "referrers"
#define MEMO_SECONDS  (24 * 3600)

/* One entry that the list of `subject` shall have, or shall not. */
struct change {
    struct oci_registry *reg;
    const struct digest *subject, *digest;
    const struct oci_manifest *m; /* the referrer; NULL: its entry is to go */
    const char *media_type;
    uint64_t size;
    bool wrote;         /* we have put the list */
    struct digest last; /* of the list as it was seen or written last */
};

/* Lists share a few locks, so that their number has an end. */
static void lock_list(const struct change *c, int *ret_fd)
{
    char name[16];
    (void)snprintf(name, sizeof(name), "referrers-%02x", c->subject->value[0]);
    oci_memo_lock(c->reg->memo_dir, name, ret_fd);
}

static void write_entry(struct jout *w, const struct change *c)
{
    char digest[DIGEST_STR_MAX];
    const char *type = oci_referrers_type(c->m);
    jout_object(w, NULL);
    jout_string(w, "mediaType", c->media_type);
    jout_string(w, "digest", digest_str(c->digest, digest));
    jout_uint(w, "size", c->size);
    if (type)
        jout_string(w, "artifactType", type);
    if (c->m->annotations && jobj_len(c->m->annotations))
        jout_value(w, "annotations", c->m->annotations);
    jout_object_end(w);
}

/* The list again, entries and members of others as they are. old: NULL when there is none yet. */
static int write_list(const struct change *c, const struct oci_manifest *old, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    const struct jval *root = old ? jdoc_root(old->doc) : NULL, *value;
    const char *key;
    jout_object(&w, NULL);
    if (!old) {
        jout_uint(&w, "schemaVersion", 2);
        jout_string(&w, "mediaType", OCI_TYPE_INDEX);
    }
    for (const void *i = root ? jobj_next(root, NULL, &key, &value) : NULL; i;
         i = jobj_next(root, i, &key, &value))
        if (strcmp(key, "manifests") != 0)
            jout_value(&w, key, value);
    jout_array(&w, "manifests");
    for (size_t i = 0; old && i < old->n_entries; i++)
        if (!digest_eq(&old->entries[i].digest, c->digest))
            jout_value(&w, NULL, jarr_at(jobj_get(root, "manifests"), i));
    if (c->m)
        write_entry(&w, c);
    jout_array_end(&w);
    jout_object_end(&w);
    return buf_check(out, e);
}

static bool has_entry(const struct oci_manifest *index, const struct digest *digest)
{
    for (size_t i = 0; i < index->n_entries; i++)
        if (digest_eq(&index->entries[i].digest, digest))
            return true;
    return false;
}

static int put_list(struct change *c, const struct oci_manifest *old, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_MANIFEST);
    AUTO_DONE(oci_manifest) again = {.doc = NULL};
    char tag[OCI_REFERRERS_TAG_MAX];
    int r = write_list(c, old, &text, e);
    if (!r) /* a list that nobody could read is not written */
        r = oci_manifest_parse(buf_bytes(&text), OCI_TYPE_INDEX, &again, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&text), &c->last, e);
    if (r)
        return r;
    c->wrote = true;
    return oci_registry_manifest_put(c->reg, buf_bytes(&text), OCI_TYPE_INDEX, &c->last,
                                     oci_referrers_tag(c->subject, tag), NULL, e);
}

/* Looks at the list and makes the change unless it is made. *ret_done: it is, and the list is as it was seen
 * or written last. */
static int change_once(struct change *c, bool *ret_done, struct err *e)
{
    AUTO_DONE(oci_pinned) pinned = {.media_type = NULL};
    AUTO_DONE(oci_manifest) index = {.doc = NULL};
    int r = oci_registry_subject_tag(c->reg, c->subject, &pinned, &index, e);
    if (r && r != ERR_NOTFOUND)
        return r;
    bool there = r == 0;
    if ((there && has_entry(&index, c->digest)) != (c->m != NULL))
        return put_list(c, there ? &index : NULL, e);
    *ret_done = !c->wrote || (there && digest_eq(&pinned.digest, &c->last));
    if (there)
        c->last = pinned.digest;
    return 0;
}

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A writer who is half as fast as we are and read the list just before we wrote it has written it by then. */
static void settle(int64_t took_ms)
{
    int64_t ms = 3 * took_ms;
    ms = ms < SETTLE_MIN_MS ? SETTLE_MIN_MS : ms > SETTLE_MAX_MS ? SETTLE_MAX_MS : ms;
    const struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    (void)nanosleep(&t, NULL);
}

static int change_list(struct change *c, struct err *e)
{
    AUTO_FD int lock = -1;
    bool done = false;
    lock_list(c, &lock);
    for (unsigned n = 1; n <= TRIES_MAX; n++) {
        int64_t start = now_ms();
        int r = change_once(c, &done, e);
        if (r || done)
            return r;
        if (n > 1) {
            log_info("referrers: somebody else writes the list at the same time; again");
            (void)net_http_pause(c->reg->http, n - 1 < PAUSE_MAX ? n - 1 : PAUSE_MAX, NULL);
        }
        settle(now_ms() - start);
    }
    return err_set(e, ERR_REGISTRY, "others overwrite the list of referrers again and again");
}

/* OCI-Subject was seen from registries that do not list referrers, so it is believed once the API has shown
 * the entry, and then of that registry for a day. Reading never relies on it. */
static int registry_lists(const struct change *c, const struct net_http_response *resp, bool *ret,
                          struct err *e)
{
    AUTO_DONE(buf) known = BUF_INIT(64);
    struct err ignored;
    struct bytes value;
    time_t now = time(NULL);
    *ret = false;
    if (!net_http_field(resp, "OCI-Subject", 0, &value))
        return 0;
    *ret = oci_memo_get(c->reg->memo_dir, MEMO_KIND, c->reg->known_as, now, &known, &ignored) == 0;
    if (*ret)
        return 0;
    int r = oci_registry_referrers_api(c->reg, c->subject, c->digest, ret, e);
    if (!r && *ret)
        oci_memo_put(c->reg->memo_dir, MEMO_KIND, c->reg->known_as, "api", now + MEMO_SECONDS);
    return r;
}

int oci_registry_subject_add(struct oci_registry *reg, struct bytes body, const char *media_type,
                             const struct digest *digest, const struct net_http_response *resp, struct err *e)
{
    AUTO_DONE(oci_manifest) m = {.doc = NULL};
    struct err ignored;
    bool listed;
    /* What cannot be read here cannot be anybody's signature; the registry took it. */
    if (oci_manifest_parse(body, media_type, &m, &ignored) != 0 || !m.has_subject)
        return 0;
    struct change c = {.reg = reg,
                       .subject = &m.subject.digest,
                       .digest = digest,
                       .m = &m,
                       .media_type = media_type,
                       .size = body.len};
    int r = registry_lists(&c, resp, &listed, e);
    if (!r && !listed)
        r = change_list(&c, e);
    return r ? err_wrap(e, "referrers") : 0;
}

int oci_registry_subject_drop(struct oci_registry *reg, const struct digest *subject,
                              const struct digest *digest, struct err *e)
{
    struct change c = {.reg = reg, .subject = subject, .digest = digest};
    int r = change_list(&c, e);
    return r ? err_wrap(e, "referrers") : 0;
}
