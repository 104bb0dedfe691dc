/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/ref.h"

#include "base/text.h"
#include "oci/semver.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>

#define DOCKER_HOST "docker.io"

/* How a reference of each kind starts; the index is enum oci_ref_kind. */
static const char *const prefixes[] = {
    [OCI_REF_REGISTRY] = "",    [OCI_REF_LAYOUT] = "oci:", [OCI_REF_ARCHIVE] = "oci-archive:",
    [OCI_REF_SFTP] = "sftp://", [OCI_REF_PACKAGE] = "",
};

static enum oci_ref_kind kind_of(const char *text)
{
    for (size_t i = 0; i < ARRAY_LEN(prefixes); i++)
        if (*prefixes[i] && strncmp(text, prefixes[i], strlen(prefixes[i])) == 0)
            return (enum oci_ref_kind)i;
    return OCI_REF_REGISTRY;
}

static bool is_lower(char c)
{
    return c >= 'a' && c <= 'z';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_alnum(char c)
{
    return is_lower(c) || is_digit(c) || (c >= 'A' && c <= 'Z');
}

bool oci_tag_valid(const char *tag)
{
    size_t len = strlen(tag);
    if (len == 0 || len > LIMIT_TAG || tag[0] == '.' || tag[0] == '-')
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_alnum(tag[i]) && !strchr("_.-", tag[i]))
            return false;
    return true;
}

/* One path component: [a-z0-9]+((\.|_|__|-+)[a-z0-9]+)* */
static bool component_valid(const char *s, size_t len)
{
    size_t i = 0;
    for (;;) {
        size_t start = i;
        while (i < len && (is_lower(s[i]) || is_digit(s[i])))
            i++;
        if (i == start)
            return false;
        if (i == len)
            return true;
        char sep = s[i];
        size_t from = i;
        while (i < len && s[i] == sep)
            i++;
        size_t run = i - from;
        if (!(sep == '-' || (sep == '.' && run == 1) || (sep == '_' && run <= 2)))
            return false;
    }
}

static bool repository_valid(const char *path)
{
    for (;;) {
        size_t len = strcspn(path, "/");
        if (!component_valid(path, len))
            return false;
        if (path[len] == '\0')
            return true;
        path += len + 1;
    }
}

static bool port_valid(const char *s)
{
    size_t len = strlen(s);
    unsigned port = 0;
    for (size_t i = 0; i < len && i < 6; i++) {
        if (!is_digit(s[i]))
            return false;
        port = port * 10 + (unsigned)(s[i] - '0');
    }
    return len > 0 && len < 6 && port > 0 && port < 65536;
}

/* The length of "[IPv6]" at the front of s; 0 when it is malformed. */
static size_t ipv6_length(const char *s)
{
    char address[INET6_ADDRSTRLEN];
    struct in6_addr ignored;
    size_t len = strcspn(s, "]");
    if (s[len] != ']' || len > sizeof(address))
        return 0;
    memcpy(address, s + 1, len - 1);
    address[len - 1] = '\0';
    return inet_pton(AF_INET6, address, &ignored) == 1 ? len + 1 : 0;
}

/* The length of a name or IPv4 address at the front of s: labels of letters, digits, what `more` has and
 * inner hyphens, joined by dots; 0 when it is malformed. */
static size_t hostname_length(const char *s, char more)
{
    size_t len = 0;
    for (char before = '.';; before = s[len++]) {
        bool inner = s[len] == '-' || s[len] == '.';
        if (!inner && !is_alnum(s[len]) && s[len] != more)
            break;
        if (inner && (before == '.' || (before == '-' && s[len] == '.')))
            return 0;
    }
    return len > 0 && s[len - 1] != '-' && s[len - 1] != '.' ? len : 0;
}

/* A host with an optional port. */
static bool host_valid(const char *host, enum oci_ref_kind kind)
{
    size_t len = *host == '[' ? ipv6_length(host) : hostname_length(host, kind == OCI_REF_SFTP ? '_' : '-');
    return len > 0 && (host[len] == '\0' || (host[len] == ':' && port_valid(host + len + 1)));
}

/* The first component is a host when a name of a repository could not look like that. */
static bool looks_like_host(const char *s, size_t len)
{
    return memchr(s, '.', len) || memchr(s, ':', len) || (len == 9 && strncasecmp(s, "localhost", 9) == 0);
}

bool oci_ref_is_path(const char *text)
{
    if (strcmp(text, "-") == 0 || *text == '/' || strncmp(text, "./", 2) == 0 || strncmp(text, "../", 3) == 0)
        return true;
    if (strchr(text, ':') || strchr(text, '@'))
        return false;
    size_t first = strcspn(text, "/");
    return text[first] == '\0' || !looks_like_host(text, first);
}

