/* SPDX-License-Identifier: Apache-2.0 */
/* References: the canonical text of one that is read is read as the same. */
#include "oci/ref.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    AUTO_FREE char *text = strndup(size ? (const char *)data : "", size);
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    if (!text)
        return 0;
    (void)oci_ref_is_path(text);
    (void)oci_tag_valid(text);
    if (oci_ref_parse(text, &ref, &e) != 0)
        return 0;
    AUTO_DONE(oci_ref) again = {.host = NULL};
    AUTO_FREE char *full = NULL;
    AUTO_FREE char *repo = NULL;
    AUTO_FREE char *full_again = NULL;
    AUTO_FREE char *repo_again = NULL;
    if (oci_ref_names(&ref, &full, &repo, &e) != 0 || oci_ref_parse(full, &again, &e) != 0 ||
        oci_ref_names(&again, &full_again, &repo_again, &e) != 0 || strcmp(full, full_again) != 0 ||
        strcmp(repo, repo_again) != 0 || ref.kind != again.kind || oci_ref_is_path(full))
        abort();
    return 0;
}
