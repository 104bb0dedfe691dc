/* SPDX-License-Identifier: Apache-2.0 */
/* A trust store of the Notary Project on disk ("Trust store and trust policy specification", "Trust store"):
 * DIR/x509/{ca,signingAuthority,tsa}/NAME/ with certificates in *.pem, *.crt, *.cer. */
#ifndef WAYBILL_FLOW_TRUSTSTORE_H
#define WAYBILL_FLOW_TRUSTSTORE_H

#include "sign/cert.h"

/* flow_truststore_check_name - whether a text names a store as policies do: "ca:acme", and so on; names are
 * of letters, digits and "._-". ERR_CONFIG. */
MUST_CHECK int flow_truststore_check_name(const char *name, struct err *e);

/* Whether an open file or folder may be believed: 0 or a failure. path: for the message. */
typedef int flow_truststore_guard(int fd, const char *path, struct err *e);

/* flow_truststore_add - to a store, what path (relative to dirfd) is: a file of certificates, which are of
 * kind CA and go by the file's name; a trust store, which has x509/ in it; or another folder, whose *.pem,
 * *.crt and *.cer are of kind CA and go by the folder's name. path itself may be a link.
 * names: of a trust store, n names as of flow_truststore_check_name, each of which must be there with a
 * certificate in it; n 0: all that are there, and there is at least one certificate.
 * Below path no symbolic link is followed: one is refused, and so is anything else that is no file, if it has
 * the name of a certificate. Other names are passed over. guard: asked for every file and folder, NULL: none.
 * ERR_CONFIG (a link, nothing there), ERR_CERT, ERR_FORMAT, ERR_LIMIT (LIMIT_ANCHORS, LIMIT_CERT_FILE),
 * ERR_NOTFOUND, ERR_IO, ERR_NOMEM; with the file's path in the message. */
MUST_CHECK int flow_truststore_add(int dirfd, const char *path, const char *const *names, size_t n,
                                   flow_truststore_guard *guard, struct sign_store *store, struct err *e);

#endif
