/* SPDX-License-Identifier: Apache-2.0 */
/* Tars through the plugin: what is written is read and always the same; hostile ones are errors. */
#include "base/file.h"
#include "base/limits.h"
#include "base/plugin.h"
#include "oci/archive.h"
#include "tests/registry/fixture.h"
#include "tests/unit/unit.h"

static char plugins[PATH_MAX];

#define BLOCK 512U

/* A header as POSIX.1-1988 ustar has it. */
static void put_header(struct buf *out, const char *name, char type, uint64_t size, const char *target)
{
    uint8_t h[BLOCK] = {0};
    unsigned sum = 0;
    (void)snprintf((char *)h, 101, "%.100s", name);
    (void)snprintf((char *)h + 100, 8, "0000644");
    (void)snprintf((char *)h + 108, 8, "0000000");
    (void)snprintf((char *)h + 116, 8, "0000000");
    (void)snprintf((char *)h + 124, 12, "%011llo", (unsigned long long)size);
    (void)snprintf((char *)h + 136, 12, "%011o", 0U);
    (void)snprintf((char *)h + 157, 101, "%.100s", target);
    memset(h + 148, ' ', 8);
    h[156] = (uint8_t)type;
    memcpy(h + 257,
           "ustar\0"
           "00",
           8);
    for (size_t i = 0; i < BLOCK; i++)
        sum += h[i];
    (void)snprintf((char *)h + 148, 8, "%06o", sum);
    buf_append(out, h, BLOCK);
}

static void put_body(struct buf *out, struct bytes body)
{
    static const uint8_t zeros[BLOCK];
    buf_append_bytes(out, body);
    if (body.len % BLOCK)
        buf_append(out, zeros, BLOCK - body.len % BLOCK);
}

static void put_end(struct buf *out)
{
    static const uint8_t zeros[2 * BLOCK];
    buf_append(out, zeros, sizeof(zeros));
}

/* Reads all members; appends "TYPE NAME [-> TARGET] [CONTENT]\n" of each. */
static int list(struct oci_archive *a, struct buf *out, struct err *e)
{
    static const char *const types[] = {"file", "folder", "symlink", "hardlink", "other"};
    struct oci_member m;
    bool more = true;
    int r = 0;
    while (!r && !(r = oci_archive_next(a, &m, &more, e)) && more) {
        buf_printf(out, "%s %s", types[m.type], m.name);
        if (m.target)
            buf_printf(out, " -> %s", m.target);
        if (m.type == OCI_MEMBER_FILE) {
            AUTO_DONE(buf) body = BUF_INIT(1U << 20);
            r = source_read_all(oci_archive_read(a), &body, e);
            assert_true(r || body.len == m.size);
            buf_printf(out, " %.*s", BYTES_FMT(buf_bytes(&body)));
        }
        buf_append_str(out, "\n");
    }
    return r;
}

static int list_bytes(struct bytes tar, enum oci_compression c, struct buf *out, struct err *e)
{
    struct source_bytes from;
    AUTO(oci_archive) a = NULL;
    int r = oci_archive_open(source_bytes_init(&from, tar), c, &a, e);
    return r ? r : list(a, out, e);
}

/* Three members: an ordinary one, one with a name that ustar cannot say, a folder. */
static void write_sample(enum oci_compression c, struct buf *out)
{
    struct err e = ERR_INIT;
    struct sink_buf sink;
    struct source_bytes from;
    AUTO(oci_archive_out) a = NULL;
    assert_ok(oci_archive_write(sink_buf_init(&sink, out), c, &a, &e));
    assert_ok(
        oci_archive_add(a, "plugin.wasm", 5, source_bytes_init(&from, BYTES_LIT("hello and more")), &e));
    assert_ok(oci_archive_add(a, "d\xc3\xbc/na\xc3\xafve", 0, source_bytes_init(&from, BYTES_NONE), &e));
    assert_ok(oci_archive_add(a, "folder/", 0, NULL, &e));
    assert_ok(oci_archive_finish(a, &e));
}

