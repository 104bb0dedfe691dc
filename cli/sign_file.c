/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/sign_file.h"

#include "base/file.h"
#include "cli/conf.h"
#include "cli/keys.h"
#include "cli/password.h"
#include "sign/claims.h"
#include "sign/content.h"
#include "sign/embedded.h"
#include "sign/embedded_parts.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A file that is read more than once. */
struct input {
    int fd;
    struct opener_file opener;
    struct source_opener from;
};

static void input_done(struct input *i)
{
    if (i->fd >= 0)
        (void)close(i->fd);
}

static int input_open(struct input *i, const char *path, struct err *e)
{
    int r = file_open_read(AT_FDCWD, path, false, &i->fd, e);
    return r ? r : opener_file_init(&i->opener, i->fd, &i->from, e);
}

static int write_signed(const struct sign_format *format, const struct source_opener *from,
                        const struct sign_file_order *order, const char *path, struct err *e)
{
    struct sink_file to;
    int r = sink_file_init(&to, AT_FDCWD, path, 0666, FILE_REPLACE, e);
    if (r)
        return r;
    r = format->sign(from, order, &to.base, e);
    if (!r)
        r = sink_commit(&to.base, e);
    sink_abort(&to.base);
    return r;
}

static int write_copy(const struct source_opener *from, const char *path, struct err *e)
{
    struct sink_file to;
    struct source *in;
    int r = sink_file_init(&to, AT_FDCWD, path, 0666, FILE_REPLACE, e);
    if (r)
        return r;
    r = from->open(from->ctx, &in, e);
    if (!r) {
        r = stream_copy(in, &to.base, NULL, e);
        source_close(in);
    }
    if (!r)
        r = sink_commit(&to.base, e);
    sink_abort(&to.base);
    return r;
}

/* The signature beside the file; one that is there gets one more. */
static int write_detached(const struct source_opener *from, const struct sign_key *key, const char *path,
                          struct err *e)
{
    AUTO_DONE(buf) old = BUF_INIT(LIMIT_SIG_SECTION);
    AUTO_DONE(buf) made = BUF_INIT(LIMIT_SIG_SECTION);
    struct err why = ERR_INIT;
    int r = file_read(AT_FDCWD, path, false, &old, &why);
    if (r && r != ERR_NOTFOUND) {
        *e = why;
        return r;
    }
    r = sign_embedded_detached(from, key, buf_bytes(&old), &made, e);
    return r ? r : file_write(AT_FDCWD, path, buf_bytes(&made), 0666, FILE_REPLACE, e);
}

static int run_embedded(const struct source_opener *file, const struct sign_key *key,
                        const struct sign_file_options *o, struct err *e)
{
    AUTO_DONE(sign_split) split = {.n = 0};
    struct source_opener from = *file;
    const struct sign_file_order order = {.key = key};
    int r = o->split ? sign_split_init(&split, file, o->split, &from, e) : 0;
    if (r)
        return r;
    if (!o->detached)
        return write_signed(&sign_embedded, &from, &order, o->output, e);
    /* With new delimiters the file is another; it comes first, so that a signature has its file. */
    r = o->split ? write_copy(&from, o->output, e) : 0;
    return r ? r : write_detached(&from, key, o->detached, e);
}

static int run_claims(const struct source_opener *from, const struct sign_key *key,
                      const struct sign_file_options *o, struct err *e)
{
    AUTO(sign_key) subject = NULL;
    AUTO_DONE(password) password = PASSWORD_INIT(o->password_fd, o->subject_key);
    const struct sign_password source = password_source(&password);
    int64_t now;
    int r = conf_now(&now, e);
    if (!r && o->subject_key)
        r = keys_read_with(o->subject_key, &source, &subject, NULL, NULL, e);
    if (r)
        return r;
    const struct sign_claims claims = {
        .name = o->name,
        .version = o->version,
        .call_alias = o->call_alias,
        .revision = o->revision ? (int64_t)(o->revision > INT64_MAX ? INT64_MAX : o->revision) : -1,
        .tags = o->tags.items,
        .n_tags = o->tags.n,
        .capabilities = o->capabilities.items,
        .n_capabilities = o->capabilities.n,
        .issued_at = now,
        .not_before = o->not_before ? now + (int64_t)(o->not_before / 1000) : 0,
        .expires_at = o->expires ? now + (int64_t)(o->expires / 1000) : 0,
    };
    const struct sign_file_order order = {.key = key, .subject = subject, .claims = &claims};
    return write_signed(&sign_claims_jwt, from, &order, o->output, e);
}

/* A signature over the whole file, whatever it is, that always lies beside it. */
static int run_beside(const struct sign_format *format, const struct source_opener *from,
                      const struct sign_key *key, const struct sign_file_options *o, struct err *e)
{
    AUTO_DONE(sign_content) content = {.size = 0};
    AUTO_DONE(sign_product) made = {.media_type = NULL};
    struct source *in;
    int64_t now;
    int r = conf_now(&now, e);
    if (!r)
        r = from->open(from->ctx, &in, e);
    if (r)
        return r;
    r = sign_content_read(in, false, &content, e);
    source_close(in);
    if (r)
        return r;
    const struct sign_subject subject = sign_content_subject(&content);
    const struct sign_order order = {.subject = &subject,
                                     .key = key,
                                     .now = now,
                                     .expires_at = o->expires ? now + (int64_t)(o->expires / 1000) : 0};
    r = format->make(&order, &made, e);
    return r ? r : file_write(AT_FDCWD, o->detached, buf_bytes(&made.blob), 0666, FILE_REPLACE, e);
}

