/* SPDX-License-Identifier: Apache-2.0 */
#include "runner/mounts.h"

#include <errno.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/vfs.h>

/* As mountinfo names them; and by statfs(2), for a mount that has been covered since. */
static const char *const kernel_types[] = {"proc",    "sysfs",    "cgroup",     "cgroup2",
                                           "debugfs", "tracefs",  "securityfs", "configfs",
                                           "bpf",     "efivarfs", "pstore"};
static const long kernel_magic[] = {PROC_SUPER_MAGIC, SYSFS_MAGIC,   CGROUP_SUPER_MAGIC, CGROUP2_SUPER_MAGIC,
                                    DEBUGFS_MAGIC,    TRACEFS_MAGIC, SECURITYFS_MAGIC,   BPF_FS_MAGIC,
                                    EFIVARFS_MAGIC,   PSTOREFS_MAGIC};

/* A field up to the next blank; returns what stands behind that. */
static const char *take_field(const char *at, size_t *ret_len)
{
    *ret_len = strcspn(at, " \n");
    return at[*ret_len] == ' ' ? at + *ret_len + 1 : at + *ret_len;
}

static bool is_octal(const char *digits)
{
    for (int i = 0; i < 3; i++)
        if (digits[i] < '0' || digits[i] > '7')
            return false;
    return true;
}

/* Blanks, newlines and backslashes stand as three octal digits. False: longer than there is room. */
static bool unescape(const char *from, size_t n, char *to)
{
    size_t len = 0;
    for (size_t i = 0; i < n; len++) {
        if (len + 1 >= RUNNER_MOUNT_MAX)
            return false;
        if (from[i] == '\\' && n - i > 3 && is_octal(from + i + 1)) {
            to[len] = (char)((from[i + 1] - '0') * 64 + (from[i + 2] - '0') * 8 + (from[i + 3] - '0'));
            i += 4;
        } else {
            to[len] = from[i++];
        }
    }
    to[len] = '\0';
    return true;
}

static bool is_below(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    if (n == 1 && folder[0] == '/')
        return true;
    return strncmp(path, folder, n) == 0 && (path[n] == '/' || path[n] == '\0');
}

/* "36 35 98:0 /root /point options [optional ...] - type source options" */
bool runner_mounts_line(const char *line, const char *folder, char *where)
{
    const char *at = line, *point;
    size_t n, point_len;
    for (int i = 0; i < 4; i++)
        at = take_field(at, &n);
    point = at;
    (void)take_field(at, &point_len);
    at = strstr(at, " - ");
    if (!at)
        return false;
    (void)take_field(at + 3, &n);
    for (size_t i = 0; i < ARRAY_LEN(kernel_types); i++)
        if (strlen(kernel_types[i]) == n && strncmp(at + 3, kernel_types[i], n) == 0)
            return unescape(point, point_len, where) && is_below(where, folder);
    return false;
}

static bool lies_on_one(int dirfd)
{
    struct statfs fs;
    if (fstatfs(dirfd, &fs) != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(kernel_magic); i++)
        if ((long)fs.f_type == kernel_magic[i])
            return true;
    return false;
}

int runner_mounts_kernel(int dirfd, bool *ret, char *where, struct err *e)
{
    char by_fd[64], folder[RUNNER_MOUNT_MAX];
    AUTO_FREE char *line = NULL;
    size_t room = 0;
    (void)snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", dirfd);
    ssize_t n = readlink(by_fd, folder, sizeof(folder) - 1);
    FILE *mounts = n > 0 ? fopen("/proc/self/mountinfo", "re") : NULL;
    if (!mounts)
        return err_set_errno(e, ERR_IO, errno, "%s", n > 0 ? "/proc/self/mountinfo" : by_fd);
    folder[n] = '\0';
    bool found = lies_on_one(dirfd);
    if (found)
        (void)snprintf(where, RUNNER_MOUNT_MAX, "%s", folder);
    while (!found && getline(&line, &room, mounts) > 0)
        found = runner_mounts_line(line, folder, where);
    (void)fclose(mounts);
    *ret = found;
    return 0;
}