static void round_trip(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    static const enum oci_compression all[] = {OCI_COMPRESSION_NONE, OCI_COMPRESSION_GZIP};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        AUTO_DONE(buf) tar = BUF_INIT(1U << 20);
        AUTO_DONE(buf) again = BUF_INIT(1U << 20);
        AUTO_DONE(buf) seen = BUF_INIT(4096);
        write_sample(all[i], &tar);
        write_sample(all[i], &again);
        assert_true(bytes_eq(buf_bytes(&tar), buf_bytes(&again)));
        assert_ok(list_bytes(buf_bytes(&tar), all[i], &seen, &e));
        assert_ok(list_bytes(buf_bytes(&tar), OCI_COMPRESSION_DETECT, &seen, &e));
        assert_string_equal(buf_cstr(&seen),
                            "file plugin.wasm hello\nfile d\xc3\xbc/na\xc3\xafve \nfolder folder\n"
                            "file plugin.wasm hello\nfile d\xc3\xbc/na\xc3\xafve \nfolder folder\n");
        buf_reset(&seen);
        assert_fails(list_bytes(buf_bytes(&tar), all[!i], &seen, &e), ERR_FORMAT);
        assert_fails(list_bytes(buf_bytes(&tar), OCI_COMPRESSION_ZSTD, &seen, &e), ERR_FORMAT);
    }
}

/* The plain form is fixed to the byte: header, content, two blocks of zeros. */
static void plain_bytes(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) tar = BUF_INIT(1U << 20);
    struct sink_buf sink;
    struct source_bytes from;
    struct digest d;
    char text[DIGEST_STR_MAX];
    AUTO(oci_archive_out) a = NULL;
    assert_ok(oci_archive_write(sink_buf_init(&sink, &tar), OCI_COMPRESSION_NONE, &a, &e));
    assert_ok(oci_archive_add(a, "hello.wasm", 5, source_bytes_init(&from, BYTES_LIT("hello")), &e));
    assert_ok(oci_archive_finish(a, &e));
    assert_int_equal(tar.len, 4 * BLOCK);
    assert_ok(hash_bytes(HASH_SHA256, buf_bytes(&tar), &d, &e));
    assert_string_equal(digest_str(&d, text),
                        "sha256:6a2fce7b9352b27565416b17700b70e5a042b0641e65cc4b5e35d20bde59214a");
}

static void from_descriptor(void **state)
{
    const struct scratch *s = *state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) tar = BUF_INIT(1U << 20);
    put_header(&tar, "./a//b", '0', 700, "");
    uint8_t body[700];
    memset(body, 'x', sizeof(body));
    put_body(&tar, BYTES_ARR(body));
    put_header(&tar, "/abs/../c", '0', 3, "");
    put_body(&tar, BYTES_LIT("ccc"));
    put_end(&tar);
    scratch_write(s, "t.tar", buf_bytes(&tar));
    AUTO_FD int fd = openat(s->fd, "t.tar", O_RDONLY | O_CLOEXEC);
    AUTO(oci_archive) a = NULL;
    struct oci_member m;
    bool more;
    char got[4] = "";
    assert_ok(oci_archive_open_fd(fd, OCI_COMPRESSION_DETECT, &a, &e));
    assert_ok(oci_archive_next(a, &m, &more, &e));
    assert_string_equal(m.name, "a/b");
    assert_int_equal(m.offset, BLOCK);
    assert_ok(oci_archive_next(a, &m, &more, &e)); /* passed over without reading it */
    assert_string_equal(m.name, "abs/../c");
    assert_int_equal(m.size, 3);
    assert_int_equal(pread(fd, got, 3, (off_t)m.offset), 3);
    assert_string_equal(got, "ccc");
    assert_ok(oci_archive_next(a, &m, &more, &e));
    assert_false(more);
}

