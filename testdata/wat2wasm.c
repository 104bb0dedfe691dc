/* SPDX-License-Identifier: Apache-2.0 */
/* wat2wasm TEXT BINARY - makes the binaries of the guests that are kept as text. */
#include "base/file.h"
#include "base/limits.h"
#include "runner/wat.h"

#include <fcntl.h>
#include <stdio.h>

static int convert(const char *from, const char *to, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_MODULE);
    AUTO_DONE(buf) binary = BUF_INIT(LIMIT_MODULE);
    int r = file_read(AT_FDCWD, from, false, &text, e);
    if (r == 0)
        r = runner_wat_parse(buf_bytes(&text), &binary, e);
    return r != 0 ? r : file_write(AT_FDCWD, to, buf_bytes(&binary), 0644, FILE_REPLACE, e);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    if (argc != 3) {
        fputs("usage: wat2wasm TEXT BINARY\n", stderr);
        return 2;
    }
    if (convert(argv[1], argv[2], &e) != 0) {
        fprintf(stderr, "wat2wasm: %s: %s\n", argv[1], e.msg);
        return 1;
    }
    return 0;
}
