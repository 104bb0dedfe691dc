/* SPDX-License-Identifier: Apache-2.0 */
/* Sleeps for as many seconds as the first argument says (60 without one), inside one host call. */
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
    return (int)sleep(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 60U);
}
