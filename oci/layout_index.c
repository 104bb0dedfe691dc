/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index.json of an image layout. It is parsed anew only when its bytes are others, and what is pushed in
 * quick succession is written to it together: else each of many tags would cost as much as all of them. A
 * process that is killed leaves an index that names nothing that is not there; what it pushed in the last
 * moments may lack its tags.
 */
#include "base/digest_set.h"
#include "base/limits.h"
#include "base/log.h"
#include "oci/layout.h"

#include <time.h>

/* Entries wait for no longer than until the first push so long after the last time that the index was
 * written, and for none of a blob that may take long. */
#define PAUSE_MS  500
#define LONG_BLOB (1U << 20)

struct oci_layout_entry {
    char *tag; /* owned; NULL: none */
    char *media_type;
    struct digest digest;
    uint64_t size;
};

static int64_t now_ms(void)
{
    struct timespec t;
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pending_drop(struct oci_layout_index *x)
{
    while (x->n_pending) {
        struct oci_layout_entry *last = &x->pending[--x->n_pending];
        free(last->tag);
        free(last->media_type);
    }
}

void oci_layout_index_init(struct oci_layout_index *x, struct oci_tree *tree)
{
    *x = (struct oci_layout_index){.tree = tree, .text = BUF_INIT(LIMIT_INDEX), .written = -PAUSE_MS};
    (void)pthread_mutex_init(&x->lock, NULL);
}

void oci_layout_index_done(struct oci_layout_index *x)
{
    pending_drop(x);
    free(x->pending);
    oci_manifest_done(&x->parsed);
    buf_done(&x->text);
    (void)pthread_mutex_destroy(&x->lock);
}

static int parse(struct bytes text, struct oci_manifest *ret, struct err *e)
{
    int r = oci_manifest_parse(text, NULL, ret, e);
    if (!r && !ret->is_index) {
        oci_manifest_done(ret);
        r = err_set(e, ERR_FORMAT, "not an index");
    }
    return r;
}

static int read_text(struct oci_tree *tree, struct buf *out, struct err *e)
{
    int r = tree->ops->read(tree, OCI_INDEX_FILE, out, e);
    return r == ERR_NOTFOUND ? err_set(e, ERR_FORMAT, OCI_INDEX_FILE " is missing") : r;
}

int oci_layout_index_read(struct oci_tree *tree, struct oci_manifest *ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    int r = read_text(tree, &text, e);
    if (r)
        return r;
    r = parse(buf_bytes(&text), ret, e);
    return r ? err_wrap(e, OCI_INDEX_FILE) : 0;
}

/* Takes both over, in place of what was known before. */
static void keep(struct oci_layout_index *x, struct buf *text, struct oci_manifest *parsed)
{
    oci_manifest_done(&x->parsed);
    buf_done(&x->text);
    x->text = *text;
    x->parsed = *parsed;
    *text = (struct buf)BUF_INIT(LIMIT_INDEX);
    *parsed = (struct oci_manifest){.doc = NULL};
}

static int load(struct oci_layout_index *x, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    AUTO_DONE(oci_manifest) parsed = {.doc = NULL};
    int r = read_text(x->tree, &text, e);
    if (r)
        return r;
    if (x->parsed.doc && bytes_eq(buf_bytes(&text), buf_bytes(&x->text)))
        return 0;
    r = parse(buf_bytes(&text), &parsed, e);
    if (r)
        return err_wrap(e, OCI_INDEX_FILE);
    keep(x, &text, &parsed);
    return 0;
}

/* The entries that are waiting and have a tag, by their tags, each once: the last that was pushed. */
struct by_tag {
    const struct oci_layout_entry **all; /* owned */
    size_t n;
};

static void by_tag_done(struct by_tag *t)
{
    free(TAKE(t->all));
}

static int compare(const void *a, const void *b)
{
    const struct oci_layout_entry *x = *(const struct oci_layout_entry *const *)a;
    const struct oci_layout_entry *y = *(const struct oci_layout_entry *const *)b;
    int order = strcmp(x->tag, y->tag);
    return order ? order : (x > y) - (x < y);
}

static int by_tag_make(const struct oci_layout_index *x, struct by_tag *ret, struct err *e)
{
    size_t n = 0, kept = 0;
    const struct oci_layout_entry **all = reallocarray(NULL, x->n_pending, sizeof(*all));
    if (!all)
        return err_nomem(e);
    for (size_t i = 0; i < x->n_pending; i++)
        if (x->pending[i].tag)
            all[n++] = &x->pending[i];
    qsort(all, n, sizeof(*all), compare);
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || strcmp(all[i]->tag, all[i + 1]->tag) != 0)
            all[kept++] = all[i];
    *ret = (struct by_tag){all, kept};
    return 0;
}

static int compare_tag(const void *key, const void *member)
{
    return strcmp(key, (*(const struct oci_layout_entry *const *)member)->tag);
}

static const struct oci_layout_entry *by_tag_find(const struct by_tag *t, const char *tag)
{
    const struct oci_layout_entry *const *at =
        t->n ? bsearch(tag, t->all, t->n, sizeof(*t->all), compare_tag) : NULL;
    return at ? *at : NULL;
}

