/* SPDX-License-Identifier: Apache-2.0 */
/* References: where an artifact is, and which one. */
#ifndef WAYBILL_OCI_REF_H
#define WAYBILL_OCI_REF_H

#include "base/buf.h"
#include "base/hash.h"
#include "base/limits.h"

enum oci_ref_kind {
    OCI_REF_REGISTRY, /* host[:port]/repo[:tag][@digest] */
    OCI_REF_LAYOUT,   /* oci:DIR[:tag][@digest] */
    OCI_REF_ARCHIVE,  /* oci-archive:FILE[:tag][@digest] */
    OCI_REF_SFTP,     /* sftp://[user@]host[:port]/DIR[:tag][@digest] */
    OCI_REF_PACKAGE,  /* namespace:name@version: where it is has yet to be found out, see oci/locate.h */
};

struct oci_ref {
    enum oci_ref_kind kind;
    char *
        host; /* "ghcr.io", "localhost:5000", "[::1]:5000", lower case; "" on this machine and for packages */
    char *user; /* sftp; "" when there is none */
    char *path; /* registry: the repository; layouts: the folder or file, absolute for sftp; package:
                   "namespace:name" */
    char tag[LIMIT_TAG + 1]; /* "" when there is none; package: the version or versions that are wanted */
    bool short_name;         /* registry: no host was written */
    bool has_digest;
    struct digest digest; /* what counts when there is a tag too */
};

/* oci_ref_parse - distribution-spec 1.1 "Pulling manifests" for names and tags, image-spec 1.1 for digests.
 * Without tag and digest the tag is "latest". A name whose first component is no host (no dot, no colon, not
 * "localhost") is docker.io's, and of docker.io a single component belongs to "library". Upper case is folded
 * in hosts and an error in repositories. A path is taken as it stands: nothing in it is decoded or expanded,
 * neither % nor ~. A host of sftp may have an underscore, as names in a configuration of OpenSSH do, and its
 * user is [A-Za-z0-9_][A-Za-z0-9._-]*; a password is an error. ret: released with oci_ref_done. ERR_USAGE
 * with what is wrong, ERR_UNSUPPORTED for another digest algorithm. */
MUST_CHECK int oci_ref_parse(const char *text, struct oci_ref *ret, struct err *e);
void oci_ref_done(struct oci_ref *ref);

/* oci_ref_is_path - whether a TARGET argument, which may be a file or a reference, names a file: "-",
 * anything that starts with
 * /, ./ or ../, and any text without a host, a colon and an @. It looks at the text alone, never at which
 * files exist: a file in the working folder cannot take the place of a reference. */
bool oci_ref_is_path(const char *text);

/* oci_ref_in_registry - whether what a reference names is in a registry, as packages are, too: that is what
 * wants credentials. If not, it is in an image layout of some kind ("oci:...", "oci-archive:...",
 * "sftp://..."). */
bool oci_ref_in_registry(const char *text);

/* oci_ref_str - appends the canonical text: "host/repo:tag@digest", "oci:DIR:tag@digest" and so on, each part
 * where it is there. */
void oci_ref_str(const struct oci_ref *ref, struct buf *out);
/* oci_ref_repo_str - the same without tag and digest. */
void oci_ref_repo_str(const struct oci_ref *ref, struct buf *out);

/* oci_ref_names - both of them as new strings, the caller's. */
MUST_CHECK int oci_ref_names(const struct oci_ref *ref, char **ret_full, char **ret_repo, struct err *e);

/* oci_ref_default_tag - "latest" where there is neither tag nor digest: for what is written. */
void oci_ref_default_tag(struct oci_ref *ref);

/* oci_tag_valid - the tag grammar of distribution-spec 1.1. */
bool oci_tag_valid(const char *tag);

#endif
