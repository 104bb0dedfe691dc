/* SPDX-License-Identifier: Apache-2.0 */
/* Policies of other tools as our own: the frame, and containers-policy.json(5). What is not understood is
 * refused, so that nothing becomes weaker on the way. */
#include "base/hex.h"
#include "base/text.h"
#include "sign/policy_impl.h"

#include <stdio.h>

void policy_put_string(struct buf *out, const char *text)
{
    buf_append_str(out, "\"");
    for (const char *c = text; *c; c++) {
        if (*c == '"' || *c == '\\')
            buf_printf(out, "\\%c", *c);
        else if ((unsigned char)*c < 0x20 || *c == 0x7f)
            buf_printf(out, "\\u%04x", (unsigned)*c);
        else
            buf_append(out, c, 1);
    }
    buf_append_str(out, "\"");
}

int policy_unsupported(struct err *e, const char *where, const char *what)
{
    char a[200], b[200];
    return err_set(e, ERR_UNSUPPORTED, "%s: %s cannot be said here", text_escape_str(where, a, sizeof(a)),
                   text_escape_str(what, b, sizeof(b)));
}

int policy_only(const struct jval *v, const char *where, const char *const *known, size_t n, struct err *e)
{
    const char *name;
    const struct jval *value;
    if (!v || jval_kind(v) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "%.200s is no object", where);
    for (const void *i = jobj_next(v, NULL, &name, &value); i; i = jobj_next(v, i, &name, &value)) {
        size_t k = 0;
        while (k < n && strcmp(known[k], name) != 0)
            k++;
        if (k == n)
            return policy_unsupported(e, where, name);
    }
    return 0;
}

int policy_put_scope(struct buf *out, const char *scope, struct err *e)
{
    struct policy_place place;
    const char *why = policy_scope_set(scope, &place);
    char shown[200];
    if (why)
        return err_set(e, ERR_UNSUPPORTED, "the scope %s: %s", text_escape_str(scope, shown, sizeof(shown)),
                       why);
    buf_append_str(out, "\n[scopes.");
    policy_put_string(out, scope);
    buf_append_str(out, "]\n");
    return 0;
}

/* A key that was met: its file, or its text in PEM. */
struct key_seen {
    const char *path; /* borrowed */
    char *pem;        /* owned */
};

struct import {
    struct key_seen *keys;
    size_t n_keys;
    struct buf scopes;
    bool tags_said;
};

static void import_done(struct import *im)
{
    for (size_t i = 0; i < im->n_keys; i++)
        free(im->keys[i].pem);
    free(im->keys);
    buf_done(&im->scopes);
}

/* The number of a key, which is new or was met before; takes pem. */
static int key_number(struct import *im, const char *path, char *pem, size_t *ret, struct err *e)
{
    for (size_t i = 0; i < im->n_keys; i++)
        if (path ? im->keys[i].path && strcmp(im->keys[i].path, path) == 0
                 : im->keys[i].pem && strcmp(im->keys[i].pem, pem) == 0) {
            free(pem);
            *ret = i;
            return 0;
        }
    struct key_seen *more = reallocarray(im->keys, im->n_keys + 1, sizeof(*more));
    if (!more) {
        free(pem);
        return err_nomem(e);
    }
    im->keys = more;
    more[im->n_keys] = (struct key_seen){path, pem};
    *ret = im->n_keys++;
    return 0;
}

static int take_key(struct import *im, const struct jval *v, bool is_data, size_t *ret, struct err *e)
{
    AUTO_DONE(buf) pem = BUF_INIT(LIMIT_KEY_FILE);
    const char *text = v ? jval_string(v) : NULL;
    if (!text || !*text)
        return err_set(e, ERR_FORMAT, "a key that is no string");
    if (!is_data)
        return key_number(im, text, NULL, ret, e);
    int r = b64_decode(B64_STD, bytes_str(text), &pem, e);
    if (!r)
        r = buf_check(&pem, e);
    if (!r && memchr(pem.ptr, 0, pem.len))
        r = err_set(e, ERR_FORMAT, "a key that is no text");
    return r ? err_wrap(e, "keyData") : key_number(im, NULL, buf_take_str(&pem), ret, e);
}

