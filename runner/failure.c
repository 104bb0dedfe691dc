/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's messages look like this, the first part or the last one missing now and then:
 *
 *     error while executing at wasm backtrace:
 *         0: 0x1d - app!inner
 *         1: 0x22 - app!outer
 *     note: using the `WASMTIME_BACKTRACE_DETAILS=1` environment variable may show more debugging information
 *
 *     Caused by:
 *         0: a cause
 *         1: the cause of that
 */
#include "runner/failure.h"

#include "base/text.h"

#define MESSAGE_MAX (256U << 10)
#define LINE_MAX_   1024U

static bool take_line(struct bytes *text, struct bytes *ret)
{
    if (text->len == 0)
        return false;
    const uint8_t *end = memchr(text->ptr, '\n', text->len);
    struct bytes newline;
    (void)bytes_take(text, end ? (size_t)(end - text->ptr) : text->len, ret);
    (void)bytes_take(text, end ? 1 : 0, &newline);
    return true;
}

/* A cause without the indentation and the number ("0: ") in front. */
static struct bytes cause_of(struct bytes line)
{
    size_t i = 0, digits;
    while (i < line.len && line.ptr[i] == ' ')
        i++;
    for (digits = i; digits < line.len && line.ptr[digits] >= '0' && line.ptr[digits] <= '9';)
        digits++;
    if (digits > i && line.len - digits > 1 && line.ptr[digits] == ':' && line.ptr[digits + 1] == ' ')
        i = digits + 2;
    return bytes_of(line.ptr + i, line.len - i);
}

/* Cuts a message into the lines of its backtrace and those of its causes. */
static void split(struct bytes message, struct bytes *ret_trace, struct bytes *ret_causes)
{
    static const char trace[] = "error while executing at wasm backtrace:\n", causes[] = "\nCaused by:\n";
    const uint8_t *end = memmem(message.ptr, message.len, causes, sizeof(causes) - 1);
    *ret_trace = BYTES_NONE;
    *ret_causes = message;
    if (!end || !bytes_starts(message, BYTES_LIT(trace)))
        return;
    *ret_trace = bytes_of(message.ptr + sizeof(trace) - 1, (size_t)(end - message.ptr) - (sizeof(trace) - 1));
    end += sizeof(causes) - 1;
    *ret_causes = bytes_of(end, (size_t)(message.ptr + message.len - end));
}

static void append_causes(struct buf *out, struct bytes text)
{
    char shown[LINE_MAX_];
    struct bytes line;
    const size_t start = out->len;
    while (take_line(&text, &line)) {
        line = cause_of(line);
        if (line.len == 0 || bytes_eq_str(line, "Caused by:"))
            continue;
        if (out->len > start)
            buf_append_str(out, ": ");
        buf_append_str(out, text_escape(line, shown, sizeof(shown)));
    }
}

static void append_trace(struct buf *out, struct bytes text)
{
    char shown[LINE_MAX_];
    struct bytes line;
    while (take_line(&text, &line)) {
        if (line.len == 0 || line.ptr[0] != ' ')
            continue;
        buf_append_str(out, text_escape(line, shown, sizeof(shown)));
        buf_append_u8(out, '\n');
    }
}

int runner_failure_set(struct err *e, enum err_code code, wasmtime_error_t *error)
{
    wasm_name_t message;
    struct bytes trace, causes;
    AUTO_DONE(buf) line = BUF_INIT(MESSAGE_MAX);
    wasmtime_error_message(error, &message);
    wasmtime_error_delete(error);
    split(bytes_of(message.data, message.size), &trace, &causes);
    append_causes(&line, causes);
    wasm_byte_vec_delete(&message);
    return err_set(e, code, "%s", buf_cstr(&line));
}

wasm_trap_t *runner_failure_trap(wasmtime_error_t *error)
{
    wasm_name_t message;
    wasmtime_error_message(error, &message);
    wasm_trap_t *trap = wasmtime_trap_new(message.data, message.size);
    wasm_byte_vec_delete(&message);
    wasmtime_error_delete(error);
    return trap;
}

int runner_failure_text(const wasmtime_error_t *error, const wasm_trap_t *trap, char **ret, struct err *e)
{
    wasm_name_t message;
    struct bytes trace, causes;
    AUTO_DONE(buf) text = BUF_INIT(MESSAGE_MAX);
    if (trap)
        wasm_trap_message(trap, &message);
    else
        wasmtime_error_message(error, &message);
    struct bytes all = bytes_of(message.data, message.size);
    while (all.len > 0 && all.ptr[all.len - 1] == '\0')
        all.len--;
    split(all, &trace, &causes);
    append_causes(&text, causes);
    buf_append_u8(&text, '\n');
    append_trace(&text, trace);
    wasm_byte_vec_delete(&message);
    int r = buf_check(&text, e);
    if (r == 0)
        *ret = buf_take_str(&text);
    return r;
}
