/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a file again and again, as often as the second argument says or until that fails; says how often and
 * why. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    long most = argc > 2 ? strtol(argv[2], NULL, 10) : 100000, n;
    if (argc < 2)
        return 2;
    for (n = 0; n < most && open(argv[1], O_RDONLY) >= 0; n++)
        ;
    printf("%ld: %s\n", n, n < most ? strerror(errno) : "enough");
    return n < most;
}
