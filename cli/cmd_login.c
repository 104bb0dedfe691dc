/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/log.h"
#include "cli/conf.h"
#include "cli/prompt.h"
#include "cli/ui.h"
#include "oci/login.h"
#include "oci/memo.h"

struct login_options {
    bool identity_token_stdin, json;
};

static const struct opt options[] = {
    {"identity-token-stdin", 0, OPT_FLAG, false, offsetof(struct login_options, identity_token_stdin), NULL,
     "read an identity token from the first line of\nstandard input", NULL},
    CMD_JSON(struct login_options),
};

/* Moves what was given into *ret and asks for what is missing. */
static int complete(struct credentials *c, const struct cmd_network *network, bool token_stdin,
                    struct oci_cred *ret, struct err *e)
{
    int r = 0;
    if (token_stdin && (network->password_stdin || network->username))
        return err_set(e, ERR_USAGE, "--identity-token-stdin contradicts --username and --password-stdin");
    if (token_stdin)
        return credentials_line(&ret->identity_token, e);
    if (c->identity_token) {
        ret->identity_token = TAKE(c->identity_token);
        return 0;
    }
    ret->user = TAKE(c->user);
    ret->password = TAKE(c->password);
    if (!ret->user)
        r = prompt_line("User name: ", true, &ret->user, e);
    if (r == 0 && strchr(ret->user, ':'))
        return err_set(e, ERR_USAGE, "a user name cannot hold a colon");
    if (r == 0 && !ret->password)
        r = prompt_line("Password: ", false, &ret->password, e);
    return r;
}

/* The credentials themselves, and nothing that was remembered of the registry. */
static int check(const struct conf *conf, const struct cmd_network *network, const char *host,
                 const struct oci_cred *cred, struct err *e)
{
    const struct oci_cred_conf only = {
        .user = cred->user, .password = cred->password, .identity_token = cred->identity_token};
    const struct flow_conf flow = conf_flow(conf, network, NULL);
    struct oci_endpoint_conf endpoint = flow.endpoint;
    bool asked = false;
    endpoint.credentials = &only;
    endpoint.memo_dir = NULL;
    int r = oci_login_check(&endpoint, host, &asked, e);
    if (r == 0 && !asked)
        log_warn("%s did not ask for credentials, so these are not checked", host);
    return r;
}

static int print(const struct login_options *o, const char *host, const struct oci_cred *cred,
                 const struct oci_login_place *place, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.login/1");
        jout_string(&w, "registry", host);
        jout_string(&w, "username", cred->user);
        jout_string(&w, "helper", place->helper);
        jout_string(&w, "file", place->path);
        ui_json_end(&w);
    } else {
        buf_append_str(&out, "Logged in to ");
        ui_text_str(&out, host);
        buf_append_str(&out, "\n");
    }
    return ui_print(&out, e);
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct login_options *o = call->options;
    call->subject = call->operands[0];
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(oci_cred) cred = OCI_CRED_INIT;
    AUTO_DONE(oci_login_place) place = {NULL, NULL};
    AUTO_FREE char *host = NULL;
    int r = oci_login_host(call->operands[0], &host, e);
    if (r == 0)
        r = conf_load_login(&conf, call->network, e);
    if (r == 0)
        r = complete(&conf.credentials, call->network, o->identity_token_stdin, &cred, e);
    if (r == 0)
        r = check(&conf, call->network, host, &cred, e);
    if (r == 0)
        r = oci_login_store(&conf.credentials.conf, host, &cred, &place, e);
    if (r)
        return r;
    oci_memo_clear(conf.memo_dir, "token");
    return print(o, host, &cred, &place, e);
}

const struct cmd cmd_login = {
    .name = "login",
    .operands = "HOST[:PORT]",
    .summary = "keep credentials for a registry",
    .about = "Checks a user name and a password, or an identity token, at the registry and\n"
             "keeps them: with the credential helper that podman's or docker's\n"
             "configuration names, else in the first of their files that is there. What\n"
             "is not given is asked for on the terminal.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct login_options),
    .min_operands = 1,
    .max_operands = 1,
    .network = true,
    .run = run,
};
