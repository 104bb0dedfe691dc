/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/agent.h"

#include "sign/agent.h"

#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>

#define PREFIX "agent:"

bool agent_names(const char *text)
{
    return strncmp(text, PREFIX, strlen(PREFIX)) == 0;
}

static const char *socket_path(void)
{
    const char *path = getenv("SSH_AUTH_SOCK");
    return path && *path ? path : NULL;
}

static int agent_open(struct sign_agent **ret, struct err *e)
{
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    const char *path = socket_path();
    if (!path)
        return err_set(e, ERR_USAGE, "there is no ssh-agent (SSH_AUTH_SOCK is not set)");
    if (strlen(path) >= sizeof(to.sun_path))
        return err_set(e, ERR_USAGE, "SSH_AUTH_SOCK is longer than the name of a socket can be");
    memcpy(to.sun_path, path, strlen(path));
    /* An agent that takes no more connections is not waited for. */
    AUTO_FD int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof(to)) < 0) {
        if (errno == EAGAIN)
            return err_set(e, ERR_TIMEOUT, "ssh-agent does not answer: %s", path);
        (void)err_set_errno(e, ERR_IO, errno, "ssh-agent: %s", path);
        return err_recode(e, ERR_IO); /* an agent that is gone is no file that is missing */
    }
    return sign_agent_new(TAKE_FD(fd), 0, ret, e);
}

int agent_find(const char *text, struct sign_key **ret, struct err *e)
{
    struct sign_agent *a = NULL;
    int r = agent_open(&a, e);
    return r ? r : sign_agent_find(a, text + strlen(PREFIX), text, ret, e);
}

int agent_key(const struct sign_key *public_key, struct sign_key **ret, struct err *e)
{
    struct sign_agent *a = NULL;
    const char *name = sign_key_name(public_key);
    if (!socket_path())
        return err_set(e, ERR_USAGE,
                       "%s is a public key, signing takes the private one (and there is no ssh-agent)", name);
    int r = agent_open(&a, e);
    return r ? r : sign_agent_key(a, public_key, name, ret, e);
}
