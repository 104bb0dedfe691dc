/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/pattern.h"

#include "base/limits.h"

#include <regex.h>
#include <stdio.h>

/* What glibc compiles a repetition to is as long as all its counts multiplied: they are kept small. */
static bool counts_are_small(const char *pattern)
{
    unsigned long product = 1;
    for (const char *p = strchr(pattern, '{'); p; p = strchr(p, '{')) {
        unsigned long most = 1;
        for (p++; *p && *p != '}'; p++) {
            char *end = NULL;
            unsigned long n = *p >= '0' && *p <= '9' ? strtoul(p, &end, 10) : 0;
            if (end)
                p = end - 1;
            if (n > most)
                most = n;
        }
        if (most > LIMIT_PATTERN_REPEAT || product * most > LIMIT_PATTERN_REPEAT)
            return false;
        product *= most;
    }
    return true;
}

static int compile(const char *pattern, regex_t *ret, struct err *e)
{
    char why[128];
    int status = regcomp(ret, pattern, REG_EXTENDED | REG_NOSUB);
    if (status == 0)
        return 0;
    if (status == REG_ESPACE)
        return err_nomem(e);
    (void)regerror(status, NULL, why, sizeof(why));
    return err_set(e, ERR_CONFIG, "no extended regular expression: %s", why);
}

static int check_text(const char *pattern, struct err *e)
{
    if (strlen(pattern) > LIMIT_PATTERN)
        return err_set(e, ERR_CONFIG, "a pattern of more than %u characters", LIMIT_PATTERN);
    for (const char *p = strchr(pattern, '\\'); p && p[1]; p = strchr(p + 2, '\\'))
        if (p[1] >= '1' && p[1] <= '9')
            return err_set(e, ERR_CONFIG, "a pattern with a back reference");
    if (!counts_are_small(pattern))
        return err_set(e, ERR_CONFIG, "a pattern with more than %u repetitions", LIMIT_PATTERN_REPEAT);
    return 0;
}

int sign_pattern_check(const char *pattern, struct err *e)
{
    regex_t regex;
    int r = check_text(pattern, e);
    if (!r && !(r = compile(pattern, &regex, e)))
        regfree(&regex);
    return r;
}

int sign_pattern_matches(const char *pattern, const char *text, bool *ret, struct err *e)
{
    regex_t regex;
    char whole[LIMIT_PATTERN + sizeof("^()$")];
    /* By itself first: "a)|(b" would otherwise become two patterns, and neither for the whole text. */
    int r = sign_pattern_check(pattern, e);
    if (r)
        return r;
    (void)snprintf(whole, sizeof(whole), "^(%s)$", pattern);
    if ((r = compile(whole, &regex, e)))
        return r;
    int status = strlen(text) > LIMIT_PATTERN_TEXT ? REG_NOMATCH : regexec(&regex, text, 0, NULL, 0);
    regfree(&regex);
    if (status != 0 && status != REG_NOMATCH)
        return err_nomem(e);
    *ret = status == 0;
    return 0;
}

int sign_identity_matches(const struct sign_identity *want, const char *issuer, const char *subject,
                          bool *ret, struct err *e)
{
    bool good = !want->issuer || (issuer && strcmp(want->issuer, issuer) == 0);
    if (good && want->subject && want->subject_is_pattern) {
        int r = subject ? sign_pattern_matches(want->subject, subject, &good, e) : 0;
        if (r)
            return r;
        good = good && subject;
    } else if (good && want->subject) {
        good = subject && strcmp(want->subject, subject) == 0;
    }
    *ret = good;
    return 0;
}
