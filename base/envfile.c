/* SPDX-License-Identifier: Apache-2.0 */
#include "base/envfile.h"

#include "base/limits.h"

static bool is_name_start(uint8_t c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

bool envfile_is_name(struct bytes name)
{
    if (name.len == 0 || !is_name_start(name.ptr[0]))
        return false;
    for (size_t i = 1; i < name.len; i++)
        if (!is_name_start(name.ptr[i]) && !(name.ptr[i] >= '0' && name.ptr[i] <= '9') &&
            name.ptr[i] != '.' && name.ptr[i] != '-')
            return false;
    return true;
}

static bool has_control(struct bytes line)
{
    for (size_t i = 0; i < line.len; i++)
        if ((line.ptr[i] < 0x20 && line.ptr[i] != '\t') || line.ptr[i] == 0x7f)
            return true;
    return false;
}

/* The text up to the next newline, which is taken and left out; the last line may lack it. */
static struct bytes take_line(struct bytes *text)
{
    struct bytes line = *text, newline;
    const uint8_t *end = memchr(text->ptr, '\n', text->len);
    (void)bytes_take(text, end ? (size_t)(end - text->ptr) : text->len, &line);
    (void)bytes_take(text, end ? 1 : 0, &newline);
    return line;
}

/* The value may be secret: no message shows the line. */
static int split(struct bytes line, unsigned number, struct bytes *ret_name, struct bytes *ret_value,
                 struct err *e)
{
    if (has_control(line))
        return err_set(e, ERR_FORMAT, "line %u: a control character", number);
    if (!bytes_is_utf8(line))
        return err_set(e, ERR_FORMAT, "line %u: not UTF-8", number);
    const uint8_t *equals = memchr(line.ptr, '=', line.len);
    struct bytes name, sign;
    if (!equals || !bytes_take(&line, (size_t)(equals - line.ptr), &name) || !envfile_is_name(name))
        return err_set(e, ERR_FORMAT, "line %u: not NAME=VALUE", number);
    (void)bytes_take(&line, 1, &sign);
    *ret_name = name;
    *ret_value = line;
    return 0;
}

int envfile_parse(struct bytes text,
                  int (*see)(void *ctx, struct bytes name, struct bytes value, struct err *e), void *ctx,
                  struct err *e)
{
    if (text.len > LIMIT_ENV_FILE)
        return err_set(e, ERR_LIMIT, "more than %u bytes", LIMIT_ENV_FILE);
    for (unsigned number = 1; text.len > 0; number++) {
        struct bytes name, value, line = take_line(&text);
        if (line.len == 0 || line.ptr[0] == '#')
            continue;
        int r = split(line, number, &name, &value, e);
        if (r == 0)
            r = see(ctx, name, value, e);
        if (r != 0)
            return r;
    }
    return 0;
}
