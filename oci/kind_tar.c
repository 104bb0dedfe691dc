/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module of an image: a file in one of its tar layers. The layers are read from the top, one pass each,
 * and nothing is unpacked but files that may be the module, into files without a name. What a container would
 * not see (image-spec 1.1, layer.md, "Whiteouts"; files that an upper layer has put another in the place of)
 * is not seen here, and no link is followed.
 */
#include "base/file.h"
#include "base/limits.h"
#include "base/text.h"
#include "oci/kind_rows.h"

#define WHITEOUT ".wh."
#define OPAQUE   ".wh..wh..opq"

struct search {
    const struct oci_blobs *blobs;
    const char *wanted; /* the program's name in a tar */
    bool by_name;       /* the config says that name */
    bool lowest;        /* nothing lies below the layer that is read: what it hides does not matter */
    /* Names with a NUL behind each and a letter in front: 'x' hides it and what lies below it, 'o' only that.
     */
    struct buf hidden, hides; /* by the layers above; by this one */
    struct oci_place named, single;
    size_t candidates, lookups;
    struct buf list; /* the candidates, for a message */
};

static void search_done(struct search *s)
{
    buf_done(&s->hidden);
    buf_done(&s->hides);
    buf_done(&s->list);
    oci_place_done(&s->named);
    oci_place_done(&s->single);
}

static bool ends_in_wasm(const char *name)
{
    size_t len = strlen(name);
    return len > 5 && strcmp(name + len - 5, ".wasm") == 0;
}

static bool is_hidden(const struct search *s, const char *name)
{
    struct bytes rest = buf_bytes(&s->hidden);
    while (rest.len) {
        const char *entry = (const char *)rest.ptr;
        size_t len = strlen(entry + 1);
        bool below = len == 0 || (strncmp(name, entry + 1, len) == 0 && name[len] == '/');
        if (below || (*entry == 'x' && strcmp(name, entry + 1) == 0))
            return true;
        rest = bytes_of(rest.ptr + len + 2, rest.len - len - 2);
    }
    return false;
}

static void hide(struct search *s, char how, const char *folder, size_t folder_len, const char *name)
{
    buf_append_u8(&s->hides, (uint8_t)how);
    buf_append(&s->hides, folder, folder_len);
    buf_append_str(&s->hides, name);
    buf_append_u8(&s->hides, '\0');
}

/* What a member does to those of lower layers. *ret_whiteout: it is nothing else. */
static int note_hiding(struct search *s, const struct oci_member *m, bool *ret_whiteout, struct err *e)
{
    const char *slash = strrchr(m->name, '/'), *base = slash ? slash + 1 : m->name;
    size_t folder = (size_t)(base - m->name);
    *ret_whiteout = strncmp(base, WHITEOUT, strlen(WHITEOUT)) == 0;
    if (s->lowest || strcmp(base, WHITEOUT) == 0 || !*base) /* what hides nothing by name does not hide all */
        return 0;
    if (strcmp(base, OPAQUE) == 0)
        hide(s, 'o', m->name, folder ? folder - 1 : 0, "");
    else if (*ret_whiteout)
        hide(s, 'x', m->name, folder, base + strlen(WHITEOUT));
    else if (m->type != OCI_MEMBER_FOLDER)
        hide(s, 'x', m->name, 0, m->name);
    return s->hides.failed == ERR_LIMIT ? err_set(e, ERR_LIMIT, "an image with too many files")
                                        : buf_check(&s->hides, e);
}

/* The member into a file without a name, hashed on the way. */
static int take_out(const struct search *s, struct oci_archive *tar, const struct oci_member *m,
                    const struct oci_desc *layer, struct oci_place *ret, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    AUTO_FD int fd = -1;
    AUTO_FREE char *name = strdup(m->name);
    struct source_tee tee;
    struct sink_fd file;
    if (!name)
        return err_nomem(e);
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = file_unnamed(s->blobs->temp_dir, &fd, e);
    if (!r)
        r = stream_copy(source_tee_init(&tee, oci_archive_read(tar), hash_see, hash), sink_fd_init(&file, fd),
                        &ret->size, e);
    if (r)
        return r;
    hash_final(hash, &ret->digest);
    ret->fd = TAKE_FD(fd);
    ret->member = TAKE(name);
    ret->layer = layer;
    return 0;
}

