/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/cmd.h"

#include "base/limits.h"
#include "cli/conf.h"
#include "cli/explain.h"
#include "cli/grants.h"
#include "cli/observe.h"
#include "cli/trust.h"
#include "cli/ui.h"
#include "flow/launch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/* What run itself answers where the guest's status is not to be had; as containers' command lines do. */
enum { STATUS_FAILED = 125, STATUS_REFUSED = 126, STATUS_NOT_FOUND = 127 };

struct run_options {
    const char *platform;
    struct oci_choice choice;
    struct grants_options grants;
    const char *invoke;
    bool allow_unsigned, explain, json;
    struct runner_limits limits;
    struct runner_code code;
    unsigned sandbox;
    struct observe_options observe;
};

/* In the order of sandbox_modes: the first is the default. */
static const char *const sandbox_names[] = {"auto", "require", "off", NULL};
static const enum runner_sandbox_mode sandbox_modes[] = {RUNNER_SANDBOX_AUTO, RUNNER_SANDBOX_REQUIRE,
                                                         RUNNER_SANDBOX_OFF};

#define LIMIT_OPTION(name, type, member, metavar, help)                                 \
    {                                                                                   \
        name, 0, type, false, offsetof(struct run_options, member), metavar, help, NULL \
    }

static const struct opt options[] = {
    {"allow-unsigned", 0, OPT_FLAG, false, offsetof(struct run_options, allow_unsigned), NULL,
     "run a reference without looking for a signature", NULL},
    GRANTS_ROWS(struct run_options),
    {"invoke", 0, OPT_STRING, false, offsetof(struct run_options, invoke), "FUNC",
     "call this exported function, print what it returns: of\na module with ARGS, of a component "
     "'NAME(VALUES)'",
     NULL},
    {"explain", 0, OPT_FLAG, false, offsetof(struct run_options, explain), NULL,
     "do not run it: print what it would be granted, what\nnot, and why", NULL},
    CMD_JSON(struct run_options),
    LIMIT_OPTION("timeout", OPT_DURATION, limits.timeout_ms, "TIME",
                 "end the guest after this time: 500ms, 5s, 2m"),
    LIMIT_OPTION("cpu-time", OPT_DURATION, limits.cpu_ms, "TIME",
                 "end the guest after this much processor time"),
    LIMIT_OPTION("fuel", OPT_COUNT, limits.fuel, "N", "end the guest after about N instructions"),
    LIMIT_OPTION("max-memory", OPT_SIZE, limits.max_memory, "SIZE",
                 "let no linear memory grow beyond this: 64MiB, 1GB"),
    LIMIT_OPTION("max-stack", OPT_SIZE, code.max_stack, "SIZE",
                 "let the guest's stack take no more than this"),
    LIMIT_OPTION("max-tables", OPT_COUNT, limits.max_tables, "N", "let the guest have no more tables"),
    LIMIT_OPTION("max-table-elements", OPT_COUNT, limits.max_table_elements, "N",
                 "let no table grow beyond this"),
    LIMIT_OPTION("max-output", OPT_SIZE, limits.max_output, "SIZE",
                 "end a guest that writes more to its standard\nstreams"),
    LIMIT_OPTION("max-open-files", OPT_COUNT, limits.max_open_files, "N",
                 "let the guest have no more files open at a time"),
    LIMIT_OPTION("max-module-size", OPT_SIZE, code.max_module, "SIZE", "refuse larger modules"),
    LIMIT_OPTION("compile-timeout", OPT_DURATION, code.compile_ms, "TIME",
                 "refuse a module that takes more processor time to\ncompile"),
    LIMIT_OPTION("compile-memory", OPT_SIZE, code.compile_memory, "SIZE",
                 "refuse a module that takes more memory to compile"),
    {"sandbox", 0, OPT_ENUM, false, offsetof(struct run_options, sandbox), "MODE",
     "give up what the process does not need before the\nguest starts: auto (as far as the kernel can), "
     "require\n(all of it or fail), off",
     sandbox_names},
    OBSERVE_ROWS(struct run_options),
    CMD_PLATFORM(struct run_options),
    CMD_COMPONENT(struct run_options),
    CMD_LAYER(struct run_options),
};

