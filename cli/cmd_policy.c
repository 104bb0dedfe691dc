/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/file.h"
#include "base/limits.h"
#include "cli/conf.h"
#include "cli/conf_policy.h"
#include "cli/ui.h"
#include "flow/trust.h"

#include <fcntl.h>
#include <stdio.h>

struct policy_options {
    const char *policy, *from;
    bool json;
};

static const struct opt options[] = {
    {"policy", 0, OPT_STRING, false, offsetof(struct policy_options, policy), "FILE",
     "explain: by this policy, not the one in force", NULL},
    {"from", 0, OPT_STRING, false, offsetof(struct policy_options, from), "TOOL",
     "import: whose it is: containers, notation or cosign", NULL},
    CMD_JSON(struct policy_options),
};

/* The starting file: what it says counts, and what is commented out can be taken in by hand. */
static const char start_text[] =
    "# The trust policy of waybill: policy.toml, see waybill-policy(1).\n"
    "# `waybill policy check` says what is wrong with it, `waybill policy explain REF` which rule counts.\n"
    "version = 1\n"
    "\n"
    "# Where no scope says anything. The other value is \"insecure-accept-anything\".\n"
    "default = \"reject\"\n"
    "\n"
    "# Manifests and modules that are never taken, whoever signed them.\n"
    "# deny = [\"sha256:...\"]\n"
    "\n"
    "# Public keys, by names of your choice. Files are looked for beside this one.\n"
    "# [keys.release]\n"
    "# file = \"release.pub\"\n"
    "# [keys.ci]\n"
    "# file = \"ci.pub\"\n"
    "\n"
    "# What is demanded of a place. The longest scope counts, alone: nothing is inherited.\n"
    "# [scopes.\"registry.example.com/team\"]\n"
    "# keys = [\"release\", \"ci\"]\n"
    "# threshold = 2\n"
    "# max_age = \"90d\"\n"
    "\n"
    "# [[scopes.\"registry.example.com/team\".attestation]]\n"
    "# type = \"slsaprovenance1\"\n"
    "# keys = [\"ci\"]\n"
    "# conditions = [\n"
    "#   { name = \"builder\", pointer = \"/predicate/runDetails/builder/id\", equals = "
    "\"https://ci.example.com\" },\n"
    "# ]\n"
    "\n"
    "# Files on this machine.\n"
    "# [scopes.\"file:\"]\n"
    "# keys = [\"release\"]\n"
    "# embedded = \"required\"\n";

static int load(const char *asked, char **ret_path, struct flow_trust **ret, struct err *e)
{
    struct flow_trust_conf conf = {.policy = NULL};
    int r = conf_policy_find(asked, ret_path, e);
    if (r)
        return r;
    if (!*ret_path)
        return err_set(e, ERR_CONFIG,
                       "there is no policy: name one, or write one with 'waybill policy init'");
    conf.policy = *ret_path;
    return flow_trust_load(&conf, ret, e);
}

static void check_json(struct buf *out, const char *path, const struct sign_policy *p,
                       const struct buf *warnings, const struct err *failure)
{
    struct jout w = ui_json_begin(out, "waybill.policy/1");
    jout_string(&w, "action", "check");
    jout_string(&w, "policy", path);
    jout_bool(&w, "good", p != NULL);
    jout_string(&w, "error", p ? NULL : failure->msg);
    jout_uint(&w, "scopes", p ? sign_policy_n_rules(p) : 0);
    jout_array(&w, "warnings");
    struct bytes rest = buf_bytes(warnings);
    while (rest.len) {
        struct bytes line;
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        (void)bytes_take(&rest, end ? (size_t)(end - rest.ptr) : rest.len, &line);
        jout_bytes(&w, NULL, line);
        if (rest.len)
            (void)bytes_take(&rest, 1, &line);
    }
    jout_array_end(&w);
    ui_json_end(&w);
}

