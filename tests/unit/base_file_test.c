/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

/* The C library's fsync is replaced: what was synced, and at which call it is to fail. */
static struct {
    char order[8]; /* 'f' for a file, 'd' for a folder */
    unsigned n, fail_at;
} synced;

int fsync(int fd)
{
    struct stat st;
    assert_int_equal(fstat(fd, &st), 0);
    if (synced.n < sizeof(synced.order) - 1)
        synced.order[synced.n] = S_ISDIR(st.st_mode) ? 'd' : 'f';
    if (++synced.n == synced.fail_at) {
        errno = EIO;
        return -1;
    }
    return 0;
}

/* The bytes reach the disk before the name does, and then the name. */
static void syncs(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    static const enum file_existing kinds[] = {FILE_REPLACE, FILE_KEEP};
    scratch_write(s, "f", BYTES_LIT("old"));
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        memset(&synced, 0, sizeof(synced));
        assert_ok(file_write(s->fd, "f", BYTES_LIT("old"), 0644, kinds[i], &e));
        assert_string_equal(synced.order, "fd");
        memset(&synced, 0, sizeof(synced));
        synced.fail_at = 1;
        assert_fails(file_write(s->fd, "f", BYTES_LIT("new"), 0644, kinds[i], &e), ERR_IO);
        assert_true(scratch_holds(s, "f", BYTES_LIT("old")));
        memset(&synced, 0, sizeof(synced));
        synced.fail_at = 2;
        assert_fails(file_write(s->fd, "f", BYTES_LIT("old"), 0644, kinds[i], &e), ERR_IO);
        assert_int_equal(folder_count(s->path), 1);
    }
    memset(&synced, 0, sizeof(synced));
    assert_int_equal(open_fds(), fds);
}

static void reads(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) out = BUF_INIT(5);
    scratch_write(s, "five", BYTES_LIT("12345"));
    scratch_write(s, "six", BYTES_LIT("123456"));
    scratch_write(s, "none", BYTES_NONE);
    assert_ok(file_read(s->fd, "five", true, &out, &e));
    assert_string_equal(buf_cstr(&out), "12345");
    buf_reset(&out);
    assert_ok(file_read(AT_FDCWD, scratch_path(s, "none"), false, &out, &e));
    assert_int_equal(out.len, 0);
    assert_fails(file_read(s->fd, "six", true, &out, &e), ERR_LIMIT);
    assert_non_null(strstr(e.msg, "six"));
    buf_reset(&out);
    assert_fails(file_read(s->fd, "absent", true, &out, &e), ERR_NOTFOUND);
    assert_non_null(strstr(e.msg, "absent"));
    assert_fails(file_read(s->fd, "", true, &out, &e), ERR_NOTFOUND);
    assert_fails(file_read(s->fd, ".", true, &out, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "regular file"));
}

/* A FIFO must not make us wait, a link must not lead us elsewhere. */
static void refuses_what_is_no_file(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    int fd = -7;
    scratch_write(s, "real", BYTES_LIT("x"));
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    assert_int_equal(symlinkat("real", s->fd, "link"), 0);
    assert_int_equal(symlinkat("fifo", s->fd, "tofifo"), 0);
    assert_int_equal(symlinkat("nowhere", s->fd, "dangling"), 0);
    assert_fails(file_open_read(s->fd, "fifo", false, &fd, &e), ERR_IO);
    assert_fails(file_open_read(s->fd, "tofifo", false, &fd, &e), ERR_IO);
    assert_fails(file_open_read(s->fd, "link", true, &fd, &e), ERR_IO);
    assert_string_equal(e.msg, "link: a symbolic link");
    assert_fails(file_open_read(s->fd, "dangling", false, &fd, &e), ERR_NOTFOUND);
    assert_fails(file_open_read(AT_FDCWD, "/dev/null", false, &fd, &e), ERR_IO);
    assert_fails(file_open_read(s->fd, "real/", false, &fd, &e), ERR_IO);
    assert_int_equal(fd, -7);
    assert_int_equal(open_fds(), fds);
    assert_ok(file_open_read(s->fd, "link", false, &fd, &e));
    assert_int_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    (void)close(fd);
}

