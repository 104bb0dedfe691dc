/* SPDX-License-Identifier: Apache-2.0 */
/* Start-up is a feature: nothing that a verb may not need happens before the verb is known. */
#include "cli/cmd.h"

#include <fcntl.h>
#include <signal.h>

/* Where a standard descriptor is closed, puts one there that cannot be used in its direction: otherwise the
 * next file that is opened would take its place. */
static bool hold_standard_descriptors(void)
{
    for (int fd = 0; fd <= 2; fd++)
        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", fd == 0 ? O_WRONLY : O_RDONLY) != fd)
            return false;
    return true;
}

int main(int argc, char **argv)
{
    if (!hold_standard_descriptors())
        return 1;
    /* A closed pipe and a file over the limit are errors that are reported, and not a silent death. */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmd_main(argc > 1 ? (size_t)argc - 1 : 0, argv + (argc > 0));
}
