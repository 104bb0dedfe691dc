/* SPDX-License-Identifier: Apache-2.0 */
/* What a file of docker's or podman's says: {"auths": {KEY: {"auth": base64("user:password"),
 * "identitytoken": ...}}, "credHelpers": {HOST: NAME}, "credsStore": NAME}. */
#include "oci/cred.h"

#include "base/hex.h"
#include "base/json.h"
#include "base/limits.h"
#include "base/log.h"

#define HUB_DOCKER "https://index.docker.io/v1/"

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

bool oci_cred_is_empty(const struct oci_cred *c)
{
    return !c->user && !c->identity_token;
}

void oci_cred_place_done(struct oci_cred_place *p)
{
    for (size_t i = 0; i < p->n_helpers; i++) {
        free(p->helpers[i].name);
        free(p->helpers[i].server);
    }
    p->n_helpers = 0;
    oci_cred_done(&p->cred);
}

static struct bytes without_prefix(struct bytes b, const char *prefix)
{
    struct bytes taken;
    if (bytes_starts(b, bytes_str(prefix)))
        (void)bytes_take(&b, strlen(prefix), &taken);
    return b;
}

/* Docker Hub goes by several names. */
static bool is_hub(struct bytes host)
{
    return bytes_eq_str(host, "index.docker.io") || bytes_eq_str(host, "docker.io") ||
           bytes_eq_str(host, "registry-1.docker.io");
}

/* What a registry is called in a file, and where a helper is asked. */
const char *oci_cred_server(const char *host, bool podman)
{
    return !podman && is_hub(bytes_str(host)) ? HUB_DOCKER : host;
}

/* How well `key` names the repository: 0 not at all, else one more than the length of the path it names. */
size_t oci_cred_key_match(const char *key, const char *host, const char *repo)
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

char *oci_secret_copy(struct bytes text)
{
    char *copy = malloc(text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.ptr, text.len);
    copy[text.len] = '\0';
    return copy;
}

int oci_cred_set(struct oci_cred *c, struct bytes user, struct bytes password, struct err *e)
{
    if (bytes_eq_str(user, OCI_CRED_TOKEN_USER)) {
        c->identity_token = oci_secret_copy(password);
        return c->identity_token ? 0 : err_nomem(e);
    }
    c->user = oci_secret_copy(user);
    c->password = oci_secret_copy(password);
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
    return oci_cred_set(c, user, rest, e);
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
        r = oci_cred_set(c, bytes_str(user), bytes_str(password), e);
    if (r || !identity || !*identity)
        return r;
    oci_secret_free(c->identity_token);
    c->identity_token = oci_secret_copy(bytes_str(identity));
    return c->identity_token ? 0 : err_nomem(e);
}

/* The member of an object of registries that names the repository best. */
static const struct jval *best_entry(const struct jval *object, const char *host, const char *repo)
{
    const struct jval *best = NULL, *entry = NULL;
    size_t best_match = 0;
    const char *key;
    for (const void *i = jobj_next(object, NULL, &key, &entry); i; i = jobj_next(object, i, &key, &entry)) {
        size_t match = oci_cred_key_match(key, host, repo);
        if (match > best_match) {
            best = entry;
            best_match = match;
        }
    }
    return best;
}

static int source_parse(const struct oci_cred_source *s, struct jdoc **ret, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    int r = jdoc_parse(s->text, &doc, e);
    if (r) /* the parser's own message would quote the text */
        return r == ERR_NOMEM ? r : err_set(e, ERR_CONFIG, "%s: not valid JSON", s->path);
    if (jval_kind(jdoc_root(doc)) != JKIND_OBJECT)
        return err_set(e, ERR_CONFIG, "%s: not a JSON object", s->path);
    *ret = TAKE(doc);
    return 0;
}

/* It becomes part of a program's name. */
static bool helper_name_valid(const char *name)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    return *name && name[strspn(name, plain)] == '\0' && strlen(name) <= LIMIT_NAME;
}

