/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/note.h"

#include "base/hex.h"
#include "sign/sigstore_key.h"

#define DASH "\xe2\x80\x94 " /* an em dash and a blank start the line of a signature */

/* Cuts a line off *b, without its newline. */
static bool take_line(struct bytes *b, struct bytes *ret)
{
    const uint8_t *end = b->len ? memchr(b->ptr, '\n', b->len) : NULL;
    if (!end || !bytes_take(b, (size_t)(end - b->ptr), ret))
        return false;
    struct bytes newline;
    return bytes_take(b, 1, &newline);
}

/* UTF-8 without control characters but newlines. */
static bool is_text(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if ((b.ptr[i] < 0x20 && b.ptr[i] != '\n') || b.ptr[i] == 0x7f)
            return false;
    return bytes_is_utf8(b);
}

static bool read_line(struct bytes line, struct sign_note_line *ret)
{
    struct bytes dash, blank;
    if (!bytes_starts(line, BYTES_LIT(DASH)) || !bytes_take(&line, strlen(DASH), &dash))
        return false;
    const uint8_t *end = line.len ? memchr(line.ptr, ' ', line.len) : NULL;
    if (!end || !bytes_take(&line, (size_t)(end - line.ptr), &ret->name) || ret->name.len == 0 ||
        memchr(ret->name.ptr, '+', ret->name.len) || !bytes_take(&line, 1, &blank))
        return false;
    ret->value = line;
    return line.len != 0;
}

int sign_note_parse(struct bytes text, struct sign_note *ret, struct err *e)
{
    struct sign_note note = {.n = 0};
    struct bytes line, rest = text;
    if (text.len > LIMIT_CHECKPOINT)
        return err_set(e, ERR_LIMIT, "a signed note of more than %u bytes", LIMIT_CHECKPOINT);
    if (!is_text(text))
        return err_set(e, ERR_FORMAT, "malformed signed note: no text");
    /* The last empty line parts text and signatures. */
    for (size_t i = text.len; i >= 2 && !note.text.len; i--)
        if (text.ptr[i - 1] == '\n' && text.ptr[i - 2] == '\n')
            note.text = bytes_of(text.ptr, i - 1);
    if (!note.text.len || !bytes_take(&rest, note.text.len + 1, &line))
        return err_set(e, ERR_FORMAT, "malformed signed note: no signature");
    while (rest.len) {
        if (note.n == LIMIT_NOTE_SIGNATURES)
            return err_set(e, ERR_LIMIT, "a note with more than %u signatures", LIMIT_NOTE_SIGNATURES);
        if (!take_line(&rest, &line) || !read_line(line, &note.lines[note.n]))
            return err_set(e, ERR_FORMAT, "malformed signed note: a line that is no signature");
        note.n++;
    }
    if (note.n == 0)
        return err_set(e, ERR_FORMAT, "malformed signed note: no signature");
    *ret = note;
    return 0;
}

int sign_note_verify(const struct sign_note *note, struct bytes name, const uint8_t hint[SIGN_NOTE_HINT],
                     const struct sign_key *key, bool *ret_good, struct err *e)
{
    const struct sign_trust none = {.now = 0};
    bool good = false;
    for (size_t i = 0; i < note->n && !good; i++) {
        AUTO_DONE(buf) raw = BUF_INIT(LIMIT_DSSE_SIGNATURE);
        struct err ignored = ERR_INIT;
        struct bytes signature, got;
        if (!bytes_eq(note->lines[i].name, name))
            continue;
        int r = b64_decode(B64_STD, note->lines[i].value, &raw, &ignored);
        if (r == ERR_NOMEM)
            return err_nomem(e);
        signature = buf_bytes(&raw);
        if (r || !bytes_take(&signature, SIGN_NOTE_HINT, &got) || memcmp(got.ptr, hint, SIGN_NOTE_HINT) != 0)
            continue;
        r = sign_sigstore_verify(key, &none, note->text, signature, &good, e);
        if (r)
            return r;
    }
    *ret_good = good;
    return 0;
}

