/* SPDX-License-Identifier: Apache-2.0 */
/* What is done to names, and what the server's answers mean. */
#include "base/limits.h"
#include "base/text.h"
#include "net/sftp_wire.h"

#define ATTR_SIZE        0x1U
#define ATTR_OWNER       0x2U
#define ATTR_PERMISSIONS 0x4U
#define ATTR_TIMES       0x8U
#define ATTR_EXTENDED    0x80000000U

#define MODE_TYPE        0170000U
#define MODE_REGULAR     0100000U
#define MODE_FOLDER      0040000U
#define MODE_LINK        0120000U

static enum net_sftp_kind kind_of(uint32_t mode)
{
    switch (mode & MODE_TYPE) {
    case MODE_REGULAR: return NET_SFTP_REGULAR;
    case MODE_FOLDER: return NET_SFTP_FOLDER;
    case MODE_LINK: return NET_SFTP_LINK;
    default: return NET_SFTP_OTHER;
    }
}

static bool skip_extended(struct bytes *b)
{
    uint32_t count;
    struct bytes text;
    if (!net_sftp_take_u32(b, &count))
        return false;
    for (; count > 0; count--)
        if (!net_sftp_take_string(b, &text) || !net_sftp_take_string(b, &text))
            return false;
    return true;
}

/* draft-ietf-secsh-filexfer-02, section 5 */
bool net_sftp_take_attr(struct bytes *b, struct net_sftp_attr *ret)
{
    struct net_sftp_attr a = {.kind = NET_SFTP_OTHER, .size = UINT64_MAX};
    uint32_t flags, mode, other;
    if (!net_sftp_take_u32(b, &flags))
        return false;
    if ((flags & ATTR_SIZE) && !net_sftp_take_u64(b, &a.size))
        return false;
    if ((flags & ATTR_OWNER) && (!net_sftp_take_u32(b, &other) || !net_sftp_take_u32(b, &other)))
        return false;
    if (flags & ATTR_PERMISSIONS) {
        if (!net_sftp_take_u32(b, &mode))
            return false;
        a.kind = kind_of(mode);
        a.mode = mode & 07777U;
    }
    if ((flags & ATTR_TIMES) && (!net_sftp_take_u32(b, &other) || !net_sftp_take_u32(b, &a.mtime)))
        return false;
    if ((flags & ATTR_EXTENDED) && !skip_extended(b))
        return false;
    *ret = a;
    return true;
}

int net_sftp_nonsense(const char *what, struct err *e)
{
    char shown[256];
    return err_set(e, ERR_IO, "%s: an SFTP answer that makes no sense",
                   text_escape_str(what, shown, sizeof(shown)));
}

int net_sftp_status(const struct net_sftp_call *call, const char *what, uint32_t *ret_status, struct err *e)
{
    struct bytes body = call->body, words = BYTES_NONE;
    char shown[256], text[128];
    uint32_t status;
    if (call->type != SFTP_STATUS || !net_sftp_take_u32(&body, &status))
        return net_sftp_nonsense(what, e);
    if (ret_status)
        *ret_status = status;
    if (status == SFTP_OK)
        return 0;
    (void)text_escape_str(what, shown, sizeof(shown));
    if (!net_sftp_take_string(&body, &words) || words.len == 0)
        words = BYTES_LIT("the server refuses");
    (void)text_escape(words, text, sizeof(text));
    switch (status) {
    case SFTP_NO_SUCH_FILE: return err_set(e, ERR_NOTFOUND, "%s: not there", shown);
    case SFTP_PERMISSION_DENIED: return err_set(e, ERR_AUTH, "%s: permission denied", shown);
    case SFTP_NO_CONNECTION:
    case SFTP_CONNECTION_LOST: return err_set(e, ERR_NETWORK, "%s: %s", shown, text);
    case SFTP_OP_UNSUPPORTED: return err_set(e, ERR_UNSUPPORTED, "%s: %s", shown, text);
    default: return err_set(e, ERR_IO, "%s: %s", shown, text);
    }
}

int net_sftp_ask(struct net_sftp *s, uint8_t type, const struct buf *args, const char *what, uint8_t answer,
                 uint32_t *ret_status, struct net_sftp_call **ret, struct err *e)
{
    struct net_sftp_call *call;
    int r = net_sftp_begin(s, type, args, NULL, &call, e);
    if (r)
        return r;
    r = net_sftp_await(s, call, e);
    if (r == 0 && (call->type != answer || answer == SFTP_STATUS)) {
        r = net_sftp_status(call, what, ret_status, e);
        if (r == 0 && answer != SFTP_STATUS)
            r = net_sftp_nonsense(what, e);
    }
    if (r == 0 && ret)
        *ret = call;
    else
        net_sftp_drop(s, call);
    return r;
}

static int stat_locked(struct net_sftp *s, const char *path, bool follow, struct net_sftp_attr *ret,
                       struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    struct net_sftp_call *call;
    net_sftp_put_string(&args, bytes_str(path));
    int r = net_sftp_ask(s, follow ? SFTP_STAT : SFTP_LSTAT, &args, path, SFTP_ATTRS, NULL, &call, e);
    if (r)
        return r;
    struct bytes body = call->body;
    if (!net_sftp_take_attr(&body, ret))
        r = net_sftp_nonsense(path, e);
    net_sftp_drop(s, call);
    return r;
}

int net_sftp_stat(struct net_sftp *s, const char *path, bool follow, struct net_sftp_attr *ret, struct err *e)
{
    (void)pthread_mutex_lock(&s->lock);
    int r = stat_locked(s, path, follow, ret, e);
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}

