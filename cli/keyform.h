/* SPDX-License-Identifier: Apache-2.0 */
/* The forms in which keygen and key write keys, by the names that their options take. */
#ifndef WAYBILL_CLI_KEYFORM_H
#define WAYBILL_CLI_KEYFORM_H

#include "sign/keyfile.h"

struct keyform {
    const char *name;
    const struct sign_keyfile *private, *public; /* NULL: there is no such form */
    char nkey;                                   /* of an nkeys form that says whose the key is, or 0 */
};

extern const struct keyform keyforms[];
extern const char *const keyform_names[]; /* in the same order; ends in NULL */

/* keyform_find - by name; it is there. */
const struct keyform *keyform_find(const char *name);

/* keyform_write - to a file that must not be there, 0600 or 0644; "-" is standard output.
 * keyform_write_pair - both files or none: each is written aside first. */
MUST_CHECK int keyform_write(const char *path, bool private, struct bytes content, struct err *e);
MUST_CHECK int keyform_write_pair(const char *private_path, struct bytes private, const char *public_path,
                                  struct bytes public, struct err *e);

#endif
