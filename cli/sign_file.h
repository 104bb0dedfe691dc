/* SPDX-License-Identifier: Apache-2.0 */
/* `waybill sign` on files: signatures that stand in them or, detached, beside them. */
#ifndef WAYBILL_CLI_SIGN_FILE_H
#define WAYBILL_CLI_SIGN_FILE_H

#include "cli/opt.h"
#include "sign/format.h"

/* The options for files; absent ones are NULL or 0. */
struct sign_file_options {
    const char *output;
    /* embedded */
    const char *split, *detached;
    /* claims */
    const char *subject_key, *name, *version, *call_alias;
    const char *password_fd; /* of the subject's key: what --password-fd says; it has no row here */
    struct opt_list tags, capabilities;
    uint64_t revision;            /* 0: none */
    uint64_t expires, not_before; /* in milliseconds from now */
};

/* The rows for a verb's option table; `type` is its struct and has a struct sign_file_options `file`. */
#define SIGN_FILE_ROW(type, member) offsetof(type, file) + offsetof(struct sign_file_options, member)
#define SIGN_FILE_OPTIONS(type)                                                                               \
    {"output",                                                                                                \
     'o',                                                                                                     \
     OPT_STRING,                                                                                              \
     false,                                                                                                   \
     SIGN_FILE_ROW(type, output),                                                                             \
     "OUT",                                                                                                   \
     "files: where to write the signed file; FILE itself is\nfine",                                           \
     NULL},                                                                                                   \
        {"split",                                                                                             \
         0,                                                                                                   \
         OPT_STRING,                                                                                          \
         false,                                                                                               \
         SIGN_FILE_ROW(type, split),                                                                          \
         "REGEX",                                                                                             \
         "embedded: put delimiters around the custom sections\nwhose names match",                            \
         NULL},                                                                                               \
        {"detached",                                                                                          \
         0,                                                                                                   \
         OPT_STRING,                                                                                          \
         false,                                                                                               \
         SIGN_FILE_ROW(type, detached),                                                                       \
         "SIG",                                                                                               \
         "embedded, ssh: write the signature to a file of\nits own",                                          \
         NULL},                                                                                               \
        {"subject-key",                                                                                       \
         0,                                                                                                   \
         OPT_STRING,                                                                                          \
         false,                                                                                               \
         SIGN_FILE_ROW(type, subject_key),                                                                    \
         "KEY",                                                                                               \
         "claims: the module's own key; may be encrypted",                                                    \
         NULL},                                                                                               \
        {"name", 0, OPT_STRING, false, SIGN_FILE_ROW(type, name), "TEXT", "claims: the module's name", NULL}, \
        {"ver", 0, OPT_STRING, false, SIGN_FILE_ROW(type, version), "TEXT", "claims: its version", NULL},     \
        {"rev",                                                                                               \
         0,                                                                                                   \
         OPT_COUNT,                                                                                           \
         false,                                                                                               \
         SIGN_FILE_ROW(type, revision),                                                                       \
         "N",                                                                                                 \
         "claims: its revision, which grows with each release",                                               \
         NULL},                                                                                               \
        {"call-alias",                                                                                        \
         0,                                                                                                   \
         OPT_STRING,                                                                                          \
         false,                                                                                               \
         SIGN_FILE_ROW(type, call_alias),                                                                     \
         "TEXT",                                                                                              \
         "claims: another name to call it by",                                                                \
         NULL},                                                                                               \
        {"tag", 0, OPT_LIST, false, SIGN_FILE_ROW(type, tags), "TEXT", "claims: a tag; may be repeated",      \
         NULL},                                                                                               \
        {"cap",                                                                                               \
         0,                                                                                                   \
         OPT_LIST,                                                                                            \
         false,                                                                                               \
         SIGN_FILE_ROW(type, capabilities),                                                                   \
         "NAME",                                                                                              \
         "claims: a capability that it may use; may be repeated",                                             \
         NULL},                                                                                               \
        {"expires",                                                                                           \
         0,                                                                                                   \
         OPT_DURATION,                                                                                        \
         false,                                                                                               \
         SIGN_FILE_ROW(type, expires),                                                                        \
         "TIME",                                                                                              \
         "how long it holds, where the format knows that: 30d",                                               \
         NULL},                                                                                               \
    {                                                                                                         \
        "not-before", 0, OPT_DURATION, false, SIGN_FILE_ROW(type, not_before), "TIME",                        \
            "claims: how long until they hold", NULL                                                          \
    }

/* What was made, for those who print it. */
struct sign_file_result {
    const char *format;
    const char *output;   /* the file, or NULL */
    const char *detached; /* the signature's own file, or NULL */
};

/* sign_file_run - signs the file. format: "embedded", "claims", "ssh", or NULL for the first. key: private.
 * ERR_USAGE: options that do not go together. */
MUST_CHECK int sign_file_run(const char *path, const char *format, const struct sign_key *key,
                             const struct sign_file_options *o, struct sign_file_result *ret, struct err *e);

/* sign_file_any - the name of an option that is for files alone and was given, or NULL. --expires is not. */
const char *sign_file_any(const struct sign_file_options *o);

/* sign_file_detach - moves the embedded signature of the file out: the file without it to `output`, which may
 * be the same, the signature to `signature`. ERR_UNSIGNED, ERR_FORMAT, ERR_USAGE. */
MUST_CHECK int sign_file_detach(const char *path, const char *output, const char *signature, struct err *e);

/* sign_file_attach - puts it in. ERR_FORMAT: also a file that has one; ERR_DIGEST: it is for other content.
 */
MUST_CHECK int sign_file_attach(const char *path, const char *signature, const char *output, struct err *e);

/* sign_file_signature - appends a signature that stands beside its file. ERR_NOTFOUND, ERR_LIMIT, ERR_FORMAT:
 * it is empty. */
MUST_CHECK int sign_file_signature(const char *path, struct buf *out, struct err *e);

#endif
