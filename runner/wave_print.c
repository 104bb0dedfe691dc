/* SPDX-License-Identifier: Apache-2.0 */
/* Values as WAVE and as JSON. */
#include "runner/wave_reader.h"

#include "base/text.h"

#include <inttypes.h>
#include <math.h>

static void print_char(uint32_t code, struct bytes utf8, struct buf *out)
{
    switch (code) {
    case '\t': buf_append_str(out, "\\t"); return;
    case '\n': buf_append_str(out, "\\n"); return;
    case '\r': buf_append_str(out, "\\r"); return;
    case '\'':
    case '"':
    case '\\': buf_printf(out, "\\%c", (int)code); return;
    default: break;
    }
    if (text_is_harmless(code))
        buf_append_bytes(out, utf8);
    else
        buf_printf(out, "\\u{%" PRIx32 "}", code);
}

static void print_string(struct bytes text, struct buf *out)
{
    struct bytes rest = text;
    uint32_t code;
    buf_append_u8(out, '"');
    while (bytes_take_utf8(&rest, &code)) {
        print_char(code, bytes_of(text.ptr, text.len - rest.len), out);
        text = rest;
    }
    buf_append_u8(out, '"');
}

/* A case that is spelled as one of WAVE's words gets the mark that tells them apart. */
static void print_case(const char *name, struct buf *out)
{
    if (wave_is_word(bytes_str(name)))
        buf_append_u8(out, '%');
    buf_append_str(out, name);
}

/* A scalar that is spelled alike in JSON; false for the others. */
static bool print_plain(const struct wave_type *type, const struct wave_value *v, struct buf *out)
{
    switch (type->kind) {
    case WAVE_BOOL: buf_append_str(out, v->boolean ? "true" : "false"); return true;
    case WAVE_S8:
    case WAVE_S16:
    case WAVE_S32:
    case WAVE_S64: buf_printf(out, "%" PRId64, v->s); return true;
    case WAVE_U8:
    case WAVE_U16:
    case WAVE_U32:
    case WAVE_U64: buf_printf(out, "%" PRIu64, v->u); return true;
    case WAVE_F32: wave_print_float((double)v->f32, true, out); return true;
    case WAVE_F64: wave_print_float(v->f64, false, out); return true;
    default: return false;
    }
}

static void comma(size_t *n, struct buf *out)
{
    if ((*n)++)
        buf_append_str(out, ", ");
}

static void print_record(const struct wave_type *type, const struct wave_value *v, struct buf *out)
{
    size_t n = 0;
    buf_append_u8(out, '{');
    for (size_t i = 0; i < v->n; i++) {
        const struct wave_part *field = &type->parts[i];
        if (field->type->kind == WAVE_OPTION && v->items[i].n == 0)
            continue;
        comma(&n, out);
        buf_printf(out, "%s: ", field->name);
        wave_print(field->type, &v->items[i], out);
    }
    buf_append_str(out, n ? "}" : ":}");
}

static void print_flags(const struct wave_type *type, const struct wave_value *v, struct buf *out)
{
    size_t n = 0;
    buf_append_u8(out, '{');
    for (size_t i = 0; i < v->n; i++) {
        if (!v->text[i])
            continue;
        comma(&n, out);
        buf_append_str(out, type->parts[i].name);
    }
    buf_append_u8(out, '}');
}

static void print_items(const struct wave_type *type, const struct wave_value *v, struct buf *out)
{
    buf_append_u8(out, type->kind == WAVE_TUPLE ? '(' : '[');
    for (size_t i = 0, n = 0; i < v->n; i++) {
        comma(&n, out);
        if (type->kind == WAVE_MAP) {
            buf_append_u8(out, '(');
            wave_print(type->parts[0].type, &v->items[i++], out);
            buf_append_str(out, ", ");
            wave_print(type->parts[1].type, &v->items[i], out);
            buf_append_u8(out, ')');
        } else {
            wave_print(type->parts[type->kind == WAVE_TUPLE ? i : 0].type, &v->items[i], out);
        }
    }
    buf_append_u8(out, type->kind == WAVE_TUPLE ? ')' : ']');
}

