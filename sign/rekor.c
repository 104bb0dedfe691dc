/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/rekor.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/text.h"
#include "sign/note.h"
#include "sign/sigstore_key.h"

#include <inttypes.h>
#include <string.h>

#define ONLY(v, e, ...) \
    jobj_only(v, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})), e)

/* An entry, read and believed in nothing. */
struct entry {
    struct buf body, log_id, promise; /* promise: the signed entry timestamp; empty: none */
    const char *kind, *version;       /* as stated beside the body, or NULL */
    uint64_t index, time;             /* time: 0 where none is stated */
    const struct jval *proof;         /* or NULL */
};

#define ENTRY_INIT                                                                  \
    {                                                                               \
        .body = BUF_INIT(LIMIT_TLOG_BODY), .log_id = BUF_INIT(2 * HASH_SHA256_LEN), \
        .promise = BUF_INIT(LIMIT_DSSE_SIGNATURE),                                  \
    }

static void entry_done(struct entry *t)
{
    buf_done(&t->body);
    buf_done(&t->log_id);
    buf_done(&t->promise);
}

/* A number of 64 bits that is not negative: JSON of protocol buffers has it as a string or as a number, and
 * leaves 0 out. */
static int read_number(const struct jval *v, const char *key, uint64_t *ret, struct err *e)
{
    const struct jval *m = jobj_get(v, key);
    const char *text = m ? jval_string(m) : NULL;
    uint64_t n = 0;
    if (!m || !text) {
        int r = jobj_want_uint(v, key, false, INT64_MAX, &n, e);
        if (!r)
            *ret = n;
        return r;
    }
    size_t len = strlen(text);
    if (len == 0 || len > 19 || (text[0] == '0' && len > 1) || strspn(text, "0123456789") != len)
        return err_set(e, ERR_FORMAT, "\"%s\" is no number from 0 on", key);
    for (size_t i = 0; i < len; i++)
        n = n * 10 + (uint64_t)(text[i] - '0');
    if (n > INT64_MAX)
        return err_set(e, ERR_FORMAT, "\"%s\" is too large", key);
    *ret = n;
    return 0;
}

static int read_promise(const struct jval *v, struct entry *ret, struct err *e)
{
    const struct jval *promise;
    int r = jobj_want_object(v, "inclusionPromise", false, &promise, e);
    if (r || !promise)
        return r;
    r = ONLY(promise, e, "signedEntryTimestamp");
    if (!r)
        r = jobj_want_b64(promise, "signedEntryTimestamp", &ret->promise, e);
    if (!r && !ret->promise.len)
        r = err_set(e, ERR_FORMAT, "an empty promise");
    return r;
}

static int read_kind(const struct jval *v, struct entry *ret, struct err *e)
{
    const struct jval *kind;
    int r = jobj_want_object(v, "kindVersion", false, &kind, e);
    if (r || !kind)
        return r;
    r = ONLY(kind, e, "kind", "version");
    if (!r)
        r = jobj_want_string(kind, "kind", true, &ret->kind, e);
    return r ? r : jobj_want_string(kind, "version", true, &ret->version, e);
}

