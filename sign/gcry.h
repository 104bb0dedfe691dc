/* SPDX-License-Identifier: Apache-2.0 */
/* libgcrypt's objects with cleanup, for this room only. */
#ifndef WAYBILL_SIGN_GCRY_H
#define WAYBILL_SIGN_GCRY_H

#include "base/bytes.h"
#include "base/err.h"

#include <gcrypt.h>

DEFINE_AUTO(gcry_sexp, gcry_sexp_release);
DEFINE_AUTO(gcry_mpi, gcry_mpi_release);
DEFINE_AUTO(gcry_mpi_point, gcry_mpi_point_release);
DEFINE_AUTO(gcry_context, gcry_ctx_release);

/* sign_gcry_fail - records what libgcrypt said. */
static inline int sign_gcry_fail(gcry_error_t g, struct err *e)
{
    return gcry_err_code(g) == GPG_ERR_ENOMEM ? err_nomem(e)
                                              : err_set(e, ERR_OTHER, "libgcrypt: %s", gcry_strerror(g));
}

/* The most that a "%b" may hold. libgcrypt writes lengths of an S-expression with 16 bits and does not look
 * whether they fit: from 65473 bytes on it signs and verifies something else than the message, and of 65536
 * and more it takes the first few for the value and the others for the rest of the expression. Whoever writes
 * these could have a signature of the first few taken for one of all. */
#define SIGN_GCRY_MAX 32768U

/* sign_gcry_secret - an S-expression with one "%b" for the secret. It lives in memory of libgcrypt, which is
 * wiped when it is freed (hash_init sees to that). format: from "(" to ")". */
MUST_CHECK int sign_gcry_secret(const char *format, struct bytes secret, gcry_sexp_t *ret, struct err *e);

/* sign_gcry_verdict - what gcry_pk_verify's answer means: anything but success is "not right", except that
 * nothing can be said without memory. */
MUST_CHECK int sign_gcry_verdict(gcry_error_t g, bool *ret_good, struct err *e);

#endif
