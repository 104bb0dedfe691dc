/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one interface to every place where an artifact can be. A new place is one file with one `struct
 * oci_endpoint_ops` and one row in endpoint.c. An endpoint is bound to the repository (or folder) of the
 * reference it was opened with. Once a tag has been resolved everything goes by digest.
 */
#ifndef WAYBILL_OCI_ENDPOINT_H
#define WAYBILL_OCI_ENDPOINT_H

#include "base/io.h"
#include "oci/cred.h"
#include "oci/manifest.h"
#include "oci/ref.h"
#include "oci/referrers.h"
#include "oci/registries.h"
#include "oci/via.h"

struct oci_sessions;

/* What the program knows and endpoints may use; borrowed for as long as an endpoint is open. */
struct oci_endpoint_conf {
    const char *user_agent; /* "waybill/0.1.0" */
    bool plain_http;        /* --plain-http: speak HTTP to the registry. Loopback registries need no flag. */
    const struct oci_cred_conf *credentials; /* each endpoint looks up its own host; NULL: anonymous */
    const char *memo_dir; /* where what was learned is kept, see oci/memo.h; NULL: nowhere */
    bool remove;          /* what is there will be removed: the right to do so is asked for */
    uint64_t max_wait_ms; /* the longest Retry-After that is waited for; 0: 60 s */

    const struct oci_registries *registries; /* for reading, see oci/registries.h; NULL: none */
    struct bytes package_conf;               /* the text of wkg's config.toml, see oci/package.h */
    const char *package_conf_path;           /* its path, for messages; may be NULL */

    /* See struct net_http_conf. With any of the first four, loopback registries are spoken to over TLS, too.
     */
    const char *ca_file, *cert, *cert_key;
    bool insecure;
    const char *const *resolve;
    size_t n_resolve;

    struct oci_sessions *sessions; /* that endpoints share, see oci/sessions.h; NULL: each has its own */

    struct oci_via *via; /* the SSH connections of this process; NULL: none are made */
    const char *via_url; /* --via: what a registry is reached through; NULL: straight */
};

/* The bytes of a manifest or index, pinned by their digest. */
struct oci_pinned {
    struct digest digest;
    char *media_type; /* as the place says it; owned; NULL when it does not */
    struct buf body;
};
void oci_pinned_done(struct oci_pinned *p);

struct oci_endpoint;

struct oci_endpoint_ops {
    void (*close)(struct oci_endpoint *ep);

    /* The manifest or index that `tag` or `digest` names (digest wins; exactly one request where the place is
     * remote). The digest is computed here over the raw bytes and equals *digest when that was given (else
     * ERR_DIGEST). ERR_NOTFOUND, ERR_AUTH, ERR_NETWORK, ERR_REGISTRY, ERR_LIMIT (over LIMIT_MANIFEST). */
    int (*resolve)(struct oci_endpoint *ep, const char *tag, const struct digest *digest,
                   struct oci_pinned *ret, struct err *e);

    /* Writes the blob's bytes to `to` and neither checks nor commits: the caller's sink is a sink_verify. */
    int (*blob_fetch)(struct oci_endpoint *ep, const struct oci_desc *desc, struct sink *to, struct err *e);

    /* As blob_fetch, for a sink that has the first `from` bytes (0 < from < size) already. ERR_UNSUPPORTED:
     * the rest alone is not to be had; ERR_DIGEST may mean that those bytes were no part of the blob. NULL
     * where blobs lie on this machine. */
    int (*blob_resume)(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from, struct sink *to,
                       struct err *e);

    /* Writes the `size` (> 0) bytes of the blob from `from` on, which lie within it, and no others, to `to`.
     * ERR_UNSUPPORTED: they alone are not to be had; `to` may have got some of them then, as after any other
     * failure. NULL where asking for parts gains nothing. */
    int (*blob_part)(struct oci_endpoint *ep, const struct oci_desc *desc, uint64_t from, uint64_t size,
                     struct sink *to, struct err *e);

    /* Appends the name of every tag, each with a NUL behind it, in the order of the place; also those of
     * tools, such as sha256-... */
    int (*tags)(struct oci_endpoint *ep, struct buf *out, struct err *e);

