/* SPDX-License-Identifier: Apache-2.0 */
/* What servers put into headers: URLs of Location and Link, Retry-After, Content-Range, and error bodies. */
#include "net/link.h"
#include "net/retry.h"
#include "net/url.h"
#include "oci/upload.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void join(const char *base, struct bytes value)
{
    struct err e = ERR_INIT;
    struct net_url u;
    char *url = NULL;
    if (net_url_join(base, value, &url, &e) == 0 && net_url_parse(url, &u, &e) != 0)
        abort(); /* what was joined must be a good URL */
    free(url);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes value = bytes_of(data, size), target;
    struct err e = ERR_INIT;
    struct net_content_range range;
    int64_t wait = 0;
    AUTO_DONE(buf) words = BUF_INIT(4096);
    join("https://registry.example/v2/a/blobs/uploads/", value);
    join("http://localhost:5000?x", value);
    if (net_link_parse(value, &target, &e) == 0 && target.len > size)
        abort();
    if (net_retry_after(value, 784111777, &wait) && wait < 0)
        abort();
    if (net_content_range_parse(value, &range) && (range.first > range.last || range.last >= range.total))
        abort();
    uint64_t at = 7;
    if (oci_upload_range(value, 7, 100, &at) ? at < 7 || at > 100 : at != 7)
        abort();
    oci_registry_errors(value, &words);
    for (size_t i = 0; i < words.len; i++) {
        if (words.ptr[i] < ' ' || words.ptr[i] == 0x7f)
            abort(); /* a control character would reach the terminal */
    }
    return 0;
}