static int twice(const struct oci_member *m, struct err *e)
{
    char shown[200];
    return err_set(e, ERR_FORMAT, "%s is twice in one layer", text_escape_str(m->name, shown, sizeof(shown)));
}

static int see_wanted(struct search *s, struct oci_archive *tar, const struct oci_member *m,
                      const struct oci_desc *layer, struct err *e)
{
    char shown[200];
    if (s->named.member)
        return twice(m, e);
    if (m->type == OCI_MEMBER_FILE)
        return take_out(s, tar, m, layer, &s->named, e);
    if (!s->by_name)
        return 0;
    return err_set(e, ERR_FORMAT, "%s, which the image starts, is a %s and no regular file",
                   text_escape_str(m->name, shown, sizeof(shown)),
                   m->type == OCI_MEMBER_SYMLINK || m->type == OCI_MEMBER_HARDLINK ? "link"
                   : m->type == OCI_MEMBER_FOLDER                                  ? "folder"
                                                                                   : "special file");
}

static int see_candidate(struct search *s, struct oci_archive *tar, const struct oci_member *m,
                         const struct oci_desc *layer, struct err *e)
{
    char shown[200];
    if (s->single.member && s->single.layer == layer && strcmp(s->single.member, m->name) == 0)
        return twice(m, e);
    if (s->candidates++ == 0)
        return take_out(s, tar, m, layer, &s->single, e);
    buf_printf(&s->list, ", %s", text_escape_str(m->name, shown, sizeof(shown)));
    return 0;
}

static int see_member(struct search *s, struct oci_archive *tar, const struct oci_member *m,
                      const struct oci_desc *layer, struct err *e)
{
    bool wanted = strcmp(m->name, s->wanted) == 0, whiteout;
    int r = note_hiding(s, m, &whiteout, e);
    if (r || whiteout || !(wanted || (m->type == OCI_MEMBER_FILE && ends_in_wasm(m->name))))
        return r;
    if (++s->lookups > LIMIT_IMAGE_CANDIDATES)
        return err_set(e, ERR_LIMIT, "an image with more than %u wasm files", LIMIT_IMAGE_CANDIDATES);
    if (is_hidden(s, m->name))
        return 0;
    return wanted ? see_wanted(s, tar, m, layer, e) : see_candidate(s, tar, m, layer, e);
}

static int read_members(struct search *s, struct source *from, const struct oci_desc *layer, struct err *e)
{
    AUTO(oci_archive) tar = NULL;
    struct oci_member m;
    bool more = true;
    int r = oci_archive_open(from, OCI_COMPRESSION_DETECT, &tar, e);
    while (!r && !(r = oci_archive_next(tar, &m, &more, e)) && more)
        r = see_member(s, tar, &m, layer, e);
    return r;
}

/* One reading: what comes out of the tar counts only if the whole of it has the digest that the manifest
 * states. */
static int read_layer(struct search *s, const struct oci_desc *layer, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    AUTO_FD int fd = -1;
    AUTO_FREE uint8_t *rest = malloc(STREAM_CHUNK);
    struct source_file file;
    struct source_tee tee;
    struct digest got;
    struct err broken = ERR_INIT;
    if (!rest)
        return err_nomem(e);
    int r = hash_open(layer->digest.alg, &hash, e);
    if (!r)
        r = s->blobs->open(s->blobs->ctx, layer, &fd, e);
    if (r)
        return r;
    struct source *from = source_tee_init(&tee, source_file_init(&file, fd), hash_see, hash);
    int in_tar = read_members(s, from, layer, &broken);
    for (size_t n = 1; !r && n > 0;)
        r = source_read(from, rest, STREAM_CHUNK, &n, e);
    if (r)
        return r;
    hash_final(hash, &got);
    if (!digest_eq(&got, &layer->digest))
        return err_set(e, ERR_DIGEST, "a layer is not what its digest says");
    if (in_tar)
        *e = broken;
    return in_tar;
}

