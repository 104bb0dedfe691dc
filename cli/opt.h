/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options. One table per verb is the only truth: the parser, --help, the dump for shell completion and the
 * check of the man pages all read it. A value lands in the verb's own struct.
 */
#ifndef WAYBILL_CLI_OPT_H
#define WAYBILL_CLI_OPT_H

#include "base/buf.h"

enum opt_type {
    OPT_FLAG,     /* bool */
    OPT_STRING,   /* const char *, borrowed from argv; the last one counts */
    OPT_LIST,     /* struct opt_list: may be given more than once */
    OPT_DURATION, /* uint64_t, milliseconds; "500ms", "5s", "2m", "1h", "30d"; never 0 */
    OPT_NANOS,    /* uint64_t, nanoseconds; "1ns", "100us", "1ms", "1s"; never 0 */
    OPT_SIZE,     /* uint64_t, bytes; "65536", "64KiB", "1GB"; never 0 */
    OPT_COUNT,    /* uint64_t; "1"; never 0 */
    OPT_ENUM,     /* unsigned: the index in `choices` */
};

struct opt_list {
    const char **items; /* owned; the strings are borrowed from argv */
    size_t n;
};

struct opt {
    const char *name; /* long, without the dashes */
    char letter;      /* or 0 */
    enum opt_type type;
    bool required;
    size_t offset;              /* in the struct that the values land in */
    const char *metavar;        /* NULL for flags */
    const char *help;           /* lines of at most 54 characters, joined by '\n' */
    const char *const *choices; /* OPT_ENUM: ends in NULL */
};

/* A table and the struct that its values land in. */
struct opt_set {
    const struct opt *table;
    size_t n;
    void *target;
};

struct opt_rules {
    const struct opt_set *sets;
    size_t n_sets;
    bool stop_at_operand; /* all that stands behind the first operand is an operand */
};

/* opt_parse - the arguments behind the verb. The operands are moved to the front of args, *ret_operands says
 * how many there are. ERR_USAGE, ERR_NOMEM. Lists that were started are released with opt_done also after a
 * failure. It does not look for required options that are absent: see opt_check_required. */
MUST_CHECK int opt_parse(const struct opt_rules *rules, char **args, size_t n_args, size_t *ret_operands,
                         struct err *e);

/* opt_check_required - ERR_USAGE when a required option of the set (OPT_STRING or OPT_LIST) was not given. */
MUST_CHECK int opt_check_required(const struct opt_set *set, struct err *e);

void opt_done(const struct opt_set *set);

/* opt_help - appends one entry per option, for --help. */
void opt_help(const struct opt *table, size_t n, struct buf *out);

/* opt_duration_parse / opt_size_parse - the values of OPT_DURATION and OPT_SIZE. ERR_USAGE. */
MUST_CHECK int opt_duration_parse(const char *text, uint64_t *ret_ms, struct err *e);
MUST_CHECK int opt_size_parse(const char *text, uint64_t *ret, struct err *e);

#endif
