/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest of the size of a small real program (about 140 KB), for the benchmarks: it takes the words of its
 * input (its arguments without one) apart with a good part of the C library and prints a short report.
 */
#include <fnmatch.h>
#include <locale.h>
#include <math.h>
#include <regex.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <wchar.h>
#include <wctype.h>

#define WORDS_MAX 1024

struct word {
    char text[64];
    unsigned seen;
};

static struct word words[WORDS_MAX];
static size_t n_words;

static int compare(const void *a, const void *b)
{
    const struct word *x = a, *y = b;
    int order = strcasecmp(x->text, y->text);
    return order ? order : strcmp(x->text, y->text);
}

static void count(const char *text)
{
    size_t n = n_words;
    struct word key = {.seen = 0};
    snprintf(key.text, sizeof(key.text), "%s", text);
    struct word *found = lfind(&key, words, &n, sizeof(words[0]), compare);
    if (found) {
        found->seen++;
    } else if (n_words < WORDS_MAX) {
        key.seen = 1;
        words[n_words++] = key;
    }
}

static const char *kind(const char *text)
{
    static const struct {
        const char *name, *pattern;
    } kinds[] = {
        {"integer", "^[-+]?[0-9]+$"},
        {"number", "^[-+]?[0-9]*\\.[0-9]+([eE][-+]?[0-9]+)?$"},
        {"date", "^[0-9]{4}-[0-9]{2}-[0-9]{2}$"},
        {"name", "^[[:alpha:]_][[:alnum:]_]*$"},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        regex_t re;
        if (regcomp(&re, kinds[i].pattern, REG_EXTENDED | REG_NOSUB) != 0)
            continue;
        int match = regexec(&re, text, 0, NULL, 0);
        regfree(&re);
        if (match == 0)
            return kinds[i].name;
    }
    return fnmatch("*.[ch]", text, 0) == 0 ? "source file" : "other";
}

static void describe_number(const char *text)
{
    static const struct {
        const char *name;
        double (*fn)(double);
    } fns[] = {
        {"sin", sin},     {"cos", cos},     {"tan", tan},     {"asin", asin},   {"acos", acos},
        {"atan", atan},   {"sinh", sinh},   {"cosh", cosh},   {"tanh", tanh},   {"asinh", asinh},
        {"acosh", acosh}, {"atanh", atanh}, {"exp", exp},     {"exp2", exp2},   {"expm1", expm1},
        {"log", log},     {"log2", log2},   {"log10", log10}, {"log1p", log1p}, {"sqrt", sqrt},
        {"cbrt", cbrt},
    };
    double x = strtod(text, NULL);
    for (size_t i = 0; i < sizeof(fns) / sizeof(fns[0]); i++)
        printf("    %-6s %.17g\n", fns[i].name, fns[i].fn(x));
    printf("    pow    %.17g  hex %a\n", pow(x, 1.5), x);
}

static void describe_date(const char *text)
{
    struct tm tm = {.tm_isdst = 0};
    char out[128];
    if (!strptime(text, "%Y-%m-%d", &tm))
        return;
    time_t at = mktime(&tm);
    strftime(out, sizeof(out), "%A %d %B %Y, day %j, week %V", gmtime(&at));
    printf("    %s\n", out);
}

static void describe_wide(char *text)
{
    wchar_t wide[64];
    size_t n = mbstowcs(wide, text, 63);
    if (n == (size_t)-1)
        return;
    wide[n] = 0;
    for (size_t i = 0; i < n; i++)
        wide[i] = (wchar_t)towupper((wint_t)wide[i]);
    printf("    %ls\n", wide);
}

static void read_words(FILE *in)
{
    char text[64];
    while (fscanf(in, "%63s", text) == 1)
        count(text);
}

int main(int argc, char **argv)
{
    setlocale(LC_ALL, "");
    for (int i = 1; i < argc; i++)
        count(argv[i]);
    if (argc == 1)
        read_words(stdin);
    qsort(words, n_words, sizeof(words[0]), compare);
    for (size_t i = 0; i < n_words; i++) {
        const char *what = kind(words[i].text);
        printf("%4u %-20s %s\n", words[i].seen, words[i].text, what);
        if (strcmp(what, "integer") == 0 || strcmp(what, "number") == 0)
            describe_number(words[i].text);
        else if (strcmp(what, "date") == 0)
            describe_date(words[i].text);
        else
            describe_wide(words[i].text);
    }
    printf("%zu different words\n", n_words);
    return ferror(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
