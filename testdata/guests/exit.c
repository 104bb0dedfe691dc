/* SPDX-License-Identifier: Apache-2.0 */
/* Exits with the status given as the first argument, 42 without one. */
#include <stdlib.h>

int main(int argc, char **argv)
{
    exit(argc > 1 ? (int)strtol(argv[1], NULL, 10) : 42);
}