static void check_text(struct buf *out, const char *path, const struct sign_policy *p,
                       const struct buf *warnings)
{
    struct bytes rest = buf_bytes(warnings);
    while (rest.len) {
        const uint8_t *end = memchr(rest.ptr, '\n', rest.len);
        struct bytes line;
        (void)bytes_take(&rest, end ? (size_t)(end - rest.ptr) + 1 : rest.len, &line);
        ui_text_str(out, path);
        buf_append_str(out, ": warning: ");
        buf_append_bytes(out, line);
    }
    ui_text_str(out, path);
    buf_printf(out, ": good: %zu scope%s\n", sign_policy_n_rules(p), sign_policy_n_rules(p) == 1 ? "" : "s");
}

static int check(const struct policy_options *o, struct cmd_call *call, struct err *e)
{
    AUTO(flow_trust) trust = NULL;
    AUTO_FREE char *path = NULL;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX), warnings = BUF_INIT(UI_OUT_MAX);
    int r = load(call->n_operands > 1 ? call->operands[1] : o->policy, &path, &trust, e);
    if (r && !(o->json && path))
        return r;
    const struct sign_policy *p = r ? NULL : flow_trust_policy(trust);
    if (p)
        sign_policy_warnings(p, &warnings);
    if (o->json)
        check_json(&out, path, p, &warnings, e);
    else
        check_text(&out, path, p, &warnings);
    struct err print_failure = ERR_INIT;
    int printed = ui_print(&out, &print_failure);
    if (r || !printed)
        return r;
    *e = print_failure;
    return printed;
}

/* The way to a rule, told as it is gone. */
struct candidates {
    struct buf text;
    struct jout json;
    bool as_json, found;
};

static void see(void *ctx, const char *scope, const struct sign_rule *rule)
{
    struct candidates *c = ctx;
    bool chosen = rule && !c->found;
    c->found = c->found || rule;
    if (c->as_json) {
        jout_object(&c->json, NULL);
        jout_string(&c->json, "scope", scope);
        jout_bool(&c->json, "there", rule != NULL);
        jout_bool(&c->json, "counts", chosen);
        jout_object_end(&c->json);
        return;
    }
    buf_printf(&c->text, "  \"%s\": %s", scope,
               chosen ? "counts"
               : rule ? "there, and less specific"
                      : "no such scope");
    if (rule)
        buf_printf(&c->text, " (line %u)", sign_rule_line(rule));
    buf_append_str(&c->text, "\n");
}

static const char *demand(const struct sign_rule *rule)
{
    switch (sign_rule_verdict(rule)) {
    case SIGN_VERDICT_REJECT: return "reject";
    case SIGN_VERDICT_ACCEPT: return "insecure-accept-anything";
    case SIGN_VERDICT_REQUIRE: break;
    }
    return sign_rule_is_audit(rule) ? "require, but only report what fails (audit)" : "require";
}

/* The members of the rule, one a line. */
static int rule_text(const struct sign_rule *rule, struct buf *out, struct err *e)
{
    AUTO_DONE(buf) text = BUF_INIT(UI_OUT_MAX);
    AUTO(jdoc) doc = NULL;
    struct jout w = {.out = &text};
    const char *name;
    const struct jval *value = NULL;
    sign_rule_json(rule, &w, NULL);
    int r = buf_check(&text, e);
    if (!r)
        r = jdoc_parse(buf_bytes(&text), &doc, e);
    if (r)
        return r;
    for (const void *i = jobj_next(jdoc_root(doc), NULL, &name, &value); i;
         i = jobj_next(jdoc_root(doc), i, &name, &value)) {
        AUTO_DONE(buf) shown = BUF_INIT(UI_OUT_MAX);
        struct jout line = {.out = &shown};
        jout_value(&line, NULL, value);
        buf_append_str(out, "  ");
        ui_text_str(out, name);
        buf_append_str(out, " = ");
        ui_text(out, buf_bytes(&shown));
        buf_append_str(out, "\n");
    }
    return 0;
}