static void types(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) tar = BUF_INIT(1U << 20);
    AUTO_DONE(buf) seen = BUF_INIT(4096);
    put_header(&tar, "s", '2', 0, "/etc/passwd");
    put_header(&tar, "h", '1', 0, "../x");
    put_header(&tar, "c", '3', 0, "");
    put_header(&tar, "p", '6', 0, "");
    put_header(&tar, "d", '5', 0, "");
    put_header(&tar, "f", '0', 2, "");
    put_body(&tar, BYTES_LIT("ff"));
    put_end(&tar);
    assert_ok(list_bytes(buf_bytes(&tar), OCI_COMPRESSION_NONE, &seen, &e));
    assert_string_equal(
        buf_cstr(&seen),
        "symlink s -> /etc/passwd\nhardlink h -> ../x\nother c\nother p\nfolder d\nfile f ff\n");
}

/* However a tar is cut or changed: an error or a shorter list, and nothing else. */
static void damaged(void **state)
{
    (void)state;
    static const enum oci_compression all[] = {OCI_COMPRESSION_NONE, OCI_COMPRESSION_GZIP};
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        struct err e = ERR_INIT;
        AUTO_DONE(buf) tar = BUF_INIT(1U << 20);
        AUTO_DONE(buf) seen = BUF_INIT(1U << 20);
        write_sample(all[i], &tar);
        for (size_t n = 0; n < tar.len; n += 7) {
            buf_reset(&seen);
            int r = list_bytes(bytes_of(tar.ptr, n), all[i], &seen, &e);
            assert_true(r == ERR_FORMAT || (r == 0 && n >= BLOCK + 5));
        }
        for (size_t n = 0; n < 8 * tar.len; n += 5) {
            buf_reset(&seen);
            tar.ptr[n / 8] ^= (uint8_t)(1U << n % 8);
            int r = list_bytes(buf_bytes(&tar), OCI_COMPRESSION_DETECT, &seen, &e);
            assert_true(r == 0 || r == ERR_FORMAT || r == ERR_LIMIT);
            tar.ptr[n / 8] ^= (uint8_t)(1U << n % 8);
        }
    }
    struct err e = ERR_INIT;
    AUTO_DONE(buf) none = BUF_INIT(16);
    assert_fails(list_bytes(BYTES_NONE, OCI_COMPRESSION_DETECT, &none, &e), ERR_FORMAT);
    assert_fails(list_bytes(BYTES_LIT("\0asm\1\0\0\0"), OCI_COMPRESSION_DETECT, &none, &e), ERR_FORMAT);
}

static void compressed_twice(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) inner = BUF_INIT(1U << 20);
    AUTO_DONE(buf) seen = BUF_INIT(4096);
    write_sample(OCI_COMPRESSION_GZIP, &inner);
    /* gzip of gzip, in stored blocks of deflate */
    AUTO_DONE(buf) outer = BUF_INIT(1U << 20);
    buf_append(&outer, "\x1f\x8b\x08\0\0\0\0\0\0\xff\x01", 11);
    buf_append_u8(&outer, (uint8_t)inner.len);
    buf_append_u8(&outer, (uint8_t)(inner.len >> 8));
    buf_append_u8(&outer, (uint8_t)~inner.len);
    buf_append_u8(&outer, (uint8_t)(~inner.len >> 8));
    buf_append_bytes(&outer, buf_bytes(&inner));
    buf_append(&outer, "\0\0\0\0\0\0\0", 8);
    assert_fails(list_bytes(buf_bytes(&outer), OCI_COMPRESSION_DETECT, &seen, &e), ERR_FORMAT);
    assert_non_null(strstr(e.msg, "more than once"));
}

