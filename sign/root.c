/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/root.h"

#include "base/json.h"
#include "base/limits.h"
#include "base/time.h"

#define ONLY(v, e, ...) \
    jobj_only(v, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})), e)

static void log_done(struct sign_log *l)
{
    free(l->origin);
    sign_key_free(l->key);
}

static void authority_done(struct sign_authority *a)
{
    free(a->name);
    sign_store_free(a->anchor);
    sign_chain_done(&a->middle);
}

void sign_root_free(struct sign_root *root)
{
    if (!root)
        return;
    for (size_t i = 0; i < root->n_tlogs; i++)
        log_done(&root->tlogs[i]);
    for (size_t i = 0; i < root->n_ctlogs; i++)
        log_done(&root->ctlogs[i]);
    for (size_t i = 0; i < root->n_cas; i++)
        authority_done(&root->cas[i]);
    for (size_t i = 0; i < root->n_tsas; i++)
        authority_done(&root->tsas[i]);
    free(root->tlogs);
    free(root->ctlogs);
    free(root->cas);
    free(root->tsas);
    free(root);
}

const struct sign_log *sign_log_find(const struct sign_log *logs, size_t n, struct bytes id)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_eq(id, BYTES_ARR(logs[i].id)))
            return &logs[i];
    return NULL;
}

static int read_time(const struct jval *v, const char *key, bool required, int64_t *ret, struct err *e)
{
    const char *text;
    int r = jobj_want_string(v, key, required, &text, e);
    if (r || !text)
        return r;
    if (!time_parse_rfc3339(bytes_str(text), ret))
        return err_set(e, ERR_FORMAT, "\"%s\" is no time", key);
    return 0;
}

/* validFor: a beginning is a must, since without one a key would be good for all the past. */
static int read_window(const struct jval *v, struct sign_window *ret, struct err *e)
{
    const struct jval *range;
    struct sign_window w = {.to = INT64_MAX};
    int r = jobj_want_object(v, "validFor", true, &range, e);
    if (!r)
        r = ONLY(range, e, "start", "end");
    if (!r)
        r = read_time(range, "start", true, &w.from, e);
    if (!r)
        r = read_time(range, "end", false, &w.to, e);
    if (!r && w.to < w.from)
        r = err_set(e, ERR_FORMAT, "validFor ends before it starts");
    if (!r)
        *ret = w;
    return r;
}

/* What a signed note calls the log: its address without the scheme (C2SP tlog-checkpoint, "Origin"). */
static int copy_origin(const char *url, char **ret, struct err *e)
{
    const char *skip = strstr(url, "://");
    const char *from = skip ? skip + strlen("://") : url;
    size_t len = strlen(from);
    while (len && from[len - 1] == '/')
        len--;
    for (size_t i = 0; i < len; i++)
        if (from[i] <= ' ' || from[i] > '~')
            return err_set(e, ERR_FORMAT, "an address with other characters than ASCII's");
    return (*ret = strndup(from, len)) ? 0 : err_nomem(e);
}

/* A log is called by the SHA-256 of its key (RFC 6962 section 3.2); newer ones with an Ed25519 key by what
 * C2SP signed-note makes of its name and key. */
static int check_id(const struct sign_log *l, struct bytes spki, struct err *e)
{
    AUTO_DONE(buf) named = BUF_INIT(LIMIT_ROOT);
    struct digest d;
    int r = hash_bytes(HASH_SHA256, spki, &d, e);
    if (r || bytes_eq(BYTES_ARR(l->id), bytes_of(d.value, HASH_SHA256_LEN)))
        return r;
    if (sign_key_type(l->key) == SIGN_KEY_ED25519) {
        buf_append_str(&named, l->origin);
        buf_append_str(&named, "\n\x01");
        buf_append_bytes(&named, sign_key_public(l->key));
        r = buf_check(&named, e);
        if (!r)
            r = hash_bytes(HASH_SHA256, buf_bytes(&named), &d, e);
        if (r || bytes_eq(BYTES_ARR(l->id), bytes_of(d.value, HASH_SHA256_LEN)))
            return r;
    }
    return err_set(e, ERR_FORMAT, "its identifier is not that of its key");
}