/* What the policy goes by: NULL in *ret for a file. */
static int place_of(const struct cmd_call *call, const char *target, char **ret, struct err *e)
{
    AUTO_DONE(oci_ref) ref = {.host = NULL};
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(buf) text = BUF_INIT(64U << 10);
    if (oci_ref_is_path(target))
        return 0;
    int r = oci_ref_parse(target, &ref, e);
    if (!r && ref.kind == OCI_REF_PACKAGE)
        r = err_set(e, ERR_USAGE, "a package: name the reference that it leads to");
    if (!r && ref.short_name && !(r = conf_load(&conf, call->network, true, e)) && conf.names.registries.any)
        r = oci_registries_short(&conf.names.registries, &ref, e);
    if (r)
        return r;
    oci_ref_repo_str(&ref, &text);
    r = buf_check(&text, e);
    if (!r)
        *ret = buf_take_str(&text);
    return r;
}

static int explain_text(const struct sign_policy *p, const char *path, const char *place,
                        const struct sign_rule *rule, struct buf *out, struct err *e)
{
    struct candidates c = {.text = BUF_INIT(UI_OUT_MAX)};
    int r = sign_policy_candidates(p, place, see, &c, e);
    buf_append_str(out, "policy: ");
    ui_text_str(out, path);
    buf_append_str(out, "\nplace: ");
    ui_text_str(out, place ? place : "file:");
    buf_append_str(out, "\nscopes, the most specific first:\n");
    buf_append_bytes(out, buf_bytes(&c.text));
    buf_printf(out, "rule: %s\ndemand: %s\n", sign_rule_name(rule), demand(rule));
    buf_done(&c.text);
    return r ? r : rule_text(rule, out, e);
}

static int explain_json(const struct sign_policy *p, const char *path, const char *place,
                        const struct sign_rule *rule, struct buf *out, struct err *e)
{
    struct candidates c = {.json = ui_json_begin(out, "waybill.policy/1"), .as_json = true};
    jout_string(&c.json, "action", "explain");
    jout_string(&c.json, "policy", path);
    jout_string(&c.json, "place", place ? place : "file:");
    jout_array(&c.json, "candidates");
    int r = sign_policy_candidates(p, place, see, &c, e);
    jout_array_end(&c.json);
    jout_string(&c.json, "rule", sign_rule_name(rule));
    jout_uint(&c.json, "line", sign_rule_line(rule));
    jout_bool(&c.json, "audit", sign_rule_is_audit(rule));
    sign_rule_json(rule, &c.json, "members");
    ui_json_end(&c.json);
    return r;
}

static int explain(const struct policy_options *o, struct cmd_call *call, struct err *e)
{
    AUTO(flow_trust) trust = NULL;
    AUTO_FREE char *path = NULL, *place = NULL;
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (call->n_operands < 2)
        return err_set(e, ERR_USAGE, "an operand is missing: explain TARGET");
    int r = place_of(call, call->operands[1], &place, e);
    if (!r)
        r = load(o->policy, &path, &trust, e);
    if (r)
        return r;
    const struct sign_policy *p = flow_trust_policy(trust);
    const struct sign_rule *rule = sign_policy_rule(p, place);
    r = (o->json ? explain_json : explain_text)(p, path, place, rule, &out, e);
    return r ? r : ui_print(&out, e);
}

