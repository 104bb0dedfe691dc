/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/nkey.h"

#include "base/buf.h"

#define CRC_LEN  2U
#define RAW_MAX  (2 + SIGN_NKEY_LEN + CRC_LEN)
#define SEED     0x90 /* 'S', the five upper bits of a seed's first byte */
#define TEXT_LEN (SIGN_NKEY_TEXT - 1)
#define SEED_LEN (SIGN_NKEY_SEED_TEXT - 1)

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
static const char kinds[] = "ACMNOPUVX";

/* Polynomial 0x1021, starting from 0. */
static uint16_t crc16(const uint8_t *data, size_t len)
{
    unsigned crc = 0;
    for (size_t i = 0; i < len; i++) {
        crc ^= (unsigned)data[i] << 8;
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
        crc &= 0xffff;
    }
    return (uint16_t)crc;
}

/* Puts the check sum behind the first len bytes, and writes all of it. */
static char *finish(uint8_t *raw, size_t len, char *out)
{
    uint16_t crc = crc16(raw, len);
    uint32_t held = 0;
    unsigned bits = 0;
    char *at = out;
    raw[len] = (uint8_t)(crc & 0xff);
    raw[len + 1] = (uint8_t)(crc >> 8);
    for (size_t i = 0; i < len + CRC_LEN; i++) {
        held = (held << 8 | raw[i]) & 0xfff;
        for (bits += 8; bits >= 5; bits -= 5)
            *at++ = alphabet[held >> (bits - 5) & 31];
    }
    if (bits)
        *at++ = alphabet[held << (5 - bits) & 31];
    *at = 0;
    return out;
}

/* The letter of a kind is how base32 shows its prefix's five upper bits; the others are zero. */
static uint8_t prefix_of(char kind)
{
    return (uint8_t)((kind - 'A') << 3);
}

char *sign_nkey_encode(char kind, const uint8_t key[SIGN_NKEY_LEN], char out[SIGN_NKEY_TEXT])
{
    uint8_t raw[RAW_MAX] = {prefix_of(kind)};
    memcpy(raw + 1, key, SIGN_NKEY_LEN);
    return finish(raw, 1 + SIGN_NKEY_LEN, out);
}

char *sign_nkey_encode_seed(char kind, const uint8_t seed[SIGN_NKEY_LEN], char out[SIGN_NKEY_SEED_TEXT])
{
    uint8_t prefix = prefix_of(kind);
    uint8_t raw[RAW_MAX] = {(uint8_t)(SEED | prefix >> 5), (uint8_t)((prefix & 31) << 3)};
    memcpy(raw + 2, seed, SIGN_NKEY_LEN);
    (void)finish(raw, 2 + SIGN_NKEY_LEN, out);
    mem_wipe(raw, sizeof(raw));
    return out;
}

/* Exactly len bytes out of the text, the check sum among them; false also where that is wrong. */
static bool take_apart(struct bytes text, uint8_t *raw, size_t len)
{
    uint32_t held = 0;
    unsigned bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        const char *at = text.ptr[i] ? strchr(alphabet, text.ptr[i]) : NULL;
        if (!at)
            return false;
        held = (held << 5 | (uint32_t)(at - alphabet)) & 0xfff;
        bits += 5;
        if (bits >= 8 && n < len) {
            bits -= 8;
            raw[n++] = (uint8_t)(held >> bits & 0xff);
        }
    }
    if (n != len || bits >= 5 || (held & ((1U << bits) - 1)) != 0)
        return false;
    return crc16(raw, len - CRC_LEN) == (raw[len - 2] | raw[len - 1] << 8);
}

static bool known(unsigned prefix, char *ret_kind)
{
    char kind = (char)('A' + (prefix >> 3));
    if ((prefix & 7) != 0 || prefix >> 3 > 25 || !strchr(kinds, kind))
        return false;
    *ret_kind = kind;
    return true;
}

int sign_nkey_decode(struct bytes text, char *ret_kind, uint8_t ret_key[SIGN_NKEY_LEN], struct err *e)
{
    uint8_t raw[1 + SIGN_NKEY_LEN + CRC_LEN];
    if (text.len != TEXT_LEN || !take_apart(text, raw, sizeof(raw)) || !known(raw[0], ret_kind))
        return err_set(e, ERR_FORMAT, "not a public key in the form of nkeys");
    memcpy(ret_key, raw + 1, SIGN_NKEY_LEN);
    return 0;
}

int sign_nkey_decode_seed(struct bytes text, char *ret_kind, uint8_t ret_seed[SIGN_NKEY_LEN], struct err *e)
{
    uint8_t raw[2 + SIGN_NKEY_LEN + CRC_LEN];
    int r = 0;
    if (text.len != SEED_LEN || !take_apart(text, raw, sizeof(raw)) || (raw[0] & 0xf8) != SEED ||
        (raw[1] & 7) != 0 || !known((raw[0] & 7U) << 5 | raw[1] >> 3, ret_kind))
        r = err_set(e, ERR_FORMAT, "not a seed in the form of nkeys");
    else
        memcpy(ret_seed, raw + 2, SIGN_NKEY_LEN);
    mem_wipe(raw, sizeof(raw));
    return r;
}

bool sign_nkey_is_seed(struct bytes text)
{
    return text.len == SEED_LEN && text.ptr[0] == 'S';
}
