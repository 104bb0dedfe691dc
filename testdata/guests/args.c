/* SPDX-License-Identifier: Apache-2.0 */
/* Prints each argument and each variable of the environment. */
#include <stdio.h>

extern char **environ;

int main(int argc, char **argv)
{
    for (int i = 0; i < argc; i++)
        printf("arg %d: %s\n", i, argv[i]);
    for (char **v = environ; v && *v; v++)
        printf("env: %s\n", *v);
    return 0;
}
