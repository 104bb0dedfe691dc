/* SPDX-License-Identifier: Apache-2.0 */
/* libgcrypt has Salsa20 and Poly1305; what makes the first XSalsa20, HSalsa20, is here. */
#include "sign/secretbox.h"

#include "base/hash.h"
#include "sign/gcry.h"

#define MAC_KEY 32U

static uint32_t load_le(const uint8_t *p)
{
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static void store_le(uint8_t *p, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t rotate(uint32_t v, unsigned n)
{
    return v << n | v >> (32 - n);
}

static void quarter(uint32_t *x, unsigned a, unsigned b, unsigned c, unsigned d)
{
    x[b] ^= rotate(x[a] + x[d], 7);
    x[c] ^= rotate(x[b] + x[a], 9);
    x[d] ^= rotate(x[c] + x[b], 13);
    x[a] ^= rotate(x[d] + x[c], 18);
}

void sign_hsalsa20(const uint8_t key[32], const uint8_t in[16], uint8_t out[32])
{
    static const uint8_t sigma[] = "expand 32-byte k";
    static const uint8_t taken[] = {0, 5, 10, 15, 6, 7, 8, 9};
    uint32_t x[16];
    for (unsigned i = 0; i < 4; i++) {
        x[5 * i] = load_le(sigma + 4 * i);
        x[1 + i] = load_le(key + 4 * i);
        x[6 + i] = load_le(in + 4 * i);
        x[11 + i] = load_le(key + 16 + 4 * i);
    }
    for (unsigned round = 0; round < 20; round += 2) {
        quarter(x, 0, 4, 8, 12);
        quarter(x, 5, 9, 13, 1);
        quarter(x, 10, 14, 2, 6);
        quarter(x, 15, 3, 7, 11);
        quarter(x, 0, 1, 2, 3);
        quarter(x, 5, 6, 7, 4);
        quarter(x, 10, 11, 8, 9);
        quarter(x, 15, 12, 13, 14);
    }
    for (unsigned i = 0; i < 8; i++)
        store_le(out + 4 * i, x[taken[i]]);
    mem_wipe(x, sizeof(x));
}

/* The stream behind its first bytes, which are the key of Poly1305. */
static int stream_open(const uint8_t key[SIGN_SECRETBOX_KEY], const uint8_t nonce[SIGN_SECRETBOX_NONCE],
                       gcry_cipher_hd_t *ret, uint8_t ret_mac_key[MAC_KEY], struct err *e)
{
    uint8_t subkey[32];
    gcry_cipher_hd_t h;
    int r = hash_init(e);
    if (r)
        return r;
    gcry_error_t g = gcry_cipher_open(&h, GCRY_CIPHER_SALSA20, GCRY_CIPHER_MODE_STREAM, 0);
    if (g)
        return sign_gcry_fail(g, e);
    sign_hsalsa20(key, nonce, subkey);
    g = gcry_cipher_setkey(h, subkey, sizeof(subkey));
    mem_wipe(subkey, sizeof(subkey));
    if (!g)
        g = gcry_cipher_setiv(h, nonce + 16, 8);
    memset(ret_mac_key, 0, MAC_KEY);
    if (!g)
        g = gcry_cipher_encrypt(h, ret_mac_key, MAC_KEY, NULL, 0);
    if (g) {
        gcry_cipher_close(h);
        return sign_gcry_fail(g, e);
    }
    *ret = h;
    return 0;
}

static int tag_of(const uint8_t mac_key[MAC_KEY], struct bytes sealed, uint8_t ret[SIGN_SECRETBOX_TAG],
                  struct err *e)
{
    size_t len = SIGN_SECRETBOX_TAG;
    gcry_mac_hd_t mac = NULL;
    gcry_error_t g = gcry_mac_open(&mac, GCRY_MAC_POLY1305, 0, NULL);
    if (!g)
        g = gcry_mac_setkey(mac, mac_key, MAC_KEY);
    if (!g && sealed.len)
        g = gcry_mac_write(mac, sealed.ptr, sealed.len);
    if (!g)
        g = gcry_mac_read(mac, ret, &len);
    gcry_mac_close(mac);
    return g ? sign_gcry_fail(g, e) : 0;
}

/* Encrypting and decrypting are one. */
static int apply(gcry_cipher_hd_t stream, struct bytes in, struct buf *out, struct err *e)
{
    uint8_t *to = buf_reserve(out, in.len);
    if (!to)
        return buf_check(out, e);
    gcry_error_t g = in.len ? gcry_cipher_encrypt(stream, to, in.len, in.ptr, in.len) : 0;
    if (g)
        return sign_gcry_fail(g, e);
    out->len += in.len;
    return 0;
}

int sign_secretbox_seal(const uint8_t key[SIGN_SECRETBOX_KEY], const uint8_t nonce[SIGN_SECRETBOX_NONCE],
                        struct bytes text, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) sealed = BUF_SECRET_INIT(out->max);
    uint8_t mac_key[MAC_KEY], tag[SIGN_SECRETBOX_TAG];
    gcry_cipher_hd_t stream;
    int r = stream_open(key, nonce, &stream, mac_key, e);
    if (r)
        return r;
    r = apply(stream, text, &sealed, e);
    if (!r)
        r = tag_of(mac_key, buf_bytes(&sealed), tag, e);
    gcry_cipher_close(stream);
    mem_wipe(mac_key, sizeof(mac_key));
    if (r)
        return r;
    buf_append(out, tag, sizeof(tag));
    buf_append_bytes(out, buf_bytes(&sealed));
    return buf_check(out, e);
}

int sign_secretbox_open(const uint8_t key[SIGN_SECRETBOX_KEY], const uint8_t nonce[SIGN_SECRETBOX_NONCE],
                        struct bytes box, struct buf *out, struct err *e)
{
    uint8_t mac_key[MAC_KEY], want[SIGN_SECRETBOX_TAG];
    struct bytes tag;
    gcry_cipher_hd_t stream;
    if (!bytes_take(&box, SIGN_SECRETBOX_TAG, &tag))
        return err_set(e, ERR_AUTH, "the box is shorter than its tag");
    int r = stream_open(key, nonce, &stream, mac_key, e);
    if (r)
        return r;
    r = tag_of(mac_key, box, want, e);
    if (!r && !bytes_eq_ct(tag, BYTES_ARR(want)))
        r = err_set(e, ERR_AUTH, "the tag of the box is another");
    if (!r)
        r = apply(stream, box, out, e);
    gcry_cipher_close(stream);
    mem_wipe(mac_key, sizeof(mac_key));
    mem_wipe(want, sizeof(want));
    return r;
}