static void print_cases(const struct wave_type *type, const struct wave_value *v, struct buf *out)
{
    const struct wave_part *part = &type->parts[v->n];
    if (type->kind == WAVE_VARIANT || type->kind == WAVE_ENUM)
        print_case(part->name, out);
    else
        buf_append_str(out, part->name);
    if (type->kind == WAVE_ENUM || !v->items)
        return;
    buf_append_u8(out, '(');
    wave_print(part->type, v->items, out);
    buf_append_u8(out, ')');
}

void wave_print(const struct wave_type *type, const struct wave_value *v, struct buf *out)
{
    uint8_t utf8[4];
    if (print_plain(type, v, out))
        return;
    switch (type->kind) {
    case WAVE_CHAR:
        buf_append_u8(out, '\'');
        print_char(v->character, bytes_of(utf8, wave_utf8_encode(v->character, utf8)), out);
        buf_append_u8(out, '\'');
        break;
    case WAVE_STRING: print_string(bytes_of(v->text, v->n), out); break;
    case WAVE_RECORD: print_record(type, v, out); break;
    case WAVE_FLAGS: print_flags(type, v, out); break;
    case WAVE_LIST:
    case WAVE_TUPLE:
    case WAVE_MAP: print_items(type, v, out); break;
    default: print_cases(type, v, out); break;
    }
}

static void json_plain(struct jout *w, const char *key, const struct wave_type *type,
                       const struct wave_value *v)
{
    AUTO_DONE(buf) text = BUF_INIT(64);
    bool is_float = type->kind == WAVE_F32 || type->kind == WAVE_F64;
    (void)print_plain(type, v, &text);
    if (text.failed)
        w->out->failed = text.failed;
    else if (is_float && !isfinite(type->kind == WAVE_F32 ? (double)v->f32 : v->f64))
        jout_bytes(w, key, buf_bytes(&text));
    else
        jout_text(w, key, buf_bytes(&text));
}

static void json_items(struct jout *w, const char *key, const struct wave_type *type,
                       const struct wave_value *v)
{
    jout_array(w, key);
    for (size_t i = 0; i < v->n; i++) {
        if (type->kind == WAVE_MAP) {
            jout_array(w, NULL);
            wave_print_json(w, NULL, type->parts[0].type, &v->items[i++]);
            wave_print_json(w, NULL, type->parts[1].type, &v->items[i]);
            jout_array_end(w);
        } else if (type->kind == WAVE_FLAGS) {
            if (v->text[i])
                jout_string(w, NULL, type->parts[i].name);
        } else {
            wave_print_json(w, NULL, type->parts[type->kind == WAVE_TUPLE ? i : 0].type, &v->items[i]);
        }
    }
    jout_array_end(w);
}

static void json_payload(struct jout *w, const char *key, const struct wave_part *part,
                         const struct wave_value *payload)
{
    if (payload)
        wave_print_json(w, key, part->type, payload);
    else
        jout_null(w, key);
}

static void json_cases(struct jout *w, const char *key, const struct wave_type *type,
                       const struct wave_value *v)
{
    const struct wave_part *part = &type->parts[v->n];
    bool option = type->kind == WAVE_OPTION;
    if (option && (!v->items || part->type->kind != WAVE_OPTION)) {
        json_payload(w, key, part, v->items);
        return;
    }
    jout_object(w, key);
    json_payload(w, part->name, part, v->items);
    jout_object_end(w);
}

void wave_print_json(struct jout *w, const char *key, const struct wave_type *type,
                     const struct wave_value *v)
{
    uint8_t utf8[4];
    switch (type->kind) {
    case WAVE_CHAR: jout_bytes(w, key, bytes_of(utf8, wave_utf8_encode(v->character, utf8))); break;
    case WAVE_STRING: jout_bytes(w, key, bytes_of(v->text, v->n)); break;
    case WAVE_ENUM: jout_string(w, key, type->parts[v->n].name); break;
    case WAVE_LIST:
    case WAVE_TUPLE:
    case WAVE_MAP:
    case WAVE_FLAGS: json_items(w, key, type, v); break;
    case WAVE_RECORD:
        jout_object(w, key);
        for (size_t i = 0; i < v->n; i++)
            wave_print_json(w, type->parts[i].name, type->parts[i].type, &v->items[i]);
        jout_object_end(w);
        break;
    case WAVE_VARIANT:
    case WAVE_OPTION:
    case WAVE_RESULT: json_cases(w, key, type, v); break;
    default: json_plain(w, key, type, v); break;
    }
}