/* The keys of one requirement, of which any is enough, as "key-1", ... behind `put`. */
static int requirement_keys(struct import *im, const struct jval *v, const char *where, bool *mine,
                            size_t *ret_n, struct err *e)
{
    static const char *const ways[] = {"keyPath", "keyPaths", "keyData", "keyDatas"};
    size_t n_ways = 0, number = 0;
    int r = 0;
    *ret_n = 0;
    for (size_t i = 0; !r && i < ARRAY_LEN(ways); i++) {
        const struct jval *keys = jobj_get(v, ways[i]);
        bool list = i % 2 == 1;
        n_ways += keys != NULL;
        for (size_t k = 0; !r && keys && k < (list ? jarr_len(keys) : 1); k++) {
            r = im->n_keys < LIMIT_POLICY_LIST
                    ? take_key(im, list ? jarr_at(keys, k) : keys, i > 1, &number, e)
                    : err_set(e, ERR_LIMIT, "too many keys");
            if (!r && !mine[number]) {
                mine[number] = true;
                ++*ret_n;
            }
        }
    }
    if (!r && (n_ways != 1 || !*ret_n))
        return policy_unsupported(e, where,
                                  n_ways ? "more than one way to name keys" : "signatures without keys");
    return r;
}

static int check_identity(struct import *im, const struct jval *v, const char *scope, struct err *e)
{
    static const char *const known[] = {"type", "dockerRepository"};
    const struct jval *identity = jobj_get(v, "signedIdentity");
    const char *type = identity ? jval_string(jobj_get(identity, "type")) : "matchRepoDigestOrExact";
    const char *repository = jval_string(jobj_get(identity, "dockerRepository"));
    int r = identity ? policy_only(identity, scope, known, ARRAY_LEN(known), e) : 0;
    if (r)
        return r;
    if (!type)
        return err_set(e, ERR_FORMAT, "signedIdentity without a type");
    if (strcmp(type, "exactRepository") == 0)
        return repository && strcmp(repository, scope) == 0
                   ? 0
                   : policy_unsupported(e, scope, "exactRepository of another one");
    if (strcmp(type, "matchRepoDigestOrExact") == 0 || strcmp(type, "matchExact") == 0)
        im->tags_said = true;
    else if (strcmp(type, "matchRepository") != 0)
        return policy_unsupported(e, scope, type);
    return 0;
}

static int sigstore_signed(struct import *im, const struct jval *v, const char *scope, bool *mine,
                           size_t *ret_n, struct err *e)
{
    static const char *const known[] = {"type",    "keyPath",  "keyPaths",
                                        "keyData", "keyDatas", "signedIdentity"};
    int r = policy_only(v, scope, known, ARRAY_LEN(known), e);
    if (!r)
        r = requirement_keys(im, v, scope, mine, ret_n, e);
    return r ? r : check_identity(im, v, scope, e);
}

