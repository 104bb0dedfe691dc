/* SPDX-License-Identifier: Apache-2.0 */
/* without landlock|seccomp|close_range COMMAND [ARGS...]: runs a command as on a kernel that lacks it. */
#include "tests/tool/deny.h"

#include <stdio.h>
#include <string.h>

int main(int argc, char **argv)
{
    int r = -1;
    if (argc < 3)
        return 2;
    if (strcmp(argv[1], "landlock") == 0)
        r = deny_calls(deny_landlock, 3, ENOSYS);
    else if (strcmp(argv[1], "seccomp") == 0)
        r = deny_calls(deny_seccomp, 1, EPERM);
    else if (strcmp(argv[1], "close_range") == 0)
        r = deny_calls(deny_close_range, 1, ENOSYS);
    if (r == 0)
        (void)execvp(argv[2], argv + 2);
    perror(argv[1]);
    return 2;
}
