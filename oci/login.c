/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/login.h"

#include "base/log.h"
#include "oci/registry.h"

#include <stdio.h>

#define HUB_NAME "docker.io"

void oci_login_place_done(struct oci_login_place *p)
{
    free(TAKE(p->helper));
    free(TAKE(p->path));
}

int oci_login_host(const char *text, char **ret, struct err *e)
{
    static const char *const schemes[] = {"https://", "http://"};
    static const char *const hub[] = {"index.docker.io", "registry-1.docker.io"};
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_FREE char *reference = NULL;
    for (size_t i = 0; i < ARRAY_LEN(schemes); i++)
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            text += strlen(schemes[i]);
    size_t n = strcspn(text, "/");
    const char *rest = text + n;
    if (*rest && strcmp(rest, "/") != 0 && strcmp(rest, "/v1/") != 0 && strcmp(rest, "/v2/") != 0)
        return err_set(e, ERR_USAGE, "the name of a registry is wanted, HOST[:PORT], and no path");
    if (asprintf(&reference, "%.*s/a/b", (int)n, text) < 0) {
        reference = NULL;
        return err_nomem(e);
    }
    if (!oci_ref_in_registry(reference) || oci_ref_is_path(reference))
        return err_set(e, ERR_USAGE, "not the name of a registry, which is HOST[:PORT]");
    int r = oci_ref_parse(reference, &ref, e);
    if (r)
        return r;
    if (strcmp(ref.path, "a/b") != 0)
        return err_set(e, ERR_USAGE, "not the name of a registry, which is HOST[:PORT]");
    const char *host = ref.host;
    for (size_t i = 0; i < ARRAY_LEN(hub); i++)
        if (strcmp(host, hub[i]) == 0)
            host = HUB_NAME;
    char *copy = strdup(host);
    if (!copy)
        return err_nomem(e);
    *ret = copy;
    return 0;
}

int oci_login_check(const struct oci_endpoint_conf *conf, const char *host, bool *ret_asked, struct err *e)
{
    AUTO(oci_endpoint) ep = NULL;
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_DONE(buf) value = BUF_SECRET_INIT(OCI_AUTH_VALUE_MAX);
    AUTO_FREE char *name = strdup(host);
    char nothing[] = "";
    if (!name)
        return err_nomem(e);
    const struct oci_ref ref = {.kind = OCI_REF_REGISTRY, .host = name, .path = nothing};
    int r = oci_registry_open(&ref, conf, false, &ep, e);
    if (r)
        return r;
    struct oci_registry *reg = oci_registry_of(ep);
    struct net_http_request req = {
        .method = "GET", .url = reg->url, .max_body = 64U << 10, .idempotent = true};
    r = oci_registry_send(reg, &req, &resp, e);
    if (r)
        return r;
    if (resp.status != 200)
        return oci_registry_failure(reg, &resp, "login", e);
    r = oci_auth_value(reg->auth, &value, e);
    if (r == 0)
        *ret_asked = value.len > 0;
    return r;
}

/* A file that credentials may be put into. */
static bool is_file(const struct oci_cred_source *s)
{
    return !s->fixed;
}

static int store_with_helper(const struct oci_cred_conf *conf, const char *name, const char *server,
                             const struct oci_cred *cred, struct oci_login_place *ret, struct err *e)
{
    int r = oci_helper_store(&conf->helper, name, server, cred, e);
    if (r)
        return r == ERR_UNSUPPORTED ? err_recode(e, ERR_CONFIG) : r;
    char *copy = strdup(name);
    if (!copy)
        return err_nomem(e);
    *ret = (struct oci_login_place){.helper = copy};
    return 0;
}

static int store_in_file(const struct oci_cred_source *s, const char *host, const struct oci_cred *cred,
                         struct oci_login_place *ret, struct err *e)
{
    bool had;
    int r = oci_cred_file_update(s->path, host, s->podman, cred, &had, e);
    if (r)
        return r;
    char *copy = strdup(s->path);
    if (!copy)
        return err_nomem(e);
    *ret = (struct oci_login_place){.path = copy};
    log_warn("%s: what is kept there is not encrypted; a credential helper can do that", s->path);
    return 0;
}

int oci_login_store(const struct oci_cred_conf *conf, const char *host, const struct oci_cred *cred,
                    struct oci_login_place *ret, struct err *e)
{
    const struct oci_cred_source *file = NULL, *last = NULL;
    for (size_t i = 0; i < conf->n_sources; i++) {
        const struct oci_cred_source *s = &conf->sources[i];
        AUTO_FREE char *name = NULL;
        AUTO_FREE char *server = NULL;
        int r = oci_cred_helper(s, host, &name, &server, e);
        if (r)
            return r;
        if (name)
            return store_with_helper(conf, name, server, cred, ret, e);
        if (is_file(s) && !file && (s->text.len || s->chosen))
            file = s;
        if (is_file(s))
            last = s;
        if (s->chosen)
            break;
    }
    if (!file)
        file = last;
    if (!file)
        return err_set(e, ERR_CONFIG, "there is no place to keep credentials: HOME is not set");
    return store_in_file(file, host, cred, ret, e);
}

/* *ret_had: it knew some. */
static int erase_with_helper(const struct oci_cred_conf *conf, const char *name, const char *server,
                             bool *ret_had, struct err *e)
{
    AUTO_DONE(oci_cred) cred = OCI_CRED_INIT;
    int r = oci_helper_get(&conf->helper, name, server, &cred, e);
    if (r == ERR_NOTFOUND || r == ERR_UNSUPPORTED) {
        if (r == ERR_UNSUPPORTED)
            log_warn("%s", e->msg);
        *ret_had = false;
        return 0;
    }
    if (r == 0)
        r = oci_helper_erase(&conf->helper, name, server, e);
    if (r == 0)
        *ret_had = true;
    return r;
}

static int erase_from(const struct oci_cred_conf *conf, const struct oci_cred_source *s, const char *host,
                      bool *found, void (*removed)(void *ctx, const struct oci_login_place *place), void *ctx,
                      struct err *e)
{
    AUTO_DONE(oci_login_place) place = {NULL, NULL};
    AUTO_FREE char *server = NULL;
    bool had = false;
    int r = oci_cred_helper(s, host, &place.helper, &server, e);
    if (r == 0 && place.helper)
        r = erase_with_helper(conf, place.helper, server, &had, e);
    if (r)
        return r;
    if (had)
        removed(ctx, &place);
    *found = *found || had;
    if (!is_file(s) || s->text.len == 0)
        return 0;
    r = oci_cred_file_update(s->path, host, s->podman, NULL, &had, e);
    if (r || !had)
        return r;
    oci_login_place_done(&place);
    if (!(place.path = strdup(s->path)))
        return err_nomem(e);
    removed(ctx, &place);
    *found = true;
    return 0;
}

int oci_login_erase(const struct oci_cred_conf *conf, const char *host,
                    void (*removed)(void *ctx, const struct oci_login_place *place), void *ctx, struct err *e)
{
    bool found = false;
    for (size_t i = 0; i < conf->n_sources; i++) {
        int r = erase_from(conf, &conf->sources[i], host, &found, removed, ctx, e);
        if (r)
            return r;
    }
    return found ? 0 : err_set(e, ERR_NOTFOUND, "there are no credentials for it");
}