static int exit_status(int code)
{
    switch (code) {
    case ERR_NOTFOUND: return STATUS_NOT_FOUND;
    case ERR_UNSIGNED:
    case ERR_UNTRUSTED:
    case ERR_CERT:
    case ERR_EXPIRED:
    case ERR_POLICY:
    case ERR_FORMAT:
    case ERR_LIMIT:
    case ERR_DIGEST:
    case ERR_CAPABILITY:
    case ERR_REFUSED:
    case ERR_NOT_RUNNABLE: return STATUS_REFUSED;
    default: return STATUS_FAILED;
    }
}

/* "Not found" is said of the target alone: anything else that is missing is a failure of run itself. */
static int not_the_target(int r, struct err *e)
{
    return r == ERR_NOTFOUND ? err_recode(e, ERR_CONFIG) : r;
}

static void on_deadline(void *ctx, int status, const char *why)
{
    struct err e;
    (void)err_set(&e, ERR_TIMEOUT, "%s", why);
    ui_error(cmd_run.name, ctx, &e);
    _exit(status);
}

/* The engine ends the process when it can have no thread or descriptor: a failure of run's, and with the
 * status of one. That of an abort would look like a trap of the guest's. */
static void on_abort(int signal)
{
    (void)signal;
    _exit(STATUS_FAILED);
}

/* What an invoked function returned: lines, or a JSON array. */
static int print_values(const char *values, bool json, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    if (json) {
        struct jout w = ui_json_begin(&out, "waybill.run/1");
        jout_text(&w, "results", bytes_str(values));
        ui_json_end(&w);
    } else {
        buf_append_str(&out, values);
    }
    return out.len || out.failed ? ui_print(&out, e) : 0;
}

/* Prints what the guest would have, and returns what would keep it from its start. */
static int explain_run(const struct run_options *o, const struct flow_launch *start,
                       const struct grants *grants, const struct flow_artifact *artifact, struct err *e)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    struct err why = ERR_INIT;
    struct explanation x = {
        .artifact = artifact, .options = &o->grants, .grants = grants, .refused = &why, .json = o->json};
    /* Nothing runs that would have to be held back: what is in force is asked and not done. */
    struct runner_conf unsealed = *start->runner;
    unsealed.sandbox = RUNNER_SANDBOX_OFF;
    runner_sandbox_probe(start->runner->sandbox, &x.sandbox);
    const struct flow_launch unsealed_start = {.runner = &unsealed, .grants = start->grants};
    int r = flow_launch_check(artifact, &unsealed_start, &why);
    why.code = r;
    r = explain(&x, &out, e);
    if (!r)
        r = ui_print(&out, e);
    if (!why.code)
        return r;
    *e = why;
    return not_the_target(why.code, e);
}

/* Says how the guest ended, if not by itself. */
static void report(const struct cmd_call *call, const struct runner_result *result)
{
    struct err why;
    if (result->trapped || result->timed_out) {
        AUTO_DONE(buf) text = BUF_INIT(UI_OUT_MAX);
        struct err ignored;
        (void)err_set(&why, ERR_TRAP, "%s", result->limit[0] ? result->limit : "the guest trapped");
        buf_append_str(&text, result->message ? result->message : "");
        ui_error(cmd_run.name, call->subject, &why);
        (void)!ui_print_to(STDERR_FILENO, &text, &ignored);
    } else if (result->output_errno && result->output_errno != EPIPE) {
        (void)err_set_errno(&why, ERR_IO, result->output_errno, "the guest's output could not be written");
        ui_error(cmd_run.name, call->subject, &why);
    }
}