static int read_log_id(const struct jval *v, struct sign_log *ret, struct err *e)
{
    AUTO_DONE(buf) raw = BUF_INIT(LIMIT_ROOT);
    const struct jval *id;
    int r = jobj_want_object(v, "logId", true, &id, e);
    if (!r)
        r = ONLY(id, e, "keyId");
    if (!r)
        r = jobj_want_b64(id, "keyId", &raw, e);
    if (r)
        return r;
    if (raw.len != sizeof(ret->id))
        return err_set(e, ERR_FORMAT, "an identifier of %zu bytes instead of %zu", raw.len, sizeof(ret->id));
    memcpy(ret->id, raw.ptr, sizeof(ret->id));
    return 0;
}

static int read_log_key(const struct jval *v, struct sign_log *ret, struct err *e)
{
    AUTO_DONE(buf) spki = BUF_INIT(LIMIT_KEY_FILE);
    const struct jval *key;
    const char *details;
    int r = jobj_want_object(v, "publicKey", true, &key, e);
    if (!r)
        r = ONLY(key, e, "rawBytes", "keyDetails", "validFor");
    if (!r)
        r = jobj_want_string(key, "keyDetails", true, &details, e);
    if (!r)
        r = read_window(key, &ret->window, e);
    if (!r)
        r = jobj_want_b64(key, "rawBytes", &spki, e);
    if (r)
        return r;
    /* Sigstore's own root has an old log whose key is a bare RSAPublicKey. Nothing by such a log is good. */
    if (strncmp(details, "PKIX_", strlen("PKIX_")) != 0)
        return 0;
    r = sign_key_from_spki(buf_bytes(&spki), ret->origin, &ret->key, e);
    if (r == ERR_UNSUPPORTED)
        return 0;
    return r ? r : check_id(ret, buf_bytes(&spki), e);
}

static int read_log(const struct jval *v, void *item, struct err *e)
{
    struct sign_log *ret = item;
    const struct jval *unused;
    const char *url, *hash, *operator;
    int r = ONLY(v, e, "baseUrl", "hashAlgorithm", "publicKey", "logId", "checkpointKeyId", "operator");
    if (!r)
        r = jobj_want_string(v, "baseUrl", false, &url, e);
    if (!r)
        r = copy_origin(url ? url : "", &ret->origin, e);
    if (!r)
        r = jobj_want_string(v, "hashAlgorithm", true, &hash, e);
    if (!r && strcmp(hash, "SHA2_256") != 0)
        r = err_set(e, ERR_UNSUPPORTED, "a log with another hash than SHA-256");
    if (!r)
        r = jobj_want_object(v, "checkpointKeyId", false, &unused, e);
    if (!r)
        r = jobj_want_string(v, "operator", false, &operator, e);
    if (!r)
        r = read_log_id(v, ret, e);
    return r ? r : read_log_key(v, ret, e);
}

/* One certificate in base64 into *ret. */
static int read_der(const struct jval *v, struct buf *ret, struct err *e)
{
    if (!v || jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "a certificate that is no object");
    int r = ONLY(v, e, "rawBytes");
    return r ? r : jobj_want_b64(v, "rawBytes", ret, e);
}

static int read_certs(const struct jval *v, enum sign_store_kind kind, struct sign_authority *ret,
                      struct err *e)
{
    const struct jval *chain, *list;
    int r = jobj_want_object(v, "certChain", true, &chain, e);
    if (!r)
        r = ONLY(chain, e, "certificates");
    if (!r)
        r = jobj_want_array(chain, "certificates", true, &list, e);
    if (!r)
        r = sign_store_new(&ret->anchor, e);
    if (r)
        return r;
    size_t n = jarr_len(list);
    if (n == 0 || n > LIMIT_CHAIN)
        return err_set(e, n ? ERR_LIMIT : ERR_FORMAT, "a chain of %zu certificates", n);
    for (size_t i = 0; !r && i < n; i++) {
        AUTO_DONE(buf) der = BUF_INIT(LIMIT_CERT);
        r = read_der(jarr_at(list, i), &der, e);
        if (!r && kind == SIGN_STORE_CA && i + 1 < n)
            r = sign_chain_add(&ret->middle, buf_bytes(&der), e);
        else if (!r)
            r = sign_store_add(ret->anchor, kind, ret->name, buf_bytes(&der), e);
    }
    return r;
}

static int read_authority(const struct jval *v, enum sign_store_kind kind, struct sign_authority *ret,
                          struct err *e)
{
    const struct jval *subject;
    const char *uri, *operator;
    int r = ONLY(v, e, "subject", "uri", "certChain", "validFor", "operator");
    if (!r)
        r = jobj_want_object(v, "subject", false, &subject, e);
    if (!r && subject)
        r = ONLY(subject, e, "organization", "commonName");
    if (!r)
        r = jobj_want_string(v, "uri", false, &uri, e);
    if (!r)
        r = jobj_want_string(v, "operator", false, &operator, e);
    if (!r)
        r = copy_origin(uri ? uri : "", &ret->name, e);
    if (!r)
        r = read_window(v, &ret->window, e);
    return r ? r : read_certs(v, kind, ret, e);
}

