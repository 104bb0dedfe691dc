/* SPDX-License-Identifier: Apache-2.0 */
/* Many small operations on files: makes some, writes and reads them in pieces, seeks, stats, lists, renames
 * and removes them, and prints how many bytes it read. Usage: fileio FOLDER [ROUNDS] */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES  20
#define PIECES 100
#define PIECE  200

static void die(const char *what)
{
    printf("%s: %s\n", what, strerror(errno));
    exit(1);
}

static void write_pieces(const char *path)
{
    char piece[PIECE];
    memset(piece, 'x', sizeof(piece));
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (fd < 0)
        die(path);
    for (int i = 0; i < PIECES; i++)
        if (write(fd, piece, sizeof(piece)) != PIECE)
            die(path);
    if (close(fd) != 0)
        die(path);
}

static unsigned long read_pieces(const char *path)
{
    char piece[PIECE];
    unsigned long sum = 0;
    ssize_t n;
    int fd = open(path, O_RDONLY);
    if (fd < 0)
        die(path);
    while ((n = read(fd, piece, sizeof(piece))) > 0)
        sum += (unsigned long)n;
    for (int i = 0; i < PIECES; i++) {
        if (lseek(fd, (i * 7 % PIECES) * PIECE, SEEK_SET) < 0 || read(fd, piece, 1) != 1)
            die(path);
        sum++;
    }
    (void)close(fd);
    return sum;
}

static int entries(const char *folder)
{
    int n = 0;
    DIR *d = opendir(folder);
    if (!d)
        die(folder);
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

static unsigned long one_round(const char *folder)
{
    char path[256], other[256];
    struct stat st;
    unsigned long sum = 0;
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(path, sizeof(path), "%s/file-%d", folder, i);
        (void)snprintf(other, sizeof(other), "%s/other-%d", folder, i);
        write_pieces(path);
        if (stat(path, &st) != 0 || st.st_size != PIECES * PIECE)
            die(path);
        sum += read_pieces(path);
        if (rename(path, other) != 0)
            die(path);
    }
    sum += (unsigned long)entries(folder);
    for (int i = 0; i < FILES; i++) {
        (void)snprintf(other, sizeof(other), "%s/other-%d", folder, i);
        if (unlink(other) != 0)
            die(other);
    }
    return sum;
}

int main(int argc, char **argv)
{
    if (argc < 2)
        return 2;
    long rounds = argc > 2 ? strtol(argv[2], NULL, 10) : 10;
    unsigned long sum = 0;
    for (long i = 0; i < rounds; i++)
        sum += one_round(argv[1]);
    printf("%lu\n", sum);
    return 0;
}