bool oci_ref_in_registry(const char *text)
{
    return kind_of(text) == OCI_REF_REGISTRY;
}

void oci_ref_default_tag(struct oci_ref *ref)
{
    if (!ref->tag[0] && !ref->has_digest)
        (void)snprintf(ref->tag, sizeof(ref->tag), "latest");
}

/* Cuts "@digest" off the end of rest. The name of a folder may have an @ of its own. */
static int cut_digest(char *rest, struct oci_ref *ref, struct err *e)
{
    char *at = strrchr(rest, '@');
    if (!at ||
        (ref->kind != OCI_REF_REGISTRY && strncmp(at, "@sha256:", 8) != 0 && strncmp(at, "@sha512:", 8) != 0))
        return 0;
    int r = digest_parse(bytes_str(at + 1), &ref->digest, e);
    if (r)
        return r;
    ref->has_digest = true;
    *at = '\0';
    return 0;
}

/* Cuts ":tag" off the last path component of rest. */
static int cut_tag(char *rest, struct oci_ref *ref, struct err *e)
{
    char *slash = strrchr(rest, '/');
    char *colon = strchr(slash ? slash : rest, ':');
    if (!colon)
        return 0;
    if (!oci_tag_valid(colon + 1))
        return err_set(e, ERR_USAGE, "the tag is not [A-Za-z0-9_][A-Za-z0-9._-]{0,127}");
    memcpy(ref->tag, colon + 1, strlen(colon + 1) + 1);
    *colon = '\0';
    return 0;
}

static int set_strings(struct oci_ref *ref, const char *user, const char *host, const char *prefix,
                       const char *path, struct err *e)
{
    struct buf joined = BUF_INIT(64U << 10);
    buf_append_str(&joined, prefix);
    buf_append_str(&joined, path);
    int r = buf_check(&joined, e);
    ref->user = strdup(user);
    ref->host = strdup(host);
    ref->path = r ? NULL : buf_take_str(&joined);
    buf_done(&joined);
    if (r || !ref->user || !ref->host || !ref->path)
        return r ? r : err_nomem(e);
    for (char *c = ref->host; *c; c++)
        *c = (char)tolower((unsigned char)*c);
    return 0;
}

static int parse_registry(char *rest, struct oci_ref *ref, struct err *e)
{
    size_t first = strcspn(rest, "/");
    const char *host = DOCKER_HOST, *prefix = "";
    char *path = rest;
    if (rest[first] == '/' && looks_like_host(rest, first)) {
        rest[first] = '\0';
        host = rest;
        path = rest + first + 1;
    } else {
        ref->short_name = true;
    }
    int r = cut_digest(path, ref, e);
    if (!r)
        r = cut_tag(path, ref, e);
    if (r)
        return r;
    if (strcasecmp(host, "index.docker.io") == 0)
        host = DOCKER_HOST;
    if (strcasecmp(host, DOCKER_HOST) == 0 && !strchr(path, '/'))
        prefix = "library/";
    if (!host_valid(host, ref->kind))
        return err_set(e, ERR_USAGE, "the host is malformed");
    if (!repository_valid(path))
        return err_set(e, ERR_USAGE,
                       "the repository is malformed (lower-case letters, digits, and . _ - / between them)");
    if (strlen(host) + 1 + strlen(prefix) + strlen(path) > LIMIT_NAME)
        return err_set(e, ERR_USAGE, "host and repository are longer than %u characters", LIMIT_NAME);
    oci_ref_default_tag(ref);
    return set_strings(ref, "", host, prefix, path, e);
}

/* Where the version of "namespace:name@version" starts; NULL: the text is none. A tag before the @ would be
 * followed by a digest, which is no version. */
static const char *package_version(const char *text)
{
    const char *colon = strchr(text, ':'), *at = strchr(text, '@');
    if (!colon || !at || at < colon || !oci_semver_wanted(at + 1) || !is_lower(*text))
        return NULL;
    bool good =
        component_valid(text, (size_t)(colon - text)) && component_valid(colon + 1, (size_t)(at - colon) - 1);
    return good ? at + 1 : NULL;
}

static int parse_package(char *rest, struct oci_ref *ref, struct err *e)
{
    char *at = strchr(rest, '@');
    if (strlen(at + 1) > LIMIT_TAG || strlen(rest) > LIMIT_NAME)
        return err_set(e, ERR_USAGE, "the package's name or version is too long");
    memcpy(ref->tag, at + 1, strlen(at + 1) + 1);
    *at = '\0';
    return set_strings(ref, "", "", "", rest, e);
}

