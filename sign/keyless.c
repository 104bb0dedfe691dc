/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/keyless.h"

int sign_keyless_check(const struct sign_keyless *in, const struct sign_trust *trust,
                       struct sign_check *check, bool *ret_good, struct err *e)
{
    (void)in;
    (void)e;
    *ret_good = false;
    if (!trust->root)
        return sign_check_set(check, ERR_UNTRUSTED, "by a certificate, and no trusted root was given");
    return sign_check_set(check, ERR_UNTRUSTED, "by a certificate, which this version does not judge");
}
