/* SPDX-License-Identifier: Apache-2.0 */
/* Writes to standard output, in lines or in blocks of 64 KiB. Usage: output lines|blocks [MIB] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(int argc, char **argv)
{
    static char block[64 << 10];
    if (argc < 2)
        return 2;
    size_t left = (size_t)(argc > 2 ? strtol(argv[2], NULL, 10) : 1) << 20;
    size_t piece = strcmp(argv[1], "lines") == 0 ? 64 : sizeof(block);
    memset(block, 'x', sizeof(block));
    for (size_t i = 63; i < sizeof(block); i += 64)
        block[i] = '\n';
    (void)setvbuf(stdout, NULL, _IONBF, 0); /* each line is a write of its own */
    for (; left > 0; left -= piece)
        if (fwrite(block, 1, piece, stdout) != piece)
            return 1;
    return 0;
}
