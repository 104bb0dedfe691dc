/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/index.h"

#include "base/text.h"

/* What is taken where nobody said which; both ways of writing them are in use. */
static const char *const preferred[] = {"wasip2/wasm", "wasip1/wasm", "wasi/wasm", "wasi/wasm32"};

static bool pair_is(const char *text, size_t slash, const char *first, const char *second)
{
    return strlen(first) == slash && memcmp(text, first, slash) == 0 && strcmp(text + slash + 1, second) == 0;
}

static bool fits(const struct oci_desc *entry, const char *platform)
{
    size_t slash = strcspn(platform, "/");
    if (!entry->os || !entry->architecture || platform[slash] == '\0')
        return false;
    return pair_is(platform, slash, entry->os, entry->architecture) ||
           pair_is(platform, slash, entry->architecture, entry->os);
}

/* How many different manifests fit; *ret is the first. */
static size_t count(const struct oci_manifest *index, const char *platform, const struct oci_desc **ret)
{
    size_t n = 0;
    for (size_t i = 0; i < index->n_entries; i++) {
        const struct oci_desc *entry = &index->entries[i];
        if (!fits(entry, platform) || (n && digest_eq(&entry->digest, &(*ret)->digest)))
            continue;
        if (n++ == 0)
            *ret = entry;
    }
    return n;
}

int oci_index_choose(const struct oci_manifest *index, const char *platform, const struct oci_desc **ret,
                     struct err *e)
{
    char shown[128];
    const struct oci_desc *found = NULL;
    const char *wanted = platform;
    if (platform && !strchr(platform, '/'))
        return err_set(e, ERR_USAGE, "platform %s is not OS/ARCHITECTURE",
                       text_escape_str(platform, shown, sizeof(shown)));
    if (!platform && index->n_entries == 1) {
        *ret = &index->entries[0];
        return 0;
    }
    size_t n = platform ? count(index, platform, &found) : 0;
    for (size_t i = 0; !platform && n == 0 && i < ARRAY_LEN(preferred); i++)
        n = count(index, wanted = preferred[i], &found);
    if (n == 0)
        return err_set(e, ERR_NOTFOUND, "an index of %zu manifests, none of them for %s", index->n_entries,
                       platform ? text_escape_str(platform, shown, sizeof(shown)) : "wasm");
    if (n > 1)
        return err_set(e, ERR_USAGE, "an index with %zu manifests for %s: name one of them by its digest", n,
                       text_escape_str(wanted, shown, sizeof(shown)));
    *ret = found;
    return 0;
}
