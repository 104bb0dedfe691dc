/* SPDX-License-Identifier: Apache-2.0 */
/* SSH connections of a process: one for each user, host and port, opened when it is first wanted, and shared
 * by all threads until the end. They carry what goes to registries behind a bastion (--via), and layouts over
 * SFTP. */
#ifndef WAYBILL_OCI_VIA_H
#define WAYBILL_OCI_VIA_H

#include "net/ssh.h"

struct oci_via;

/* oci_via_new - no library is loaded and nothing is connected yet. env: what it points to outlives *ret.
 * Released with oci_via_free (takes NULL) when nothing uses its connections any more. */
MUST_CHECK int oci_via_new(const struct net_ssh_env *env, struct oci_via **ret, struct err *e);
void oci_via_free(struct oci_via *via);
DEFINE_AUTO(oci_via, oci_via_free);

/* oci_via_parse - "ssh://[user@]host[:port]", with nothing behind it but perhaps a slash. ERR_USAGE. */
MUST_CHECK int oci_via_parse(const char *url, struct net_ssh_url *ret, struct err *e);

/* oci_via_connect - the connection to `at`: the one there is, unless it ended. *ret: borrowed from via.
 * Returns what net_ssh_open returns, with "ssh://..." in front. */
MUST_CHECK int oci_via_connect(struct oci_via *via, const struct net_ssh_url *at, struct net_ssh **ret,
                               struct err *e);

/* oci_via_dial - a stream through it to host:port, for net_http_conf's dial. ctx: a struct oci_via_way. */
struct oci_via_way {
    struct oci_via *via;
    struct net_ssh_url at;
};
MUST_CHECK int oci_via_dial(void *ctx, const char *host, uint16_t port, int *ret_fd, struct err *e);

#endif
