/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for long-lived secrets: pages of its own that are not written to core dumps, nor to swap where the
 * limits of the process (RLIMIT_MEMLOCK) allow them to be locked. */
#ifndef WAYBILL_BASE_SECRET_H
#define WAYBILL_BASE_SECRET_H

#include <stddef.h>

/* secret_alloc - len zero bytes (not 0 of them), or NULL without memory. */
void *secret_alloc(size_t len);

/* secret_free - wipes and gives back what secret_alloc(len) gave; NULL is fine. */
void secret_free(void *ptr, size_t len);

/* secret_lock - keeps other memory out of swap where that is allowed. There is no way back: pages of the heap
 * may hold other secrets by then, and the limit bounds how many are kept. */
void secret_lock(void *ptr, size_t len);

#endif