/* Decimal, without leading zeros or a sign. */
static bool read_size(struct bytes b, uint64_t *ret)
{
    uint64_t v = 0;
    if (b.len == 0 || b.len > 19 || (b.ptr[0] == '0' && b.len > 1))
        return false;
    for (size_t i = 0; i < b.len; i++) {
        if (b.ptr[i] < '0' || b.ptr[i] > '9')
            return false;
        v = v * 10 + (uint64_t)(b.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

int sign_checkpoint_parse(struct bytes text, struct sign_checkpoint *ret, struct err *e)
{
    AUTO_DONE(buf) root = BUF_INIT(LIMIT_CHECKPOINT);
    struct sign_checkpoint c;
    struct bytes size, hash;
    if (!take_line(&text, &c.origin) || c.origin.len == 0)
        return err_set(e, ERR_FORMAT, "malformed checkpoint: no origin");
    if (!take_line(&text, &size) || !read_size(size, &c.size))
        return err_set(e, ERR_FORMAT, "malformed checkpoint: no size");
    if (!take_line(&text, &hash) || b64_decode(B64_STD, hash, &root, e) != 0 || root.len != sizeof(c.root))
        return err_set(e, ERR_FORMAT, "malformed checkpoint: no root hash");
    memcpy(c.root, root.ptr, sizeof(c.root));
    *ret = c;
    return 0;
}

bool sign_checkpoint_named(const struct sign_checkpoint *c, struct bytes name)
{
    struct bytes rest = c->origin, head;
    if (!bytes_take(&rest, name.len, &head) || !bytes_eq(head, name))
        return false;
    if (rest.len == 0)
        return true;
    if (!bytes_starts(rest, BYTES_LIT(" - ")) || rest.len == 3)
        return false;
    for (size_t i = 3; i < rest.len; i++)
        if (rest.ptr[i] < '0' || rest.ptr[i] > '9')
            return false;
    return true;
}

/* SHA-256 of a byte and two strings: a leaf starts with 0, what stands above with 1. */
static int hash_node(uint8_t kind, struct bytes left, struct bytes right, uint8_t ret[HASH_SHA256_LEN],
                     struct err *e)
{
    AUTO(hash_state) h = NULL;
    struct digest d;
    int r = hash_open(HASH_SHA256, &h, e);
    if (r)
        return r;
    hash_update(h, bytes_of(&kind, 1));
    hash_update(h, left);
    hash_update(h, right);
    hash_final(h, &d);
    memcpy(ret, d.value, HASH_SHA256_LEN);
    return 0;
}

int sign_merkle_leaf(struct bytes entry, uint8_t ret[HASH_SHA256_LEN], struct err *e)
{
    return hash_node(0, entry, BYTES_NONE, ret, e);
}

int sign_merkle_root(const uint8_t leaf[HASH_SHA256_LEN], uint64_t index, uint64_t size, const uint8_t *path,
                     size_t n, uint8_t ret[HASH_SHA256_LEN], struct err *e)
{
    uint8_t at[HASH_SHA256_LEN];
    uint64_t node = index, last = size - 1;
    if (index >= size)
        return err_set(e, ERR_FORMAT, "an inclusion proof for an entry outside of the tree");
    memcpy(at, leaf, sizeof(at));
    for (size_t i = 0; i < n; i++) {
        struct bytes beside = bytes_of(path + i * HASH_SHA256_LEN, HASH_SHA256_LEN), own = BYTES_ARR(at);
        if (last == 0)
            return err_set(e, ERR_FORMAT, "an inclusion proof that is too long for its tree");
        bool is_right = (node & 1) || node == last;
        int r = is_right ? hash_node(1, beside, own, at, e) : hash_node(1, own, beside, at, e);
        if (r)
            return r;
        while (is_right && !(node & 1) && node != 0) {
            node >>= 1;
            last >>= 1;
        }
        node >>= 1;
        last >>= 1;
    }
    if (last != 0)
        return err_set(e, ERR_FORMAT, "an inclusion proof that is too short for its tree");
    memcpy(ret, at, sizeof(at));
    return 0;
}
