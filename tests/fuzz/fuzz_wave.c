/* SPDX-License-Identifier: Apache-2.0 */
/* "TYPE", a newline and a value in WAVE: what is read can be printed, and reads back as the same; as JSON it
 * is JSON. A type of the form record{...} is also one of parameters. */
#include "base/limits.h"
#include "tests/unit/wave_types.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_print(const struct wave_type *type, const struct wave_value *value)
{
    struct err e = ERR_INIT;
    AUTO_DONE(buf) once = BUF_INIT(LIMIT_WAVE_TEXT);
    AUTO_DONE(buf) twice = BUF_INIT(LIMIT_WAVE_TEXT);
    struct wave_value again;
    wave_print(type, value, &once);
    if (once.failed || wave_parse(type, buf_bytes(&once), &again, &e) != 0)
        abort();
    wave_print(type, &again, &twice);
    if (!bytes_eq(buf_bytes(&once), buf_bytes(&twice)) || !bytes_is_utf8(buf_bytes(&once)) ||
        memchr(once.ptr, '\n', once.len))
        abort();
    wave_value_done(type, &again);
}

/* Our JSON reader takes no NUL, no number beyond its own types and few values. */
static void check_json(const struct wave_type *type, const struct wave_value *value)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_WAVE_TEXT);
    struct jout w = {.out = &text};
    wave_print_json(&w, NULL, type, value);
    if (text.failed || !bytes_is_utf8(buf_bytes(&text)) || text.len == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct wave_value value;
    const uint8_t *end = size ? memchr(data, '\n', size) : NULL;
    if (!end)
        return 0;
    AUTO_FREE char *name = strndup((const char *)data, (size_t)(end - data));
    AUTO(wave_type) type = name ? wave_type_of(name) : NULL;
    struct bytes text = bytes_of(end + 1, size - (size_t)(end - data) - 1);
    if (!type)
        return 0;
    if (wave_parse(type, text, &value, &e) == 0) {
        check_print(type, &value);
        check_json(type, &value);
        wave_value_done(type, &value);
    } else if (e.msg[0] == '\0') {
        abort();
    }
    if (type->kind == WAVE_RECORD) {
        size_t at;
        (void)wave_call_name(text, &at);
        if (wave_parse_args(type, text, at, &value, &e) == 0) {
            check_print(type, &value);
            wave_value_done(type, &value);
        }
    }
    return 0;
}
