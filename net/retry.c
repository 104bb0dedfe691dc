/* SPDX-License-Identifier: Apache-2.0 */
#include "net/retry.h"

#include "base/macro.h"

#include <stdio.h>

bool net_retry_status(int status)
{
    static const int later[] = {408, 429, 500, 502, 503, 504};
    for (size_t i = 0; i < ARRAY_LEN(later); i++) {
        if (status == later[i])
            return true;
    }
    return false;
}

/* Digits at the front of *b, without overflow. */
static bool take_number(struct bytes *b, uint64_t *ret)
{
    uint64_t value = 0;
    size_t n = 0;
    for (; n < b->len && b->ptr[n] >= '0' && b->ptr[n] <= '9'; n++) {
        if (value > (UINT64_MAX - 9) / 10)
            return false;
        value = value * 10 + (uint64_t)(b->ptr[n] - '0');
    }
    struct bytes digits;
    if (n == 0 || !bytes_take(b, n, &digits))
        return false;
    *ret = value;
    return true;
}

static bool take_text(struct bytes *b, const char *text)
{
    struct bytes taken;
    return bytes_starts(*b, bytes_str(text)) && bytes_take(b, strlen(text), &taken);
}

/* The three forms of RFC 9110 5.6.7; the name of the day is not looked at. */
static bool http_date(const char *text, time_t *ret)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct tm tm = {0};
    char month[4] = "", zone[4] = "GMT";
    int end = 0, n;
    n = sscanf(text, "%*[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3[A-Z]%n", &tm.tm_mday, month, &tm.tm_year,
               &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone, &end);
    if (n != 7)
        n = sscanf(text, "%*[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3[A-Z]%n", &tm.tm_mday, month,
                   &tm.tm_year, &tm.tm_hour, &tm.tm_min, &tm.tm_sec, zone, &end);
    if (n != 7)
        n = sscanf(text, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &tm.tm_mday, &tm.tm_hour,
                   &tm.tm_min, &tm.tm_sec, &tm.tm_year, &end);
    const char *at = strstr(months, month);
    if (n < 6 || text[end] || strcmp(zone, "GMT") != 0 || strlen(month) != 3 || !at || (at - months) % 3)
        return false;
    if (tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 || tm.tm_sec > 60 ||
        tm.tm_hour < 0 || tm.tm_min < 0 || tm.tm_sec < 0 || tm.tm_year < 0)
        return false;
    if (tm.tm_year < 100)
        tm.tm_year += tm.tm_year < 70 ? 2000 : 1900;
    tm.tm_mon = (int)(at - months) / 3;
    tm.tm_year -= 1900;
    *ret = timegm(&tm);
    return true;
}

bool net_retry_after(struct bytes value, time_t now, int64_t *ret_ms)
{
    struct bytes rest = value;
    uint64_t seconds;
    char text[64];
    time_t when;
    if (take_number(&rest, &seconds) && rest.len == 0) {
        *ret_ms = seconds > INT64_MAX / 1000 ? INT64_MAX : (int64_t)seconds * 1000;
        return true;
    }
    if (value.len == 0 || value.len >= sizeof(text))
        return false;
    memcpy(text, value.ptr, value.len);
    text[value.len] = '\0';
    if (!http_date(text, &when))
        return false;
    *ret_ms = when > now ? (int64_t)(when - now) * 1000 : 0;
    return true;
}

int64_t net_retry_backoff(unsigned attempt, int64_t base_ms, int64_t max_ms, uint32_t random)
{
    int64_t wait = base_ms;
    for (unsigned i = 1; i < attempt && wait < max_ms; i++)
        wait *= 2;
    if (wait > max_ms)
        wait = max_ms;
    return wait / 2 + (wait - wait / 2) * (int64_t)(random % 1024) / 1023;
}

bool net_content_range_parse(struct bytes value, struct net_content_range *ret)
{
    struct net_content_range r;
    if (!take_text(&value, "bytes ") || !take_number(&value, &r.first) || !take_text(&value, "-") ||
        !take_number(&value, &r.last) || !take_text(&value, "/") || r.first > r.last)
        return false;
    if (bytes_eq_str(value, "*")) {
        r.total = UINT64_MAX;
    } else if (!take_number(&value, &r.total) || value.len != 0 || r.last >= r.total) {
        return false;
    }
    *ret = r;
    return true;
}
