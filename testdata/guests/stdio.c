/* SPDX-License-Identifier: Apache-2.0 */
/* One line to each of the two outputs, and one without a newline at the end. */
#include <stdio.h>

int main(void)
{
    fputs("to stdout\n", stdout);
    fputs("to stderr\n", stderr);
    fputs("the end", stdout);
    return 0;
}
