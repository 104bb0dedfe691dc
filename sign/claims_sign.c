/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/claims.h"

#include "base/hex.h"
#include "base/json.h"
#include "sign/claims_hash.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define SECTION_NAME BYTES_LIT("wasmcloud_jwt")
#define ID_LEN       22U

/* Who signs about what. */
struct parties {
    char issuer[SIGN_NKEY_TEXT], subject[SIGN_NKEY_TEXT];
};

static int check_order(const struct sign_file_order *order, struct err *e)
{
    const struct sign_key *keys[] = {order->key, order->subject};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i] && sign_key_type(keys[i]) != SIGN_KEY_ED25519)
            return err_set(e, ERR_UNSUPPORTED, "claims know Ed25519 keys only; %s is a key for %s",
                           sign_key_name(keys[i]), sign_key_type_name(sign_key_type(keys[i])));
    if (!sign_key_is_private(order->key))
        return err_set(e, ERR_USAGE, "%s is a public key; signing needs the private one",
                       sign_key_name(order->key));
    const struct sign_claims *c = order->claims;
    if (c->revision > INT32_MAX)
        return err_set(e, ERR_USAGE, "the revision is at most %d", INT32_MAX);
    if (c->n_tags > LIMIT_CLAIMS_LIST || c->n_capabilities > LIMIT_CLAIMS_LIST)
        return err_set(e, ERR_LIMIT, "more than %u tags or capabilities", LIMIT_CLAIMS_LIST);
    if (c->expires_at && c->expires_at <= c->not_before)
        return err_set(e, ERR_USAGE, "the claims would expire before they are valid");
    return 0;
}

/* The module's key: the one given, that of the claims that are there, or a new one of which nobody has the
 * private half. */
static int parties_init(struct parties *p, const struct sign_file_order *order, const struct sign_scan *scan,
                        struct err *e)
{
    AUTO_DONE(sign_token) old = {.doc = NULL};
    AUTO(sign_key) fresh = NULL;
    struct err ignored = ERR_INIT;
    (void)sign_nkey_encode('A', sign_key_public(order->key).ptr, p->issuer);
    if (order->subject) {
        (void)sign_nkey_encode('M', sign_key_public(order->subject).ptr, p->subject);
        return 0;
    }
    if (scan->n_claims == 1 && sign_token_parse(buf_bytes(&scan->claims), &old, &ignored) == 0) {
        (void)snprintf(p->subject, sizeof(p->subject), "%s", old.subject);
        return 0;
    }
    int r = sign_key_generate(SIGN_KEY_ED25519, &fresh, e);
    if (!r)
        (void)sign_nkey_encode('M', sign_key_public(fresh).ptr, p->subject);
    return r;
}

static void put_strings(struct jout *w, const char *key, const char *const *items, size_t n)
{
    jout_array(w, key);
    for (size_t i = 0; i < n; i++)
        jout_string(w, NULL, items[i]);
    jout_array_end(w);
}

/* The token's own name: letters and digits that the rest determines, so that the same order gives the same
 * bytes.
 */
static int put_id(struct jout *w, const struct parties *p, const char *hash, int64_t at, struct err *e)
{
    static const char letters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    AUTO_DONE(buf) all = BUF_INIT(512);
    char id[ID_LEN + 1];
    struct digest d;
    buf_printf(&all, "%s %s %s %lld", p->issuer, p->subject, hash, (long long)at);
    int r = buf_check(&all, e);
    if (!r)
        r = hash_bytes(HASH_SHA256, buf_bytes(&all), &d, e);
    if (r)
        return r;
    for (size_t i = 0; i < ID_LEN; i++)
        id[i] = letters[d.value[i] % (sizeof(letters) - 1)];
    id[ID_LEN] = 0;
    jout_string(w, "jti", id);
    return 0;
}

static void put_module(struct jout *w, const struct sign_claims *c, const char *hash)
{
    jout_object(w, "wascap");
    if (c->name)
        jout_string(w, "name", c->name);
    jout_string(w, "hash", hash);
    put_strings(w, "tags", c->tags, c->n_tags);
    put_strings(w, "caps", c->capabilities, c->n_capabilities);
    if (c->revision >= 0)
        jout_int(w, "rev", c->revision);
    if (c->version)
        jout_string(w, "ver", c->version);
    if (c->call_alias)
        jout_string(w, "call_alias", c->call_alias);
    jout_bool(w, "prov", false);
    jout_object_end(w);
}

