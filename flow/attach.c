/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/graph.h"

#include "base/file.h"
#include "base/text.h"
#include "flow/subject.h"

#include <fcntl.h>

#define DEFAULT_TYPE "application/octet-stream"

/* The file's digest; the bytes themselves are sent by a second reading. */
static int survey(const struct source_opener *file, struct digest *ret, struct err *e)
{
    AUTO(hash_state) hash = NULL;
    struct source *source = NULL;
    uint8_t chunk[64U << 10];
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = file->open(file->ctx, &source, e);
    for (size_t n = 1; !r && n > 0;) {
        r = source_read(source, chunk, sizeof(chunk), &n, e);
        if (!r)
            hash_update(hash, bytes_of(chunk, n));
    }
    source_close(source);
    if (!r)
        hash_final(hash, ret);
    return r;
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static int check_types(const struct flow_attach *how, struct err *e)
{
    char shown[128];
    const char *types[] = {how->artifact_type, how->media_type};
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (types[i] && !oci_media_type_valid(types[i]))
            return err_set(e, ERR_USAGE, "'%s' is no media type",
                           text_escape_str(types[i], shown, sizeof(shown)));
    return 0;
}

/* Brings the file there; ret->size is set. */
static int hang(struct flow_subject *subject, const struct source_opener *file, const char *title,
                const struct flow_attach *how, struct progress *p, struct flow_published *ret, struct err *e)
{
    struct opener_progress shown;
    struct digest digest;
    int r = survey(file, &digest, e);
    if (r)
        return r;
    const struct oci_pair named = {OCI_ANNOTATION_TITLE, title};
    const struct source_opener blob = opener_progress_init(&shown, *file, p);
    const struct flow_hanging what = {
        .artifact_type = how->artifact_type,
        .media_type = how->media_type ? how->media_type : DEFAULT_TYPE,
        .digest = &digest,
        .blob = &blob,
        .annotations = &named,
        .n_annotations = 1,
        .manifest_annotations = how->annotations,
        .n_manifest_annotations = how->n_annotations,
    };
    ret->size = file->size;
    r = flow_subject_refer(subject, &what, &ret->digest, &ret->existed, e);
    return r ? r : flow_subject_finish(subject, e);
}

int flow_attach(const struct flow_conf *conf, const char *path, const char *reference,
                const struct flow_attach *how, struct flow_published *ret, struct digest *ret_subject,
                struct err *e)
{
    AUTO_DONE(flow_subject) subject = {.name = NULL};
    AUTO_FD int fd = -1;
    struct opener_file file;
    struct source_opener opener;
    *ret = (struct flow_published){.name = NULL};
    int r = check_types(how, e);
    if (!r)
        r = file_open_read(AT_FDCWD, path, false, &fd, e);
    if (!r)
        r = opener_file_init(&file, fd, &opener, e);
    if (!r)
        r = flow_subject_open(conf, reference, &subject, e);
    if (!r)
        r = hang(&subject, &opener, base_name(path), how, conf->progress, ret, e);
    if (r)
        return r;
    ret->name = TAKE(subject.name);
    ret->repo = TAKE(subject.repo);
    *ret_subject = subject.desc.digest;
    return 0;
}
