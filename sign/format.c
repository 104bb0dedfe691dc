/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/format.h"

#include <string.h>

const struct sign_format *const sign_formats[] = {&sign_embedded};
const size_t sign_n_formats = ARRAY_LEN(sign_formats);

const struct sign_format *sign_format_find(const char *name)
{
    for (size_t i = 0; i < sign_n_formats; i++)
        if (strcmp(sign_formats[i]->name, name) == 0)
            return sign_formats[i];
    return NULL;
}

int sign_verify(struct source *from, const struct sign_keyring *keys, struct sign_report *report,
                struct err *e)
{
    if (keys->n == 0)
        return err_set(e, ERR_USAGE, "verification needs at least one key");
    return sign_embedded.verify(from, keys, report, e);
}
