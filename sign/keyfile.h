/* SPDX-License-Identifier: Apache-2.0 */
/* The seam for kinds of key files: a new kind is one file and one row of sign_keyfiles[]. */
#ifndef WAYBILL_SIGN_KEYFILE_H
#define WAYBILL_SIGN_KEYFILE_H

#include "sign/key.h"

struct sign_keyfile {
    const char *name; /* "PKCS#8 PEM" */
    bool (*detect)(struct bytes content);
    int (*parse)(struct bytes content, struct sign_key **ret, struct err *e);
};

extern const struct sign_keyfile sign_keyfiles[];
extern const size_t sign_n_keyfiles;

#endif
