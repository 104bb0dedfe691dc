/* SPDX-License-Identifier: Apache-2.0 */
/* The program that each toolchain builds, here in C for wasi-libc: it prints its arguments, a variable, the
 * first line of its input and of a file, writes another file, and ends with status 7; without the file,
 * with 9. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *first_line(FILE *f, char *buf, int size)
{
    if (!f || !fgets(buf, size, f))
        return "";
    buf[strcspn(buf, "\n")] = '\0';
    return buf;
}

int main(int argc, char **argv)
{
    char line[256];
    FILE *list = fopen("/data/list", "r");
    if (!list) {
        puts("no file");
        return 9;
    }
    for (int i = 1; i < argc; i++)
        printf("arg %s\n", argv[i]);
    printf("env %s\n", getenv("CUP") ? getenv("CUP") : "");
    printf("file %s\n", first_line(list, line, sizeof(line)));
    printf("input %s\n", first_line(stdin, line, sizeof(line)));
    (void)fclose(list);
    FILE *out = fopen("/data/out", "w");
    if (!out || fputs("written\n", out) < 0 || fclose(out) != 0)
        return 1;
    return 7;
}