/* Hands the checked bytes and the grants over. Returns the exit status or an error. */
static int launch(const struct run_options *o, struct cmd_call *call, const struct conf *conf,
                  const struct flow_artifact *artifact, struct err *e)
{
    struct runner_conf runner = {.cache_dir = conf->modules_dir,
                                 .on_deadline = on_deadline,
                                 .on_deadline_ctx = call->operands[0],
                                 .cache_max = conf->modules_max,
                                 .deterministic = o->grants.deterministic,
                                 .sandbox = sandbox_modes[o->sandbox],
                                 .code = o->code};
    AUTO_DONE(grants) grants = {0};
    int r = grants_make(&grants, &o->grants, flow_launch_name(artifact), call->operands + 1,
                        call->n_operands - 1, e);
    if (!r)
        r = grants_check_outputs(&o->grants, artifact->from_file ? artifact->name : NULL, e);
    if (r)
        return not_the_target(r, e);
    const struct runner_invoke invoke = {o->invoke, grants.runner.argv + 1, grants.runner.argc - 1, o->json};
    grants.runner.invoke = o->invoke ? &invoke : NULL;
    grants.runner.limits = o->limits;
    if (!o->limits.max_open_files)
        grants.runner.limits.max_open_files = LIMIT_GUEST_FILES;
    const struct flow_launch start = {.runner = &runner, .grants = &grants.runner};
    if (o->explain)
        return explain_run(o, &start, &grants, artifact, e);
    (void)signal(SIGABRT, on_abort);
    struct runner_result result = {0};
    /* The engine's WASI starts a thread per core unless told otherwise; a guest of one thread needs one. */
    if (setenv("TOKIO_WORKER_THREADS", "1", 1) < 0 ||
        (o->observe.source_lines && setenv(CMD_SOURCE_LINES, "1", 1) < 0))
        return err_nomem(e);
    AUTO_DONE(observe) observe;
    r = observe_open(&observe, &o->observe, &runner, &grants.runner, e);
    if (r)
        return not_the_target(r, e);
    r = flow_launch_run(artifact, &start, &result, e);
    if (r == ERR_NOT_RUNNABLE)
        explain_denied(artifact);
    if (r)
        return not_the_target(r, e);
    report(call, &result);
    observe_report(&observe, &o->observe, artifact, &result, o->json);
    int status = result.status;
    r = result.values ? print_values(result.values, o->json, e) : 0;
    runner_result_done(&result);
    return r ? r : status;
}

static int run(struct cmd_call *call, struct err *e)
{
    const struct run_options *o = call->options;
    const char *target = call->operands[0];
    call->subject = target;
    if (o->json && !o->explain && !o->invoke && !o->observe.stats)
        return err_set(e, ERR_USAGE, "--json needs --explain, --invoke or --stats");
    AUTO_DONE(conf) conf = {0};
    AUTO_DONE(trust) trust = {.loaded = NULL};
    int r = o->allow_unsigned ? trust_skip(call->trust, e) : trust_load(call->trust, false, &trust, e);
    if (r)
        return not_the_target(r, e);
    if ((r = conf_load(&conf, call->network, conf_is_remote(target), e)))
        return r;
    AUTO_DONE(ui_progress) bar;
    struct flow_conf flow = conf_flow(&conf, call->network, ui_progress_init(&bar, "run", !call->chatty));
    flow.platform = o->platform;
    flow.choice = o->choice;
    const struct flow_demand demand = trust_demand(&trust);
    AUTO_DONE(flow_artifact) artifact = {.fd = -1};
    const struct flow_launch what = {
        .target = target, .demand = &demand, .allow_unsigned = o->allow_unsigned};
    r = flow_launch_obtain(&flow, &what, &artifact, e);
    ui_progress_done(&bar);
    conf_disconnect(&conf);
    return r ? r : launch(o, call, &conf, &artifact, e);
}

const struct cmd cmd_run = {
    .name = "run",
    .operands = "TARGET [ARGS...]",
    .summary = "run a wasm file or a reference",
    .about = "Runs a WASI command. It sees its standard streams, ARGS, and what the\n"
             "options grant: no other file, variable or network. A file needs no\n"
             "signature; a reference needs --key, --policy or another of the trust options,\n"
             "or --allow-unsigned. Where there is a policy it counts for files, too. All\n"
             "that stands behind TARGET is the guest's.\n",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .options_size = sizeof(struct run_options),
    .min_operands = 1,
    .max_operands = CMD_ANY,
    .network = true,
    .trust = true,
    .guest_operands = true,
    .run = run,
    .exit_status = exit_status,
};
