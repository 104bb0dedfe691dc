/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/minisign.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "sign/alg.h"
#include "sign/content.h"
#include "sign/format.h"
#include "sign/keyfile.h"
#include "sign/statement.h"

#include <stdio.h>

#define NAME       "minisign"
#define UNTRUSTED  BYTES_LIT("untrusted comment: ")
#define TRUSTED    BYTES_LIT("trusted comment: ")
#define TIMESTAMP  BYTES_LIT("timestamp:")
#define KEY_LEN    32U
#define ALG_LEN    2U
#define LEGACY     BYTES_LIT("Ed") /* also what is in front of keys */
#define PREHASHED  BYTES_LIT("ED")
#define PUBLIC_LEN (ALG_LEN + SIGN_MINISIGN_NUMBER + KEY_LEN)

static int malformed(const char *what, struct err *e)
{
    return err_set(e, ERR_FORMAT, "malformed minisign %s", what);
}

/* Up to the line's end, which must be there unless the text ends. */
static bool take_line(struct bytes *text, struct bytes *ret)
{
    if (text->len == 0)
        return false;
    struct bytes ignored;
    const uint8_t *lf = memchr(text->ptr, '\n', text->len);
    (void)bytes_take(text, lf ? (size_t)(lf - text->ptr) : text->len, ret);
    (void)bytes_take(text, lf ? 1 : 0, &ignored);
    if (ret->len && ret->ptr[ret->len - 1] == '\r')
        ret->len--;
    return memchr(ret->ptr, '\r', ret->len) == NULL && memchr(ret->ptr, 0, ret->len) == NULL;
}

static bool take_comment(struct bytes *text, struct bytes prefix, struct bytes *ret)
{
    struct bytes line, head;
    if (!take_line(text, &line) || !bytes_starts(line, prefix))
        return false;
    (void)bytes_take(&line, prefix.len, &head);
    *ret = line;
    return true;
}

/* A line of base64 that stands for len bytes. */
static bool take_base64(struct bytes *text, uint8_t *out, size_t len)
{
    AUTO_DONE(buf) raw = BUF_INIT(256);
    struct err ignored = ERR_INIT;
    struct bytes line;
    if (!take_line(text, &line) || b64_decode(B64_STD, line, &raw, &ignored) || raw.len != len)
        return false;
    memcpy(out, raw.ptr, len);
    return true;
}

int sign_minisig_parse(struct bytes text, struct sign_minisig *ret, struct err *e)
{
    uint8_t raw[ALG_LEN + SIGN_MINISIGN_NUMBER + SIGN_MINISIGN_LEN];
    struct sign_minisig s;
    struct bytes comment;
    if (text.len > LIMIT_MINISIG)
        return err_set(e, ERR_LIMIT, "a minisign signature of more than %u bytes", LIMIT_MINISIG);
    if (!take_comment(&text, UNTRUSTED, &comment))
        return malformed("signature: no untrusted comment", e);
    if (!take_base64(&text, raw, sizeof(raw)))
        return malformed("signature: the second line is none", e);
    const struct bytes alg = bytes_of(raw, ALG_LEN);
    if (!bytes_eq(alg, LEGACY) && !bytes_eq(alg, PREHASHED))
        return err_set(e, ERR_UNSUPPORTED, "a minisign signature of an unknown algorithm");
    s.of_hash = bytes_eq(alg, PREHASHED);
    memcpy(s.number, raw + ALG_LEN, sizeof(s.number));
    memcpy(s.signature, raw + ALG_LEN + SIGN_MINISIGN_NUMBER, sizeof(s.signature));
    if (!take_comment(&text, TRUSTED, &s.comment))
        return malformed("signature: no trusted comment", e);
    if (!take_base64(&text, s.global, sizeof(s.global)))
        return malformed("signature: no signature of the trusted comment", e);
    if (text.len)
        return malformed("signature: trailing bytes", e);
    *ret = s;
    return 0;
}

static bool is_file(struct bytes content)
{
    return bytes_starts(content, UNTRUSTED);
}

static bool wants_content(struct bytes content)
{
    struct sign_minisig s;
    struct err ignored = ERR_INIT;
    return !sign_minisig_parse(content, &s, &ignored) && !s.of_hash;
}

/* Number and key, with the line of a comment or, as people pass it on, without. */
static bool key_is_file(struct bytes content)
{
    return is_file(content) ||
           (content.len >= 56 && content.len <= 58 && content.ptr[0] == 'R' && content.ptr[1] == 'W');
}

static int key_parse(struct bytes content, const struct sign_password *password, struct sign_key **ret,
                     struct err *e)
{
    (void)password;
    uint8_t raw[PUBLIC_LEN];
    struct bytes comment;
    struct sign_key *k = NULL;
    if (is_file(content) && !take_comment(&content, UNTRUSTED, &comment))
        return malformed("key: its comment", e);
    struct bytes rest = content;
    if (!take_base64(&rest, raw, sizeof(raw)))
        return malformed("public key", e);
    if (rest.len)
        return malformed("public key: trailing bytes", e);
    if (!bytes_eq(bytes_of(raw, ALG_LEN), LEGACY))
        return err_set(e, ERR_UNSUPPORTED, "a minisign key of an unknown algorithm");
    int r = sign_key_new_public(&sign_alg_ed25519, bytes_of(raw + ALG_LEN + SIGN_MINISIGN_NUMBER, KEY_LEN),
                                &k, e);
    if (r)
        return r;
    memcpy(k->minisign_number, raw + ALG_LEN, SIGN_MINISIGN_NUMBER);
    k->has_minisign_number = true;
    *ret = k;
    return 0;
}