/* *ret: the name of the helper for the host, borrowed from root; NULL: none. */
static int helper_of(const struct jval *root, const char *host, const char *repo, const char **ret,
                     struct err *e)
{
    const struct jval *helpers, *entry;
    const char *name = NULL;
    int r = jobj_want_object(root, "credHelpers", false, &helpers, e);
    if (r)
        return r;
    entry = best_entry(helpers, host, repo);
    if (entry && !jval_string(entry))
        return err_set(e, ERR_FORMAT, "a member of \"credHelpers\" is not a string");
    if (entry)
        name = jval_string(entry);
    else
        r = jobj_want_string(root, "credsStore", false, &name, e);
    if (r)
        return r;
    if (name && *name && !helper_name_valid(name))
        return err_set(e, ERR_FORMAT,
                       "the name of a credential helper has other characters than letters, "
                       "digits, '.', '_' and '-'");
    *ret = name && *name ? name : NULL;
    return 0;
}

static int helper_add(struct oci_cred_place *p, const char *name, const char *server, struct err *e)
{
    size_t i = p->n_helpers++;
    p->helpers[i].name = strdup(name);
    p->helpers[i].server = strdup(server);
    return p->helpers[i].name && p->helpers[i].server ? 0 : err_nomem(e);
}

static int source_read_all_of(const struct oci_cred_source *s, const struct jval *root, const char *host,
                              const char *repo, struct oci_cred_place *p, struct err *e)
{
    const struct jval *auths;
    const char *helper;
    int r = helper_of(root, host, repo, &helper, e);
    if (r == 0)
        r = jobj_want_object(root, "auths", false, &auths, e);
    if (r)
        return err_recode(e, ERR_CONFIG);
    if (helper && (r = helper_add(p, helper, oci_cred_server(host, s->podman), e)))
        return r;
    const struct jval *entry = best_entry(auths, host, repo);
    if (entry && (r = cred_read(entry, &p->cred, e)))
        return err_wrap(e, "%s", host);
    return 0;
}

static int source_find(const struct oci_cred_source *s, const char *host, const char *repo,
                       struct oci_cred_place *p, struct err *e)
{
    AUTO(jdoc) doc = NULL;
    int r = source_parse(s, &doc, e);
    if (r)
        return r;
    r = source_read_all_of(s, jdoc_root(doc), host, repo, p, e);
    return r ? err_wrap(e, "%s", s->path) : 0;
}

static int given(const struct oci_cred_conf *conf, struct oci_cred *c, struct err *e)
{
    if (conf->identity_token) {
        c->identity_token = strdup(conf->identity_token);
        return c->identity_token ? 0 : err_nomem(e);
    }
    return conf->user ? oci_cred_set(c, bytes_str(conf->user), bytes_str(conf->password), e) : 0;
}

int oci_cred_find(const struct oci_cred_conf *conf, const char *host, const char *repo,
                  struct oci_cred_place *ret, struct err *e)
{
    AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
    int r = given(conf, &place.cred, e);
    for (size_t i = 0; !r && i < conf->n_sources && i < OCI_CRED_SOURCES; i++) {
        if (!oci_cred_is_empty(&place.cred))
            break;
        if (conf->sources[i].text.len)
            r = source_find(&conf->sources[i], host, repo ? repo : "", &place, e);
    }
    if (r)
        return r;
    *ret = place;
    place = (struct oci_cred_place){.n_helpers = 0};
    return 0;
}

int oci_cred_get(const struct oci_helper_conf *conf, struct oci_cred_place *place, struct oci_cred *ret,
                 struct err *e)
{
    for (size_t i = 0; i < place->n_helpers; i++) {
        int r = oci_helper_get(conf, place->helpers[i].name, place->helpers[i].server, ret, e);
        if (r == ERR_UNSUPPORTED)
            log_warn("%s", e->msg);
        else if (r != ERR_NOTFOUND)
            return r;
    }
    *ret = place->cred;
    place->cred = (struct oci_cred)OCI_CRED_INIT;
    return 0;
}

int oci_cred_helper(const struct oci_cred_source *s, const char *host, char **ret_name, char **ret_server,
                    struct err *e)
{
    AUTO(jdoc) doc = NULL;
    AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
    const char *name = NULL;
    int r = s->text.len ? source_parse(s, &doc, e) : 0;
    if (r)
        return r;
    if (doc && helper_of(jdoc_root(doc), host, "", &name, e)) {
        err_recode(e, ERR_CONFIG);
        return err_wrap(e, "%s", s->path);
    }
    if (name && (r = helper_add(&place, name, oci_cred_server(host, s->podman), e)))
        return r;
    *ret_name = TAKE(place.helpers[0].name);
    *ret_server = TAKE(place.helpers[0].server);
    return 0;
}