/* A folder or file of this machine. */
static int parse_local(char *rest, struct oci_ref *ref, struct err *e)
{
    int r = cut_digest(rest, ref, e);
    if (!r)
        r = cut_tag(rest, ref, e);
    if (!r && *rest == '\0')
        r = err_set(e, ERR_USAGE,
                    ref->kind == OCI_REF_ARCHIVE ? "the file is missing" : "the folder is missing");
    return r ? r : set_strings(ref, "", "", "", rest, e);
}

static bool user_valid(const char *user)
{
    size_t len = strspn(user, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
    return len > 0 && len <= LIMIT_USER && user[len] == '\0' && user[0] != '.' && user[0] != '-';
}

/* User and host go to configuration files that name programs: nothing passes that a shell could take amiss.
 */
static int parse_sftp(char *rest, struct oci_ref *ref, struct err *e)
{
    size_t len = strcspn(rest, "/");
    if (rest[len] == '\0')
        return err_set(e, ERR_USAGE, "the folder is missing");
    AUTO_FREE char *authority = strndup(rest, len);
    if (!authority)
        return err_nomem(e);
    char *path = rest + len, *at = strrchr(authority, '@');
    const char *host = at ? at + 1 : authority, *user = at ? authority : "";
    if (at)
        *at = '\0';
    if (at && strchr(user, ':'))
        return err_set(e, ERR_USAGE, "a password has no place in a reference");
    if (at && !user_valid(user))
        return err_set(e, ERR_USAGE, "the user is malformed");
    if (strlen(host) > LIMIT_NAME || !host_valid(host, ref->kind))
        return err_set(e, ERR_USAGE, "the host is malformed");
    int r = cut_digest(path, ref, e);
    if (!r)
        r = cut_tag(path, ref, e);
    return r ? r : set_strings(ref, user, host, "", path, e);
}

static int (*const parsers[])(char *rest, struct oci_ref *ref, struct err *e) = {
    [OCI_REF_REGISTRY] = parse_registry, [OCI_REF_LAYOUT] = parse_local,    [OCI_REF_ARCHIVE] = parse_local,
    [OCI_REF_SFTP] = parse_sftp,         [OCI_REF_PACKAGE] = parse_package,
};

int oci_ref_parse(const char *text, struct oci_ref *ret, struct err *e)
{
    struct oci_ref ref = {.kind = kind_of(text)};
    if (ref.kind == OCI_REF_REGISTRY && package_version(text))
        ref.kind = OCI_REF_PACKAGE;
    AUTO_FREE char *copy = strdup(text + strlen(prefixes[ref.kind]));
    if (!copy)
        return err_nomem(e);
    int r = parsers[ref.kind](copy, &ref, e);
    if (r) {
        oci_ref_done(&ref);
        if (r == ERR_FORMAT)
            (void)err_recode(e, ERR_USAGE);
        char shown[300];
        return err_wrap(e, "reference %s", text_escape_str(text, shown, sizeof(shown)));
    }
    *ret = ref;
    return 0;
}

void oci_ref_done(struct oci_ref *ref)
{
    free(TAKE(ref->host));
    free(TAKE(ref->user));
    free(TAKE(ref->path));
}

void oci_ref_repo_str(const struct oci_ref *ref, struct buf *out)
{
    buf_append_str(out, prefixes[ref->kind]);
    if (ref->user && ref->user[0])
        buf_printf(out, "%s@", ref->user);
    buf_printf(out, ref->kind == OCI_REF_REGISTRY ? "%s/%s" : "%s%s", ref->host, ref->path);
}

void oci_ref_str(const struct oci_ref *ref, struct buf *out)
{
    char digest[DIGEST_STR_MAX];
    oci_ref_repo_str(ref, out);
    if (ref->tag[0])
        buf_printf(out, ref->kind == OCI_REF_PACKAGE ? "@%s" : ":%s", ref->tag);
    if (ref->has_digest)
        buf_printf(out, "@%s", digest_str(&ref->digest, digest));
}

int oci_ref_names(const struct oci_ref *ref, char **ret_full, char **ret_repo, struct err *e)
{
    struct buf full = BUF_INIT(64U << 10), repo = BUF_INIT(64U << 10);
    oci_ref_str(ref, &full);
    oci_ref_repo_str(ref, &repo);
    AUTO_FREE char *full_text = buf_take_str(&full);
    AUTO_FREE char *repo_text = buf_take_str(&repo);
    int r = buf_check(&full, e);
    if (!r)
        r = buf_check(&repo, e);
    buf_done(&full);
    buf_done(&repo);
    if (r || !full_text || !repo_text)
        return r ? r : err_nomem(e);
    *ret_full = TAKE(full_text);
    *ret_repo = TAKE(repo_text);
    return 0;
}
