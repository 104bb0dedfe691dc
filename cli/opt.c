/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/opt.h"

struct unit {
    const char *name;
    uint64_t factor;
};

static const struct unit durations[] = {
    {"ms", 1}, {"s", 1000}, {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
static const struct unit nanos[] = {{"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}};
static const struct unit counts[] = {{"", 1}};
static const struct unit sizes[] = {
    {"", 1},
    {"B", 1},
    {"KB", 1000},
    {"MB", 1000000},
    {"GB", 1000000000},
    {"TB", 1000000000000},
    {"KiB", 1ULL << 10},
    {"MiB", 1ULL << 20},
    {"GiB", 1ULL << 30},
    {"TiB", 1ULL << 40},
};

/* A whole number and one of the units, the product being from 1 to INT64_MAX. */
static bool quantity(const char *text, const struct unit *units, size_t n_units, uint64_t *ret)
{
    uint64_t value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9'; p++) {
        if (value > (uint64_t)INT64_MAX / 10 - 1)
            return false;
        value = value * 10 + (uint64_t)(*p - '0');
    }
    if (p == text || value == 0)
        return false;
    for (size_t i = 0; i < n_units; i++) {
        if (strcmp(p, units[i].name) != 0)
            continue;
        if (value > (uint64_t)INT64_MAX / units[i].factor)
            return false;
        *ret = value * units[i].factor;
        return true;
    }
    return false;
}

int opt_duration_parse(const char *text, uint64_t *ret_ms, struct err *e)
{
    if (quantity(text, durations, ARRAY_LEN(durations), ret_ms))
        return 0;
    return err_set(e, ERR_USAGE,
                   "'%s' is no duration: a whole number above 0 and ms, s, m, h or d, such as 5s", text);
}

int opt_size_parse(const char *text, uint64_t *ret, struct err *e)
{
    if (quantity(text, sizes, ARRAY_LEN(sizes), ret))
        return 0;
    return err_set(e, ERR_USAGE, "'%s' is no size: bytes above 0, or with KiB, MiB, GiB, KB, MB or GB", text);
}

static int nanos_parse(const char *text, uint64_t *ret, struct err *e)
{
    if (quantity(text, nanos, ARRAY_LEN(nanos), ret))
        return 0;
    return err_set(e, ERR_USAGE,
                   "'%s' is no resolution: a whole number above 0 and ns, us, ms or s, such as 1us", text);
}

static int count_parse(const char *text, uint64_t *ret, struct err *e)
{
    if (quantity(text, counts, ARRAY_LEN(counts), ret))
        return 0;
    return err_set(e, ERR_USAGE, "'%s' is no whole number above 0", text);
}

static int list_add(struct opt_list *list, const char *value, struct err *e)
{
    const char **items = reallocarray(list->items, list->n + 1, sizeof(*items));
    if (!items)
        return err_nomem(e);
    items[list->n] = value;
    list->items = items;
    list->n++;
    return 0;
}

static int enum_parse(const struct opt *o, const char *value, unsigned *ret, struct err *e)
{
    AUTO_DONE(buf) known = BUF_INIT(1024);
    for (unsigned i = 0; o->choices[i]; i++) {
        if (strcmp(o->choices[i], value) == 0) {
            *ret = i;
            return 0;
        }
        buf_printf(&known, "%s%s", i ? ", " : "", o->choices[i]);
    }
    return err_set(e, ERR_USAGE, "'%s' is none of: %s", value, buf_cstr(&known));
}

static int store(const struct opt *o, void *target, const char *value, struct err *e)
{
    void *at = (char *)target + o->offset;
    switch (o->type) {
    case OPT_FLAG: *(bool *)at = true; return 0;
    case OPT_STRING: *(const char **)at = value; return 0;
    case OPT_LIST: return list_add(at, value, e);
    case OPT_DURATION: return opt_duration_parse(value, at, e);
    case OPT_NANOS: return nanos_parse(value, at, e);
    case OPT_SIZE: return opt_size_parse(value, at, e);
    case OPT_COUNT: return count_parse(value, at, e);
    case OPT_ENUM: return enum_parse(o, value, at, e);
    }
    return err_set(e, ERR_OTHER, "unknown type of option");
}

/* The option with the given long name, or else with the letter. */
static const struct opt *find(const struct opt_rules *rules, struct bytes name, char letter,
                              void **ret_target)
{
    for (size_t s = 0; s < rules->n_sets; s++) {
        const struct opt_set *set = &rules->sets[s];
        for (size_t i = 0; i < set->n; i++) {
            const struct opt *o = &set->table[i];
            if (letter ? o->letter == letter : bytes_eq_str(name, o->name)) {
                *ret_target = set->target;
                return o;
            }
        }
    }
    return NULL;
}

/* The value of an option that takes one: what is glued to it, or else the next argument. */
static int take_value(const char *glued, char **args, size_t n_args, size_t *at, const char **ret,
                      struct err *e)
{
    if (!glued && *at + 1 >= n_args)
        return err_set(e, ERR_USAGE, "a value is missing");
    const char *value = glued ? glued : args[++*at];
    if (!*value)
        return err_set(e, ERR_USAGE, "the value is empty");
    *ret = value;
    return 0;
}

static int parse_long(const struct opt_rules *rules, char **args, size_t n_args, size_t *at, struct err *e)
{
    const char *name = args[*at] + 2;
    const char *equals = strchr(name, '=');
    size_t len = equals ? (size_t)(equals - name) : strlen(name);
    void *target = NULL;
    const struct opt *o = find(rules, bytes_of(name, len), 0, &target);
    if (!o)
        return err_set(e, ERR_USAGE, "unknown option '--%.*s'", (int)(len > 64 ? 64 : len), name);
    const char *value = NULL;
    int r = 0;
    if (o->type != OPT_FLAG)
        r = take_value(equals ? equals + 1 : NULL, args, n_args, at, &value, e);
    else if (equals)
        r = err_set(e, ERR_USAGE, "it takes no value");
    if (!r)
        r = store(o, target, value, e);
    return r ? err_wrap(e, "option '--%s'", o->name) : 0;
}

static int parse_letters(const struct opt_rules *rules, char **args, size_t n_args, size_t *at, struct err *e)
{
    for (const char *p = args[*at] + 1; *p; p++) {
        void *target = NULL;
        const struct opt *o = find(rules, BYTES_NONE, *p, &target);
        if (!o)
            return err_set(e, ERR_USAGE, "unknown option '-%c'", *p);
        const char *value = NULL;
        int r = 0;
        bool last = o->type != OPT_FLAG;
        if (last)
            r = take_value(p[1] ? p + 1 : NULL, args, n_args, at, &value, e);
        if (!r)
            r = store(o, target, value, e);
        if (r)
            return err_wrap(e, "option '-%c'", o->letter);
        if (last)
            break;
    }
    return 0;
}

int opt_parse(const struct opt_rules *rules, char **args, size_t n_args, size_t *ret_operands, struct err *e)
{
    size_t n = 0;
    bool options = true;
    for (size_t i = 0; i < n_args; i++) {
        if (!options || args[i][0] != '-' || !args[i][1]) {
            args[n++] = args[i];
            options = options && !rules->stop_at_operand;
            continue;
        }
        if (strcmp(args[i], "--") == 0) {
            options = false;
            continue;
        }
        int r = args[i][1] == '-' ? parse_long(rules, args, n_args, &i, e)
                                  : parse_letters(rules, args, n_args, &i, e);
        if (r)
            return r;
    }
    *ret_operands = n;
    return 0;
}

int opt_check_required(const struct opt_set *set, struct err *e)
{
    for (size_t i = 0; i < set->n; i++) {
        const struct opt *o = &set->table[i];
        const void *at = (const char *)set->target + o->offset;
        bool given = o->type == OPT_LIST ? ((const struct opt_list *)at)->n != 0
                                         : o->type != OPT_STRING || *(const char *const *)at;
        if (o->required && !given)
            return err_set(e, ERR_USAGE, "option '--%s %s' is missing", o->name, o->metavar);
    }
    return 0;
}

void opt_done(const struct opt_set *set)
{
    for (size_t i = 0; i < set->n; i++) {
        if (set->table[i].type != OPT_LIST)
            continue;
        struct opt_list *list = (struct opt_list *)(void *)((char *)set->target + set->table[i].offset);
        free(list->items);
        *list = (struct opt_list){NULL, 0};
    }
}

#define HELP_COLUMN 26

static void help_entry(const struct opt *o, struct buf *out)
{
    size_t start = out->len;
    if (o->letter)
        buf_printf(out, "  -%c, ", o->letter);
    else
        buf_append_str(out, "      ");
    buf_printf(out, "--%s%s%s", o->name, o->metavar ? " " : "", o->metavar ? o->metavar : "");
    size_t width = out->len - start;
    if (width + 2 > HELP_COLUMN) {
        buf_append_str(out, "\n");
        width = 0;
    }
    for (const char *line = o->help; line;) {
        const char *end = strchr(line, '\n');
        int len = (int)(end ? (size_t)(end - line) : strlen(line));
        buf_printf(out, "%*s%.*s\n", (int)(HELP_COLUMN - width), "", len, line);
        width = 0;
        line = end ? end + 1 : NULL;
    }
}

void opt_help(const struct opt *table, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        help_entry(&table[i], out);
}
