/* SPDX-License-Identifier: Apache-2.0 */
/* Copies standard input to standard output. */
#include <unistd.h>

int main(void)
{
    static char buf[65536];
    ssize_t n;
    while ((n = read(0, buf, sizeof(buf))) > 0) {
        for (ssize_t at = 0; at < n;) {
            ssize_t done = write(1, buf + at, (size_t)(n - at));
            if (done < 0)
                return 2;
            at += done;
        }
    }
    return n < 0;
}
