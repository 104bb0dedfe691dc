/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "cli/conf.h"
#include "cli/trust.h"
#include "cli/ui.h"
#include "flow/launch.h"

#include <inttypes.h>

struct compile_options {
    const char *platform;
    struct oci_choice choice;
    bool allow_unsigned, json;
};

static const struct opt options[] = {
    {"allow-unsigned", 0, OPT_FLAG, false, offsetof(struct compile_options, allow_unsigned), NULL,
     "compile a reference without looking for a signature", NULL},
    CMD_PLATFORM(struct compile_options),
    CMD_COMPONENT(struct compile_options),
    CMD_LAYER(struct compile_options),
    CMD_JSON(struct compile_options),
};

/* One target after the other. */
struct work {
    const struct compile_options *o;
    const struct flow_conf *flow;
    const struct flow_demand *demand;
    struct runner_host *host;
    struct buf *out;
};

static void text(struct buf *out, const struct flow_artifact *a, const struct runner_compiled *c)
{
    char digest[DIGEST_STR_MAX];
    buf_append_str(out, c->was_kept ? "kept already: " : "compiled: ");
    ui_text_str(out, a->name);
    buf_printf(out, " %s %" PRIu64 "\n", digest_str(&c->digest, digest), c->code_size);
}

static void json(struct buf *out, const struct flow_artifact *a, const struct runner_compiled *c)
{
    char digest[DIGEST_STR_MAX];
    struct jout w = ui_json_begin(out, "waybill.compile/1");
    jout_string(&w, "target", a->name);
    jout_string(&w, "digest", digest_str(&c->digest, digest));
    jout_string(&w, "kind", c->component ? "component" : "module");
    jout_string(&w, "engine", runner_engine_name());
    jout_uint(&w, "codeSize", c->code_size);
    jout_bool(&w, "keptBefore", c->was_kept);
    jout_bool(&w, "verified", a->verified);
    ui_json_end(&w);
}

static int compile_one(const struct work *w, const char *target, struct err *e)
{
    AUTO_DONE(flow_artifact) artifact = {.fd = -1};
    struct runner_compiled compiled;
    const struct flow_launch what = {
        .target = target, .demand = w->demand, .allow_unsigned = w->o->allow_unsigned};
    int r = flow_launch_obtain(w->flow, &what, &artifact, e);
    if (!r)
        r = runner_compile(w->host, buf_bytes(&artifact.bytes), &artifact.digest, &compiled, e);
    if (r)
        return r;
    if (w->o->json)
        json(w->out, &artifact, &compiled);
    else
        text(w->out, &artifact, &compiled);
    return 0;
}

/* Says each failure; returns the highest of their exit statuses, or a failure to print. */
static int compile_all(const struct work *w, const struct cmd_call *call, struct err *e)
{
    int worst = 0;
    for (size_t i = 0; i < call->n_operands; i++) {
        struct err failure = ERR_INIT;
        int r = compile_one(w, call->operands[i], &failure);
        if (r) {
            int status = err_exit_status(r);
            ui_error(cmd_compile.name, call->operands[i], &failure);
            worst = status > worst ? status : worst;
        }
    }
    int r = ui_print(w->out, e);
    return r ? r : worst;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct compile_options *o = call->options;
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(trust) trust = {.loaded = NULL};
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    AUTO(runner_host) host = NULL;
    bool remote = false;
    for (size_t i = 0; i < call->n_operands; i++)
        remote = remote || conf_is_remote(call->operands[i]);
    int r = o->allow_unsigned ? trust_skip(call->trust, e) : trust_load(call->trust, false, &trust, e);
    if (!r)
        r = conf_load(&conf, call->network, remote, e);
    if (!r && !conf.modules_dir)
        r = err_set(e, ERR_CONFIG, "neither XDG_CACHE_HOME nor HOME is set: nothing is kept");
    const struct runner_conf runner = {
        .cache_dir = conf.modules_dir, .cache_max = conf.modules_max, .code.uninterruptible = true};
    if (!r)
        r = runner_host_new(&runner, &host, e);
    if (r)
        return r;
    struct flow_conf flow = conf_flow(&conf, call->network, NULL);
    flow.platform = o->platform;
    flow.choice = o->choice;
    const struct flow_demand demand = trust_demand(&trust);
    const struct work work = {o, &flow, &demand, host, &out};
    return compile_all(&work, call, e);
}

const struct cmd cmd_compile = {
    .name = "compile",
    .operands = "TARGET...",
    .summary = "compile wasm for runs to come",
    .about = "Compiles each TARGET, a wasm file or a reference, and keeps the code, so that\n"
             "run finds it there. What run would not run is not compiled: a file needs no\n"
             "signature; a reference needs --key, --policy or another of the trust options,\n"
             "or --allow-unsigned. Where there is a policy it counts for files, too. The\n"
             "exit status is the highest of all targets'.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct compile_options),
    .min_operands = 1,
    .max_operands = CMD_ANY,
    .network = true,
    .trust = true,
    .run = run,
};
