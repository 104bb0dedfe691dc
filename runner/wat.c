/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/wat.h"

#include "runner/failure.h"

bool runner_is_text(struct bytes file)
{
    for (size_t i = 0; i < file.len; i++) {
        uint8_t c = file.ptr[i];
        if (c == '(')
            return true;
        if (c == ';')
            return i + 1 < file.len && file.ptr[i + 1] == ';';
        if (c != ' ' && c != '\t' && c != '\r' && c != '\n')
            return false;
    }
    return false;
}

int runner_wat_parse(struct bytes text, struct buf *out, struct err *e)
{
    wasm_byte_vec_t binary;
    wasmtime_error_t *error = wasmtime_wat2wasm((const char *)text.ptr, text.len, &binary);
    if (error)
        return runner_failure_set(e, ERR_FORMAT, error);
    buf_append(out, binary.data, binary.size);
    wasm_byte_vec_delete(&binary);
    return buf_check(out, e);
}
