/* SPDX-License-Identifier: Apache-2.0 */
/* Writes 4 KiB lines to standard output: as many as the argument says, or without end; with a second argument
 * every other one to standard error. Goes on whatever it is told. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    static char line[4096];
    long lines = argc > 1 ? strtol(argv[1], NULL, 10) : -1;
    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\n';
    for (long i = 0; i != lines; i++)
        (void)!write(argc > 2 && i % 2 ? 2 : 1, line, sizeof(line));
    return 0;
}
