/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/format.h"

#include <string.h>

const struct sign_format *const sign_formats[] = {&sign_sigstore, &sign_cosign, &sign_embedded};
const size_t sign_n_formats = ARRAY_LEN(sign_formats);

const struct sign_format *sign_format_find(const char *name)
{
    for (size_t i = 0; i < sign_n_formats; i++)
        if (strcmp(sign_formats[i]->name, name) == 0)
            return sign_formats[i];
    return NULL;
}

const struct sign_format *sign_format_detect(const char *media_type, const char *artifact_type)
{
    for (size_t i = 0; i < sign_n_formats; i++)
        if (sign_formats[i]->detect && sign_formats[i]->detect(media_type, artifact_type))
            return sign_formats[i];
    return NULL;
}

void sign_product_done(struct sign_product *p)
{
    buf_done(&p->blob);
    buf_done(&p->annotations);
    buf_done(&p->manifest_annotations);
}

bool sign_trust_is_empty(const struct sign_trust *t)
{
    return t->keys.n == 0 && !t->store && !t->root && !t->signers;
}

int sign_verify(struct source *from, const struct sign_trust *trust, struct sign_report *report,
                struct err *e)
{
    if (sign_trust_is_empty(trust))
        return err_set(e, ERR_USAGE, "verification needs at least one key");
    return sign_embedded.verify(from, trust, report, e);
}
