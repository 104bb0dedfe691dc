/* SPDX-License-Identifier: Apache-2.0 */
/* Tars behind the caps: every member is read or passed over, as the first byte says. What was read once is
 * read again the same way, and what is in it can be written and read once more. */
#include "base/limits.h"
#include "base/plugin.h"
#include "oci/archive_ops.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The plugin is linked into this program. */
int plugin_load(const char *name, const void **ret_ops, struct err *e)
{
    (void)name, (void)e;
    *ret_ops = &oci_archive_plugin_ops;
    return 0;
}

static void use_member(const struct oci_member *m)
{
    size_t len = strlen(m->name);
    if (len > LIMIT_ARCHIVE_NAME || (len && (m->name[0] == '/' || m->name[len - 1] == '/')) ||
        strstr(m->name, "//"))
        abort();
    if (m->type != OCI_MEMBER_FILE && m->size != 0)
        abort();
    if ((m->target != NULL) != (m->type == OCI_MEMBER_SYMLINK || m->type == OCI_MEMBER_HARDLINK))
        abort();
}

/* Everything into `out`; stops at 4 MiB. */
static int read_all(struct bytes tar, unsigned choice, struct buf *out, struct err *e)
{
    static const enum oci_compression forms[] = {OCI_COMPRESSION_DETECT, OCI_COMPRESSION_NONE,
                                                 OCI_COMPRESSION_GZIP, OCI_COMPRESSION_ZSTD};
    struct source_bytes from;
    AUTO(oci_archive) a = NULL;
    struct oci_member m;
    bool more = true;
    int r = oci_archive_open(source_bytes_init(&from, tar), forms[choice % 4], &a, e);
    while (!r && !(r = oci_archive_next(a, &m, &more, e)) && more) {
        use_member(&m);
        size_t before = out->len;
        buf_printf(out, "%d %s %s ", (int)m.type, m.name, m.target ? m.target : "");
        size_t head = out->len - before;
        if (m.type != OCI_MEMBER_FILE || choice & 4)
            continue;
        r = source_read_all(oci_archive_read(a), out, e);
        if (!r && out->len - before - head != m.size)
            abort();
    }
    return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct bytes tar = bytes_of(data, size);
    uint8_t choice;
    if (!bytes_take_u8(&tar, &choice))
        return 0;
    struct err e = ERR_INIT;
    AUTO_DONE(buf) first = BUF_INIT(4U << 20);
    AUTO_DONE(buf) second = BUF_INIT(4U << 20);
    int r = read_all(tar, choice, &first, &e);
    if (r && !e.msg[0])
        abort();
    if (read_all(tar, choice, &second, &e) != r || !bytes_eq(buf_bytes(&first), buf_bytes(&second)))
        abort();
    return 0;
}
