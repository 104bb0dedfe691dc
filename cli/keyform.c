/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/keyform.h"

#include "base/file.h"
#include "cli/ui.h"

#include <fcntl.h>

#define NKEYS(name_, letter)                                        \
    {                                                               \
        (name_), &sign_keyfile_nkeys, &sign_keyfile_nkeys, (letter) \
    }

/* The order is that of keyform_names. */
const struct keyform keyforms[] = {
    {"pem", &sign_keyfile_pkcs8, &sign_keyfile_spki, 0},
    {"pkcs8", &sign_keyfile_pkcs8, NULL, 0},
    {"spki", NULL, &sign_keyfile_spki, 0},
    {"cosign", &sign_keyfile_cosign, &sign_keyfile_spki, 0},
    {"wasmsign2", &sign_keyfile_wasmsign2, &sign_keyfile_wasmsign2, 0},
    {"openssh", &sign_keyfile_openssh, &sign_keyfile_openssh_public, 0},
    {"openssh-public", NULL, &sign_keyfile_openssh_public, 0},
    {"nkeys", &sign_keyfile_nkeys, &sign_keyfile_nkeys, 0},
    NKEYS("nkeys-account", 'A'),
    NKEYS("nkeys-module", 'M'),
    NKEYS("nkeys-service", 'V'),
    NKEYS("nkeys-user", 'U'),
    NKEYS("nkeys-operator", 'O'),
    NKEYS("nkeys-server", 'N'),
    NKEYS("nkeys-cluster", 'C'),
};

const char *const keyform_names[] = {"pem",
                                     "pkcs8",
                                     "spki",
                                     "cosign",
                                     "wasmsign2",
                                     "openssh",
                                     "openssh-public",
                                     "nkeys",
                                     "nkeys-account",
                                     "nkeys-module",
                                     "nkeys-service",
                                     "nkeys-user",
                                     "nkeys-operator",
                                     "nkeys-server",
                                     "nkeys-cluster",
                                     NULL};

_Static_assert(ARRAY_LEN(keyforms) + 1 == ARRAY_LEN(keyform_names), "one name for each form");

const struct keyform *keyform_find(const char *name)
{
    size_t i = 0;
    while (i + 1 < ARRAY_LEN(keyforms) && strcmp(keyforms[i].name, name) != 0)
        i++;
    return &keyforms[i];
}

static int to_stdout(struct bytes content, struct err *e)
{
    AUTO_DONE(buf) out = BUF_SECRET_INIT(UI_OUT_MAX);
    buf_append_bytes(&out, content);
    return ui_print(&out, e);
}

int keyform_write(const char *path, bool private, struct bytes content, struct err *e)
{
    struct sink_file file;
    if (strcmp(path, "-") == 0)
        return to_stdout(content, e);
    int r = sink_file_init(&file, AT_FDCWD, path, private ? 0600 : 0644, FILE_REFUSE, e);
    if (r)
        return r;
    if (!(r = sink_write(&file.base, content, e)))
        r = sink_commit(&file.base, e);
    sink_abort(&file.base);
    return r;
}

int keyform_write_pair(const char *private_path, struct bytes private, const char *public_path,
                       struct bytes public, struct err *e)
{
    struct sink_file key, pub;
    int r = sink_file_init(&key, AT_FDCWD, private_path, 0600, FILE_REFUSE, e);
    if (r)
        return r;
    r = sink_file_init(&pub, AT_FDCWD, public_path, 0644, FILE_REFUSE, e);
    if (!r) {
        if (!(r = sink_write(&key.base, private, e)) && !(r = sink_write(&pub.base, public, e)) &&
            !(r = sink_commit(&key.base, e)) && (r = sink_commit(&pub.base, e)))
            (void)unlink(private_path);
        sink_abort(&pub.base);
    }
    sink_abort(&key.base);
    return r;
}
