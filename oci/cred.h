/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials for registries, and where they are: given by the user, in the files of podman
 * (containers-auth.json(5)) and docker (config.json), or with a credential helper that one of these names
 * (docker-credential-helpers, "Development"). Nothing is asked of a helper before a registry wants to know
 * who we are.
 */
#ifndef WAYBILL_OCI_CRED_H
#define WAYBILL_OCI_CRED_H

#include "base/buf.h"

struct oci_cred {
    char *user, *password; /* owned, wiped when released; both or neither */
    char *identity_token;  /* a refresh token, or NULL */
};

#define OCI_CRED_INIT \
    {                 \
        .user = NULL  \
    }
void oci_cred_done(struct oci_cred *c);
bool oci_cred_is_empty(const struct oci_cred *c);

/* oci_secret_free - wipes and frees a string; takes NULL. oci_secret_copy: NULL when there is no memory. */
void oci_secret_free(char *s);
char *oci_secret_copy(struct bytes text);

/* A file of docker's or podman's, or a text of that form. */
struct oci_cred_source {
    const char *path;  /* its name; borrowed */
    struct bytes text; /* empty: there is none */
    bool podman;       /* podman's: Docker Hub is called docker.io in it */
    bool fixed;        /* no file, but a text that cannot be changed */
    bool chosen;       /* the user named this file: a login goes there, whatever comes behind it */
};
#define OCI_CRED_SOURCES 4U

/* How helpers are run. */
struct oci_helper_conf {
    const char *path;         /* folders as of $PATH, the absolute ones count; NULL: none is found */
    char *const *environment; /* as environ; NULL: empty */
    unsigned timeout_ms;      /* 0: LIMIT_HELPER_MS */
};

/* All that is known before a registry is named; borrowed for as long as it is used. */
struct oci_cred_conf {
    const char *user, *password;           /* given for this run: before all sources; both or neither */
    const char *identity_token;            /* likewise */
    const struct oci_cred_source *sources; /* in the order in which they count */
    size_t n_sources;                      /* at most OCI_CRED_SOURCES */
    struct oci_helper_conf helper;
};

/* Where the credentials of a registry are: helpers, to be asked in turn, and behind them what a file says. */
struct oci_cred_place {
    struct {
        char *name, *server; /* "desktop"; "ghcr.io" */
    } helpers[OCI_CRED_SOURCES];
    size_t n_helpers;
    struct oci_cred cred;
};
void oci_cred_place_done(struct oci_cred_place *p);

/* oci_cred_find - reads the sources; no helper is run. In each of them credHelpers[host] counts before
 * credsStore and that before "auths", where the entry counts that names the host and the longest part of the
 * repository's path.
 * host: "ghcr.io", "localhost:5000".  repo: NULL or "": none.  ret: oci_cred_place_done.
 * Returns 0, also when there is nothing, ERR_CONFIG (the message does not repeat the text) or ERR_NOMEM. */
MUST_CHECK int oci_cred_find(const struct oci_cred_conf *conf, const char *host, const char *repo,
                             struct oci_cred_place *ret, struct err *e);

/* oci_cred_get - the credentials at a place, from its helpers if need be; nothing is found: *ret is empty. A
 * helper that is not installed knows nothing, with a warning. place: its own are handed over.
 * ERR_AUTH: a helper failed, ERR_NOMEM. */
MUST_CHECK int oci_cred_get(const struct oci_helper_conf *conf, struct oci_cred_place *place,
                            struct oci_cred *ret, struct err *e);

/* oci_cred_helper - the helper that a source names for a registry, and what the registry is called there;
 * both NULL when it names none, else the caller's. ERR_CONFIG, ERR_NOMEM. */
MUST_CHECK int oci_cred_helper(const struct oci_cred_source *s, const char *host, char **ret_name,
                               char **ret_server, struct err *e);

/* Helpers: programs docker-credential-NAME. */

/* oci_helper_get - ERR_NOTFOUND: it has none for that server; ERR_UNSUPPORTED: it is not installed; ERR_AUTH:
 * it failed, took too long, or its answer makes no sense. ret: untouched on failure. */
MUST_CHECK int oci_helper_get(const struct oci_helper_conf *conf, const char *name, const char *server,
                              struct oci_cred *ret, struct err *e);
MUST_CHECK int oci_helper_store(const struct oci_helper_conf *conf, const char *name, const char *server,
                                const struct oci_cred *cred, struct err *e);
MUST_CHECK int oci_helper_erase(const struct oci_helper_conf *conf, const char *name, const char *server,
                                struct err *e);

/* oci_helper_parse - a helper's answer to "get": {"Username": ..., "Secret": ...}; the user "<token>" says
 * that the secret is an identity token. ERR_NOTFOUND when both are empty, ERR_AUTH, ERR_NOMEM. */
MUST_CHECK int oci_helper_parse(struct bytes answer, struct oci_cred *ret, struct err *e);

/* Changing a file. */

/* oci_cred_edit - a file's text with the entry of a registry set (cred) or without it (NULL), all else as it
 * was, appended to out. text: may be empty.  path: for messages.  podman: how the entry is called.
 * *ret_had: there was one. ERR_CONFIG, ERR_NOMEM. */
MUST_CHECK int oci_cred_edit(struct bytes text, const char *path, const char *host, bool podman,
                             const struct oci_cred *cred, struct buf *out, bool *ret_had, struct err *e);

/* oci_cred_file_update - the same with a file: one process at a time, 0600, whole or not at all; of a
 * symbolic link the file that it leads to. It is made where it is not there, unless cred is NULL. ERR_CONFIG,
 * ERR_IO, ERR_NOMEM. */
MUST_CHECK int oci_cred_file_update(const char *path, const char *host, bool podman,
                                    const struct oci_cred *cred, bool *ret_had, struct err *e);

/* What the files of cred share. */
size_t oci_cred_key_match(const char *key, const char *host, const char *repo);
MUST_CHECK int oci_cred_set(struct oci_cred *c, struct bytes user, struct bytes password, struct err *e);
const char *oci_cred_server(const char *host, bool podman);

/* The user name that says: the password is an identity token. */
#define OCI_CRED_TOKEN_USER "<token>"

#endif
