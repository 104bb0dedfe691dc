/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wasm binary reader: one pass over a stream, section by section, every length checked. Modules as in the
 * WebAssembly core specification 3.0, chapter 5; components as in the component model's Binary.md. Only what
 * names a module's surface is decoded: custom section names, imports and exports. (The prefix is wbin, since
 * the engine's C API has wasm_ for itself.)
 */
#ifndef WAYBILL_BASE_WBIN_H
#define WAYBILL_BASE_WBIN_H

#include "base/io.h"

enum wbin_kind { WBIN_MODULE, WBIN_COMPONENT };

#define WBIN_PREAMBLE 8U /* magic and version; version and layer for components */

enum wbin_extern {
    WBIN_FUNC,
    WBIN_TABLE,
    WBIN_MEMORY,
    WBIN_GLOBAL,
    WBIN_TAG,
    WBIN_CORE_MODULE,
    WBIN_VALUE,
    WBIN_TYPE,
    WBIN_COMPONENT_EXTERN,
    WBIN_INSTANCE,
    WBIN_CORE_OTHER, /* exports of a component's core items other than modules */
};

struct wbin_section {
    uint8_t id;           /* 0: custom */
    uint64_t offset;      /* of the id byte, from the start of the file */
    uint32_t header_size; /* bytes of id and length */
    uint32_t size;        /* bytes behind the header, the name of a custom section among them */
    struct bytes name;    /* custom sections: UTF-8, borrowed until the next call on the reader; else empty */
};

struct wbin_reader {
    struct source *source; /* borrowed */
    enum wbin_kind kind;
    uint64_t offset; /* how many bytes were consumed */
    uint32_t left;   /* of the current section */
    unsigned sections, rank;
    struct buf name;
    uint8_t *chunk; /* read ahead: chunk[at..end) */
    size_t at, end;
    /* When set: sees each consumed byte, in order and once. May be changed between calls. */
    int (*see)(void *ctx, struct bytes data, struct err *e);
    void *see_ctx;
};

/* wbin_preamble - what the first eight bytes say: ERR_FORMAT when they are neither a module's nor a
 * component's. */
MUST_CHECK int wbin_preamble(struct bytes head, enum wbin_kind *ret, struct err *e);

/* wbin_open - reads the preamble of a stream. wbin_reader_done releases r also after a failure. */
MUST_CHECK int wbin_open(struct wbin_reader *r, struct source *source, struct err *e);
void wbin_reader_done(struct wbin_reader *r);

/* wbin_next - passes over what is left of the current section and reads the header of the next, with the name
 * of a custom one. *ret_more: false at the end of the file, which must be the end of a section. ERR_FORMAT:
 * truncated, unknown id, non-custom sections of a module out of order or twice, malformed LEB128, a name that
 * is no UTF-8. ERR_LIMIT. */
MUST_CHECK int wbin_next(struct wbin_reader *r, struct wbin_section *ret, bool *ret_more, struct err *e);

/* wbin_payload - appends what is left of the current section to out. */
MUST_CHECK int wbin_payload(struct wbin_reader *r, struct buf *out, struct err *e);

/* wbin_skip - passes over what is left of the current section. */
MUST_CHECK int wbin_skip(struct wbin_reader *r, struct err *e);

/* wbin_read - up to cap bytes of what is left of the current section; *ret_n 0 at its end. */
MUST_CHECK int wbin_read(struct wbin_reader *r, void *buf, size_t cap, size_t *ret_n, struct err *e);

/* One import or export. */
struct wbin_item {
    struct bytes module; /* imports of modules: the first name; else empty */
    struct bytes name;
    enum wbin_extern kind;
};

/* What a file is, as far as its surface tells. */
struct wbin_info {
    enum wbin_kind kind;
    uint64_t size;
    struct wbin_section *sections; /* name: owned by the info */
    size_t n_sections;
    struct wbin_item *imports, *exports;
    size_t n_imports, n_exports;
    void *memory; /* backs the names: at most LIMIT_WASM_DECODED bytes */
    size_t memory_size;
};

/* wbin_scan - reads the stream to its end. info: wbin_info_done by the caller after success. */
MUST_CHECK int wbin_scan(struct source *source, struct wbin_info *ret, struct err *e);
void wbin_info_done(struct wbin_info *info);

/* wbin_imports / wbin_exports - decode one import or export section's payload (of a module or a component)
 * and add its items to the info; names are borrowed from payload. */
MUST_CHECK int wbin_imports(enum wbin_kind kind, struct bytes payload, struct wbin_info *to, struct err *e);
MUST_CHECK int wbin_exports(enum wbin_kind kind, struct bytes payload, struct wbin_info *to, struct err *e);

/* The names of section ids ("type", "import", "code", "core module", ...) and of kinds of externs ("func",
 * "instance"). */
const char *wbin_section_name(enum wbin_kind kind, uint8_t id);
const char *wbin_extern_name(enum wbin_extern kind);

#endif