/* TransparencyLogEntry. */
static int read_entry(const struct jval *v, struct entry *ret, struct err *e)
{
    const struct jval *id;
    if (!v || jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = ONLY(v, e, "logIndex", "logId", "kindVersion", "integratedTime", "inclusionPromise",
                 "inclusionProof", "canonicalizedBody");
    if (!r)
        r = read_number(v, "logIndex", &ret->index, e);
    if (!r)
        r = read_number(v, "integratedTime", &ret->time, e);
    if (!r)
        r = jobj_want_object(v, "logId", true, &id, e);
    if (!r)
        r = ONLY(id, e, "keyId");
    if (!r)
        r = jobj_want_b64(id, "keyId", &ret->log_id, e);
    if (!r)
        r = read_kind(v, ret, e);
    if (!r)
        r = read_promise(v, ret, e);
    if (!r)
        r = jobj_want_object(v, "inclusionProof", false, &ret->proof, e);
    return r ? r : jobj_want_b64(v, "canonicalizedBody", &ret->body, e);
}

static int read_set(const struct jval *v, struct entry *ret, struct err *e)
{
    uint8_t id[HASH_SHA256_LEN];
    const struct jval *payload;
    const char *hex;
    if (jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = ONLY(v, e, "SignedEntryTimestamp", "Payload");
    if (!r)
        r = jobj_want_b64(v, "SignedEntryTimestamp", &ret->promise, e);
    if (!r)
        r = jobj_want_object(v, "Payload", true, &payload, e);
    if (!r)
        r = ONLY(payload, e, "body", "integratedTime", "logIndex", "logID");
    if (!r)
        r = read_number(payload, "integratedTime", &ret->time, e);
    if (!r)
        r = read_number(payload, "logIndex", &ret->index, e);
    if (!r)
        r = jobj_want_string(payload, "logID", true, &hex, e);
    if (r)
        return r;
    if (strlen(hex) != 2 * sizeof(id) || !hex_decode_lower(bytes_str(hex), id))
        return err_set(e, ERR_FORMAT, "\"logID\" is no hash");
    buf_append(&ret->log_id, id, sizeof(id));
    return jobj_want_b64(payload, "body", &ret->body, e);
}

/* The promise is signed over four members, as RFC 8785 writes them. */
static int check_promise(const struct entry *t, const struct sign_log *log, struct err *e)
{
    const struct sign_trust none = {.now = 0};
    AUTO_DONE(buf) message = BUF_INIT(2 * (size_t)LIMIT_TLOG_BODY);
    char id[2 * HASH_SHA256_LEN + 1];
    bool good = false;
    buf_append_str(&message, "{\"body\":\"");
    b64_encode(B64_STD, buf_bytes(&t->body), &message);
    buf_printf(&message, "\",\"integratedTime\":%" PRIu64 ",\"logID\":\"%s\",\"logIndex\":%" PRIu64 "}",
               t->time, hex_encode(BYTES_ARR(log->id), id), t->index);
    int r = buf_check(&message, e);
    if (!r)
        r = sign_sigstore_verify(log->key, &none, buf_bytes(&message), buf_bytes(&t->promise), &good, e);
    if (r)
        return r;
    if (!good)
        return err_set(e, ERR_UNTRUSTED, "the signed entry timestamp is not by the log %s", log->origin);
    if (!sign_window_has(&log->window, (int64_t)t->time))
        return err_set(e, ERR_EXPIRED, "taken in at a time when the log %s is not trusted", log->origin);
    return 0;
}

/* The hashes of a proof, one behind the other. */
static int read_path(const struct jval *proof, struct buf *out, struct err *e)
{
    const struct jval *list;
    int r = jobj_want_array(proof, "hashes", false, &list, e);
    size_t n = r ? 0 : jarr_len(list);
    if (n > LIMIT_TLOG_HASHES)
        return err_set(e, ERR_LIMIT, "an inclusion proof of more than %u hashes", LIMIT_TLOG_HASHES);
    for (size_t i = 0; !r && i < n; i++) {
        const char *text = jval_string(jarr_at(list, i));
        if (!text)
            return err_set(e, ERR_FORMAT, "a hash that is no string");
        r = b64_decode_any(bytes_str(text), out, e);
        if (!r && out->len != (i + 1) * HASH_SHA256_LEN)
            r = err_set(e, ERR_FORMAT, "a hash of another length than SHA-256's");
    }
    return r;
}

/* Whether the log signed that it had that root at that size. is_v2: it must call itself by its address; a log
 * of Rekor v1 may go by another name, and adds the number of its tree. */
static int check_checkpoint(const struct jval *proof, const struct sign_log *log, bool is_v2, uint64_t size,
                            const uint8_t root[HASH_SHA256_LEN], struct err *e)
{
    const struct jval *v;
    const char *text;
    struct sign_note note;
    struct sign_checkpoint c = {.size = 0};
    int r = jobj_want_object(proof, "checkpoint", true, &v, e);
    if (!r)
        r = ONLY(v, e, "envelope");
    if (!r)
        r = jobj_want_string(v, "envelope", true, &text, e);
    if (!r)
        r = sign_note_parse(bytes_str(text), &note, e);
    if (!r)
        r = sign_checkpoint_parse(note.text, &c, e);
    if (r)
        return r;
    bool good = false;
    for (size_t i = 0; i < note.n && !good; i++) {
        struct bytes name = note.lines[i].name;
        if (is_v2 ? bytes_eq(c.origin, name) && bytes_eq_str(name, log->origin)
                  : sign_checkpoint_named(&c, name))
            r = sign_note_verify(&note, name, log->id, log->key, &good, e);
        if (r)
            return r;
    }
    if (!good)
        return err_set(e, ERR_UNTRUSTED, "the checkpoint is not signed by the log %s in its own name",
                       log->origin);
    if (c.size != size || memcmp(c.root, root, sizeof(c.root)) != 0)
        return err_set(e, ERR_DIGEST, "the checkpoint is of another tree than the inclusion proof");
    return 0;
}

static int check_proof(const struct entry *t, const struct sign_log *log, bool is_v2, struct err *e)
{
    AUTO_DONE(buf) path = BUF_INIT(LIMIT_TLOG_HASHES * HASH_SHA256_LEN);
    AUTO_DONE(buf) stated = BUF_INIT(2 * HASH_SHA256_LEN);
    uint8_t leaf[HASH_SHA256_LEN], root[HASH_SHA256_LEN];
    uint64_t index = 0, size = 0;
    int r = ONLY(t->proof, e, "logIndex", "rootHash", "treeSize", "hashes", "checkpoint");
    if (!r)
        r = read_number(t->proof, "logIndex", &index, e);
    if (!r)
        r = read_number(t->proof, "treeSize", &size, e);
    if (!r)
        r = jobj_want_b64(t->proof, "rootHash", &stated, e);
    if (!r)
        r = read_path(t->proof, &path, e);
    if (!r)
        r = sign_merkle_leaf(buf_bytes(&t->body), leaf, e);
    if (!r)
        r = sign_merkle_root(leaf, index, size, path.ptr, path.len / HASH_SHA256_LEN, root, e);
    if (r)
        return r;
    if (!bytes_eq(buf_bytes(&stated), BYTES_ARR(root)))
        return err_set(e, ERR_DIGEST, "the inclusion proof leads to another root");
    return check_checkpoint(t->proof, log, is_v2, size, root, e);
}

static int find_log(const struct entry *t, const struct sign_root *root, const struct sign_log **ret,
                    struct err *e)
{
    char id[4 * HASH_SHA256_LEN + 1];
    const struct sign_log *log = sign_log_find(root->tlogs, root->n_tlogs, buf_bytes(&t->log_id));
    if (!log)
        return err_set(e, ERR_UNTRUSTED, "of the log %s, which the trusted root does not have",
                       hex_encode(buf_bytes(&t->log_id), id));
    if (!log->key)
        return err_set(e, ERR_UNSUPPORTED, "the key of the log %s is of a type that is not known",
                       log->origin);
    *ret = log;
    return 0;
}

static bool differs(const char *stated, const char *is)
{
    return stated && strcmp(stated, is) != 0;
}

/* needs: the promise or the proof, by which entries of that kind are known to be in a log. */
static int check_entry(const struct entry *t, const struct sign_rekor_about *about, bool needs_promise,
                       const struct sign_root *root, struct sign_rekor_proof *ret, struct err *e)
{
    AUTO(jdoc) body = NULL;
    struct sign_rekor_kind kind = {.kind = NULL};
    const struct sign_log *log = NULL;
    int r = find_log(t, root, &log, e);
    if (!r)
        r = jdoc_parse(buf_bytes(&t->body), &body, e);
    if (!r)
        r = sign_rekor_kind_read(jdoc_root(body), &kind, e);
    if (!r && (differs(t->kind, kind.kind) || differs(t->version, kind.version)))
        r = err_set(e, ERR_FORMAT, "of another kind than its body");
    if (!r && needs_promise && !t->promise.len)
        r = err_set(e, ERR_UNTRUSTED, "without a signed entry timestamp");
    if (!r && !needs_promise && !t->proof)
        r = err_set(e, ERR_UNTRUSTED, "without an inclusion proof");
    if (!r && t->promise.len)
        r = check_promise(t, log, e);
    if (!r && t->proof)
        r = check_proof(t, log, strcmp(kind.version, "0.0.2") == 0 && strcmp(kind.kind, "intoto") != 0, e);
    if (!r)
        r = sign_rekor_body_check(jdoc_root(body), about, e);
    if (!r)
        *ret = (struct sign_rekor_proof){.log = log, .time = t->promise.len ? (int64_t)t->time : 0};
    return r;
}

int sign_rekor_check(const struct jval *entry, const struct sign_rekor_about *about, bool needs_promise,
                     const struct sign_root *root, struct sign_rekor_proof *ret, struct err *e)
{
    AUTO_DONE(entry) t = ENTRY_INIT;
    int r = read_entry(entry, &t, e);
    return r ? r : check_entry(&t, about, needs_promise, root, ret, e);
}

int sign_rekor_check_set(const struct jval *set, const struct sign_rekor_about *about,
                         const struct sign_root *root, struct sign_rekor_proof *ret, struct err *e)
{
    AUTO_DONE(entry) t = ENTRY_INIT;
    int r = read_set(set, &t, e);
    return r ? r : check_entry(&t, about, true, root, ret, e);
}
