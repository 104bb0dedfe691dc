/* SPDX-License-Identifier: Apache-2.0 */
/* TOML 1.0 (toml.io) as JSON, by the Rust crate `toml`. */
#ifndef WAYBILL_TOML_H
#define WAYBILL_TOML_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct waybill_toml_error {
    uint32_t line;     /* from 1 */
    uint32_t column;   /* from 1, in characters */
    char message[256]; /* one line of printable ASCII */
};

/* waybill_toml_to_json - reads a TOML document and writes it as one JSON object, keys in the document's
 * order. text: len bytes, borrowed, need not end in NUL.  ret_json: UTF-8 and a NUL behind it; ret_len does
 * not count the NUL; the caller gives both to waybill_toml_free.  error: filled on failure only. Dates and
 * times become strings as RFC 3339 writes them. A float that is not finite, an integer beyond 64 signed bits,
 * text that is not UTF-8 and a key given twice are errors. Returns 0, or -1 with ret_json and ret_len
 * untouched. */
int waybill_toml_to_json(const char *text, size_t len, char **ret_json, size_t *ret_len,
                         struct waybill_toml_error *error);

/* waybill_toml_free - gives back what waybill_toml_to_json returned; json may be NULL. */
void waybill_toml_free(char *json, size_t len);

#ifdef __cplusplus
}
#endif

#endif
