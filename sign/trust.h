/* SPDX-License-Identifier: Apache-2.0 */
/* What signatures are checked against: keys, roots and a clock, all given by the caller. Nothing here is
 * looked for on the way: who verifies without any of it has nothing to verify with, and that is an error. */
#ifndef WAYBILL_SIGN_TRUST_H
#define WAYBILL_SIGN_TRUST_H

#include "base/hash.h"
#include "sign/key.h"

struct jval;

struct sign_keyring {
    struct sign_key *const *keys; /* borrowed; distinct keys */
    size_t n;
};

struct sign_store;   /* X.509 certificates that are trusted by themselves: sign/cert.h */
struct sign_root;    /* a Sigstore trusted root: certificate authorities and logs: sign/root.h */
struct sign_signers; /* an allowed_signers file of OpenSSH: sign/signers.h */

/* Who may stand behind a certificate: both must match. */
struct sign_identity {
    const char *issuer; /* Fulcio: the OIDC issuer, exactly; NULL: any */
    const char
        *subject; /* Fulcio: the subject alternative name, exactly; Notary: the subject ("C=US, O=x") */
    bool subject_is_pattern; /* `subject` is an anchored POSIX extended regular expression */
};

/* A member that a signed payload must have. */
struct sign_pair {
    const char *key, *value;
};

struct sign_trust {
    struct sign_keyring keys;
    const struct sign_store *store;     /* notation; NULL: none */
    const struct sign_root *root;       /* keyless; NULL: none */
    const struct sign_signers *signers; /* ssh; NULL: none but the keys */
    const char *ssh_namespace;          /* ssh: what signatures must be for; NULL: as of sign/sshsig.h */
    const struct sign_identity *identities;
    size_t n_identities;
    bool any_identity; /* keyless: with no identities anybody with a certificate counts, and not nobody */
    bool any_signer;   /* ssh: all that `signers` names count, whatever the identities are */
    const struct sign_pair *annotations; /* that must be signed along */
    size_t n_annotations;
    int64_t now;           /* seconds since 1970 */
    bool repo_must_match;  /* a signature that names another repository than the subject's does not count */
    bool ed25519ph;        /* Ed25519ph counts as well (cosign v2 makes such signatures) */
    const char *sections;  /* embedded: a POSIX extended regular expression: only the parts of the file with
                              custom sections of such names, and all sections that are not custom, must be
                              signed; NULL: the whole file */
    struct bytes detached; /* files: the signature, which stands beside the file: embedded, ssh or minisign;
                              empty: it is inside */
    bool old_claims; /* claims of a revision below 3 count as well, if they state the hash of the file */
    const char *const *formats; /* names of the formats that count; none: all do */
    size_t n_formats;
    const char *claims; /* nkeys with blanks between them: claims must be by one of these accounts (A...) and
                           about one of these modules (M...), where there are any of the kind, and in any case
                           by one of `keys`; NULL: any of `keys`, about any module */
};

/* sign_trust_is_empty - nothing in it could make a signature good. */
bool sign_trust_is_empty(const struct sign_trust *t);

/* sign_trust_wants - whether signatures of that format count. */
bool sign_trust_wants(const struct sign_trust *t, const char *format);

/* What a detached signature is about. */
struct sign_subject {
    struct digest digest;        /* of the manifest, or of the file */
    uint64_t size;               /* in bytes */
    const char *media_type;      /* of the manifest; "" for a file */
    const char *repo;            /* "host/repo" as it was named, for formats that sign it; NULL: unknown */
    struct bytes content;        /* the bytes themselves, for formats that sign them; empty: not at hand */
    const struct digest *others; /* of the same bytes by other algorithms, for formats that sign those;
                                    borrowed */
    size_t n_others;
};

/* A blob that may be a signature of the subject or an attestation about it, and what stood beside it. All is
 * what some place says: none of it is trusted. */
struct sign_carrier {
    const char *media_type;         /* of the blob; "" where it is not said */
    const char *artifact_type;      /* of the manifest that names the blob; "" likewise */
    const struct jval *annotations; /* of the blob's descriptor; NULL: none */
    struct bytes blob;
    const char *where; /* for the report: "referrer sha256:...", "tag sha256-....sig", the name of a file */
};

#endif
