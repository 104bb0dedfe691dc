/* SPDX-License-Identifier: Apache-2.0 */
/* Docker's config.json: {"auths": {KEY: {"auth": base64("user:password"), "identitytoken": ...}}}. */
#include "oci/auth.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

/* The user name that says: what follows is an identity token. */
#define TOKEN_USER "<token>"

void oci_secret_free(char *s)
{
    if (s)
        mem_wipe(s, strlen(s));
    free(s);
}

void oci_cred_done(struct oci_cred *c)
{
    oci_secret_free(c->user);
    oci_secret_free(c->password);
    oci_secret_free(c->identity_token);
    *c = (struct oci_cred)OCI_CRED_INIT;
}

static struct bytes without_prefix(struct bytes b, const char *prefix)
{
    struct bytes taken;
    if (bytes_starts(b, bytes_str(prefix)))
        (void)bytes_take(&b, strlen(prefix), &taken);
    return b;
}

/* Docker Hub goes by several names; the first is the one it is stored under. */
static bool is_hub(struct bytes host)
{
    return bytes_eq_str(host, "index.docker.io") || bytes_eq_str(host, "docker.io") ||
           bytes_eq_str(host, "registry-1.docker.io");
}

/* How well `key` names the repository: 0 not at all, else one more than the length of the path it names. */
static size_t key_match(const char *key, const char *host, const char *repo)
{
    struct bytes name = bytes_str(key), path;
    bool is_url = bytes_starts(name, BYTES_LIT("https://")) || bytes_starts(name, BYTES_LIT("http://"));
    name = without_prefix(without_prefix(name, "https://"), "http://");
    const uint8_t *slash = name.len ? memchr(name.ptr, '/', name.len) : NULL;
    path = slash ? bytes_of(slash + 1, (size_t)(name.ptr + name.len - slash) - 1) : BYTES_NONE;
    if (slash)
        name.len = (size_t)(slash - name.ptr);
    if (!bytes_eq_str(name, host) && !(is_hub(name) && is_hub(bytes_str(host))))
        return 0;
    if (is_url || path.len == 0 || bytes_eq_str(path, "v1/") || bytes_eq_str(path, "v2/"))
        return 1;
    while (path.len && path.ptr[path.len - 1] == '/')
        path.len--;
    if (!bytes_starts(bytes_str(repo), path) || (repo[path.len] && repo[path.len] != '/'))
        return 0;
    return 1 + path.len;
}

static char *secret_copy(struct bytes text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

static int cred_set(struct oci_cred *c, struct bytes user, struct bytes password, struct err *e)
{
    if (bytes_eq_str(user, TOKEN_USER)) {
        c->identity_token = secret_copy(password);
        return c->identity_token ? 0 : err_nomem(e);
    }
    c->user = secret_copy(user);
    c->password = secret_copy(password);
    return c->user && c->password ? 0 : err_nomem(e);
}

static int cred_decode(const char *auth, struct oci_cred *c, struct err *e)
{
    AUTO_DONE(buf) plain = BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    if (b64_decode(B64_STD, bytes_str(auth), &plain, e))
        return err_set(e, ERR_CONFIG, "\"auth\" is not base64");
    struct bytes rest = buf_bytes(&plain), user, colon;
    const uint8_t *at = rest.len ? memchr(rest.ptr, ':', rest.len) : NULL;
    if (!at || memchr(rest.ptr, '\0', rest.len))
        return err_set(e, ERR_CONFIG, "\"auth\" does not hold user:password");
    if (!bytes_take(&rest, (size_t)(at - rest.ptr), &user) || !bytes_take(&rest, 1, &colon))
        return err_set(e, ERR_CONFIG, "\"auth\" does not hold user:password");
    return cred_set(c, user, rest, e);
}

static int cred_read(const struct jval *entry, struct oci_cred *c, struct err *e)
{
    const char *auth, *user, *password, *identity;
    int r = jobj_want_string(entry, "auth", false, &auth, e);
    if (r == 0)
        r = jobj_want_string(entry, "username", false, &user, e);
    if (r == 0)
        r = jobj_want_string(entry, "password", false, &password, e);
    if (r == 0)
        r = jobj_want_string(entry, "identitytoken", false, &identity, e);
    if (r)
        return err_recode(e, ERR_CONFIG);
    if (auth && *auth)
        r = cred_decode(auth, c, e);
    else if (user && *user && !strchr(user, ':') && password)
        r = cred_set(c, bytes_str(user), bytes_str(password), e);
    if (r || !identity || !*identity)
        return r;
    oci_secret_free(c->identity_token);
    c->identity_token = secret_copy(bytes_str(identity));
    return c->identity_token ? 0 : err_nomem(e);
}

static const struct jval *best_entry(const struct jval *auths, const char *host, const char *repo)
{
    const struct jval *best = NULL, *entry = NULL;
    size_t best_match = 0;
    const char *key;
    for (const void *i = jobj_next(auths, NULL, &key, &entry); i; i = jobj_next(auths, i, &key, &entry)) {
        size_t match = key_match(key, host, repo);
        if (match > best_match) {
            best = entry;
            best_match = match;
        }
    }
    return best;
}

int oci_cred_find(struct bytes config, const char *path, const char *host, const char *repo,
                  struct oci_cred *ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(oci_cred) found = OCI_CRED_INIT;
    const struct jval *auths;
    const char *name = path ? path : "the credentials file";
    if (config.len == 0)
        return 0;
    int r = jdoc_parse(config, &doc, e);
    if (r) /* the parser's own message would quote the text */
        return r == ERR_NOMEM ? r : err_set(e, ERR_CONFIG, "%s: not valid JSON", name);
    r = jobj_want_object(jdoc_root(doc), "auths", false, &auths, e);
    if (r) {
        err_recode(e, ERR_CONFIG);
        return err_wrap(e, "%s", name);
    }
    if (jobj_get(jdoc_root(doc), "credsStore") || jobj_get(jobj_get(jdoc_root(doc), "credHelpers"), host))
        log_debug("%s: names a credential helper; helpers are not supported, only \"auths\" is read", name);
    const struct jval *entry = best_entry(auths, host, repo);
    if (!entry)
        return 0;
    r = cred_read(entry, &found, e);
    if (r)
        return err_wrap(e, "%s: %s", name, host);
    oci_cred_done(ret);
    *ret = found;
    found = (struct oci_cred)OCI_CRED_INIT;
    return 0;
}