/* Where the shell's <(...) leads, whose writer may be gone already, and a named pipe whose writer is yet to
 * come. */
static void pipes_are_inputs(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    char path[32];
    int ends[2], fd = -7;
    struct source_file file;
    AUTO_DONE(buf) out = BUF_INIT(5);
    scratch_write(s, "five", BYTES_LIT("12345"));
    assert_ok(file_read_input(s->fd, "five", &out, &e));
    static const char *const texts[] = {"12345", "", "123456"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        buf_reset(&out);
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        assert_int_equal(write(ends[1], texts[i], strlen(texts[i])), strlen(texts[i]));
        (void)close(ends[1]);
        (void)snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
        if (strlen(texts[i]) > out.max)
            assert_fails(file_read_input(AT_FDCWD, path, &out, &e), ERR_LIMIT);
        else
            assert_ok(file_read_input(AT_FDCWD, path, &out, &e));
        if (strlen(texts[i]) <= out.max)
            assert_string_equal(buf_cstr(&out), texts[i]);
        (void)close(ends[0]);
    }
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    pid_t pid = fork();
    if (pid == 0) {
        int to = openat(s->fd, "fifo", O_WRONLY);
        _exit(write(to, "123", 3) != 3);
    }
    buf_reset(&out);
    assert_ok(file_read_input(s->fd, "fifo", &out, &e));
    assert_string_equal(buf_cstr(&out), "123");
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_fails(file_open_input(AT_FDCWD, "/dev/null", &fd, &file, &e), ERR_IO);
    assert_fails(file_open_input(s->fd, ".", &fd, &file, &e), ERR_IO);
    assert_fails(file_open_input(s->fd, "absent", &fd, &file, &e), ERR_NOTFOUND);
    assert_int_equal(fd, -7);
    assert_int_equal(open_fds(), fds);
}

static void source(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    scratch_write(s, "f", BYTES_LIT("abcdef"));
    AUTO_FD int fd = openat(s->fd, "f", O_RDONLY | O_CLOEXEC);
    assert_int_equal(lseek(fd, 3, SEEK_SET), 3);
    struct source_file a, b;
    AUTO_DONE(buf) one = BUF_INIT(10);
    AUTO_DONE(buf) two = BUF_INIT(10);
    char c;
    size_t n;
    assert_ok(source_read(source_file_init(&a, fd), &c, 1, &n, &e));
    assert_ok(source_read_all(source_file_init(&b, fd), &two, &e));
    assert_ok(source_read_all(&a.base, &one, &e));
    assert_string_equal(buf_cstr(&one), "bcdef");
    assert_string_equal(buf_cstr(&two), "abcdef");
    assert_int_equal(lseek(fd, 0, SEEK_CUR), 3); /* shared by several: never moved */
    struct source_file bad;
    assert_fails(source_read(source_file_init(&bad, -1), &c, 1, &n, &e), ERR_IO);
}

static int read_opened(const struct source_opener *o, size_t *ret, struct err *e)
{
    struct source *s = NULL;
    AUTO_DONE(buf) out = BUF_INIT(1000);
    int r = o->open(o->ctx, &s, e);
    if (!r)
        r = source_read_all(s, &out, e);
    source_close(s);
    *ret = out.len;
    return r;
}

static void changed_while_read(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    scratch_write(s, "f", BYTES_LIT("abcdef"));
    AUTO_FD int fd = openat(s->fd, "f", O_RDWR | O_CLOEXEC);
    struct opener_file of;
    struct source_opener o;
    size_t n;
    assert_ok(opener_file_init(&of, fd, &o, &e));
    assert_int_equal(o.size, 6);
    for (int i = 0; i < 3; i++) {
        assert_ok(read_opened(&o, &n, &e));
        assert_int_equal(n, 6);
    }
    assert_int_equal(ftruncate(fd, 5), 0);
    assert_fails(read_opened(&o, &n, &e), ERR_IO);
    assert_non_null(strstr(e.msg, "changed"));
    assert_int_equal(ftruncate(fd, 7), 0);
    assert_fails(read_opened(&o, &n, &e), ERR_IO);
    assert_int_equal(ftruncate(fd, 6), 0);
    assert_ok(read_opened(&o, &n, &e));
}

