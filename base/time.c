/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <stdio.h>

#define DAY        INT64_C(86400)
#define FIRST_TIME (-INT64_C(62167219200)) /* 0000-01-01T00:00:00Z */
#define LAST_TIME  INT64_C(253402300799)   /* 9999-12-31T23:59:59Z */

/* Exactly n digits off the front. */
static bool take_number(struct bytes *b, size_t n, int *ret)
{
    struct bytes digits;
    int v = 0;
    if (!bytes_take(b, n, &digits))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (digits.ptr[i] < '0' || digits.ptr[i] > '9')
            return false;
        v = v * 10 + (digits.ptr[i] - '0');
    }
    *ret = v;
    return true;
}

static bool take_char(struct bytes *b, char c)
{
    struct bytes one;
    if (b->len == 0 || b->ptr[0] != (uint8_t)c)
        return false;
    return bytes_take(b, 1, &one);
}

/* "." and digits, if there are any. */
static bool skip_fraction(struct bytes *b)
{
    if (!take_char(b, '.'))
        return true;
    struct bytes digits;
    size_t n = 0;
    while (n < b->len && b->ptr[n] >= '0' && b->ptr[n] <= '9')
        n++;
    return bytes_take(b, n, &digits) && n > 0;
}

static bool is_leap(int y)
{
    return (y % 4 == 0 && y % 100 != 0) || y % 400 == 0;
}

static int month_days(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    return days[m - 1] + (m == 2 && is_leap(y));
}

/* Days from 1970-01-01 to a day of the Gregorian calendar, year 0 and later. */
static int64_t days_to(int y, int m, int d)
{
    int64_t days = (int64_t)y * 365 + (y + 3) / 4 - (y + 99) / 100 + (y + 399) / 400 - 719528;
    for (int i = 1; i < m; i++)
        days += month_days(y, i);
    return days + d - 1;
}

struct parts {
    int year, month, day, hour, minute, second;
};

static bool join(const struct parts *p, int64_t *ret)
{
    if (p->month < 1 || p->month > 12 || p->day < 1 || p->day > month_days(p->year, p->month) ||
        p->hour > 23 || p->minute > 59 || p->second > 60)
        return false;
    *ret = days_to(p->year, p->month, p->day) * DAY + p->hour * 3600 + p->minute * 60 + p->second;
    return true;
}

/* "Z", "+02:00": what to take from the local time. */
static bool take_offset(struct bytes *b, int64_t *ret)
{
    int hour, minute;
    *ret = 0;
    if (take_char(b, 'Z') || take_char(b, 'z'))
        return true;
    bool minus = take_char(b, '-');
    if (!minus && !take_char(b, '+'))
        return false;
    if (!take_number(b, 2, &hour) || !take_char(b, ':') || !take_number(b, 2, &minute) || hour > 23 ||
        minute > 59)
        return false;
    *ret = (minus ? -1 : 1) * (hour * 3600 + minute * 60);
    return true;
}

bool time_parse_rfc3339(struct bytes text, int64_t *ret)
{
    struct parts p;
    int64_t offset, t;
    if (!take_number(&text, 4, &p.year) || !take_char(&text, '-') || !take_number(&text, 2, &p.month) ||
        !take_char(&text, '-') || !take_number(&text, 2, &p.day) ||
        !(take_char(&text, 'T') || take_char(&text, 't')) || !take_number(&text, 2, &p.hour) ||
        !take_char(&text, ':') || !take_number(&text, 2, &p.minute) || !take_char(&text, ':') ||
        !take_number(&text, 2, &p.second) || !skip_fraction(&text) || !take_offset(&text, &offset) ||
        text.len || !join(&p, &t))
        return false;
    *ret = t - offset;
    return true;
}

bool time_parse_generalized(struct bytes text, int64_t *ret)
{
    struct parts p;
    return take_number(&text, 4, &p.year) && take_number(&text, 2, &p.month) &&
           take_number(&text, 2, &p.day) && take_number(&text, 2, &p.hour) &&
           take_number(&text, 2, &p.minute) && take_number(&text, 2, &p.second) && skip_fraction(&text) &&
           take_char(&text, 'Z') && text.len == 0 && join(&p, ret);
}

char *time_str(int64_t t, char out[TIME_STR_MAX])
{
    t = t < FIRST_TIME ? FIRST_TIME : t > LAST_TIME ? LAST_TIME : t;
    int64_t since = t - FIRST_TIME;
    int64_t day = since / DAY, rest = since % DAY;
    int y = (int)(day / 366), m = 1;
    while (days_to(y + 1, 1, 1) - days_to(0, 1, 1) <= day)
        y++;
    day -= days_to(y, 1, 1) - days_to(0, 1, 1);
    while (day >= month_days(y, m))
        day -= month_days(y, m++);
    /* The remainders are what they are already; without them gcc sees numbers that would not fit. */
    (void)snprintf(out, TIME_STR_MAX, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)y % 10000,
                   (unsigned)m % 100, (unsigned)(day + 1) % 100, (unsigned)(rest / 3600) % 100,
                   (unsigned)(rest / 60 % 60), (unsigned)(rest % 60));
    return out;
}