const struct sign_keyfile sign_keyfile_minisign = {
    .name = "minisign", .title = "minisign public key", .detect = key_is_file, .parse = key_parse};

/* As minisign shows it: the number is little-endian. */
static void show_number(const uint8_t number[SIGN_MINISIGN_NUMBER], char out[2 * SIGN_MINISIGN_NUMBER + 1])
{
    for (size_t i = 0; i < SIGN_MINISIGN_NUMBER; i++)
        (void)snprintf(out + 2 * i, 3, "%02X", number[SIGN_MINISIGN_NUMBER - 1 - i]);
}

/* Whether a key can have made it: one of another kind of file has no number. */
static bool is_candidate(const struct sign_key *k, const struct sign_minisig *s)
{
    return k->alg == &sign_alg_ed25519 &&
           (!k->has_minisign_number || memcmp(k->minisign_number, s->number, sizeof(s->number)) == 0);
}

/* Both signatures, the file's and the comment's. */
static int verify(const struct sign_key *k, const struct sign_minisig *s, struct bytes message,
                  bool *ret_file, bool *ret_comment, struct err *e)
{
    AUTO_DONE(buf) all = BUF_INIT(LIMIT_MINISIG);
    buf_append(&all, s->signature, sizeof(s->signature));
    buf_append_bytes(&all, s->comment);
    int r = buf_check(&all, e);
    if (!r)
        r = sign_key_verify(k, message, BYTES_ARR(s->signature), ret_file, e);
    return r ? r : sign_key_verify(k, buf_bytes(&all), BYTES_ARR(s->global), ret_comment, e);
}

/* "timestamp:1700000000", as minisign starts the comment unless told otherwise; 0: it does not. */
static int64_t time_of(struct bytes comment)
{
    int64_t t = 0;
    if (!bytes_starts(comment, TIMESTAMP))
        return 0;
    for (size_t i = TIMESTAMP.len, n = 0; i < comment.len && n < 12; i++, n++) {
        if (comment.ptr[i] < '0' || comment.ptr[i] > '9')
            break;
        t = t * 10 + (comment.ptr[i] - '0');
    }
    return t;
}

/* What the signature is over: the content, or its hash, which is then in *d. */
static int find_message(const struct sign_minisig *s, const struct sign_subject *subject, struct digest *d,
                        struct bytes *ret, struct err *e)
{
    struct digest own;
    if (s->of_hash) {
        int r = sign_content_hash(subject, HASH_BLAKE2B, d, e);
        *ret = bytes_of(d->value, HASH_BLAKE2B_LEN);
        return r;
    }
    if (!subject->content.len && subject->size)
        return err_set(e, ERR_UNSUPPORTED, "a legacy signature is over the bytes, which are not at hand");
    int r = hash_bytes(subject->digest.alg, subject->content, &own, e);
    if (r)
        return r;
    *ret = subject->content;
    return digest_eq(&own, &subject->digest)
               ? 0
               : err_set(e, ERR_DIGEST, "the bytes at hand are not those of the digest");
}

static int accept(const struct sign_key *k, const struct sign_minisig *s, const struct sign_subject *subject,
                  const struct sign_trust *trust, struct sign_check *check)
{
    char comment[200];
    (void)sign_key_fingerprint(k, check->key_id);
    sign_check_cover(check, subject);
    check->signed_at = time_of(s->comment);
    if (!sign_annotations_want(NULL, trust, check)) /* it has none */
        return 0;
    return sign_check_set(check, 0, "signed; trusted comment: %s",
                          text_escape(s->comment, comment, sizeof(comment)));
}

static int judge_by(const struct sign_minisig *s, const struct sign_subject *subject,
                    const struct sign_trust *trust, struct sign_check *check, struct err *e)
{
    char number[2 * SIGN_MINISIGN_NUMBER + 1];
    const struct sign_key *near = NULL;
    struct digest d;
    struct bytes message;
    bool file = false, comment = false;
    int r = find_message(s, subject, &d, &message, e);
    if (r)
        return sign_check_fail(check, r, e);
    for (size_t i = 0; i < trust->keys.n; i++) {
        const struct sign_key *k = trust->keys.keys[i];
        if (!is_candidate(k, s))
            continue;
        if ((r = verify(k, s, message, &file, &comment, e)))
            return r;
        near = k->has_minisign_number || file || !near ? k : near;
        (void)snprintf(check->key, sizeof(check->key), "%s", sign_key_name(near));
        if (file && comment)
            return accept(k, s, subject, trust, check);
        if (file)
            return sign_check_set(check, ERR_UNTRUSTED, "the trusted comment is not the one that was signed");
    }
    show_number(s->number, number);
    if (near && near->has_minisign_number)
        return sign_check_set(check, ERR_UNTRUSTED,
                              "says that it is by %.100s, and is not, or of another file",
                              sign_key_name(near));
    check->key[0] = 0;
    return sign_check_set(check, ERR_UNTRUSTED, "by the key %s, which is not trusted", number);
}

static int judge(const struct sign_carrier *carrier, const struct sign_subject *subject,
                 const struct sign_trust *trust, struct sign_report *report, struct err *e)
{
    struct sign_minisig s;
    struct sign_check *check;
    int r = sign_report_begin(report, NAME, SIGN_CHECK_SIGNATURE, carrier->where, &check, e);
    if (r)
        return r;
    r = sign_minisig_parse(carrier->blob, &s, e);
    return r ? sign_check_fail(check, r, e) : judge_by(&s, subject, trust, check, e);
}

const struct sign_format sign_minisign = {
    .name = NAME, .is_file = is_file, .wants_content = wants_content, .judge = judge};
