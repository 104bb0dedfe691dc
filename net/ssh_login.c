/* SPDX-License-Identifier: Apache-2.0 */
/* Who the server is, by known_hosts, and who we are, by public keys. Nothing is ever asked or written down.
 */
#include "base/buf.h"
#include "base/file.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "net/ssh_thread.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#define KNOWN_HOSTS_WORD "@revoked"

/* "ED25519 key SHA256:..." */
static int key_describe(ssh_key key, char *out, size_t size, struct err *e)
{
    unsigned char *hash = NULL;
    size_t n = 0;
    if (ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &n) != 0)
        return err_nomem(e);
    char *shown = ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, n);
    ssh_clean_pubkey_hash(&hash);
    if (!shown)
        return err_nomem(e);
    const char *type = ssh_key_type_to_char(ssh_key_type(key));
    (void)snprintf(out, size, "key %s (%s)", shown, type ? type : "unknown");
    ssh_string_free_char(shown);
    return 0;
}

/* Whether a line "@revoked HOSTS TYPE KEY" of the file names the key, for whatever hosts: libssh passes over
 * such lines. */
static bool line_revokes(const char *line, const char *key)
{
    if (strncmp(line, KNOWN_HOSTS_WORD, strlen(KNOWN_HOSTS_WORD)) != 0)
        return false;
    const char *at = strstr(line, key);
    return at && at[-1] == ' ' && (at[strlen(key)] == '\0' || strchr(" \t\r", at[strlen(key)]));
}

static int revoked(const char *path, const char *key, bool *ret, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(LIMIT_KNOWN_HOSTS);
    struct err problem = ERR_INIT;
    int r = file_read(AT_FDCWD, path, false, &text, &problem);
    if (r && r != ERR_NOTFOUND) {
        *e = problem;
        return err_recode(e, ERR_CONFIG);
    }
    if (!text.ptr)
        return 0;
    char *rest = (char *)text.ptr;
    for (char *line; !*ret && (line = strsep(&rest, "\n"));)
        *ret = line_revokes(line, key);
    return 0;
}

/* In any of the two files. */
static int revoked_check(ssh_session session, ssh_key key, struct err *e)
{
    static const enum ssh_options_e files[] = {SSH_OPTIONS_KNOWNHOSTS, SSH_OPTIONS_GLOBAL_KNOWNHOSTS};
    char *text = NULL, shown[128];
    bool bad = false;
    if (ssh_pki_export_pubkey_base64(key, &text) != SSH_OK)
        return err_nomem(e);
    int r = 0;
    for (size_t i = 0; r == 0 && !bad && i < ARRAY_LEN(files); i++) {
        char *path = NULL;
        if (ssh_options_get(session, files[i], &path) != SSH_OK)
            continue;
        r = revoked(path, text, &bad, e);
        if (r == 0 && bad && (r = key_describe(key, shown, sizeof(shown), e)) == 0)
            r = err_set(e, ERR_NETWORK, "SSH: the server's %s is revoked in %s", shown, path);
        ssh_string_free_char(path);
    }
    ssh_string_free_char(text);
    return r;
}

static int host_refuse(ssh_session session, ssh_key key, enum ssh_known_hosts_e state, struct err *e)
{
    char shown[128], file[300], *path = NULL;
    int r = key_describe(key, shown, sizeof(shown), e);
    if (r)
        return r;
    (void)ssh_options_get(session, SSH_OPTIONS_KNOWNHOSTS, &path);
    (void)text_escape_str(path ? path : "known_hosts", file, sizeof(file));
    ssh_string_free_char(path);
    if (state == SSH_KNOWN_HOSTS_CHANGED || state == SSH_KNOWN_HOSTS_OTHER)
        return err_set(
            e, ERR_NETWORK,
            "SSH: the server's %s is not the one in %s: somebody may be in the way, or it was replaced",
            shown, file);
    if (state == SSH_KNOWN_HOSTS_ERROR)
        return err_set(e, ERR_CONFIG, "SSH: %s cannot be read", file);
    return err_set(e, ERR_NETWORK, "SSH: the server is not known: its %s is not in %s", shown, file);
}

