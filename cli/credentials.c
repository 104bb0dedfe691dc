/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/credentials.h"

#include "base/file.h"
#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>

static const char *env(const char *name)
{
    const char *value = getenv(name);
    return value && *value ? value : NULL;
}

static const char *env_path(const char *name)
{
    const char *value = getenv(name);
    return value && *value == '/' ? value : NULL;
}

int credentials_line(char **ret, struct err *e)
{
    AUTO_DONE(buf) line = BUF_SECRET_INIT(LIMIT_TOKEN);
    for (;;) {
        char c;
        ssize_t n = read(STDIN_FILENO, &c, 1); /* one by one: what follows is somebody else's */
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_set_errno(e, ERR_USAGE, errno, "standard input");
        if (n == 0 || c == '\n')
            break;
        if (c == '\0')
            return err_set(e, ERR_USAGE, "standard input: its first line is no text");
        buf_append_u8(&line, (uint8_t)c);
        if (line.failed)
            return err_set(e, ERR_USAGE, "standard input: its first line is too long");
    }
    while (line.len && line.ptr[line.len - 1] == '\r')
        line.ptr[--line.len] = '\0';
    if (line.len == 0)
        return err_set(e, ERR_USAGE, "standard input: its first line is empty");
    *ret = buf_take_str(&line);
    return *ret ? 0 : err_nomem(e);
}

static int copy(const char *text, char **ret, struct err *e)
{
    if (text && !(*ret = strdup(text)))
        return err_nomem(e);
    return 0;
}

/* The command line counts before the environment. */
static int load_given(struct credentials *c, const struct cmd_network *network, bool environment,
                      struct err *e)
{
    const char *user = network->username, *password = NULL, *token = NULL;
    if (environment) {
        user = user ? user : env("WAYBILL_USERNAME");
        /* Alone it may be that of a key: cli/password.h. */
        password = network->password_stdin || !user ? NULL : env("WAYBILL_PASSWORD");
        token = env("WAYBILL_IDENTITY_TOKEN");
    }
    if (token && (network->username || network->password_stdin))
        token = NULL;
    if (token && (user || password))
        return err_set(e, ERR_CONFIG,
                       "WAYBILL_IDENTITY_TOKEN contradicts WAYBILL_USERNAME and WAYBILL_PASSWORD");
    int r = copy(user, &c->user, e);
    if (r == 0)
        r = copy(password, &c->password, e);
    if (r == 0)
        r = copy(token, &c->identity_token, e);
    return r;
}

static int check_given(const struct credentials *c, const struct cmd_network *network, struct err *e)
{
    const bool flags = network->username || network->password_stdin;
    const enum err_code code = flags ? ERR_USAGE : ERR_CONFIG;
    if (c->user && strchr(c->user, ':'))
        return err_set(e, code, "a user name cannot hold a colon");
    if (c->user && !c->password)
        return err_set(e, code, "there is a user name without a password: %s",
                       flags ? "--password-stdin reads one" : "WAYBILL_PASSWORD holds one");
    if (c->password && !c->user)
        return err_set(e, code, "there is a password without a user name: %s",
                       flags ? "--username names one" : "WAYBILL_USERNAME names one");
    return 0;
}

/* The next source; its file need not be there. */
static int add_file(struct credentials *c, bool podman, bool chosen, bool must, const char *dir,
                    const char *rest, struct err *e)
{
    size_t i = c->conf.n_sources;
    if (asprintf(&c->paths[i], "%s%s", dir, rest) < 0) {
        c->paths[i] = NULL;
        return err_nomem(e);
    }
    c->texts[i] = (struct buf)BUF_SECRET_INIT(LIMIT_AUTH_FILE);
    c->conf.n_sources++;
    int r = file_read(AT_FDCWD, c->paths[i], false, &c->texts[i], e);
    if (r == ERR_NOTFOUND && !must)
        r = 0;
    if (r)
        return r == ERR_NOMEM ? r : err_recode(e, ERR_CONFIG);
    c->sources[i] = (struct oci_cred_source){
        .path = c->paths[i], .text = buf_bytes(&c->texts[i]), .podman = podman, .chosen = chosen};
    return 0;
}

static int add_podman(struct credentials *c, const char *home, bool must, struct err *e)
{
    const char *named = env("REGISTRY_AUTH_FILE"), *run = env_path("XDG_RUNTIME_DIR"),
               *config = env_path("XDG_CONFIG_HOME");
    if (named)
        return add_file(c, true, true, must, named, "", e);
    int r = run ? add_file(c, true, false, false, run, "/containers/auth.json", e) : 0;
    if (r == 0 && config)
        r = add_file(c, true, false, false, config, "/containers/auth.json", e);
    else if (r == 0 && home)
        r = add_file(c, true, false, false, home, "/.config/containers/auth.json", e);
    return r;
}

static int add_docker(struct credentials *c, const char *home, struct err *e)
{
    const char *docker = env("DOCKER_CONFIG"), *text = env("DOCKER_AUTH_CONFIG");
    int r = 0;
    if (docker)
        r = add_file(c, false, false, false, docker, "/config.json", e);
    else if (home)
        r = add_file(c, false, false, false, home, "/.docker/config.json", e);
    if (r || !text)
        return r;
    c->sources[c->conf.n_sources++] =
        (struct oci_cred_source){.path = "DOCKER_AUTH_CONFIG", .text = bytes_str(text), .fixed = true};
    return 0;
}

static int load_files(struct credentials *c, const struct cmd_network *network, bool must, struct err *e)
{
    const char *home = env_path("HOME");
    if (network->auth_file)
        return add_file(c, false, true, must, network->auth_file, "", e);
    int r = add_podman(c, home, must, e);
    return r ? r : add_docker(c, home, e);
}

int credentials_load(struct credentials *c, const struct cmd_network *network, enum credentials_want want,
                     struct err *e)
{
    *c = (struct credentials){.conf = {.user = NULL}};
    const bool alone = network->auth_file && want != CREDENTIALS_LOGIN; /* a login puts them there */
    if (alone && (network->username || network->password_stdin))
        return err_set(e, ERR_USAGE, "--auth-file contradicts --username and --password-stdin");
    int r = 0;
    if (want != CREDENTIALS_NONE)
        r = load_given(c, network, !alone, e);
    (void)unsetenv("WAYBILL_PASSWORD"); /* not for helpers and guests */
    (void)unsetenv("WAYBILL_IDENTITY_TOKEN");
    if (r == 0 && network->password_stdin)
        r = credentials_line(&c->password, e);
    if (r == 0 && want == CREDENTIALS_USE)
        r = check_given(c, network, e);
    if (r == 0 && want != CREDENTIALS_NONE)
        r = load_files(c, network, want == CREDENTIALS_USE, e);
    c->conf.user = c->user;
    c->conf.password = c->password;
    c->conf.identity_token = c->identity_token;
    c->conf.sources = c->sources;
    c->conf.helper = (struct oci_helper_conf){.path = getenv("PATH"), .environment = environ};
    return r;
}

void credentials_done(struct credentials *c)
{
    for (size_t i = 0; i < ARRAY_LEN(c->paths); i++) {
        free(TAKE(c->paths[i]));
        buf_done(&c->texts[i]);
    }
    oci_secret_free(TAKE(c->user));
    oci_secret_free(TAKE(c->password));
    oci_secret_free(TAKE(c->identity_token));
}
