/* SPDX-License-Identifier: Apache-2.0 */
/* A credentials file read and changed, and the replies of a token service and of a helper on the same bytes.
 */
#include "oci/auth.h"

#include "base/limits.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is not empty is whole. */
static void check(const struct oci_cred *c)
{
    if ((c->user == NULL) != (c->password == NULL))
        abort();
}

static int find(struct bytes text, const char *host, struct oci_cred_place *ret)
{
    struct err e = ERR_INIT;
    const struct oci_cred_source source = {.path = "config.json", .text = text};
    const struct oci_cred_conf conf = {.sources = &source, .n_sources = 1};
    return oci_cred_find(&conf, host, "owner/name", ret, &e);
}

/* An entry that was set is found in the changed text, and gone when it was removed. */
static void change(struct bytes text, const char *host)
{
    struct err e = ERR_INIT;
    char user[] = "me", password[] = "p:w";
    const struct oci_cred cred = {.user = user, .password = password};
    AUTO_DONE(buf) set = BUF_INIT(4 * LIMIT_AUTH_FILE);
    AUTO_DONE(buf) without = BUF_INIT(8 * LIMIT_AUTH_FILE);
    bool had = false;
    if (oci_cred_edit(text, "config.json", host, false, &cred, &set, &had, &e))
        return;
    had = false;
    if (oci_cred_edit(buf_bytes(&set), "config.json", host, false, NULL, &without, &had, &e) || !had)
        abort();
    had = true;
    buf_reset(&set);
    if (oci_cred_edit(buf_bytes(&without), "config.json", host, false, NULL, &set, &had, &e) || had)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const hosts[] = {"docker.io", "ghcr.io", "localhost:5000"};
    for (size_t i = 0; i < ARRAY_LEN(hosts); i++) {
        AUTO_DONE(oci_cred_place) place = {.n_helpers = 0};
        int r = find(bytes_of(data, size), hosts[i], &place);
        if (r && (place.n_helpers || !oci_cred_is_empty(&place.cred)))
            abort(); /* a failure gave something out */
        check(&place.cred);
        change(bytes_of(data, size), hosts[i]);
    }
    struct err e = ERR_INIT;
    AUTO_DONE(oci_cred) answer = OCI_CRED_INIT;
    if (oci_helper_parse(bytes_of(data, size), &answer, &e) && !oci_cred_is_empty(&answer))
        abort();
    check(&answer);
    char *token = NULL;
    uint64_t life = 0;
    if (oci_token_parse(bytes_of(data, size), &token, &life, &e) == 0 &&
        (!*token || strpbrk(token, "\r\n ") || life < 60))
        abort();
    oci_secret_free(token);
    return 0;
}