/* A list of requirements, all of which must be met. Several that want a key each are a threshold. */
static int requirements_read(struct import *im, const struct jval *list, const char *scope, bool *mine,
                             size_t *ret_threshold, enum sign_verdict *ret, struct err *e)
{
    size_t n = 0, signed_by = 0, all = 0, most = 0;
    bool reject = false;
    int r = 0;
    for (size_t i = 0; !r && i < jarr_len(list); i++) {
        const struct jval *v = jarr_at(list, i);
        const char *type = jval_string(jobj_get(v, "type"));
        bool own[LIMIT_POLICY_LIST] = {false};
        if (!type)
            return err_set(e, ERR_FORMAT, "%.200s: a requirement without a type", scope);
        if (strcmp(type, "reject") == 0) {
            reject = true;
        } else if (strcmp(type, "sigstoreSigned") == 0) {
            r = sigstore_signed(im, v, scope, own, &n, e);
            bool again = true;
            for (size_t k = 0; k < im->n_keys; k++) {
                again = again && (!own[k] || mine[k]);
                all += own[k] && !mine[k];
                mine[k] = mine[k] || own[k];
            }
            signed_by += !again;
            most = n > most ? n : most;
        } else if (strcmp(type, "insecureAcceptAnything") != 0) {
            return policy_unsupported(e, scope, type);
        }
    }
    if (!r && signed_by > 1 && (most > 1 || all != signed_by) && !reject)
        return policy_unsupported(e, scope, "one of these keys and one of those");
    *ret_threshold = signed_by;
    *ret = reject ? SIGN_VERDICT_REJECT : signed_by ? SIGN_VERDICT_REQUIRE : SIGN_VERDICT_ACCEPT;
    return r;
}

static int put_requirements(struct import *im, const struct jval *list, const char *scope, bool in_registry,
                            struct err *e)
{
    bool mine[LIMIT_POLICY_LIST] = {false};
    size_t threshold = 0;
    enum sign_verdict verdict = SIGN_VERDICT_REJECT;
    if (!list || jval_kind(list) != JKIND_ARRAY || !jarr_len(list))
        return err_set(e, ERR_FORMAT, "%.200s: no list of requirements", scope);
    int r = requirements_read(im, list, scope, mine, &threshold, &verdict, e);
    if (!r && verdict == SIGN_VERDICT_REQUIRE && !in_registry)
        r = policy_unsupported(e, scope, "a signature of what is in no registry");
    if (!r)
        r = policy_put_scope(&im->scopes, scope, e);
    if (r)
        return r;
    if (verdict != SIGN_VERDICT_REQUIRE) {
        buf_printf(&im->scopes, "verdict = \"%s\"\n", policy_verdicts[verdict]);
        return 0;
    }
    buf_append_str(&im->scopes, "keys = [");
    for (size_t i = 0, n = 0; i < im->n_keys; i++)
        if (mine[i])
            buf_printf(&im->scopes, "%s\"key-%zu\"", n++ ? ", " : "", i + 1);
    buf_printf(&im->scopes, "]\nthreshold = %zu\nformats = [\"cosign\"]\nsigned_repository = true\n",
               threshold);
    return 0;
}

/* Transports by the name of the scope that has all of one. */
static const struct {
    const char *name, *scope;
} transports[] = {{"docker", ""}, {"oci", "oci:"}, {"oci-archive", "oci-archive:"}};

static int put_transport(struct import *im, const char *name, const struct jval *scopes, struct err *e)
{
    const char *scope;
    const struct jval *list = NULL;
    size_t k = 0;
    int r = 0;
    while (k < ARRAY_LEN(transports) && strcmp(transports[k].name, name) != 0)
        k++;
    if (jval_kind(scopes) != JKIND_OBJECT)
        return err_set(e, ERR_FORMAT, "the transport %.100s is no object", name);
    if (k == ARRAY_LEN(transports)) {
        char shown[100];
        buf_printf(&im->scopes,
                   "\n# The transport %s has no counterpart here, so its rules are not taken over.\n",
                   text_escape_str(name, shown, sizeof(shown)));
        return 0;
    }
    for (const void *i = jobj_next(scopes, NULL, &scope, &list); !r && i;
         i = jobj_next(scopes, i, &scope, &list)) {
        if (k && *scope)
            return policy_unsupported(e, name, "a rule for one folder or file");
        r = put_requirements(im, list, k ? transports[k].scope : scope, k == 0, e);
    }
    return r;
}

