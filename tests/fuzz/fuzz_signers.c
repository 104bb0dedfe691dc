/* SPDX-License-Identifier: Apache-2.0 */
/* allowed_signers files: any text, asked about one key that the corpus names and for everybody in it. */
#include "base/limits.h"
#include "sign/signers.h"
#include "sign/sshkey.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool good)
{
    if (!good)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char key[] = "AAAAC3NzaC1lZDI1NTE5AAAAIIqI49cKXqU9NnkKKJgl0QrjEn9CZwrbNHVlDOnqqShc";
    const struct sign_identity one = {.subject = "alice@example.com"};
    struct err e = ERR_INIT;
    AUTO(sign_signers) s = NULL;
    AUTO_DONE(buf) blob = BUF_INIT(256);
    int r = sign_signers_parse(bytes_of(data, size), "fuzz", &s, &e);
    if (r) {
        must((r == ERR_CONFIG || r == ERR_LIMIT) && e.msg[0] && !s);
        return 0;
    }
    must(sign_sshkey_decode(BYTES_LIT("ssh-ed25519"), BYTES_LIT(key), &blob, &e) == 0);
    for (size_t n = 0; n < 2; n++) {
        AUTO_FREE char *who = NULL;
        const struct sign_signers_query q = {.key = buf_bytes(&blob),
                                             .name_space = "wasm-oci",
                                             .identities = n ? &one : NULL,
                                             .n_identities = n,
                                             .now = 1800000000};
        r = sign_signers_find(s, &q, &who, &e);
        must(r == 0 ? who != NULL : !who && e.msg[0]);
        must(r == 0 || r == ERR_UNTRUSTED || r == ERR_EXPIRED || r == ERR_UNSUPPORTED);
    }
    return 0;
}