static int init(const struct policy_options *o, struct cmd_call *call, struct err *e)
{
    AUTO_FREE char *own = NULL;
    AUTO_DONE(buf) out = BUF_INIT(64U << 10);
    int r = conf_policy_own(&own, e);
    if (r)
        return r;
    const char *path = call->n_operands > 1 ? call->operands[1] : own;
    if (!path)
        return err_set(e, ERR_CONFIG, "there is no home: name a file");
    if (path == own) {
        AUTO_FREE char *folder = strndup(own, (size_t)(strrchr(own, '/') - own));
        if (!folder)
            return err_nomem(e);
        r = dir_make(folder, 0755, e);
    }
    if (!r)
        r = file_write(AT_FDCWD, path, bytes_str(start_text), 0644, FILE_REFUSE, e);
    if (r)
        return r;
    if (o->json) {
        struct jout w = ui_json_begin(&out, "waybill.policy/1");
        jout_string(&w, "action", "init");
        jout_string(&w, "policy", path);
        ui_json_end(&w);
    } else {
        ui_text_str(&out, path);
        buf_append_str(&out, "\n");
    }
    return ui_print(&out, e);
}

static int import(const struct policy_options *o, struct cmd_call *call, struct err *e)
{
    AUTO_DONE(buf)
    text = BUF_INIT(LIMIT_POLICY_FILE), policy = BUF_INIT(LIMIT_TOML), out = BUF_INIT(UI_OUT_MAX);
    int r;
    if (!o->from)
        return err_set(e, ERR_USAGE, "option '--from TOOL' is missing: containers, notation or cosign");
    if (strcmp(o->from, "cosign") == 0) {
        r = sign_policy_import_cosign(call->operands + 1, call->n_operands - 1, &policy, e);
    } else {
        if (call->n_operands != 2)
            return err_set(e, ERR_USAGE, "one FILE is wanted");
        r = file_read_input(AT_FDCWD, call->operands[1], &text, e);
        if (!r)
            r = sign_policy_import(o->from, buf_bytes(&text), call->operands[1], &policy, e);
    }
    if (r || !o->json)
        return r ? r : ui_print(&policy, e);
    struct jout w = ui_json_begin(&out, "waybill.policy/1");
    jout_string(&w, "action", "import");
    jout_bytes(&w, "text", buf_bytes(&policy));
    ui_json_end(&w);
    return ui_print(&out, e);
}

static const struct {
    const char *name;
    int (*run)(const struct policy_options *o, struct cmd_call *call, struct err *e);
    size_t max_operands;
    bool from, policy; /* the options it takes */
} actions[] = {{"check", check, 2, false, true},
               {"explain", explain, 2, false, true},
               {"init", init, 2, false, false},
               {"import", import, CMD_ANY, true, false}};

static int run(struct cmd_call *call, struct err *e)
{
    const struct policy_options *o = call->options;
    size_t i = 0;
    call->subject = call->operands[0];
    while (i < ARRAY_LEN(actions) && strcmp(actions[i].name, call->operands[0]) != 0)
        i++;
    if (i == ARRAY_LEN(actions))
        return err_set(e, ERR_USAGE, "no such action: check, explain, init and import are known");
    if (call->n_operands > actions[i].max_operands)
        return err_set(e, ERR_USAGE, "one operand too many: '%s'", call->operands[actions[i].max_operands]);
    if ((o->from && !actions[i].from) || (o->policy && !actions[i].policy))
        return err_set(e, ERR_USAGE, "%s does not take %s", actions[i].name, o->from ? "--from" : "--policy");
    return actions[i].run(o, call, e);
}

const struct cmd cmd_policy = {
    .name = "policy",
    .operands = "ACTION [TARGET...]",
    .summary = "check, explain, begin or import a trust policy",
    .about = "ACTION check [FILE] says what is wrong with a policy, or hardly meant; explain\n"
             "TARGET tells which rule counts for a file or a reference, and why; init [FILE]\n"
             "writes a policy to begin with; import --from TOOL FILE prints what another\n"
             "tool's policy is here, and import --from cosign -- FLAGS... what flags of\n"
             "'cosign verify' are. Without FILE or --policy it is about the policy in force.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct policy_options),
    .min_operands = 1,
    .max_operands = CMD_ANY,
    .run = run,
};