/* From the top layer down, until the one that has the program. */
static int read_layers(struct search *s, const struct oci_manifest *m, const struct oci_desc *only,
                       struct err *e)
{
    int r = 0;
    for (size_t i = m->n_entries; !r && i-- > 0 && !s->named.member;) {
        const struct oci_desc *layer = &m->entries[i];
        if ((only && only != layer) || !oci_layer_tar(layer->media_type))
            continue;
        s->lowest = i == 0 || only;
        r = read_layer(s, layer, e);
        buf_append_bytes(&s->hidden, buf_bytes(&s->hides));
        buf_reset(&s->hides);
        if (!r)
            r = buf_check(&s->hidden, e);
    }
    return r;
}

static bool says(const char *text, const char *start)
{
    return text && strncmp(text, start, strlen(start)) == 0;
}

/* Images of other machines' programs are not fetched to find that out. */
static bool may_be_wasm(const struct oci_manifest *m, const struct oci_image *image)
{
    if (says(image->architecture, "wasm") || says(image->os, "wasi") || !image->entry)
        return true;
    return ends_in_wasm(image->entry) || says(oci_annotation(m->annotations, OCI_VARIANT), "compat") ||
           says(oci_annotation(m->annotations, OCI_RUN_HANDLER), "wasm");
}

static int verdict(struct search *s, struct oci_place *ret, struct err *e)
{
    char shown[200];
    struct oci_place *found = s->named.member ? &s->named : s->candidates == 1 ? &s->single : NULL;
    if (found) {
        *ret = *found;
        *found = (struct oci_place)OCI_PLACE_INIT;
        return 0;
    }
    if (s->candidates == 0 && s->by_name)
        return err_set(e, ERR_UNSUPPORTED,
                       "an image without %s, which it starts, and without another wasm file",
                       text_escape_str(s->wanted, shown, sizeof(shown)));
    if (s->candidates == 0)
        return err_set(e, ERR_UNSUPPORTED, "an image without a wasm file");
    return err_set(e, ERR_FORMAT, "an image with %zu wasm files, and it starts none of them: %s%s",
                   s->candidates, text_escape_str(s->single.member, shown, sizeof(shown)),
                   buf_cstr(&s->list));
}

/* only: the layer that the user chose, or NULL. */
static int search(const struct oci_manifest *m, const struct oci_blobs *blobs, const struct oci_image *image,
                  const struct oci_desc *only, struct oci_place *ret, struct err *e)
{
    AUTO_DONE(buf) path = BUF_INIT(LIMIT_ARCHIVE_NAME);
    AUTO_DONE(search)
    s = {.blobs = blobs,
         .by_name = image->entry != NULL,
         .hidden = BUF_INIT(LIMIT_IMAGE_HIDDEN),
         .hides = BUF_INIT(LIMIT_IMAGE_HIDDEN),
         .list = BUF_INIT(1U << 20),
         .named = OCI_PLACE_INIT,
         .single = OCI_PLACE_INIT};
    int r = oci_image_path(image, &path, e);
    s.wanted = path.len ? buf_cstr(&path) : "plugin.wasm";
    if (!r)
        r = read_layers(&s, m, only, e);
    return r ? r : verdict(&s, ret, e);
}

int oci_image_locate(const struct oci_manifest *m, const struct oci_choice *choice,
                     const struct oci_blobs *blobs, struct oci_place *ret, struct err *e)
{
    AUTO_DONE(buf) config = BUF_INIT(LIMIT_CONFIG);
    AUTO_DONE(oci_image) image = {.doc = NULL};
    const struct oci_desc *only = NULL;
    char os[64], architecture[64];
    int r = choice->layer ? oci_layer_chosen(m, choice->layer, &only, e) : 0;
    if (!r && (r = oci_blobs_read(blobs, &m->config, &config, e)))
        r = err_wrap(e, "config");
    if (!r)
        r = oci_image_parse(buf_bytes(&config), &image, e);
    if (r)
        return r;
    if (!may_be_wasm(m, &image))
        return err_set(e, ERR_UNSUPPORTED, "not a wasm artifact: an image for %s/%s",
                       text_escape_str(image.os ? image.os : "", os, sizeof(os)),
                       text_escape_str(image.architecture ? image.architecture : "", architecture,
                                       sizeof(architecture)));
    return search(m, blobs, &image, only, ret, e);
}