static mode_t mode_of(const struct scratch *s, const char *name)
{
    struct stat st;
    assert_int_equal(fstatat(s->fd, name, &st, AT_SYMLINK_NOFOLLOW), 0);
    return st.st_mode & 07777;
}

static void appears_at_commit(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    mode_t mask = umask(022);
    struct sink_file f;
    assert_ok(sink_file_init(&f, AT_FDCWD, scratch_path(s, "out"), 0666, FILE_REPLACE, &e));
    assert_ok(sink_write(&f.base, BYTES_LIT("part"), &e));
    assert_false(scratch_has(s, "out"));
    assert_ok(sink_write(&f.base, BYTES_LIT(" two"), &e));
    assert_ok(sink_commit(&f.base, &e));
    assert_true(scratch_holds(s, "out", BYTES_LIT("part two")));
    sink_abort(&f.base);
    sink_abort(&f.base);
    assert_true(scratch_has(s, "out"));
    assert_int_equal(mode_of(s, "out"), 0644);
    assert_ok(file_write(s->fd, "secret", BYTES_LIT("k"), 0600, FILE_REFUSE, &e));
    assert_int_equal(mode_of(s, "secret"), 0600);
    (void)umask(mask);
    assert_int_equal(folder_count(s->path), 2);
    assert_int_equal(open_fds(), fds);
}

static void abort_leaves_nothing(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct sink_file f;
    scratch_write(s, "old", BYTES_LIT("old"));
    static const enum file_existing kinds[] = {FILE_REPLACE, FILE_KEEP};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        assert_ok(sink_file_init(&f, s->fd, "old", 0644, kinds[i], &e));
        assert_ok(sink_write(&f.base, BYTES_LIT("new"), &e));
        assert_int_equal(folder_count(s->path), f.named ? 2 : 1);
        sink_abort(&f.base);
    }
    assert_int_equal(folder_count(s->path), 1);
    assert_true(scratch_holds(s, "old", BYTES_LIT("old")));
    assert_int_equal(open_fds(), fds);
}

static void existing(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    scratch_write(s, "f", BYTES_LIT("old"));
    assert_fails(file_write(s->fd, "f", BYTES_LIT("new"), 0644, FILE_REFUSE, &e), ERR_EXISTS);
    assert_true(scratch_holds(s, "f", BYTES_LIT("old")));
    assert_ok(file_write(s->fd, "f", BYTES_LIT("new"), 0644, FILE_KEEP, &e));
    assert_true(scratch_holds(s, "f", BYTES_LIT("old")));
    assert_ok(file_write(s->fd, "f", BYTES_LIT("new"), 0644, FILE_REPLACE, &e));
    assert_true(scratch_holds(s, "f", BYTES_LIT("new")));
    assert_ok(file_write(s->fd, "g", BYTES_NONE, 0644, FILE_REFUSE, &e));
    assert_true(scratch_holds(s, "g", BYTES_NONE));
    /* A link is in the way too, wherever it leads. */
    assert_int_equal(symlinkat("nowhere", s->fd, "link"), 0);
    assert_fails(file_write(s->fd, "link", BYTES_LIT("x"), 0644, FILE_REFUSE, &e), ERR_EXISTS);
    assert_false(scratch_has(s, "nowhere"));
    assert_int_equal(folder_count(s->path), 3);
}