static int host_check(ssh_session session, struct err *e)
{
    ssh_key key = NULL;
    if (ssh_get_server_publickey(session, &key) != SSH_OK)
        return err_set(e, ERR_NETWORK, "SSH: the server has no key");
    enum ssh_known_hosts_e state = ssh_session_is_known_server(session);
    int r =
        state == SSH_KNOWN_HOSTS_OK ? revoked_check(session, key, e) : host_refuse(session, key, state, e);
    ssh_key_free(key);
    return r;
}

/* What came of the keys so far. */
struct login {
    ssh_session session;
    struct buf tried; /* for the message */
    bool in;
};

/* A passphrase would have to be asked for. */
static int on_passphrase(const char *prompt, char *buf, size_t len, int echo, int verify, void *userdata)
{
    (void)prompt, (void)buf, (void)len, (void)echo, (void)verify;
    *(bool *)userdata = true;
    return -1;
}

static void note(struct login *l, const char *what, const char *more)
{
    buf_printf(&l->tried, "%s%s%s", l->tried.len ? ", " : "", what, more);
}

/* What an attempt came to: 0 go on (perhaps we are in), or the end. */
static int judge(struct login *l, int rc, struct err *e)
{
    char words[256];
    l->in = rc == SSH_AUTH_SUCCESS;
    if (rc == SSH_AUTH_PARTIAL)
        return err_set(e, ERR_AUTH, "SSH: the server wants more than a key");
    if (!l->in && !ssh_is_connected(l->session))
        return err_set(e, ERR_AUTH, "SSH: the server hung up while keys were tried (%s): %s",
                       buf_cstr(&l->tried), net_ssh_words(l->session, words, sizeof(words)));
    return 0;
}

static int try_file(struct login *l, const char *path, struct err *e)
{
    struct stat st;
    ssh_key key = NULL;
    bool locked = false;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode))
        return 0;
    if (st.st_uid == geteuid() && (st.st_mode & 077)) {
        note(l, path, " (others may read it: not used)");
        return 0;
    }
    if (ssh_pki_import_privkey_file(path, NULL, on_passphrase, &locked, &key) != SSH_OK) {
        note(l, path, locked ? " (encrypted: only by way of ssh-agent)" : " (not a private key)");
        return 0;
    }
    note(l, path, "");
    int rc = ssh_userauth_publickey(l->session, NULL, key);
    ssh_key_free(key);
    return judge(l, rc, e);
}

static int try_files(struct login *l, const struct net_ssh_conf *conf, struct err *e)
{
    static const char *const names[] = {"id_ed25519", "id_ecdsa", "id_rsa"};
    char *first = NULL;
    int r = 0;
    if (ssh_options_get(l->session, SSH_OPTIONS_IDENTITY, &first) == SSH_OK)
        r = try_file(l, first, e);
    for (size_t i = 0; r == 0 && !l->in && conf->env.dir && i < ARRAY_LEN(names); i++) {
        AUTO_DONE(buf) path = BUF_INIT(8192);
        buf_printf(&path, "%s/%s", conf->env.dir, names[i]);
        r = buf_check(&path, e);
        if (r == 0 && (!first || strcmp(first, buf_cstr(&path)) != 0))
            r = try_file(l, buf_cstr(&path), e);
    }
    ssh_string_free_char(first);
    return r;
}

int net_ssh_login(ssh_session session, const struct net_ssh_conf *conf, struct err *e)
{
    struct login l = {.session = session, .tried = BUF_INIT(16384)};
    char shown[300];
    int r = host_check(session, e);
    if (r)
        return r;
    int rc = ssh_userauth_none(session, NULL);
    r = judge(&l, rc, e);
    if (r == 0 && !l.in) {
        rc = ssh_userauth_agent(session, NULL);
        /* no agent, or one without keys, is denied without words */
        note(&l, conf->env.agent ? "agent" : "no agent", "");
        r = judge(&l, rc, e);
    }
    if (r == 0 && !l.in)
        r = try_files(&l, conf, e);
    if (r == 0 && !l.in)
        r = err_set(e, ERR_AUTH, "SSH: the server takes none of our keys (%s)",
                    text_escape_str(buf_cstr(&l.tried), shown, sizeof(shown)));
    buf_done(&l.tried);
    return r;
}
