/* SPDX-License-Identifier: Apache-2.0 */
/* Not in ssh.c: both sides of the plugin read such names. */
#include "net/ssh.h"

#include <arpa/inet.h>

static bool name_char(uint8_t c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == '_';
}

/* Copies a name into out; false for one that is empty, too long, an option, or of other characters. */
static bool copy_name(struct bytes name, char *out, size_t size)
{
    if (name.len == 0 || name.len >= size || name.ptr[0] == '-')
        return false;
    for (size_t i = 0; i < name.len; i++)
        if (!name_char(name.ptr[i]))
            return false;
    memcpy(out, name.ptr, name.len);
    out[name.len] = '\0';
    return true;
}

static bool copy_v6(struct bytes name, char *out)
{
    struct in6_addr address;
    if (name.len == 0 || name.len >= INET6_ADDRSTRLEN || memchr(name.ptr, '\0', name.len))
        return false;
    memcpy(out, name.ptr, name.len);
    out[name.len] = '\0';
    return inet_pton(AF_INET6, out, &address) == 1;
}

static bool parse_port(struct bytes text, uint16_t *ret)
{
    uint32_t value = 0;
    if (text.len == 0 || text.len > 5)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        value = value * 10 + (uint32_t)(text.ptr[i] - '0');
    }
    *ret = (uint16_t)value;
    return value > 0 && value <= UINT16_MAX;
}

/* Cuts the host off the front of *rest. */
static bool take_host(struct bytes *rest, char *out, size_t size)
{
    struct bytes name;
    const uint8_t *end;
    if (bytes_starts(*rest, BYTES_LIT("["))) {
        end = memchr(rest->ptr, ']', rest->len);
        if (!end || !bytes_take(rest, (size_t)(end - rest->ptr) + 1, &name))
            return false;
        return copy_v6(bytes_of(name.ptr + 1, name.len - 2), out);
    }
    end = rest->len ? memchr(rest->ptr, ':', rest->len) : NULL;
    return bytes_take(rest, end ? (size_t)(end - rest->ptr) : rest->len, &name) && copy_name(name, out, size);
}

int net_ssh_url_parse(struct bytes authority, struct net_ssh_url *ret, struct err *e)
{
    struct net_ssh_url u = {.port = 0};
    struct bytes rest = authority, part = BYTES_NONE;
    const uint8_t *at = rest.len ? memchr(rest.ptr, '@', rest.len) : NULL;
    if (at) {
        (void)bytes_take(&rest, (size_t)(at - rest.ptr), &part);
        if (part.len && memchr(part.ptr, ':', part.len))
            return err_set(e, ERR_FORMAT, "SSH: passwords are not used; keys are");
        if (!copy_name(part, u.user, sizeof(u.user)))
            return err_set(e, ERR_FORMAT, "SSH: invalid user name");
        (void)bytes_take(&rest, 1, &part);
    }
    if (!take_host(&rest, u.host, sizeof(u.host)))
        return err_set(e, ERR_FORMAT, "SSH: invalid host");
    if (rest.len && (!bytes_take(&rest, 1, &part) || part.ptr[0] != ':' || !parse_port(rest, &u.port)))
        return err_set(e, ERR_FORMAT, "SSH: invalid port");
    *ret = u;
    return 0;
}
