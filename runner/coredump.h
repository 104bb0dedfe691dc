/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Core dumps of guests in the format of WebAssembly's tool conventions (Coredump.md): a file in the binary
 * format, whose custom sections say what ran and where it stopped, and whose memory, global and data sections
 * hold what was there.
 */
#ifndef WAYBILL_RUNNER_COREDUMP_H
#define WAYBILL_RUNNER_COREDUMP_H

#include "base/io.h"

/* One call that had not returned. What its locals were is not known. */
struct runner_coredump_frame {
    uint32_t instance; /* of instance n there is one, of module n */
    uint32_t func;     /* index in the module */
    uint32_t offset;   /* bytes from the start of the function's code */
};

struct runner_coredump_memory {
    struct bytes name; /* what it is exported as */
    const uint8_t *ptr;
    uint64_t size;       /* bytes, a multiple of the page's */
    uint64_t max;        /* pages; where has_max */
    uint8_t page_log2;   /* 16 but for custom page sizes */
    bool has_max, is_64; /* is_64: addresses have 64 bits */
};

struct runner_coredump_global {
    struct bytes name; /* what it is exported as */
    uint8_t type;      /* COREDUMP_I32 ... */
    uint64_t bits;     /* the value; of 32-bit types the lower half */
};

/* The value types' codes (WebAssembly core specification 5.3.1). */
enum { COREDUMP_F64 = 0x7c, COREDUMP_F32 = 0x7d, COREDUMP_I64 = 0x7e, COREDUMP_I32 = 0x7f };

struct runner_coredump {
    struct bytes process;        /* UTF-8, as are all names: what was run */
    const struct bytes *modules; /* names; the first is the guest itself */
    size_t n_modules;
    const struct runner_coredump_frame *frames; /* youngest first */
    size_t n_frames;
    const struct runner_coredump_memory *memories; /* of the first instance */
    size_t n_memories;
    /* Of the first instance. Their places in its index space are not known, so they are told apart by the
     * names in a "name" section. */
    const struct runner_coredump_global *globals;
    size_t n_globals;
};

/* runner_coredump_write - d into a sink, which the caller commits or aborts. Of the memories the blocks
 * without a byte that is not zero are left out. ERR_LIMIT (more than a section can hold), and what the sink
 * fails with.
 */
MUST_CHECK int runner_coredump_write(const struct runner_coredump *d, struct sink *to, struct err *e);

#endif
