/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One operation on the file system a call, its failure as "OP PATH: reason" and status 1:
 *   read PATH | write PATH TEXT | append PATH TEXT | mkdir PATH | unlink PATH | rename FROM TO | link FROM TO
 * | symlink TARGET PATH | list PATH
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int do_read(const char *path)
{
    char buf[4096];
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        return -1;
    ssize_t n;
    while ((n = read(fd, buf, sizeof(buf))) > 0)
        fwrite(buf, 1, (size_t)n, stdout);
    close(fd);
    return (int)n;
}

static int do_write(const char *path, const char *text, int flags)
{
    int fd = open(path, O_WRONLY | O_CREAT | flags, 0644);
    if (fd < 0)
        return -1;
    ssize_t n = write(fd, text, strlen(text));
    return close(fd) == 0 && n == (ssize_t)strlen(text) ? 0 : -1;
}

static int do_list(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return -1;
    for (struct dirent *entry; (entry = readdir(d));)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            puts(entry->d_name);
    return closedir(d);
}

static int run(const char *op, const char *a, const char *b)
{
    if (strcmp(op, "read") == 0)
        return do_read(a);
    if (strcmp(op, "write") == 0)
        return do_write(a, b, O_TRUNC);
    if (strcmp(op, "append") == 0)
        return do_write(a, b, O_APPEND);
    if (strcmp(op, "mkdir") == 0)
        return mkdir(a, 0755);
    if (strcmp(op, "unlink") == 0)
        return unlink(a);
    if (strcmp(op, "rename") == 0)
        return rename(a, b);
    if (strcmp(op, "link") == 0)
        return link(a, b);
    if (strcmp(op, "symlink") == 0)
        return symlink(a, b);
    return do_list(a);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return 2;
    if (run(argv[1], argv[2], argc > 3 ? argv[3] : "") == 0)
        return 0;
    printf("%s %s: %s\n", argv[1], argv[2], strerror(errno));
    return 1;
}