/* A file that somebody makes between init and commit. */
static void refuse_at_commit(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    struct sink_file f;
    assert_ok(sink_file_init(&f, s->fd, "f", 0644, FILE_REFUSE, &e));
    assert_ok(sink_write(&f.base, BYTES_LIT("late"), &e));
    scratch_write(s, "f", BYTES_LIT("first"));
    assert_fails(sink_commit(&f.base, &e), ERR_EXISTS);
    sink_abort(&f.base);
    assert_true(scratch_holds(s, "f", BYTES_LIT("first")));
    assert_int_equal(folder_count(s->path), 1);
    assert_int_equal(open_fds(), fds);
}

/* What is not a file is never replaced by one: writing to a device or pipe by name is no atomic write. */
static void never_replaces_what_is_no_file(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    assert_int_equal(mkfifoat(s->fd, "fifo", 0600), 0);
    assert_int_equal(mkdirat(s->fd, "dir", 0700), 0);
    assert_int_equal(symlinkat("fifo", s->fd, "link"), 0);
    assert_int_equal(symlinkat("/proc/self/status", s->fd, "stdout"), 0); /* a regular file to fstat */
    static const char *const names[] = {"fifo", "dir", "link", "stdout"};
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        assert_fails(file_write(s->fd, names[i], BYTES_LIT("x"), 0644, FILE_REPLACE, &e), ERR_IO);
        assert_non_null(strstr(e.msg, names[i]));
    }
    assert_int_equal(folder_count(s->path), 4);
    assert_int_equal(open_fds(), fds);
}

/* A link to a file is replaced itself; where it leads nothing changes. */
static void replaces_links(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    scratch_write(s, "target", BYTES_LIT("target"));
    assert_int_equal(symlinkat("target", s->fd, "link"), 0);
    assert_int_equal(symlinkat("nowhere", s->fd, "dangling"), 0);
    assert_ok(file_write(s->fd, "link", BYTES_LIT("new"), 0644, FILE_REPLACE, &e));
    assert_ok(file_write(s->fd, "dangling", BYTES_LIT("new"), 0644, FILE_REPLACE, &e));
    assert_true(scratch_holds(s, "target", BYTES_LIT("target")));
    assert_true(scratch_holds(s, "link", BYTES_LIT("new")));
    assert_false(scratch_has(s, "nowhere"));
}

static void bad_paths(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    char longest[300];
    memset(longest, 'n', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    const struct {
        const char *path;
        int code;
    } cases[] = {
        {"", ERR_USAGE},      {".", ERR_USAGE},       {"..", ERR_USAGE},  {"dir/", ERR_USAGE},
        {"dir/.", ERR_USAGE}, {"no/f", ERR_NOTFOUND}, {"file/f", ERR_IO}, {longest, ERR_USAGE},
    };
    scratch_write(s, "file", BYTES_NONE);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_fails(file_write(s->fd, cases[i].path, BYTES_LIT("x"), 0644, FILE_REPLACE, &e), cases[i].code);
    /* As long as a file system takes. */
    longest[255] = '\0';
    assert_ok(file_write(s->fd, longest, BYTES_LIT("x"), 0644, FILE_REPLACE, &e));
    assert_int_equal(folder_count(s->path), 2);
    assert_int_equal(open_fds(), fds);
}

/* A full disk: the file size limit plays its part. */
static void no_room(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct rlimit old, tight;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight = old;
    tight.rlim_cur = 1000;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);
    static uint8_t data[4000];
    scratch_write(s, "f", BYTES_LIT("old"));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    int r = file_write(s->fd, "f", BYTES_ARR(data), 0644, FILE_REPLACE, &e);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    (void)signal(SIGXFSZ, handler);
    assert_fails(r, ERR_IO);
    assert_true(scratch_holds(s, "f", BYTES_LIT("old")));
    assert_int_equal(folder_count(s->path), 1);
}

