/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "base/buf.h"
#include "base/hex.h"

#include <errno.h>
#include <gcrypt.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/random.h>

struct hash_state {
    gcry_md_hd_t md;
    enum hash_alg alg;
};

static const struct {
    int gcry;
    size_t len;
    const char *name;
} table[] = {
    [HASH_SHA256] = {GCRY_MD_SHA256, HASH_SHA256_LEN, "sha256"},
    [HASH_SHA512] = {GCRY_MD_SHA512, HASH_SHA512_LEN, "sha512"},
    [HASH_SHA384] = {GCRY_MD_SHA384, HASH_SHA384_LEN, "sha384"},
    [HASH_BLAKE2B] = {GCRY_MD_BLAKE2B_512, HASH_BLAKE2B_LEN, "blake2b-512"},
};

static int gcry_alg(enum hash_alg alg)
{
    return table[alg].gcry;
}

size_t hash_len(enum hash_alg alg)
{
    return table[alg].len;
}

const char *hash_name(enum hash_alg alg)
{
    return table[alg].name;
}

/* libgcrypt wipes what it keeps in its pool for secrets and big numbers, but passes keys on in memory that it
 * just frees. So all that it frees is wiped here, and it needs no pool. */
static void wiping_free(void *ptr)
{
    mem_wipe(ptr, malloc_usable_size(ptr));
    free(ptr);
}

static void *wiping_realloc(void *ptr, size_t size)
{
    size_t had = malloc_usable_size(ptr);
    void *to = malloc(size);
    if (!to)
        return NULL;
    if (had)
        memcpy(to, ptr, had < size ? had : size);
    wiping_free(ptr);
    return to;
}

static int nothing_is_secure(const void *ptr)
{
    (void)ptr;
    return 0;
}

static bool gcry_usable;

/* libgcrypt wants its version asked for before anything else, and by one thread. */
static void gcry_start(void)
{
    if (!gcry_control(GCRYCTL_INITIALIZATION_FINISHED_P)) {
        gcry_set_allocation_handler(malloc, malloc, nothing_is_secure, wiping_realloc, wiping_free);
        if (!gcry_check_version("1.9.0"))
            return;
        (void)gcry_control(GCRYCTL_INITIALIZATION_FINISHED, 0);
    }
    gcry_usable = true;
}

int hash_init(struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, gcry_start);
    return gcry_usable ? 0 : err_set(e, ERR_OTHER, "libgcrypt is older than 1.9.0");
}

static int md_open(int algo, unsigned flags, gcry_md_hd_t *ret, struct err *e)
{
    int r = hash_init(e);
    if (r)
        return r;
    gcry_error_t g = gcry_md_open(ret, algo, flags);
    return g ? err_set(e, ERR_OTHER, "libgcrypt: %s", gcry_strerror(g)) : 0;
}

int hash_open(enum hash_alg alg, struct hash_state **ret, struct err *e)
{
    struct hash_state *h = malloc(sizeof(*h));
    if (!h)
        return err_nomem(e);
    h->alg = alg;
    int r = md_open(gcry_alg(alg), 0, &h->md, e);
    if (r) {
        free(h);
        return r;
    }
    *ret = h;
    return 0;
}

void hash_free(struct hash_state *h)
{
    if (!h)
        return;
    gcry_md_close(h->md);
    free(h);
}

void hash_update(struct hash_state *h, struct bytes data)
{
    if (data.len)
        gcry_md_write(h->md, data.ptr, data.len);
}

int hash_see(void *ctx, struct bytes data, struct err *e)
{
    (void)e;
    hash_update(ctx, data);
    return 0;
}

void hash_final(struct hash_state *h, struct digest *ret)
{
    *ret = (struct digest){.alg = h->alg};
    gcry_md_hd_t copy;
    if (gcry_md_copy(&copy, h->md) != 0)
        return; /* an all-zero digest equals nothing that was hashed */
    memcpy(ret->value, gcry_md_read(copy, gcry_alg(h->alg)), hash_len(h->alg));
    gcry_md_close(copy);
}

int hash_bytes(enum hash_alg alg, struct bytes data, struct digest *ret, struct err *e)
{
    int r = hash_init(e);
    if (r)
        return r;
    *ret = (struct digest){.alg = alg};
    gcry_md_hash_buffer(gcry_alg(alg), ret->value, data.ptr ? data.ptr : (const uint8_t *)"", data.len);
    return 0;
}

int hash_hmac_sha256(struct bytes key, const struct bytes *parts, size_t n, uint8_t ret[HASH_SHA256_LEN],
                     struct err *e)
{
    gcry_md_hd_t md;
    int r = md_open(GCRY_MD_SHA256, GCRY_MD_FLAG_HMAC, &md, e);
    if (r)
        return r;
    gcry_error_t g = gcry_md_setkey(md, key.ptr, key.len);
    if (!g) {
        for (size_t i = 0; i < n; i++)
            if (parts[i].len)
                gcry_md_write(md, parts[i].ptr, parts[i].len);
        memcpy(ret, gcry_md_read(md, GCRY_MD_SHA256), HASH_SHA256_LEN);
    }
    gcry_md_close(md);
    return g ? err_set(e, ERR_OTHER, "libgcrypt: %s", gcry_strerror(g)) : 0;
}

