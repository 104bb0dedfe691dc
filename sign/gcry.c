/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/gcry.h"

int sign_gcry_secret(const char *format, struct bytes secret, gcry_sexp_t *ret, struct err *e)
{
    if (secret.len > SIGN_GCRY_MAX)
        return err_set(e, ERR_LIMIT, "a secret of %zu bytes", secret.len);
    gcry_error_t g = gcry_sexp_build(ret, NULL, format, (int)secret.len, secret.ptr);
    return g ? sign_gcry_fail(g, e) : 0;
}

int sign_gcry_verdict(gcry_error_t g, bool *ret_good, struct err *e)
{
    if (gcry_err_code(g) == GPG_ERR_ENOMEM)
        return err_nomem(e);
    *ret_good = g == 0;
    return 0;
}