/* keep_fd: the very file that was written, read and write. */
static void keeps_descriptor(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    scratch_write(s, "f", BYTES_LIT("old"));
    static const enum file_existing kinds[] = {FILE_KEEP, FILE_REPLACE};
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
        struct sink_file f;
        AUTO_FD int kept = -1;
        assert_ok(sink_file_init(&f, s->fd, "f", 0600, kinds[i], &e));
        f.keep_fd = &kept;
        assert_ok(sink_write(&f.base, BYTES_LIT("new"), &e));
        assert_int_equal(kept, -1);
        assert_ok(sink_commit(&f.base, &e));
        sink_abort(&f.base);
        char room[4] = "";
        assert_int_equal(pread(kept, room, 3, 0), 3);
        assert_string_equal(room, "new");
        assert_int_equal(folder_count(s->path), 1);
    }
    assert_true(scratch_holds(s, "f", BYTES_LIT("new")));
}

/* Whether this file system has files without a name. */
static bool has_unnamed(const struct scratch *s)
{
    AUTO_FD int fd = openat(s->fd, ".", O_RDWR | O_TMPFILE | O_CLOEXEC, 0600);
    return fd >= 0;
}

/* A process that is killed in the middle leaves nothing, or a temporary file at most; the old one is whole.
 */
static void killed(void **state)
{
    const struct scratch *s = *state;
    scratch_write(s, "f", BYTES_LIT("old"));
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct err e = ERR_INIT;
        struct sink_file f;
        if (sink_file_init(&f, s->fd, "f", 0644, FILE_REPLACE, &e) == 0 &&
            sink_write(&f.base, BYTES_LIT("new"), &e) == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_true(scratch_holds(s, "f", BYTES_LIT("old")));
    assert_int_equal(folder_count(s->path), has_unnamed(s) ? 1 : 2);
}

static void folders(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    int fd = -7;
    scratch_write(s, "file", BYTES_NONE);
    assert_ok(dir_make(scratch_path(s, "a/b//c/"), 0700, &e));
    assert_ok(dir_make(scratch_path(s, "a/b/c"), 0700, &e));
    assert_int_equal(mode_of(s, "a/b"), 0700);
    assert_ok(dir_make("/", 0700, &e));
    assert_fails(dir_make(scratch_path(s, "file/x"), 0700, &e), ERR_IO);
    assert_fails(dir_open(AT_FDCWD, "", false, &fd, &e), ERR_NOTFOUND);
    assert_fails(dir_open(s->fd, "file", false, &fd, &e), ERR_IO);
    assert_fails(dir_open(s->fd, "none", true, &fd, &e), ERR_NOTFOUND);
    assert_int_equal(fd, -7);
    assert_int_equal(open_fds(), fds);
}

static void only_our_folders(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t fds = open_fds();
    int fd = -7;
    assert_int_equal(mkdirat(s->fd, "ours", 0755), 0);
    assert_int_equal(symlinkat("ours", s->fd, "link"), 0);
    assert_ok(dir_open(s->fd, "ours", true, &fd, &e));
    (void)close(fd);
    assert_ok(dir_open(s->fd, "link", false, &fd, &e));
    (void)close(fd);
    fd = -7;
    assert_fails(dir_open(s->fd, "link", true, &fd, &e), ERR_CONFIG);
    static const mode_t open_to_others[] = {0775, 0757, 0777, 0720};
    for (size_t i = 0; i < ARRAY_LEN(open_to_others); i++) {
        assert_int_equal(fchmodat(s->fd, "ours", open_to_others[i], 0), 0);
        assert_fails(dir_open(s->fd, "ours", true, &fd, &e), ERR_CONFIG);
    }
    assert_int_equal(fchmodat(s->fd, "ours", 0700, 0), 0);
    assert_int_equal(fd, -7);
    assert_int_equal(open_fds(), fds);
    if (fchownat(s->fd, "ours", 12345, (gid_t)-1, 0) < 0)
        skip_because("a foreign owner can be made by root only");
    assert_fails(dir_open(s->fd, "ours", true, &fd, &e), ERR_CONFIG);
    assert_non_null(strstr(e.msg, "another user"));
    assert_int_equal(open_fds(), fds);
}

static void locks(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    int fd = -1, pipes[2];
    assert_ok(file_lock(s->fd, "lock", &fd, &e));
    assert_int_equal(mode_of(s, "lock"), 0600);
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int second = -1;
        (void)close(fd);
        bool got = file_lock(s->fd, "lock", &second, &e) == 0;
        _exit(got && write(pipes[1], "x", 1) == 1 ? 0 : 1);
    }
    (void)usleep(100000);
    char c = 0;
    assert_int_equal(fcntl(pipes[0], F_SETFL, O_NONBLOCK), 0);
    assert_int_equal(read(pipes[0], &c, 1), -1); /* it waits */
    (void)close(fd);
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(read(pipes[0], &c, 1), 1);
    (void)close(pipes[0]);
    (void)close(pipes[1]);
    assert_int_equal(symlinkat("elsewhere", s->fd, "link"), 0);
    assert_fails(file_lock(s->fd, "link", &fd, &e), ERR_IO);
    assert_false(scratch_has(s, "elsewhere"));
}

