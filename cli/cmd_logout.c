/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/ui.h"
#include "oci/login.h"
#include "oci/memo.h"

struct logout_options {
    const char *auth_file;
    bool json;
};

static const struct opt options[] = {
    {"auth-file", 0, OPT_STRING, false, offsetof(struct logout_options, auth_file), "FILE",
     "remove them from this file alone", NULL},
    CMD_JSON(struct logout_options),
};

struct removal {
    struct buf *out;
    struct jout *w; /* NULL: as text */
};

static void removed(void *ctx, const struct oci_login_place *place)
{
    struct removal *m = ctx;
    if (m->w) {
        jout_object(m->w, NULL);
        jout_string(m->w, "helper", place->helper);
        jout_string(m->w, "file", place->path);
        jout_object_end(m->w);
        return;
    }
    buf_append_str(m->out, "Removed from ");
    if (place->helper)
        buf_append_str(m->out, "the credential helper ");
    ui_text_str(m->out, place->helper ? place->helper : place->path);
    buf_append_str(m->out, "\n");
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct logout_options *o = call->options;
    const struct cmd_network network = {.auth_file = o->auth_file};
    call->subject = call->operands[0];
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    AUTO_FREE char *host = NULL;
    struct jout w;
    struct removal removal = {.out = &out};
    int r = oci_login_host(call->operands[0], &host, e);
    if (r == 0)
        r = conf_load_login(&conf, &network, e);
    if (r)
        return r;
    if (o->json) {
        w = ui_json_begin(&out, "waybill.logout/1");
        jout_string(&w, "registry", host);
        jout_array(&w, "removed");
        removal.w = &w;
    }
    r = oci_login_erase(&conf.credentials.conf, host, removed, &removal, e);
    oci_memo_clear(conf.memo_dir, "token");
    if (r)
        return r;
    if (o->json) {
        jout_array_end(&w);
        ui_json_end(&w);
    }
    return ui_print(&out, e);
}

const struct cmd cmd_logout = {
    .name = "logout",
    .operands = "HOST[:PORT]",
    .summary = "remove the credentials for a registry",
    .about = "Removes what is kept for the registry from podman's and docker's files and\n"
             "from the credential helpers that these name. Entries for a part of the\n"
             "registry, HOST/PATH, stay.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct logout_options),
    .min_operands = 1,
    .max_operands = 1,
    .run = run,
};