static int read_ca(const struct jval *v, void *item, struct err *e)
{
    return read_authority(v, SIGN_STORE_CA, item, e);
}

static int read_tsa(const struct jval *v, void *item, struct err *e)
{
    return read_authority(v, SIGN_STORE_TSA, item, e);
}

/* A list of the root; *ret and *ret_n are the root's from the start, so that it frees what was read. */
static int read_list(const struct jval *root, const char *key, size_t size,
                     int (*read)(const struct jval *, void *, struct err *), void **ret, size_t *ret_n,
                     struct err *e)
{
    const struct jval *list;
    int r = jobj_want_array(root, key, false, &list, e);
    size_t n = r ? 0 : jarr_len(list);
    if (r || n == 0)
        return r;
    if (n > LIMIT_ROOT_MEMBERS)
        return err_set(e, ERR_LIMIT, "more than %u of \"%s\"", LIMIT_ROOT_MEMBERS, key);
    uint8_t *items = calloc(n, size);
    if (!(*ret = items))
        return err_nomem(e);
    for (size_t i = 0; i < n; i++) {
        const struct jval *v = jarr_at(list, i);
        *ret_n = i + 1;
        r = jval_kind(v) == JKIND_OBJECT ? read(v, items + i * size, e) : err_set(e, ERR_FORMAT, "no object");
        if (r)
            return err_wrap(e, "%s[%zu]", key, i);
    }
    return 0;
}

static int read_logs(const struct jval *root, const char *key, struct sign_log **ret, size_t *ret_n,
                     struct err *e)
{
    void *items = NULL;
    int r = read_list(root, key, sizeof(**ret), read_log, &items, ret_n, e);
    *ret = items;
    for (size_t i = 1; !r && i < *ret_n; i++)
        if (sign_log_find(*ret, i, BYTES_ARR((*ret)[i].id)))
            r = err_set(e, ERR_FORMAT, "%s[%zu]: a log that is there twice", key, i);
    return r;
}

static int read_authorities(const struct jval *root, const char *key,
                            int (*read)(const struct jval *, void *, struct err *),
                            struct sign_authority **ret, size_t *ret_n, struct err *e)
{
    void *items = NULL;
    int r = read_list(root, key, sizeof(**ret), read, &items, ret_n, e);
    *ret = items;
    return r;
}

static bool is_known_type(const char *type)
{
    static const char *const known[] = {
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot+json;version=0.2",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
    };
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (strcmp(type, known[i]) == 0)
            return true;
    return false;
}

static int read_root(const struct jval *v, struct sign_root *ret, struct err *e)
{
    const char *type;
    if (jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "no object");
    int r = jobj_want_string(v, "mediaType", true, &type, e);
    if (!r && !is_known_type(type))
        r = err_set(e, ERR_FORMAT, "its media type is no trusted root's of version 0.1 or 0.2");
    if (!r)
        r = ONLY(v, e, "mediaType", "tlogs", "certificateAuthorities", "ctlogs", "timestampAuthorities");
    if (!r)
        r = read_logs(v, "tlogs", &ret->tlogs, &ret->n_tlogs, e);
    if (!r)
        r = read_logs(v, "ctlogs", &ret->ctlogs, &ret->n_ctlogs, e);
    if (!r)
        r = read_authorities(v, "certificateAuthorities", read_ca, &ret->cas, &ret->n_cas, e);
    if (!r)
        r = read_authorities(v, "timestampAuthorities", read_tsa, &ret->tsas, &ret->n_tsas, e);
    return r;
}

int sign_root_parse(struct bytes text, struct sign_root **ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    AUTO(sign_root) root = NULL;
    if (text.len > LIMIT_ROOT)
        return err_set(e, ERR_LIMIT, "a trusted root of more than %u bytes", LIMIT_ROOT);
    if (!(root = calloc(1, sizeof(*root))))
        return err_nomem(e);
    int r = jdoc_parse(text, &doc, e);
    if (!r)
        r = read_root(jdoc_root(doc), root, e);
    if (r)
        return err_wrap(e, "trusted root");
    *ret = TAKE(root);
    return 0;
}
