/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/embedded.h"

#include "sign/embedded_scan.h"
#include "sign/embedded_wire.h"

static int embedded_list(struct source *from, struct buf *out, struct err *e)
{
    AUTO_DONE(sign_scan) scan;
    struct sign_wire wire;
    struct sign_wire_set set;
    struct sign_wire_record rec;
    int r = sign_scan_run(from, &scan, e);
    if (r)
        return r;
    if (scan.broken.code)
        return err_set(e, ERR_FORMAT, "%s", scan.broken.msg);
    if (!scan.has_signature)
        return 0;
    r = sign_wire_open(buf_bytes(&scan.payload), &wire, e);
    while (!r && sign_wire_take_set(&wire, &set))
        while (sign_wire_take_record(&set, &rec)) {
            buf_append_str(out, "key id ");
            for (size_t i = 0; i < rec.key_id.len; i++)
                buf_printf(out, "%02x", rec.key_id.ptr[i]);
            if (rec.key_id.len == 0)
                buf_append_str(out, "none");
            if (rec.alg == SIGN_WIRE_ED25519)
                buf_append_str(out, ", ed25519");
            else
                buf_printf(out, ", algorithm 0x%02x", rec.alg);
            buf_printf(out, ", %u hash%s\n", set.n_hashes, set.n_hashes == 1 ? "" : "es");
        }
    return r ? r : buf_check(out, e);
}

const struct sign_format sign_embedded = {
    .name = SIGN_EMBEDDED_NAME,
    .sign = sign_embedded_sign,
    .verify = sign_embedded_verify,
    .list = embedded_list,
};
