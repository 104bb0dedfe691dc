/* SPDX-License-Identifier: Apache-2.0 */
/* Private to runner/: folders whose files the kernel makes up. */
#ifndef WAYBILL_RUNNER_MOUNTS_H
#define WAYBILL_RUNNER_MOUNTS_H

#include "base/bytes.h"
#include "base/err.h"
#include "base/macro.h"

#define RUNNER_MOUNT_MAX 4096

/* runner_mounts_kernel - whether the open folder lies on a file system through which the kernel and other
 * processes are reached (procfs, sysfs, cgroups, debugfs and their like), or such a one is mounted below it.
 * *ret: false: neither. where: RUNNER_MOUNT_MAX bytes; the mount point where *ret is true. ERR_IO. */
MUST_CHECK int runner_mounts_kernel(int dirfd, bool *ret, char *where, struct err *e);

/* runner_mounts_line - whether a line of /proc/self/mountinfo (proc(5)) says that such a file system is
 * mounted at the folder or below it; where: as above. */
bool runner_mounts_line(const char *line, const char *folder, char *where);

#endif
