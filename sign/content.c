/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/content.h"

#include "base/limits.h"

static const enum hash_alg file_algs[] = {HASH_SHA256, HASH_SHA512, HASH_BLAKE2B};

static int hash_content(const struct sign_subject *subject, enum hash_alg alg, struct digest *ret,
                        struct err *e)
{
    struct digest own, made;
    if (!subject->content.len)
        return err_set(e, ERR_UNSUPPORTED, "it signs the %s digest of the bytes, which are not at hand",
                       hash_name(alg));
    int r = hash_bytes(subject->digest.alg, subject->content, &own, e);
    if (!r)
        r = hash_bytes(alg, subject->content, &made, e);
    if (r)
        return r;
    if (!digest_eq(&own, &subject->digest))
        return err_set(e, ERR_DIGEST, "the bytes at hand are not those of the digest");
    *ret = made;
    return 0;
}

int sign_content_hash(const struct sign_subject *subject, enum hash_alg alg, struct digest *ret,
                      struct err *e)
{
    if (subject->digest.alg == alg) {
        *ret = subject->digest;
        return 0;
    }
    for (size_t i = 0; i < subject->n_others; i++)
        if (subject->others[i].alg == alg) {
            *ret = subject->others[i];
            return 0;
        }
    return hash_content(subject, alg, ret, e);
}

void sign_content_done(struct sign_content *f)
{
    buf_done(&f->content);
}

struct hashes {
    struct hash_state *state[ARRAY_LEN(file_algs)];
};

static void hashes_done(struct hashes *h)
{
    for (size_t i = 0; i < ARRAY_LEN(h->state); i++)
        hash_free(h->state[i]);
}

static int read_on(struct source *from, struct hashes *h, struct sign_content *f, bool keep, uint8_t *chunk,
                   struct err *e)
{
    for (;;) {
        size_t n = 0;
        int r = source_read(from, chunk, STREAM_CHUNK, &n, e);
        if (r || n == 0)
            return r;
        for (size_t i = 0; i < ARRAY_LEN(h->state); i++)
            hash_update(h->state[i], bytes_of(chunk, n));
        f->size += n;
        if (keep)
            buf_append(&f->content, chunk, n);
        if (keep && (r = buf_check(&f->content, e)))
            return r;
    }
}

int sign_content_read(struct source *from, bool keep, struct sign_content *ret, struct err *e)
{
    __attribute__((cleanup(hashes_done))) struct hashes h = {{NULL}};
    AUTO_FREE uint8_t *chunk = malloc(STREAM_CHUNK);
    *ret = (struct sign_content){.content = BUF_INIT(LIMIT_MODULE)};
    int r = chunk ? 0 : err_nomem(e);
    for (size_t i = 0; !r && i < ARRAY_LEN(file_algs); i++)
        r = hash_open(file_algs[i], &h.state[i], e);
    if (!r)
        r = read_on(from, &h, ret, keep, chunk, e);
    for (size_t i = 0; !r && i < ARRAY_LEN(file_algs); i++)
        hash_final(h.state[i], &ret->digests[i]);
    return r;
}

struct sign_subject sign_content_subject(const struct sign_content *f)
{
    return (struct sign_subject){.digest = f->digests[0],
                                 .size = f->size,
                                 .media_type = "",
                                 .content = buf_bytes(&f->content),
                                 .others = f->digests + 1,
                                 .n_others = ARRAY_LEN(f->digests) - 1};
}
