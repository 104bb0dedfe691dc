/* SPDX-License-Identifier: Apache-2.0 */
#include "oci/semver.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* The length of a number without leading zeros at the front of s; 0 when there is none. */
static size_t number_length(const char *s)
{
    size_t len = 0;
    while (is_digit(s[len]))
        len++;
    return len > 1 && *s == '0' ? 0 : len;
}

static size_t identifier_length(const char *s)
{
    size_t len = 0;
    while (is_digit(s[len]) || (s[len] >= 'a' && s[len] <= 'z') || (s[len] >= 'A' && s[len] <= 'Z') ||
           s[len] == '-')
        len++;
    return len;
}

static bool is_number(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_digit(s[i]))
            return false;
    return true;
}

/* Identifiers joined by dots; those before a release that are numbers have no leading zeros. Returns what
 * follows, or NULL. */
static const char *identifiers(const char *s, bool zeros)
{
    for (;; s++) {
        size_t len = identifier_length(s);
        if (len == 0 || (!zeros && len > 1 && *s == '0' && is_number(s, len)))
            return NULL;
        s += len;
        if (*s != '.')
            return s;
    }
}

/* Up to three numbers joined by dots. Returns what follows; *ret_n: how many there were. */
static const char *numbers(const char *s, unsigned *ret_n)
{
    for (*ret_n = 0; *ret_n < 3;) {
        size_t len = number_length(s);
        if (len == 0)
            break;
        s += len;
        if (++*ret_n == 3 || *s != '.' || !is_digit(s[1]))
            break;
        s++;
    }
    return s;
}

bool oci_semver_valid(const char *text)
{
    unsigned n;
    const char *s = numbers(text, &n);
    if (n != 3)
        return false;
    if (*s == '-')
        s = identifiers(s + 1, false);
    if (s && *s == '+')
        s = identifiers(s + 1, true);
    return s && *s == '\0';
}

bool oci_semver_wanted(const char *text)
{
    unsigned n;
    if (strcmp(text, "*") == 0 || oci_semver_valid(text))
        return true;
    const char *s = numbers(text, &n);
    return (n == 1 || n == 2) && *s == '\0';
}

static int sign_of(int v)
{
    return (v > 0) - (v < 0);
}

/* Numbers of any length. */
static int compare_numbers(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len)
        return a_len < b_len ? -1 : 1;
    return sign_of(memcmp(a, b, a_len));
}

static int compare_identifiers(const char *a, size_t a_len, const char *b, size_t b_len)
{
    bool a_number = is_number(a, a_len), b_number = is_number(b, b_len);
    if (a_number && b_number)
        return compare_numbers(a, a_len, b, b_len);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    int r = memcmp(a, b, a_len < b_len ? a_len : b_len);
    return r ? sign_of(r) : (a_len > b_len) - (a_len < b_len);
}

/* What stands before a release: none is newer than any. */
static int compare_before_release(const char *a, const char *b)
{
    if (*a != '-' || *b != '-')
        return (*b == '-') - (*a == '-');
    for (;;) {
        size_t a_len = identifier_length(++a), b_len = identifier_length(++b);
        int r = compare_identifiers(a, a_len, b, b_len);
        a += a_len;
        b += b_len;
        if (r || *a != '.' || *b != '.')
            return r ? r : (*a == '.') - (*b == '.');
    }
}

int oci_semver_compare(const char *a, const char *b)
{
    for (unsigned i = 0; i < 3; i++) {
        size_t a_len = number_length(a), b_len = number_length(b);
        int r = compare_numbers(a, a_len, b, b_len);
        if (r)
            return r;
        a += a_len + (i < 2);
        b += b_len + (i < 2);
    }
    return compare_before_release(a, b);
}

static bool is_release(const char *version)
{
    return version[strcspn(version, "-+")] != '-';
}

/* wanted: "*", or numbers that the version must begin with. */
static bool in_range(const char *version, const char *wanted)
{
    size_t len = strlen(wanted);
    return strcmp(wanted, "*") == 0 || (strncmp(version, wanted, len) == 0 && version[len] == '.');
}

const char *oci_semver_best(const struct buf *tags, const char *wanted)
{
    const char *best = NULL;
    bool exact = oci_semver_valid(wanted);
    const char *tag = buf_cstr(tags), *end = tag + tags->len;
    for (; tag < end; tag += strlen(tag) + 1) {
        if (exact && strcmp(tag, wanted) == 0)
            return tag;
        if (exact || !oci_semver_valid(tag) || !is_release(tag) || !in_range(tag, wanted))
            continue;
        if (!best || oci_semver_compare(tag, best) > 0)
            best = tag;
    }
    return best;
}
