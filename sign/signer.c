/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/signer.h"

#include "sign/dsse.h"
#include "sign/statement.h"

#include <stdio.h>
#include <string.h>

static bool is_logged(const struct sign_keyless *in)
{
    return jarr_len(in->entries) || jarr_len(in->timestamps) || in->set;
}

int sign_signer_find(struct sign_keyless *in, const char *hint, const struct sign_trust *trust,
                     struct sign_check *check, bool *ret_known, struct err *e)
{
    *ret_known = false;
    int r = sign_sigstore_by_key(trust, hint, in->message, in->signature, check, &in->key, e);
    if (r)
        return r;
    if (in->key)
        in->n_chain = 0;
    if (in->n_chain || (in->key && is_logged(in) && trust->root))
        return sign_keyless_check(in, trust, check, ret_known, e);
    *ret_known = in->key != NULL;
    return 0;
}

void sign_signer_note(const struct sign_keyless *in, const struct sign_trust *trust, struct sign_check *check)
{
    size_t n = strlen(check->text);
    if (check->ok && is_logged(in) && !trust->root)
        (void)snprintf(check->text + n, sizeof(check->text) - n,
                       " (its log entries were not checked: no trusted root)");
}

int sign_signer_judge_envelope(struct sign_keyless *in, const char *hint, const struct sign_subject *subject,
                               const struct sign_trust *trust, struct sign_check *check, struct err *e)
{
    const struct sign_dsse *d = in->envelope;
    struct bytes payload = buf_bytes(&d->payload);
    AUTO_DONE(buf) message = BUF_INIT(sign_dsse_pae_max(d->payload_type, payload));
    bool known;
    check->kind = sign_statement_kind(payload);
    if (*hint && *d->key_id && strcmp(hint, d->key_id) != 0)
        return sign_check_set(check, ERR_FORMAT, "the key identifier of the envelope is not the bundle's");
    sign_dsse_pae(d->payload_type, payload, &message);
    int r = buf_check(&message, e);
    in->message = buf_bytes(&message);
    in->signature = buf_bytes(&d->signature);
    if (!r)
        r = sign_signer_find(in, *hint ? hint : d->key_id, trust, check, &known, e);
    if (r || !known)
        return r;
    if (strcmp(d->payload_type, SIGN_DSSE_IN_TOTO) != 0)
        return sign_check_set(check, ERR_FORMAT, "what was signed is no in-toto statement");
    r = sign_statement_judge(payload, subject, trust, check, e);
    if (!r)
        sign_signer_note(in, trust, check);
    return r;
}
