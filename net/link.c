/* SPDX-License-Identifier: Apache-2.0 */
#include "net/link.h"

#include "net/url.h"

#include <strings.h>

static void skip_blanks(struct bytes *b)
{
    struct bytes blank;
    while (b->len && (*b->ptr == ' ' || *b->ptr == '\t'))
        (void)bytes_take(b, 1, &blank);
}

static bool take_char(struct bytes *b, char c)
{
    struct bytes one;
    skip_blanks(b);
    return b->len && *b->ptr == (uint8_t)c && bytes_take(b, 1, &one);
}

/* Everything up to one of the characters of `end`, which stays. */
static struct bytes take_until(struct bytes *b, const char *end)
{
    struct bytes part = {b->ptr, 0};
    while (part.len < b->len && !strchr(end, b->ptr[part.len]))
        part.len++;
    (void)bytes_take(b, part.len, &part);
    return part;
}

static bool is_word(struct bytes b, const char *word)
{
    return b.len == strlen(word) && strncasecmp((const char *)b.ptr, word, b.len) == 0;
}

/* A list of relations, separated by blanks. */
static bool has_next(struct bytes relations)
{
    while (relations.len) {
        skip_blanks(&relations);
        if (is_word(take_until(&relations, " \t"), "next"))
            return true;
    }
    return false;
}

/* ; name = value or "value"; *next is set when it is rel and names next. */
static bool take_parameter(struct bytes *b, bool *next)
{
    skip_blanks(b);
    struct bytes name = take_until(b, " \t=;,"), value = BYTES_NONE;
    if (take_char(b, '=')) {
        if (take_char(b, '"')) {
            value = take_until(b, "\"");
            if (!take_char(b, '"'))
                return false;
        } else {
            value = take_until(b, " \t;,");
        }
    }
    *next = *next || (is_word(name, "rel") && has_next(value));
    return name.len > 0;
}

int net_link_parse(struct bytes value, struct bytes *ret, struct err *e)
{
    *ret = BYTES_NONE;
    do {
        bool next = false;
        skip_blanks(&value);
        if (!value.len)
            break;
        if (!take_char(&value, '<'))
            return err_set(e, ERR_FORMAT, "malformed Link header");
        struct bytes target = take_until(&value, ">");
        if (!take_char(&value, '>'))
            return err_set(e, ERR_FORMAT, "malformed Link header");
        while (take_char(&value, ';'))
            if (!take_parameter(&value, &next))
                return err_set(e, ERR_FORMAT, "malformed Link header");
        if (next) {
            *ret = target;
            return 0;
        }
    } while (take_char(&value, ','));
    skip_blanks(&value);
    return value.len ? err_set(e, ERR_FORMAT, "malformed Link header") : 0;
}

int net_link_next(const struct net_http_response *resp, char **ret, struct err *e)
{
    struct bytes value, target;
    struct net_url here, there;
    AUTO_FREE char *url = NULL;
    if (!net_http_field(resp, "Link", 0, &value)) {
        *ret = NULL;
        return 0;
    }
    int r = net_link_parse(value, &target, e);
    if (!r && !target.len) {
        *ret = NULL;
        return 0;
    }
    if (!r)
        r = net_url_join(resp->url, target, &url, e);
    if (!r)
        r = net_url_parse(url, &there, e);
    if (!r)
        r = net_url_parse(resp->url, &here, e);
    if (r)
        return r == ERR_FORMAT ? err_recode(e, ERR_NETWORK) : r;
    if (!net_url_same_origin(&here, &there))
        return err_set(e, ERR_NETWORK, "the list goes on at another host");
    *ret = TAKE(url);
    return 0;
}
