/* SPDX-License-Identifier: Apache-2.0 */
/* One pass over a wasm binary for all formats that stand inside files: its sections, the hashes that an
 * embedded signature should list, and what the sections that bear signatures hold. */
#ifndef WAYBILL_SIGN_SCAN_H
#define WAYBILL_SIGN_SCAN_H

#include "base/limits.h"
#include "base/wbin.h"

enum sign_role {
    SIGN_ROLE_CONTENT,
    SIGN_ROLE_SIGNATURE, /* custom section "signature" */
    SIGN_ROLE_DELIMITER, /* "signature_delimiter" */
    SIGN_ROLE_CLAIMS,    /* "wasmcloud_jwt", or "jwt" as older tools named it */
};

/* A section at the top of the file. */
struct sign_section {
    uint8_t id;
    enum sign_role role;
    uint64_t offset;                 /* of the id byte */
    uint32_t header_size;            /* bytes of id and length */
    uint32_t size;                   /* bytes behind these */
    uint32_t name_at, name_len;      /* in sign_scan.names: see sign_section_name */
    uint32_t part;                   /* how many delimiters stand before it */
    bool covered;                    /* by a good signature */
    uint8_t sha256[HASH_SHA256_LEN]; /* of the whole section, from its id on; set with SIGN_SCAN_SECTIONS */
};

enum sign_scan_flag {
    SIGN_SCAN_SECTIONS = 1, /* hash each section for itself */
    SIGN_SCAN_SIGNED = 2,   /* hash for an embedded signature also where the file has none */
    SIGN_SCAN_DETACHED =
        4, /* the same, and the signature stands elsewhere: a section of it does not belong */
};

struct sign_scan {
    const struct source_opener *from; /* borrowed: gives the bytes again */
    unsigned flags;
    enum wbin_kind kind;
    struct digest file; /* SHA-256 of all bytes, malformed or not */
    uint64_t size;      /* of the file */
    struct err broken;  /* code 0, or what makes the binary malformed: then the table ends there */

    struct sign_section *sections;
    size_t n_sections, room;
    struct buf names;

    /* The embedded signature. */
    bool has_signature;  /* section 0 is a signature section, whole */
    bool misplaced;      /* a signature section anywhere else: broken says where */
    struct buf payload;  /* of the signature section */
    uint64_t signed_at;  /* offset of the first signed byte: behind the preamble and the signature section */
    struct digest total; /* SHA-256 of all signed bytes, also of a malformed binary */
    /* SHA-256 of the signed bytes up to the end of each delimiter section, and up to the end of the file when
     * something stands behind the last delimiter; n_hashes counts on where there is no more room. */
    uint8_t hashes[LIMIT_SIG_HASHES][HASH_SHA256_LEN];
    size_t n_hashes;

    /* Claims. */
    size_t n_claims;     /* sections with that role */
    size_t claims_at;    /* the first one: its place in the table */
    bool claims_too_big; /* it is larger than LIMIT_CLAIMS */
    struct buf claims;   /* its payload */
};

#define SIGN_SCAN_INIT   \
    {                    \
        .sections = NULL \
    }

/* sign_scan_run - reads the stream to its end. flags: enum sign_scan_flag. ret: sign_scan_done by the caller,
 * also after a failure. Returns non-zero only when the stream failed or memory ran out; a malformed binary is
 * ret->broken. */
MUST_CHECK int sign_scan_run(const struct source_opener *from, unsigned flags, struct sign_scan *ret,
                             struct err *e);
void sign_scan_done(struct sign_scan *s);

/* sign_scan_hashes - the list, one hash behind the other; empty when it is longer than a signature may be, or
 * was not asked for. */
struct bytes sign_scan_hashes(const struct sign_scan *s);

/* sign_section_name - of a custom section, else empty; borrowed from the scan. */
struct bytes sign_section_name(const struct sign_scan *s, size_t i);

/* sign_name_is_claims - whether the bytes of a name are those of a section for claims. */
bool sign_name_is_claims(struct bytes name);

/* sign_scan_cover - marks the sections first..end-1 but `but` (SIZE_MAX: none) as covered, and says so:
 * "sections 0-11". Returns out. */
char *sign_scan_cover(struct sign_scan *s, size_t first, size_t end, size_t but, char *out, size_t size);

/* sign_scan_part_end - where part n (from 0) ends: the number of sections up to and with its delimiter. */
size_t sign_scan_part_end(const struct sign_scan *s, size_t part);

#endif