struct hash_gmac {
    gcry_mac_hd_t mac;
};

static int gmac_result(gcry_error_t g, struct err *e)
{
    if (gcry_err_code(g) == GPG_ERR_ENOMEM)
        return err_nomem(e);
    return g ? err_set(e, ERR_OTHER, "libgcrypt: %s", gcry_strerror(g)) : 0;
}

int hash_gmac_open(const uint8_t key[HASH_GMAC_KEY], struct hash_gmac **ret, struct err *e)
{
    static const uint8_t nonce[12] = {0};
    int r = hash_init(e);
    if (r)
        return r;
    AUTO(hash_gmac) m = calloc(1, sizeof(*m));
    if (!m)
        return err_nomem(e);
    gcry_error_t g = gcry_mac_open(&m->mac, GCRY_MAC_GMAC_AES, 0, NULL);
    if (!g)
        g = gcry_mac_setkey(m->mac, key, HASH_GMAC_KEY);
    if (!g)
        g = gcry_mac_setiv(m->mac, nonce, sizeof(nonce));
    if (!g)
        *ret = TAKE(m);
    return gmac_result(g, e);
}

int hash_gmac_update(struct hash_gmac *m, struct bytes data, struct err *e)
{
    return data.len ? gmac_result(gcry_mac_write(m->mac, data.ptr, data.len), e) : 0;
}

int hash_gmac_final(struct hash_gmac *m, uint8_t ret[HASH_GMAC_LEN], struct err *e)
{
    uint8_t tag[HASH_GMAC_LEN];
    size_t len = sizeof(tag);
    int r = gmac_result(gcry_mac_read(m->mac, tag, &len), e);
    if (!r && len != sizeof(tag))
        r = err_set(e, ERR_OTHER, "libgcrypt gives a tag of %zu bytes", len);
    if (!r)
        memcpy(ret, tag, sizeof(tag));
    return r;
}

void hash_gmac_free(struct hash_gmac *m)
{
    if (!m)
        return;
    if (m->mac)
        gcry_mac_close(m->mac);
    free(m);
}

int hash_random(void *buf, size_t len, struct err *e)
{
    uint8_t *at = buf;
    while (len) {
        ssize_t n = getrandom(at, len < 256 ? len : 256, 0);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return err_set_errno(e, ERR_OTHER, errno, "getrandom");
        at += n;
        len -= (size_t)n;
    }
    return 0;
}

static bool is_lower_alnum(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

/* image-spec 1.1, "Digests": components of [a-z0-9]+ joined by one of + . _ -, a colon, [a-zA-Z0-9=_-]+ */
static bool other_algorithm(struct bytes text)
{
    uint8_t c = 0, before = 0;
    while (bytes_take_u8(&text, &c) && c != ':') {
        if (!is_lower_alnum(c) && !(memchr("+._-", c, 4) && is_lower_alnum(before)))
            return false;
        before = c;
    }
    if (c != ':' || !is_lower_alnum(before) || text.len == 0)
        return false;
    while (bytes_take_u8(&text, &c))
        if (!is_lower_alnum(c) && !(c >= 'A' && c <= 'Z') && !memchr("=_-", c, 3))
            return false;
    return true;
}

int digest_parse(struct bytes text, struct digest *ret, struct err *e)
{
    static const enum hash_alg algs[] = {HASH_SHA256, HASH_SHA512};
    for (size_t i = 0; i < ARRAY_LEN(algs); i++) {
        struct bytes rest = text, head;
        if (!bytes_take(&rest, 7, &head) || memcmp(head.ptr, hash_name(algs[i]), 6) != 0 ||
            head.ptr[6] != ':')
            continue;
        struct digest d = {.alg = algs[i]};
        if (rest.len != 2 * hash_len(algs[i]) || !hex_decode_lower(rest, d.value))
            return err_set(e, ERR_FORMAT, "a %s digest has %zu lower-case hexadecimal digits",
                           hash_name(algs[i]), 2 * hash_len(algs[i]));
        *ret = d;
        return 0;
    }
    if (other_algorithm(text))
        return err_set(e, ERR_UNSUPPORTED, "digest algorithm is neither sha256 nor sha512");
    return err_set(e, ERR_FORMAT, "not a digest");
}

char *digest_hex(const struct digest *d, char out[DIGEST_STR_MAX])
{
    return hex_encode(bytes_of(d->value, hash_len(d->alg)), out);
}

char *digest_str(const struct digest *d, char out[DIGEST_STR_MAX])
{
    char hex[DIGEST_STR_MAX];
    (void)snprintf(out, DIGEST_STR_MAX, "%s:%.*s", hash_name(d->alg), 2 * HASH_SHA512_LEN,
                   digest_hex(d, hex));
    return out;
}

bool digest_eq(const struct digest *a, const struct digest *b)
{
    return a->alg == b->alg && memcmp(a->value, b->value, hash_len(a->alg)) == 0;
}
