/* SPDX-License-Identifier: Apache-2.0 */
/* Types and values as trees, and numbers. */
#include "runner/wave.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>

const char *wave_kind_name(enum wave_kind kind)
{
    static const char *const names[] = {
#define X(name, text) text,
        WAVE_KINDS(X)
#undef X
    };
    return names[kind];
}

struct wave_type *wave_type_new(enum wave_kind kind, size_t n)
{
    AUTO(wave_type) type = calloc(1, sizeof(*type));
    if (!type)
        return NULL;
    type->kind = kind;
    type->parts = calloc(n ? n : 1, sizeof(*type->parts));
    if (!type->parts)
        return NULL;
    type->n = n;
    return TAKE(type);
}

void wave_type_free(struct wave_type *type)
{
    if (!type)
        return;
    for (size_t i = 0; i < type->n; i++) {
        free(type->parts[i].name);
        wave_type_free(type->parts[i].type);
    }
    free(type->parts);
    free(type);
}

bool wave_type_has_cases(const struct wave_type *type)
{
    return type->kind == WAVE_VARIANT || type->kind == WAVE_OPTION || type->kind == WAVE_RESULT;
}

/* The type of the i-th item of a value of several. */
static const struct wave_type *item_type(const struct wave_type *type, size_t i)
{
    if (type->kind == WAVE_LIST)
        return type->parts[0].type;
    return type->parts[type->kind == WAVE_MAP ? i % 2 : i].type;
}

void wave_value_done(const struct wave_type *type, struct wave_value *value)
{
    switch (type->kind) {
    case WAVE_STRING:
    case WAVE_FLAGS: free(value->text); break;
    case WAVE_LIST:
    case WAVE_RECORD:
    case WAVE_TUPLE:
    case WAVE_MAP:
        for (size_t i = 0; i < value->n; i++)
            wave_value_done(item_type(type, i), &value->items[i]);
        free(value->items);
        break;
    case WAVE_VARIANT:
    case WAVE_OPTION:
    case WAVE_RESULT:
        if (value->items)
            wave_value_done(type->parts[value->n].type, value->items);
        free(value->items);
        break;
    default: break;
    }
    *value = (struct wave_value){.u = 0};
}

static size_t digits(struct bytes text)
{
    size_t n = 0;
    while (n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9')
        n++;
    return n;
}

static struct bytes skip(struct bytes text, size_t n)
{
    return bytes_of(text.ptr + n, text.len - n);
}

/* The length of the whole part of a number, with its sign; 0 when there is none. No zero stands in front. */
static size_t whole(struct bytes text)
{
    size_t sign = text.len && text.ptr[0] == '-';
    size_t n = digits(skip(text, sign));
    return n == 0 || (n > 1 && text.ptr[sign] == '0') ? 0 : sign + n;
}

static bool is_number(struct bytes text)
{
    size_t n = whole(text), more;
    if (n == 0)
        return false;
    text = skip(text, n);
    if (text.len && text.ptr[0] == '.') {
        if ((more = digits(skip(text, 1))) == 0)
            return false;
        text = skip(text, 1 + more);
    }
    if (text.len && (text.ptr[0] == 'e' || text.ptr[0] == 'E')) {
        size_t sign = text.len > 1 && (text.ptr[1] == '+' || text.ptr[1] == '-');
        if ((more = digits(skip(text, 1 + sign))) == 0)
            return false;
        text = skip(text, 1 + sign + more);
    }
    return text.len == 0;
}

bool wave_read_int(struct bytes text, int64_t min, uint64_t max, uint64_t *ret, bool *ret_range)
{
    size_t n = whole(text);
    bool negative = n && text.ptr[0] == '-';
    uint64_t bound = negative ? -(uint64_t)min : max, value = 0;
    *ret_range = false;
    if (n == 0 || n != text.len)
        return false;
    for (size_t i = negative; i < n; i++) {
        unsigned digit = text.ptr[i] - (unsigned)'0';
        if (digit > bound || value > (bound - digit) / 10) {
            *ret_range = true;
            return false;
        }
        value = value * 10 + digit;
    }
    *ret_range = negative && min == 0;
    if (*ret_range)
        return false;
    *ret = negative ? -value : value;
    return true;
}

/* The C library's numbers have the point of the locale. */
static locale_t plain_locale(void)
{
    return newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

bool wave_read_float(struct bytes text, bool single, double *ret, bool *ret_range)
{
    *ret_range = false;
    if (bytes_eq_str(text, "nan") || bytes_eq_str(text, "inf") || bytes_eq_str(text, "-inf")) {
        *ret = text.ptr[0] == 'n' ? (double)NAN : text.ptr[0] == '-' ? -(double)INFINITY : (double)INFINITY;
        return true;
    }
    if (!is_number(text))
        return false;
    locale_t plain = plain_locale();
    AUTO_FREE char *copy = strndup((const char *)text.ptr, text.len);
    bool ok = plain && copy;
    /* read as what it is to be: by way of a double it would be rounded twice */
    double value = !ok ? 0 : single ? (double)strtof_l(copy, NULL, plain) : strtod_l(copy, NULL, plain);
    if (plain)
        freelocale(plain);
    *ret_range = ok && isinf(value);
    if (!ok || *ret_range)
        return false;
    *ret = value;
    return true;
}

static bool reads_back(const char *text, double value, bool single, locale_t plain)
{
    return single ? strtof_l(text, NULL, plain) == (float)value : strtod_l(text, NULL, plain) == value;
}

/* "d.ddde[+-]x" as people write it: plain where that is not long. */
static void lay_out(const char *scientific, struct buf *out)
{
    char figures[24];
    int n = 0;
    const char *p = scientific;
    if (*p == '-')
        buf_append_u8(out, (uint8_t)*p++);
    for (; *p != 'e'; p++)
        if (*p != '.')
            figures[n++] = *p;
    int exponent = (int)strtol(p + 1, NULL, 10);
    if (exponent < -7 || exponent > 20) {
        buf_printf(out, n > 1 ? "%c.%.*se%d" : "%c%.*se%d", figures[0], n - 1, figures + 1, exponent);
    } else if (exponent < 0) {
        buf_printf(out, "0.%.*s%.*s", -exponent - 1, "000000", n, figures);
    } else {
        for (int i = 0; i <= exponent; i++)
            buf_append_u8(out, (uint8_t)(i < n ? figures[i] : '0'));
        if (n > exponent + 1)
            buf_printf(out, ".%.*s", n - exponent - 1, figures + exponent + 1);
    }
}

void wave_print_float(double value, bool single, struct buf *out)
{
    char text[40];
    if (isnan(value) || isinf(value)) {
        buf_append_str(out, isnan(value) ? "nan" : value < 0 ? "-inf" : "inf");
        return;
    }
    locale_t plain = plain_locale();
    if (!plain) {
        out->failed = ERR_NOMEM;
        return;
    }
    locale_t before = uselocale(plain);
    for (int precision = 0; precision < 17; precision++) {
        (void)snprintf(text, sizeof(text), "%.*e", precision, value);
        if (reads_back(text, value, single, plain))
            break;
    }
    (void)uselocale(before);
    lay_out(text, out);
    freelocale(plain);
}