/* One that has no tag is there only if nothing else names what it names. */
static int write_pending(struct jout *w, const struct oci_layout_entry *p, const struct by_tag *tagged,
                         struct digest_set *named, struct err *e)
{
    const struct oci_pair ref = {OCI_ANNOTATION_REF, p->tag};
    bool wanted = p->tag ? by_tag_find(tagged, p->tag) == p : !digest_set_has(named, &p->digest);
    int r = wanted ? oci_desc_write(w, NULL, p->media_type, &p->digest, p->size, &ref, p->tag ? 1 : 0, e) : 0;
    return r ? r : digest_set_add(named, &p->digest, e);
}

static int write_entries(const struct oci_layout_index *x, struct jout *w, struct err *e)
{
    AUTO_DONE(by_tag) tagged = {.all = NULL};
    AUTO_DONE(digest_set) named = {.room = 0};
    const struct oci_manifest *old = &x->parsed;
    const struct jval *list = jobj_get(jdoc_root(old->doc), "manifests");
    int r = digest_set_init(&named, e);
    if (!r)
        r = by_tag_make(x, &tagged, e);
    for (size_t i = 0; !r && i < old->n_entries; i++) {
        const char *name = oci_annotation(old->entries[i].annotations, OCI_ANNOTATION_REF);
        if (!name || !by_tag_find(&tagged, name))
            jout_value(w, NULL, jarr_at(list, i));
        r = digest_set_add(&named, &old->entries[i].digest, e);
    }
    for (size_t i = 0; !r && i < x->n_pending; i++)
        r = write_pending(w, &x->pending[i], &tagged, &named, e);
    return r;
}

/* index.json again with the entries that are waiting; what else it says stays, but for older entries of the
 * same tags. */
static int write_index(const struct oci_layout_index *x, struct buf *out, struct err *e)
{
    struct jout w = {.out = out};
    const struct jval *root = jdoc_root(x->parsed.doc), *value;
    const char *key;
    jout_object(&w, NULL);
    for (const void *i = jobj_next(root, NULL, &key, &value); i; i = jobj_next(root, i, &key, &value))
        if (strcmp(key, "manifests") != 0)
            jout_value(&w, key, value);
    jout_array(&w, "manifests");
    int r = write_entries(x, &w, e);
    jout_array_end(&w);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

/* A layout that is full is left as it is: what could not be read again is not written. */
static int update(struct oci_layout_index *x, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_INDEX);
    AUTO_DONE(oci_manifest) again = {.doc = NULL};
    int r = load(x, e);
    if (!r)
        r = write_index(x, &text, e);
    if (r)
        return r;
    r = parse(buf_bytes(&text), &again, e);
    if (r)
        return err_wrap(e, "the new " OCI_INDEX_FILE);
    r = x->tree->ops->write(x->tree, OCI_INDEX_FILE, buf_bytes(&text), FILE_REPLACE, e);
    if (!r)
        keep(x, &text, &again);
    return r;
}

static int flush(struct oci_layout_index *x, struct err *e)
{
    if (!x->n_pending)
        return 0;
    int r = x->tree->ops->lock(x->tree, e);
    if (!r) {
        r = update(x, e);
        x->tree->ops->unlock(x->tree);
    }
    pending_drop(x); /* what failed once is said once */
    if (!r)
        x->written = now_ms();
    return r;
}

int oci_layout_index_flush(struct oci_layout_index *x, struct err *e)
{
    (void)pthread_mutex_lock(&x->lock);
    int r = flush(x, e);
    (void)pthread_mutex_unlock(&x->lock);
    return r;
}

int oci_layout_index_before(struct oci_layout_index *x, uint64_t size, struct err *e)
{
    return size < LONG_BLOB ? 0 : oci_layout_index_flush(x, e);
}

int oci_layout_index_get(struct oci_layout_index *x, const struct oci_manifest **ret, struct err *e)
{
    (void)pthread_mutex_lock(&x->lock);
    int r = flush(x, e);
    if (!r)
        r = load(x, e);
    (void)pthread_mutex_unlock(&x->lock);
    if (!r)
        *ret = &x->parsed;
    return r;
}

static int append(struct oci_layout_index *x, const char *media_type, const struct digest *digest,
                  uint64_t size, const char *tag, struct err *e)
{
    if (x->n_pending == x->room) {
        size_t room = x->room ? 2 * x->room : 16;
        struct oci_layout_entry *pending = reallocarray(x->pending, room, sizeof(*pending));
        if (!pending)
            return err_nomem(e);
        x->pending = pending;
        x->room = room;
    }
    struct oci_layout_entry entry = {tag ? strdup(tag) : NULL, strdup(media_type), *digest, size};
    if ((tag && !entry.tag) || !entry.media_type) {
        free(entry.tag);
        free(entry.media_type);
        return err_nomem(e);
    }
    x->pending[x->n_pending++] = entry;
    return 0;
}

int oci_layout_index_add(struct oci_layout_index *x, const char *media_type, const struct digest *digest,
                         uint64_t size, const char *tag, struct err *e)
{
    (void)pthread_mutex_lock(&x->lock);
    int r = append(x, media_type, digest, size, tag, e);
    if (!r && now_ms() - x->written >= PAUSE_MS)
        r = flush(x, e);
    (void)pthread_mutex_unlock(&x->lock);
    return r;
}