bool net_sftp_exists(struct net_sftp *s, const char *path)
{
    struct net_sftp_attr attr;
    struct err ignored = ERR_INIT;
    return stat_locked(s, path, false, &attr, &ignored) == 0;
}

/* A request whose answer is no more than a status. */
static int order(struct net_sftp *s, uint8_t type, const struct buf *args, const char *what,
                 uint32_t *ret_status, struct err *e)
{
    (void)pthread_mutex_lock(&s->lock);
    int r = net_sftp_ask(s, type, args, what, SFTP_STATUS, ret_status, NULL, e);
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}

int net_sftp_mkdir(struct net_sftp *s, const char *path, uint32_t mode, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    uint32_t status = SFTP_OK;
    net_sftp_put_string(&args, bytes_str(path));
    net_sftp_put_u32(&args, ATTR_PERMISSIONS);
    net_sftp_put_u32(&args, mode);
    int r = order(s, SFTP_MKDIR, &args, path, &status, e);
    if (r == 0 || status != SFTP_FAILURE)
        return r;
    (void)pthread_mutex_lock(&s->lock);
    if (net_sftp_exists(s, path))
        r = err_recode(e, ERR_EXISTS);
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}

int net_sftp_rename(struct net_sftp *s, const char *from, const char *to, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    if (!s->can_rename)
        return err_set(e, ERR_UNSUPPORTED,
                       "the SFTP server cannot replace files in one step (posix-rename@openssh.com)");
    net_sftp_put_string(&args, BYTES_LIT("posix-rename@openssh.com"));
    net_sftp_put_string(&args, bytes_str(from));
    net_sftp_put_string(&args, bytes_str(to));
    return order(s, SFTP_EXTENDED, &args, to, NULL, e);
}

static int order_path(struct net_sftp *s, uint8_t type, const char *path, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    net_sftp_put_string(&args, bytes_str(path));
    return order(s, type, &args, path, NULL, e);
}

int net_sftp_unlink(struct net_sftp *s, const char *path, struct err *e)
{
    return order_path(s, SFTP_REMOVE, path, e);
}

int net_sftp_rmdir(struct net_sftp *s, const char *path, struct err *e)
{
    return order_path(s, SFTP_RMDIR, path, e);
}

/* Who looks at a folder. */
struct viewer {
    const char *path;
    int (*see)(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e);
    void *ctx;
};

static int see_entry(const struct viewer *v, struct bytes name, const struct net_sftp_attr *attr,
                     struct err *e)
{
    char text[256];
    if (bytes_eq_str(name, ".") || bytes_eq_str(name, ".."))
        return 0;
    if (name.len == 0 || name.len >= sizeof(text) || memchr(name.ptr, '/', name.len) ||
        memchr(name.ptr, '\0', name.len))
        return net_sftp_nonsense(v->path, e);
    memcpy(text, name.ptr, name.len);
    text[name.len] = '\0';
    return v->see(v->ctx, text, attr, e);
}

static int see_entries(const struct viewer *v, struct bytes body, struct err *e)
{
    uint32_t count;
    struct bytes name, line;
    struct net_sftp_attr attr;
    if (!net_sftp_take_u32(&body, &count) || count == 0)
        return net_sftp_nonsense(v->path, e);
    for (; count > 0; count--) {
        if (!net_sftp_take_string(&body, &name) || !net_sftp_take_string(&body, &line) ||
            !net_sftp_take_attr(&body, &attr))
            return net_sftp_nonsense(v->path, e);
        int r = see_entry(v, name, &attr, e);
        if (r)
            return r;
    }
    return 0;
}

/* args: the handle. */
static int list_read(struct net_sftp *s, const struct viewer *v, const struct buf *args, struct err *e)
{
    for (;;) {
        struct net_sftp_call *call;
        uint32_t status = SFTP_OK;
        struct err problem = ERR_INIT;
        int r = net_sftp_ask(s, SFTP_READDIR, args, v->path, SFTP_NAME, &status, &call, &problem);
        if (r && status == SFTP_EOF)
            return 0;
        if (r) {
            *e = problem;
            return r;
        }
        r = see_entries(v, call->body, e);
        net_sftp_drop(s, call);
        if (r)
            return r;
    }
}

static int list_locked(struct net_sftp *s, const struct viewer *v, struct err *e)
{
    AUTO_DONE(buf) args = BUF_INIT(LIMIT_SFTP_PACKET);
    struct net_sftp_call *call;
    struct bytes handle;
    net_sftp_put_string(&args, bytes_str(v->path));
    int r = net_sftp_ask(s, SFTP_OPENDIR, &args, v->path, SFTP_HANDLE, NULL, &call, e);
    if (r)
        return r;
    struct bytes body = call->body;
    buf_reset(&args);
    if (net_sftp_take_string(&body, &handle))
        net_sftp_put_string(&args, handle);
    else
        r = net_sftp_nonsense(v->path, e);
    net_sftp_drop(s, call);
    if (r)
        return r;
    r = list_read(s, v, &args, e);
    struct err ignored = ERR_INIT;
    if (net_sftp_begin(s, SFTP_CLOSE, &args, NULL, &call, &ignored) == 0)
        net_sftp_drop(s, call);
    return r;
}

int net_sftp_list(struct net_sftp *s, const char *path,
                  int (*see)(void *ctx, const char *name, const struct net_sftp_attr *attr, struct err *e),
                  void *ctx, struct err *e)
{
    const struct viewer v = {path, see, ctx};
    (void)pthread_mutex_lock(&s->lock);
    int r = list_locked(s, &v, e);
    (void)pthread_mutex_unlock(&s->lock);
    return r;
}
