/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/locate.h"

#include "base/log.h"
#include "base/text.h"
#include "net/url.h"
#include "oci/memo.h"
#include "oci/package.h"
#include "oci/registries.h"
#include "oci/registry.h"
#include "oci/semver.h"

#include <stdio.h>
#include <strings.h>

#define METADATA_PATH    "/.well-known/wasm-pkg/registry.json"
#define METADATA_SECONDS 3600
#define MEMO_KIND        "package"

/* The text of a host's registry.json; "{}" where it has none: then its artifacts are with itself. */
static int metadata_get(const char *host, const struct oci_endpoint_conf *conf, struct buf *text,
                        struct err *e)
{
    AUTO_DONE(buf) root = BUF_INIT(NET_URL_MAX); /* the session borrows it */
    struct oci_via_way way;
    AUTO(net_http) http = NULL;
    AUTO_DONE(net_http_response) resp = NET_HTTP_RESPONSE_INIT;
    AUTO_DONE(buf) url = BUF_INIT(NET_URL_MAX);
    char shown[300];
    int r = oci_registry_root(host, conf, &root, e);
    buf_printf(&url, "%s" METADATA_PATH, buf_cstr(&root));
    if (!r)
        r = buf_check(&url, e);
    if (!r)
        r = oci_registry_http(conf, buf_cstr(&root), &way, &http, e);
    if (r)
        return r;
    const struct net_http_request req = {.method = "GET",
                                         .url = buf_cstr(&url),
                                         .max_body = LIMIT_PACKAGE_METADATA,
                                         .follow = true,
                                         .idempotent = true};
    r = net_http_send(http, &req, &resp, e);
    if (r)
        return r;
    if (resp.status == 404)
        buf_append_str(text, "{}");
    else if (resp.status == 200)
        buf_append_bytes(text, buf_bytes(&resp.body));
    else
        return err_set(e, ERR_REGISTRY, "%s answers with status %d",
                       net_url_show(buf_cstr(&url), shown, sizeof(shown)), resp.status);
    return buf_check(text, e);
}

/* What its memo is found by: the origin that was asked, and how. */
static int metadata_key(const char *host, const struct oci_endpoint_conf *conf, struct buf *key,
                        struct err *e)
{
    AUTO_DONE(buf) root = BUF_INIT(NET_URL_MAX);
    int r = oci_registry_root(host, conf, &root, e);
    return r ? r : oci_registry_known_as(buf_cstr(&root), conf, key, e);
}

static int metadata_read(const char *host, const struct oci_endpoint_conf *conf,
                         struct oci_package_place *ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_PACKAGE_METADATA);
    struct err ignored = ERR_INIT;
    time_t now = time(NULL);
    AUTO_DONE(buf) key = BUF_INIT(NET_URL_MAX + OCI_KNOWN_AS_MAX);
    int r = metadata_key(host, conf, &key, e);
    if (r)
        return r;
    if (oci_memo_get(conf->memo_dir, MEMO_KIND, buf_cstr(&key), now, &text, &ignored) == 0 &&
        oci_package_metadata_parse(buf_bytes(&text), host, ret, &ignored) == 0)
        return 0;
    buf_reset(&text);
    r = metadata_get(host, conf, &text, e);
    if (!r)
        r = oci_package_metadata_parse(buf_bytes(&text), host, ret, e);
    if (!r)
        oci_memo_put(conf->memo_dir, MEMO_KIND, buf_cstr(&key), buf_cstr(&text), now + METADATA_SECONDS);
    return r;
}

/* What a host on the network says may not lead to this machine or its neighbourhood. */
static int place_check(const char *host, const char *registry, struct err *e)
{
    AUTO_DONE(buf) from_text = BUF_INIT(NET_URL_MAX);
    AUTO_DONE(buf) to_text = BUF_INIT(NET_URL_MAX);
    struct net_url from, to;
    buf_printf(&from_text, "https://%s", host);
    buf_printf(&to_text, "https://%s", registry);
    int r = net_url_parse(buf_cstr(&from_text), &from, e);
    if (!r)
        r = net_url_parse(buf_cstr(&to_text), &to, e);
    return r ? r : net_url_may_lead(&from, &to, e);
}

