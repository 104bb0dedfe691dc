/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/targets.h"

#include "base/file.h"
#include "base/limits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

static int add(struct targets *t, const char *target, struct err *e)
{
    if (t->n == LIMIT_TARGETS)
        return err_set(e, ERR_LIMIT, "more than %u targets", LIMIT_TARGETS);
    const char **more = reallocarray(t->all, t->n + 1, sizeof(*more));
    if (!more)
        return err_nomem(e);
    t->all = more;
    t->all[t->n++] = target;
    return 0;
}

static int read_file(const char *path, struct buf *out, struct err *e)
{
    struct source_file file;
    AUTO_FD int fd = -1;
    bool is_stdin = strcmp(path, "-") == 0;
    int r = is_stdin ? 0 : file_open_input(AT_FDCWD, path, &fd, &file, e);
    if (r)
        return r;
    if (is_stdin) {
        (void)source_file_init(&file, STDIN_FILENO);
        file.at = -1;
    }
    *out = (struct buf)BUF_INIT(LIMIT_TARGETS_FILE);
    r = source_read_all(&file.base, out, e);
    if (!r && out->len && memchr(out->ptr, 0, out->len))
        r = err_set(e, ERR_FORMAT, "there is a NUL in it");
    return r;
}

static int add_lines(struct targets *t, bool is_stdin, struct err *e)
{
    (void)buf_cstr(&t->text); /* ends the text */
    char *rest = (char *)t->text.ptr;
    int r = 0;
    for (char *line; !r && (line = strsep(&rest, "\n")) != NULL;) {
        line += strspn(line, " \t\r");
        size_t len = strlen(line);
        while (len && strchr(" \t\r", line[len - 1]))
            line[--len] = 0;
        if (len == 0 || *line == '#')
            continue;
        r = is_stdin && strcmp(line, "-") == 0
                ? err_set(e, ERR_USAGE, "standard input cannot be a target, it is the list of them")
                : add(t, line, e);
    }
    return r;
}

int targets_load(char *const *operands, size_t n_operands, const char *file, struct targets *ret,
                 struct err *e)
{
    bool is_stdin = file && strcmp(file, "-") == 0;
    int r = 0;
    for (size_t i = 0; !r && i < n_operands; i++) {
        if (!*operands[i] || (is_stdin && strcmp(operands[i], "-") == 0))
            return err_set(e, ERR_USAGE,
                           *operands[i] ? "standard input is a target and a list of them"
                                        : "an operand is empty: TARGET");
        r = add(ret, operands[i], e);
    }
    if (!r && file)
        r = read_file(file, &ret->text, e);
    if (!r && ret->text.len)
        r = add_lines(ret, is_stdin, e);
    if (!r && ret->n == 0)
        r = err_set(e, ERR_USAGE, file ? "there is no target in it" : "an operand is missing: TARGET");
    return r;
}

void targets_done(struct targets *t)
{
    free(t->all);
    buf_done(&t->text);
}
