/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Allowed signers, as ssh-keygen(1) describes them under "ALLOWED SIGNERS": lines of principals, options, a
 * key. Certificates do not count here: lines with cert-authority, and with keys that waybill does not have,
 * are read and match nothing, with a reason.
 */
#ifndef WAYBILL_SIGN_SIGNERS_H
#define WAYBILL_SIGN_SIGNERS_H

#include "sign/trust.h"

/* sign_signers_parse - text: the file's content, at most LIMIT_SIGNERS. name: for messages. Dates that do not
 * end in "Z" are UTC as well, where ssh-keygen takes the zone of the machine it runs on: the same file must
 * mean the same everywhere. ERR_CONFIG with the line: something that OpenSSH does not know, or that
 * contradicts itself; a file that names no key. ERR_LIMIT, ERR_NOMEM. */
MUST_CHECK int sign_signers_parse(struct bytes text, const char *name, struct sign_signers **ret,
                                  struct err *e);
void sign_signers_free(struct sign_signers *s);
DEFINE_AUTO(sign_signers, sign_signers_free);

/* Who signed what for what. */
struct sign_signers_query {
    struct bytes key; /* blob */
    const char *name_space;
    const struct sign_identity *identities; /* one of them it must be, by its `subject`; those with an issuer
                                               match nothing */
    size_t n_identities;                    /* 0: anybody */
    int64_t now;
};

/* sign_signers_find - *ret_who: the principal that was asked for, or all of the line; heap. ERR_UNTRUSTED: no
 * line has the key for that namespace and one of the identities; ERR_EXPIRED: one has, and at another time;
 * ERR_UNSUPPORTED: it counts for certificates only; ERR_CONFIG: an identity's expression; ERR_NOMEM. */
MUST_CHECK int sign_signers_find(const struct sign_signers *s, const struct sign_signers_query *q,
                                 char **ret_who, struct err *e);

/* sign_signers_match - whether a text is in a list of patterns with commas between them, where "*" and "?"
 * are wildcards and "!" in front excludes (ssh_config(5), "PATTERNS"). */
bool sign_signers_match(struct bytes list, struct bytes text);

#endif
