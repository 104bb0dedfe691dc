/* SPDX-License-Identifier: Apache-2.0 */
/* Private to the WAVE parser: the text that is read, and its tokens. */
#ifndef WAYBILL_RUNNER_WAVE_READER_H
#define WAYBILL_RUNNER_WAVE_READER_H

#include "runner/wave.h"

struct wave_reader {
    struct bytes all, rest; /* rest: the end of all */
    unsigned depth;
    size_t values;
    struct err *e;
};

/* wave_reader_init - checks what must hold for the whole text. ERR_USAGE (not UTF-8), ERR_LIMIT. */
MUST_CHECK int wave_reader_init(struct wave_reader *r, struct bytes text, struct err *e);

/* wave_reader_fail - ERR_USAGE, with the line and column of `at`, which points into the text. */
int wave_reader_fail(const struct wave_reader *r, const uint8_t *at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* wave_reader_expected - the same at the next token, which is named. */
int wave_reader_expected(struct wave_reader *r, const char *what);

/* wave_reader_peek - skips blanks and comments; the next byte, or 0 at the end (NUL in the text is no
 * token). */
uint8_t wave_reader_peek(struct wave_reader *r);

/* wave_reader_accept - the same, and takes the byte if it is c. */
bool wave_reader_accept(struct wave_reader *r, uint8_t c);

/* wave_reader_word - takes a label or keyword, with its "%" if there is one: empty when there is none.
 * wave_reader_number: takes what looks like a number or such a word. */
struct bytes wave_reader_word(struct wave_reader *r);
struct bytes wave_reader_number(struct wave_reader *r);

/* wave_reader_char / wave_reader_string - a literal. ret: appended in UTF-8. */
MUST_CHECK int wave_reader_char(struct wave_reader *r, uint32_t *ret);
MUST_CHECK int wave_reader_string(struct wave_reader *r, struct buf *ret);

/* wave_is_word - one of the words that a case of that name is told from by a "%". */
bool wave_is_word(struct bytes word);

/* wave_utf8_encode - a scalar value in UTF-8; returns how many bytes. */
size_t wave_utf8_encode(uint32_t code, uint8_t out[4]);

#endif
