/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tar archives: ustar, pax and GNU, plain or compressed with gzip or zstd. Read member by member and never
 * unpacked; written reproducibly. The library behind it is in the plugin "archive", loaded with the first
 * archive that is opened.
 */
#ifndef WAYBILL_OCI_ARCHIVE_H
#define WAYBILL_OCI_ARCHIVE_H

#include "base/io.h"

enum oci_compression {
    OCI_COMPRESSION_DETECT,
    OCI_COMPRESSION_NONE,
    OCI_COMPRESSION_GZIP,
    OCI_COMPRESSION_ZSTD
};

enum oci_member_type {
    OCI_MEMBER_FILE,
    OCI_MEMBER_FOLDER,
    OCI_MEMBER_SYMLINK,
    OCI_MEMBER_HARDLINK,
    OCI_MEMBER_OTHER, /* a device, a FIFO, a file with holes: never readable */
};

/* One member; strings are borrowed until the next call on the archive. */
struct oci_member {
    const char *name; /* UTF-8 or whatever bytes the archive has; without "./", "//" and "/" at its ends; ".."
                         stays */
    const char *target; /* of a link, as it is written; else NULL */
    enum oci_member_type type;
    uint64_t size;   /* of a file */
    uint64_t offset; /* of a file's first byte in the tar: where to pread it when the tar is not compressed */
};

#define OCI_MEMBER_NO_OFFSET UINT64_MAX

struct oci_archive;     /* one that is read */
struct oci_archive_out; /* one that is written */

/* oci_archive_open - reads a tar from a stream, borrowed until oci_archive_close, or (open_fd) from an open
 * regular file, which is passed over with seeks where it is not compressed; the descriptor stays the
 * caller's. compression: what it must be, or OCI_COMPRESSION_DETECT. One layer of it: a gzip in a gzip is
 * ERR_FORMAT. ERR_FORMAT: no tar, or compressed in another way; ERR_CONFIG: the plugin cannot be loaded; what
 * the stream says. Thread: as plugin_load. */
MUST_CHECK int oci_archive_open(struct source *from, enum oci_compression compression,
                                struct oci_archive **ret, struct err *e);
MUST_CHECK int oci_archive_open_fd(int fd, enum oci_compression compression, struct oci_archive **ret,
                                   struct err *e);
void oci_archive_close(struct oci_archive *a); /* takes NULL */
DEFINE_AUTO(oci_archive, oci_archive_close);

/* oci_archive_next - the next member, whether or not the one before was read. *ret_more: false at the end,
 * and *ret untouched. ERR_FORMAT: damaged, truncated; ERR_LIMIT: more than LIMIT_ARCHIVE_MEMBERS, a name over
 * LIMIT_ARCHIVE_NAME, or a compressed one over LIMIT_ARCHIVE_UNPACKED or LIMIT_ARCHIVE_RATIO. */
MUST_CHECK int oci_archive_next(struct oci_archive *a, struct oci_member *ret, bool *ret_more, struct err *e);

/* oci_archive_read - the bytes of the current member, exactly its size of them; once. Borrowed from the
 * archive, until the next call on it; nothing to close. Errors as of oci_archive_next. The member must be a
 * file. */
struct source *oci_archive_read(struct oci_archive *a);

/* oci_archive_write - starts a tar: the same members in the same order give the same bytes on any day and
 * machine (ustar, pax where that cannot say it; no owner, no time, mode 0644; gzip without name and time, as
 * the system's zlib compresses). compression: NONE or GZIP. to: borrowed until oci_archive_out_close. */
MUST_CHECK int oci_archive_write(struct sink *to, enum oci_compression compression,
                                 struct oci_archive_out **ret, struct err *e);

/* oci_archive_add - a regular file of exactly size bytes (ERR_FORMAT when `from` has fewer; of more, the rest
 * is not read); a folder when from is NULL. */
MUST_CHECK int oci_archive_add(struct oci_archive_out *a, const char *name, uint64_t size,
                               struct source *from, struct err *e);

/* oci_archive_finish - writes the end of the archive; committing the sink is the caller's. */
MUST_CHECK int oci_archive_finish(struct oci_archive_out *a, struct err *e);
void oci_archive_out_close(struct oci_archive_out *a); /* takes NULL; finished or not */
DEFINE_AUTO(oci_archive_out, oci_archive_out_close);

#endif