static void copies(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    size_t size = 300001;
    uint8_t *data = malloc(size);
    assert_non_null(data);
    for (size_t i = 0; i < size; i++)
        data[i] = (uint8_t)(i * 31 >> 3);
    scratch_write(s, "from", bytes_of(data, size));
    AUTO_FD int from = openat(s->fd, "from", O_RDONLY | O_CLOEXEC);
    AUTO_FD int to = openat(s->fd, "to", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    AUTO_FD int short_of = openat(s->fd, "short", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    AUTO_FD int over = openat(s->fd, "over", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_ok(fd_copy(from, to, size, &e));
    assert_true(scratch_holds(s, "to", bytes_of(data, size)));
    assert_fails(fd_copy(from, short_of, size + 1, &e), ERR_IO);
    assert_fails(fd_copy(from, over, size - 1, &e), ERR_IO);
    /* Where the kernel copies nothing: into a pipe. */
    int pipes[2];
    assert_int_equal(pipe(pipes), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)close(pipes[0]);
        _exit(fd_copy(from, pipes[1], size, &e) == 0 ? 0 : 1);
    }
    (void)close(pipes[1]);
    struct source_file in;
    AUTO_DONE(buf) got = BUF_INIT(size);
    (void)source_file_init(&in, pipes[0]);
    in.at = -1;
    assert_ok(source_read_all(&in.base, &got, &e));
    assert_true(bytes_eq(buf_bytes(&got), bytes_of(data, size)));
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    (void)close(pipes[0]);
    free(data);
}

static void descriptor_sink(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    struct sink_fd f;
    AUTO_FD int fd = openat(s->fd, "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    struct sink *to = sink_fd_init(&f, fd);
    assert_ok(sink_write(to, BYTES_LIT("abc"), &e));
    assert_ok(sink_commit(to, &e));
    sink_abort(to);
    assert_true(fcntl(fd, F_GETFD) >= 0);
    assert_true(scratch_holds(s, "f", BYTES_LIT("abc")));
    assert_fails(sink_write(sink_fd_init(&f, -1), BYTES_LIT("x"), &e), ERR_IO);
    AUTO_FD int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
    assert_fails(sink_write(sink_fd_init(&f, full), BYTES_LIT("x"), &e), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        scratch_test(syncs),
        scratch_test(reads),
        scratch_test(refuses_what_is_no_file),
        scratch_test(pipes_are_inputs),
        scratch_test(source),
        scratch_test(changed_while_read),
        scratch_test(appears_at_commit),
        scratch_test(abort_leaves_nothing),
        scratch_test(existing),
        scratch_test(refuse_at_commit),
        scratch_test(never_replaces_what_is_no_file),
        scratch_test(replaces_links),
        scratch_test(bad_paths),
        scratch_test(no_room),
        scratch_test(keeps_descriptor),
        scratch_test(killed),
        scratch_test(folders),
        scratch_test(only_our_folders),
        scratch_test(locks),
        scratch_test(copies),
        scratch_test(descriptor_sink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