/* The same for such formats alone. */
static int check_beside(const struct sign_file_options *o, struct err *e)
{
    struct sign_file_options others = *o;
    others.detached = NULL;
    if (sign_file_any(&others))
        return err_set(e, ERR_USAGE, "%s is not for signatures that lie beside the file",
                       sign_file_any(&others));
    return o->detached ? 0 : err_set(e, ERR_USAGE, "--detached SIG is missing: where to write the signature");
}

static int check_options(const struct sign_file_options *o, bool claims, struct err *e)
{
    bool states = o->subject_key || o->name || o->version || o->call_alias || o->tags.n ||
                  o->capabilities.n || o->revision || o->expires || o->not_before;
    if (states && !claims)
        return err_set(e, ERR_USAGE, "what a module is to state goes into claims: --format claims");
    if (claims && (o->split || o->detached))
        return err_set(e, ERR_USAGE, "claims stand in the file, whole: no --split and no --detached");
    if (o->detached && !o->split && o->output)
        return err_set(e, ERR_USAGE, "a detached signature leaves the file as it is: no -o without --split");
    if (!o->output && (!o->detached || o->split))
        return err_set(e, ERR_USAGE, "-o OUT is missing: where to write the signed file");
    return 0;
}

int sign_file_run(const char *path, const char *format, const struct sign_key *key,
                  const struct sign_file_options *o, struct sign_file_result *ret, struct err *e)
{
    const struct sign_format *how = format ? sign_format_find(format) : &sign_embedded;
    const bool beside = how && how->is_file && how->make;
    if (!how || !(how->sign || beside))
        return err_set(e, ERR_USAGE, "'%s' is no format for signing files: embedded, claims, ssh", format);
    bool claims = how == &sign_claims_jwt;
    AUTO_DONE(input) in = {.fd = -1};
    int r = beside ? check_beside(o, e) : check_options(o, claims, e);
    if (!r)
        r = input_open(&in, path, e);
    if (!r)
        r = beside   ? run_beside(how, &in.from, key, o, e)
            : claims ? run_claims(&in.from, key, o, e)
                     : run_embedded(&in.from, key, o, e);
    if (!r)
        *ret = (struct sign_file_result){how->name, o->output, o->detached};
    return r;
}

const char *sign_file_any(const struct sign_file_options *o)
{
    const struct {
        const char *name;
        bool given;
    } all[] = {
        {"--output", o->output},
        {"--split", o->split},
        {"--detached", o->detached},
        {"--subject-key", o->subject_key},
        {"--name", o->name},
        {"--ver", o->version},
        {"--rev", o->revision},
        {"--call-alias", o->call_alias},
        {"--tag", o->tags.n},
        {"--cap", o->capabilities.n},
        {"--not-before", o->not_before},
    };
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].given)
            return all[i].name;
    return NULL;
}

int sign_file_signature(const char *path, struct buf *out, struct err *e)
{
    *out = (struct buf)BUF_INIT(LIMIT_SIG_SECTION);
    int r = file_read_input(AT_FDCWD, path, out, e);
    if (!r && out->len == 0)
        r = err_set(e, ERR_FORMAT, "the file is empty");
    return r == ERR_FORMAT || r == ERR_LIMIT ? err_wrap(e, "%s", path) : r;
}

/* The signature first: when it is there, nothing is lost by the file without it taking the place of the
 * other. */
static int detach_to(struct input *in, struct sink *to, const char *signature, struct err *e)
{
    AUTO_DONE(buf) payload = BUF_INIT(LIMIT_SIG_SECTION);
    int r = sign_embedded_detach(&in->from, &payload, to, e);
    if (!r)
        r = file_write(AT_FDCWD, signature, buf_bytes(&payload), 0666, FILE_REPLACE, e);
    return r ? r : sink_commit(to, e);
}

int sign_file_detach(const char *path, const char *output, const char *signature, struct err *e)
{
    AUTO_DONE(input) in = {.fd = -1};
    struct sink_file to;
    if (strcmp(output, signature) == 0)
        return err_set(e, ERR_USAGE, "the signature and the file cannot both be %s", output);
    int r = input_open(&in, path, e);
    if (!r)
        r = sink_file_init(&to, AT_FDCWD, output, 0666, FILE_REPLACE, e);
    if (r)
        return r;
    r = detach_to(&in, &to.base, signature, e);
    sink_abort(&to.base);
    return r;
}

int sign_file_attach(const char *path, const char *signature, const char *output, struct err *e)
{
    AUTO_DONE(buf) payload = BUF_INIT(0);
    AUTO_DONE(input) in = {.fd = -1};
    struct sink_file to;
    int r = sign_file_signature(signature, &payload, e);
    if (!r)
        r = input_open(&in, path, e);
    if (!r)
        r = sink_file_init(&to, AT_FDCWD, output, 0666, FILE_REPLACE, e);
    if (r)
        return r;
    r = sign_embedded_attach(&in.from, buf_bytes(&payload), &to.base, e);
    if (!r)
        r = sink_commit(&to.base, e);
    sink_abort(&to.base);
    return r;
}