static int put_claims(const struct sign_claims *c, const struct parties *p, const struct digest *module,
                      struct buf *out, struct err *e)
{
    char hash[DIGEST_STR_MAX];
    struct jout w = {.out = out};
    (void)digest_hex(module, hash);
    for (char *at = hash; *at; at++)
        *at = (char)toupper((unsigned char)*at);
    jout_object(&w, NULL);
    if (c->expires_at)
        jout_int(&w, "exp", c->expires_at);
    int r = put_id(&w, p, hash, c->issued_at, e);
    jout_int(&w, "iat", c->issued_at);
    jout_string(&w, "iss", p->issuer);
    jout_string(&w, "sub", p->subject);
    if (c->not_before)
        jout_int(&w, "nbf", c->not_before);
    put_module(&w, c, hash);
    jout_uint(&w, "wascap_revision", SIGN_CLAIMS_REVISION);
    jout_object_end(&w);
    return r ? r : buf_check(out, e);
}

static int make_token(const struct sign_file_order *order, const struct parties *p,
                      const struct digest *module, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_CLAIMS / 2);
    AUTO_DONE(buf) signature = BUF_INIT(64);
    int r = put_claims(order->claims, p, module, &text, e);
    if (r)
        return r;
    b64_encode(B64_URL, BYTES_LIT("{\"typ\":\"jwt\",\"alg\":\"Ed25519\"}"), out);
    buf_append_str(out, ".");
    b64_encode(B64_URL, buf_bytes(&text), out);
    r = buf_check(out, e);
    if (!r)
        r = sign_key_sign(order->key, buf_bytes(out), &signature, e);
    if (r)
        return r;
    buf_append_str(out, ".");
    b64_encode(B64_URL, buf_bytes(&signature), out);
    return buf_check(out, e);
}

/* All sections of the file but those with claims, as they are. */
struct strip {
    struct sink base;
    struct sink *to;
    const struct sign_scan *scan;
    size_t next; /* in the table */
    uint64_t at; /* in the file */
};

static int strip_write(struct sink *base, struct bytes data, struct err *e)
{
    struct strip *s = (struct strip *)base;
    while (data.len) {
        const struct sign_section *row = s->next < s->scan->n_sections ? &s->scan->sections[s->next] : NULL;
        bool inside = row && s->at >= row->offset;
        uint64_t end = inside ? row->offset + row->header_size + row->size : row ? row->offset : UINT64_MAX;
        struct bytes part;
        size_t n = data.len < end - s->at ? data.len : (size_t)(end - s->at);
        (void)bytes_take(&data, n, &part);
        s->at += n;
        s->next += inside && s->at == end;
        int r = inside && row->role == SIGN_ROLE_CLAIMS ? 0 : sink_write(s->to, part, e);
        if (r)
            return r;
    }
    return 0;
}

static int copy_stripped(const struct sign_scan *scan, struct sink *to, struct err *e)
{
    struct strip strip = {.base = {.write = strip_write}, .to = to, .scan = scan};
    struct source *in;
    struct source_tee tee;
    struct digest d;
    AUTO(hash_state) hash = NULL;
    int r = hash_open(HASH_SHA256, &hash, e);
    if (!r)
        r = scan->from->open(scan->from->ctx, &in, e);
    if (r)
        return r;
    r = stream_copy(source_tee_init(&tee, in, hash_see, hash), &strip.base, NULL, e);
    source_close(in);
    if (r)
        return r;
    hash_final(hash, &d);
    return digest_eq(&d, &scan->file) ? 0 : err_set(e, ERR_IO, "the file changed while it was read");
}

static int put_section(struct bytes token, struct sink *to, struct err *e)
{
    AUTO_DONE(buf) head = BUF_INIT(32);
    buf_append_u8(&head, 0);
    buf_append_leb32(
        &head, (uint32_t)(1 + SECTION_NAME.len + token.len)); /* names below 128 have a length of one byte */
    buf_append_leb32(&head, (uint32_t)SECTION_NAME.len);
    buf_append_bytes(&head, SECTION_NAME);
    int r = buf_check(&head, e);
    if (!r)
        r = sink_write(to, buf_bytes(&head), e);
    return r ? r : sink_write(to, token, e);
}

int sign_claims_sign(const struct source_opener *from, const struct sign_file_order *order, struct sink *to,
                     struct err *e)
{
    AUTO_DONE(sign_scan) scan = SIGN_SCAN_INIT;
    AUTO_DONE(buf) token = BUF_INIT(LIMIT_CLAIMS - 64);
    struct parties parties;
    struct digest module;
    int r = check_order(order, e);
    if (!r)
        r = sign_scan_run(from, 0, &scan, e);
    if (r)
        return r;
    if (scan.broken.code)
        return err_set(e, ERR_FORMAT, "%s", scan.broken.msg);
    if (scan.has_signature)
        return err_set(e, ERR_DIGEST,
                       "its embedded signature would not be right any more: put in the claims, then sign");
    if ((r = parties_init(&parties, order, &scan, e)) || (r = sign_claims_hash(&scan, false, &module, e)) ||
        (r = make_token(order, &parties, &module, &token, e)) || (r = copy_stripped(&scan, to, e)))
        return r;
    return put_section(buf_bytes(&token), to, e);
}
