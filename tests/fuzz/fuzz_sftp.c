/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a server says over SFTP. Requests are numbered from 1, so a corpus can answer them. The first byte
 * chooses what is asked for. Names of SSH servers are read from the same bytes. */
#include "net/sftp.h"

#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int see(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e)
{
    unsigned *left = ctx;
    (void)attr;
    if (!*name || strchr(name, '/'))
        abort();
    return (*left)-- ? 0 : err_set(e, ERR_LIMIT, "enough");
}

static void read_some(struct net_sftp *s)
{
    struct err e = ERR_INIT;
    struct net_sftp_file *f = NULL;
    struct net_sftp_attr attr;
    uint8_t buf[1000];
    size_t n = 1;
    if (net_sftp_file_open(s, "f", NET_SFTP_READ | NET_SFTP_WRITE, 0, &f, &e) != 0)
        return;
    for (int i = 0; i < 100 && n > 0; i++)
        if (net_sftp_read(f, buf, sizeof(buf), &n, &e) != 0 || n > sizeof(buf))
            break;
    (void)!net_sftp_pread(f, 5, buf, sizeof(buf), &n, &e);
    (void)!net_sftp_write(f, BYTES_LIT("text"), &e);
    (void)!net_sftp_file_stat(f, &attr, &e);
    (void)!net_sftp_file_close(f, &e);
}

static void talk(struct net_sftp *s, uint8_t what)
{
    struct err e = ERR_INIT;
    struct net_sftp_attr attr;
    unsigned left = 1000;
    switch (what % 4) {
    case 0: read_some(s); break;
    case 1: (void)!net_sftp_list(s, "d", see, &left, &e); break;
    case 2: (void)!net_sftp_stat(s, "f", true, &attr, &e); break;
    default:
        (void)!net_sftp_mkdir(s, "d", 0755, &e);
        (void)!net_sftp_rename(s, "a", "b", &e);
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err e = ERR_INIT;
    struct net_sftp *s = NULL;
    struct net_ssh_url u;
    int pair[2];
    if (net_ssh_url_parse(bytes_of(data, size), &u, &e) == 0 && (!u.host[0] || u.user[0] == '-'))
        abort();
    if (size == 0 || size > 65536 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0)
        return 0;
    (void)!send(pair[1], data + 1, size - 1, MSG_DONTWAIT);
    (void)shutdown(pair[1], SHUT_WR);
    if (net_sftp_open_fd(pair[0], 1000, &s, &e) == 0) {
        talk(s, data[0]);
        net_sftp_close(s);
    }
    (void)close(pair[1]);
    return 0;
}