    /* NULL unless blobs lie on this machine: then they are read in place and never copied into the store. An
     * open descriptor of a regular file of the right size, whose bytes are not yet checked; the caller closes
     * it. */
    int (*blob_open)(struct oci_endpoint *ep, const struct oci_desc *desc, int *ret_fd, struct err *e);

    /* Brings a blob there unless it is there. *ret_existed: nothing had to be sent. desc: digest and size,
     * right for what `from` gives. */
    int (*blob_push)(struct oci_endpoint *ep, const struct oci_desc *desc, const struct source_opener *from,
                     bool *ret_existed, struct err *e);

    /* Stores a manifest or index under its digest and, unless tag is NULL, under the tag. What it refers to
     * is there already. */
    int (*manifest_push)(struct oci_endpoint *ep, struct bytes body, const char *media_type,
                         const struct digest *digest, const char *tag, struct err *e);

    /* Makes what was pushed appear as far as that has not happened yet: of an archive nothing has, and of a
     * layout the last entries of its index may be waiting. NULL where nothing is ever pending. Called once,
     * after the last manifest_push; an archive that is closed without it stays what it was. */
    int (*finish)(struct oci_endpoint *ep, struct err *e);

    /* Stores a manifest that nothing but an index names, or that gets its tag later: as manifest_push without
     * a tag, but it becomes no entry of its own where places have those. */
    int (*child_push)(struct oci_endpoint *ep, struct bytes body, const char *media_type,
                      const struct digest *digest, struct err *e);

    /* Whether a manifest is there, and where tag is not NULL whether that names it, as far as the place can
     * say so for less than it costs to push it. NULL where asking saves nothing. */
    int (*manifest_known)(struct oci_endpoint *ep, const char *tag, const struct digest *digest, bool *ret,
                          struct err *e);

    /* Makes a blob of another repository of the same place appear in this one. *ret_mounted false: the place
     * does not, and the blob must be pushed. NULL where places have no repositories. */
    int (*blob_mount)(struct oci_endpoint *ep, const struct oci_desc *desc, const char *from_repo,
                      bool *ret_mounted, struct err *e);

    /* The referrers of a manifest: appended to ret, as oci_referrers_settle leaves them. artifact_type: NULL
     * for all. What a registry lists and what the tag of the referrers tag schema lists counts alike. What
     * the place says is not checked: whether a referrer has this subject only its manifest tells.
     * ERR_NOTFOUND: there is no such repository; a manifest without referrers has an empty list. */
    int (*referrers)(struct oci_endpoint *ep, const struct digest *subject, const char *artifact_type,
                     struct oci_referrers *ret, struct err *e);

    /* Removes a tag and nothing else (digest NULL), or a manifest with all its tags; a referrer leaves the
     * list of its subject, too. Blobs of a layout that nothing refers to any more go. ERR_NOTFOUND,
     * ERR_UNSUPPORTED: the place removes no such thing. */
    int (*remove)(struct oci_endpoint *ep, const char *tag, const struct digest *digest, struct err *e);
};

struct oci_endpoint {
    const struct oci_endpoint_ops *ops;
};

/* oci_endpoint_open - does not connect. ref: as oci_ref_locate leaves it; a package is ERR_USAGE. create: a
 * layout's folder or file may be made (push). conf and ref outlive the endpoint. Released with
 * oci_endpoint_close (takes NULL). */
MUST_CHECK int oci_endpoint_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                                 struct oci_endpoint **ret, struct err *e);
void oci_endpoint_close(struct oci_endpoint *ep);
DEFINE_AUTO(oci_endpoint, oci_endpoint_close);

/* The openers of the kinds, one per file: the rows of endpoint.c. */
MUST_CHECK int oci_layout_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                               struct oci_endpoint **ret, struct err *e);
MUST_CHECK int oci_layout_archive_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf,
                                       bool create, struct oci_endpoint **ret, struct err *e);
MUST_CHECK int oci_layout_sftp_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf,
                                    bool create, struct oci_endpoint **ret, struct err *e);
MUST_CHECK int oci_registry_open(const struct oci_ref *ref, const struct oci_endpoint_conf *conf, bool create,
                                 struct oci_endpoint **ret, struct err *e);

#endif
