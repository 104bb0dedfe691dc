/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock, by its system calls (landlock(7)); what headers of an older kernel lack is written out. */
#include "runner/sandbox_layers.h"

#include <errno.h>
#include <linux/landlock.h>
#include <sys/syscall.h>

#define ACCESS_TRUNCATE  (1ULL << 14) /* of version 3 */
#define ACCESS_IOCTL_DEV (1ULL << 15) /* 5 */
#define ACCESS_ALL_TCP   3ULL         /* 4: to bind, to connect */
#define SCOPE_ALL        3ULL         /* 6: abstract sockets, signals */

/* struct landlock_ruleset_attr as of version 6. An older kernel takes the longer one when what it does not
 * know is zero. */
struct ruleset {
    uint64_t fs, net, scoped;
};

/* All that version 1 knows: the 13 rights up to LANDLOCK_ACCESS_FS_MAKE_SYM. */
#define ACCESS_FIRST ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)

/* No device, socket or pipe is made and nothing executed, in whatever folder. */
#define ACCESS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define ACCESS_WRITE                                                                                  \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
     LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SYM |        \
     LANDLOCK_ACCESS_FS_REFER | ACCESS_TRUNCATE)

int sandbox_landlock_abi(void)
{
    long r = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    return r < 0 ? -errno : (int)r;
}

static struct ruleset rules_of(int abi)
{
    struct ruleset all = {.fs = ACCESS_FIRST};
    if (abi >= 2)
        all.fs |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        all.fs |= ACCESS_TRUNCATE;
    if (abi >= 4)
        all.net = ACCESS_ALL_TCP;
    if (abi >= 5)
        all.fs |= ACCESS_IOCTL_DEV;
    if (abi >= 6)
        all.scoped = SCOPE_ALL;
    return all;
}

int sandbox_landlock_make(int abi, const struct runner_sandbox_folder *folders, size_t n)
{
    const struct ruleset all = rules_of(abi);
    AUTO_FD int fd = (int)syscall(SYS_landlock_create_ruleset, &all, sizeof(all), 0);
    if (fd < 0)
        return -errno;
    for (size_t i = 0; i < n; i++) {
        const struct landlock_path_beneath_attr rule = {
            .allowed_access = (ACCESS_READ | (folders[i].writable ? ACCESS_WRITE : 0)) & all.fs,
            .parent_fd = folders[i].fd,
        };
        if (syscall(SYS_landlock_add_rule, fd, LANDLOCK_RULE_PATH_BENEATH, &rule, 0) != 0)
            return -errno;
    }
    return TAKE_FD(fd);
}