static int put_default(struct import *im, const struct jval *list, const struct jval *docker, struct buf *out,
                       struct err *e)
{
    const struct jval *v = jarr_at(list, 0);
    const char *type = list && jarr_len(list) == 1 ? jval_string(jobj_get(v, "type")) : NULL;
    if (type && strcmp(type, "insecureAcceptAnything") == 0) {
        buf_append_str(out, "default = \"insecure-accept-anything\"\n");
        return 0;
    }
    buf_append_str(out, "default = \"reject\"\n");
    if (type && strcmp(type, "reject") == 0)
        return 0;
    /* Signatures by default are for registries alone here: all else is rejected. */
    return jobj_get(docker, "") ? 0 : put_requirements(im, list, "", true, e);
}

static void put_keys(const struct import *im, struct buf *out)
{
    for (size_t i = 0; i < im->n_keys; i++) {
        buf_printf(out, "\n[keys.key-%zu]\n%s = ", i + 1, im->keys[i].path ? "file" : "pem");
        policy_put_string(out, im->keys[i].path ? im->keys[i].path : im->keys[i].pem);
        buf_append_str(out, "\n");
    }
}

int policy_import_containers(const struct jval *root, struct buf *out, struct err *e)
{
    static const char *const known[] = {"default", "transports"};
    struct import im = {.scopes = BUF_INIT(LIMIT_TOML)};
    const struct jval *all = jobj_get(root, "transports"), *scopes = NULL;
    const char *name;
    int r = policy_only(root, "policy.json", known, ARRAY_LEN(known), e);
    if (!r && all && jval_kind(all) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "transports is no object");
    if (!r && !jobj_get(root, "default"))
        r = err_set(e, ERR_FORMAT, "there is no default");
    if (!r)
        r = put_default(&im, jobj_get(root, "default"), jobj_get(all, "docker"), out, e);
    const void *i = all && !r ? jobj_next(all, NULL, &name, &scopes) : NULL;
    for (; !r && i; i = jobj_next(all, i, &name, &scopes))
        r = put_transport(&im, name, scopes, e);
    if (!r && im.tags_said)
        buf_append_str(out,
                       "# matchExact and matchRepoDigestOrExact also compare the tag, which cosign does not "
                       "sign: the\n# repository alone is compared here.\n");
    put_keys(&im, out);
    buf_append_bytes(out, buf_bytes(&im.scopes));
    if (!r)
        r = buf_check(&im.scopes, e);
    import_done(&im);
    return r;
}

int policy_import_end(struct buf *out, struct err *e)
{
    AUTO(sign_policy) p = NULL;
    int r = buf_check(out, e);
    if (!r && (r = sign_policy_parse(buf_bytes(out), "the imported policy", &p, e)) == ERR_CONFIG)
        (void)err_recode(e, ERR_UNSUPPORTED);
    return r ? e->code : 0;
}

int sign_policy_import(const char *from, struct bytes text, const char *name, struct buf *out, struct err *e)
{
    static const struct {
        const char *name;
        int (*import)(const struct jval *root, struct buf *out, struct err *e);
    } ways[] = {{"containers", policy_import_containers}, {"notation", policy_import_notation}};
    AUTO(jdoc) doc = NULL;
    char shown[200];
    size_t i = 0;
    while (i < ARRAY_LEN(ways) && strcmp(ways[i].name, from) != 0)
        i++;
    if (i == ARRAY_LEN(ways))
        return err_set(e, ERR_USAGE, "policies are imported from containers, notation and cosign");
    int r = jdoc_parse(text, &doc, e);
    if (!r && jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        r = err_set(e, ERR_FORMAT, "no JSON object");
    buf_printf(out, "# Imported from %s (%s).\nversion = 1\n", text_escape_str(name, shown, sizeof(shown)),
               from);
    if (!r)
        r = ways[i].import(jdoc_root(doc), out, e);
    if (!r)
        r = policy_import_end(out, e);
    return r ? err_wrap(e, "%s", shown) : 0;
}