/* What was given for this run was given for the registry that the user's own configuration names. */
static int given_check(const char *host, const char *registry, const struct oci_endpoint_conf *conf,
                       struct err *e)
{
    char shown[300];
    const struct oci_cred_conf *c = conf->credentials;
    if (!conf->cert && (!c || (!c->user && !c->identity_token)))
        return 0;
    if (strcasecmp(host, registry) == 0)
        return 0;
    (void)text_escape_str(registry, shown, sizeof(shown));
    return err_set(
        e, ERR_AUTH,
        "it leads to %s, which does not get the credentials given for this run: name the repository "
        "there, or see \"waybill login %s\"",
        shown, shown);
}

/* "<registry>/<prefix><namespace>/<name>" */
static int package_repo(const struct oci_package_place *place, const char *package, struct oci_ref *ret,
                        struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(4096);
    int namespace = (int)strcspn(package, ":");
    buf_printf(&text, "%s/%s%.*s/%s", place->registry, place->prefix, namespace, package,
               package + namespace + 1);
    int r = buf_check(&text, e);
    if (!r)
        r = oci_ref_parse(buf_cstr(&text), ret, e);
    if (!r && (ret->kind != OCI_REF_REGISTRY || ret->short_name)) {
        oci_ref_done(ret);
        r = err_set(e, ERR_USAGE, "it names no registry");
    }
    return r == ERR_USAGE ? err_recode(e, ERR_FORMAT) : r;
}

static int set_tag(struct oci_ref *ref, const char *version, struct err *e)
{
    if (!oci_tag_valid(version))
        return err_set(e, ERR_USAGE, "version %.40s is no tag", version);
    (void)snprintf(ref->tag, sizeof(ref->tag), "%s", version);
    return 0;
}

static int choose_version(struct oci_ref *ref, const char *wanted, const struct oci_endpoint_conf *conf,
                          struct err *e)
{
    AUTO(oci_endpoint) ep = NULL;
    AUTO_DONE(buf) tags = BUF_INIT(LIMIT_TAGS);
    int r = oci_endpoint_open(ref, conf, false, &ep, e);
    if (!r)
        r = ep->ops->tags(ep, &tags, e);
    if (r)
        return r;
    const char *best = oci_semver_best(&tags, wanted);
    return best ? set_tag(ref, best, e) : err_set(e, ERR_NOTFOUND, "no version %s", wanted);
}

static int package_locate(struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool write,
                          struct err *e)
{
    AUTO_DONE(oci_package_place) place = {NULL, NULL};
    AUTO_DONE(oci_ref) full = {.host = NULL};
    AUTO_FREE char *host = NULL;
    int r = oci_package_registry(conf->package_conf, conf->package_conf_path, ref->path, &host, &place, e);
    if (!r && !place.registry) {
        r = metadata_read(host, conf, &place, e);
        if (!r)
            r = place_check(host, place.registry, e);
        if (!r)
            r = given_check(host, place.registry, conf, e);
        if (r)
            return err_wrap(e, "registry %s", host);
    }
    if (!r)
        r = package_repo(&place, ref->path, &full, e);
    if (!r && oci_semver_valid(ref->tag))
        r = set_tag(&full, ref->tag, e);
    else if (!r && write)
        r = err_set(e, ERR_USAGE, "an exact version is wanted, such as 1.2.3");
    else if (!r)
        r = choose_version(&full, ref->tag, conf, e);
    if (r)
        return r;
    log_info("%s is %s/%s:%s", ref->path, full.host, full.path, full.tag);
    oci_ref_done(ref);
    *ref = full;
    full = (struct oci_ref){.host = NULL};
    return 0;
}

int oci_ref_locate(const char *text, const struct oci_endpoint_conf *conf, bool write, struct oci_ref *ret,
                   struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    int r = oci_ref_parse(text, &ref, e);
    if (!r && ref.kind == OCI_REF_REGISTRY && ref.short_name && conf->registries && !write)
        r = oci_registries_short(conf->registries, &ref, e);
    else if (!r && ref.kind == OCI_REF_PACKAGE)
        r = package_locate(&ref, conf, write, e);
    if (r)
        return r;
    *ret = ref;
    ref = (struct oci_ref){.host = NULL};
    return 0;
}