static void long_names(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    static const size_t lengths[] = {99, 101, 4000, 5000};
    for (size_t i = 0; i < ARRAY_LEN(lengths); i++) {
        AUTO_DONE(buf) tar = BUF_INIT(1U << 20);
        AUTO_DONE(buf) seen = BUF_INIT(1U << 20);
        AUTO_FREE char *name = calloc(1, lengths[i] + 1);
        assert_non_null(name);
        memset(name, 'n', lengths[i]);
        put_header(&tar, "././@LongLink", 'L', lengths[i] + 1, "");
        put_body(&tar, bytes_of(name, lengths[i] + 1));
        put_header(&tar, "short", '0', 0, "");
        put_end(&tar);
        assert_fails(list_bytes(buf_bytes(&tar), OCI_COMPRESSION_NONE, &seen, &e),
                     lengths[i] > 4096 ? ERR_LIMIT : 0);
    }
}

/* A source of zeros without an end in sight, and a sink that only counts. */
static int zeros_read(struct source *s, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    (void)s, (void)e;
    memset(buf, 0, cap);
    *ret_n = cap;
    return 0;
}

static void bomb(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) tar = BUF_INIT(16U << 20);
    struct sink_buf sink;
    struct source zeros = {.read = zeros_read};
    struct source_bytes from;
    AUTO(oci_archive_out) out = NULL;
    AUTO(oci_archive) a = NULL;
    struct oci_member m;
    bool more;
    assert_ok(oci_archive_write(sink_buf_init(&sink, &tar), OCI_COMPRESSION_GZIP, &out, &e));
    assert_ok(oci_archive_add(out, "zeros", LIMIT_MODULE + (16U << 20), &zeros, &e));
    assert_ok(oci_archive_finish(out, &e));
    assert_ok(oci_archive_open(source_bytes_init(&from, buf_bytes(&tar)), OCI_COMPRESSION_GZIP, &a, &e));
    assert_ok(oci_archive_next(a, &m, &more, &e));
    assert_int_equal(m.size, LIMIT_MODULE + (16U << 20));
    assert_fails(oci_archive_next(a, &m, &more, &e), ERR_LIMIT); /* also when the member is not wanted */
    assert_non_null(strstr(e.msg, "times its size"));
}

static int fails_read(struct source *s, void *buf, size_t cap, size_t *ret_n, struct err *e)
{
    (void)s, (void)buf, (void)cap, (void)ret_n;
    return err_set(e, ERR_NETWORK, "cut off");
}

static int fails_write(struct sink *s, struct bytes data, struct err *e)
{
    (void)s, (void)data;
    return err_set(e, ERR_IO, "disk full");
}

/* A failure of the stream below keeps its code and words. */
static void failing_streams(void **state)
{
    (void)state;
    struct err e = ERR_INIT;
    struct source bad = {.read = fails_read};
    struct sink full = {.write = fails_write};
    struct source_bytes few;
    struct oci_archive *a = NULL;
    AUTO(oci_archive_out) out = NULL;
    int r = oci_archive_open(&bad, OCI_COMPRESSION_DETECT, &a, &e);
    assert_fails(r, ERR_NETWORK);
    assert_string_equal(e.msg, "cut off");
    assert_ok(oci_archive_write(&full, OCI_COMPRESSION_NONE, &out, &e));
    assert_fails(oci_archive_add(out, "x", 4, source_bytes_init(&few, BYTES_LIT("abc")), &e), ERR_FORMAT);
    struct source zeros = {.read = zeros_read};
    AUTO(oci_archive_out) large = NULL;
    assert_ok(oci_archive_write(&full, OCI_COMPRESSION_NONE, &large, &e));
    assert_fails(oci_archive_add(large, "x", 1U << 20, &zeros, &e), ERR_IO);
    assert_string_equal(e.msg, "disk full");
}

static int group_setup(void **state)
{
    (void)state;
    if (!fixture_plugins(plugins))
        return -1;
    plugin_set_folder(plugins);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(round_trip), cmocka_unit_test(plain_bytes), scratch_test(from_descriptor),
        cmocka_unit_test(types),      cmocka_unit_test(damaged),     cmocka_unit_test(compressed_twice),
        cmocka_unit_test(long_names), cmocka_unit_test(bomb),        cmocka_unit_test(failing_streams),
    };
    return cmocka_run_group_tests(tests, group_setup, NULL);
}
