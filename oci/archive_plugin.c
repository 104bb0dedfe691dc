/* SPDX-License-Identifier: Apache-2.0 */
/* The one symbol of the shared object "archive". */
#include "base/plugin.h"
#include "oci/archive_ops.h"

const struct oci_archive_ops oci_archive_plugin_ops = {
    .open = oci_archive_reader_open,
    .close = oci_archive_reader_close,
    .next = oci_archive_reader_next,
    .read = oci_archive_reader_read,
    .write = oci_archive_writer_open,
    .add = oci_archive_writer_add,
    .finish = oci_archive_writer_finish,
    .out_close = oci_archive_writer_close,
};

PLUGIN_DEFINE("archive", &oci_archive_plugin_ops);
