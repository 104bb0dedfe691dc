/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include "base/buf.h"

#include <sys/mman.h>

void *secret_alloc(size_t len)
{
    void *ptr = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (ptr == MAP_FAILED)
        return NULL;
    (void)madvise(ptr, len, MADV_DONTDUMP);
    (void)mlock(ptr, len);
    return ptr;
}

void secret_free(void *ptr, size_t len)
{
    if (!ptr)
        return;
    mem_wipe(ptr, len);
    (void)munmap(ptr, len);
}

void secret_lock(void *ptr, size_t len)
{
    (void)mlock(ptr, len);
}
