/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/observe.h"

#include "cli/ui.h"

#include <inttypes.h>
#include <sys/resource.h>

#define PROFILE_FILE "waybill-guest-profile.json"
#define NS_PER_MS    1000000U

/* -D coredump=FILE is how other runtimes spell it. */
static int choose_coredump(const struct observe_options *options, const char **ret, struct err *e)
{
    static const char key[] = "coredump=";
    *ret = options->coredump;
    if (!options->diagnose)
        return 0;
    if (options->coredump)
        return err_set(e, ERR_USAGE, "--coredump and -D are two names of one option");
    if (strncmp(options->diagnose, key, sizeof(key) - 1) != 0 || !options->diagnose[sizeof(key) - 1])
        return err_set(e, ERR_USAGE, "-D: '%s' is not coredump=FILE", options->diagnose);
    *ret = options->diagnose + sizeof(key) - 1;
    return 0;
}

static bool is_way(const char *text, const char *way)
{
    const size_t n = strlen(way);
    return strncmp(text, way, n) == 0 && (text[n] == '\0' || text[n] == ',');
}

/* "guest[,FILE[,INTERVAL]]": an empty FILE is the usual one. */
static int parse_guest(struct observe *o, const char *text, uint64_t *ret_ns, struct err *e)
{
    const char *file = strchr(text, ','), *interval = file ? strchr(file + 1, ',') : NULL;
    uint64_t ms = 0;
    size_t n = file ? strcspn(file + 1, ",") : 0;
    o->profile_path = n ? strndup(file + 1, n) : strdup(PROFILE_FILE);
    if (!o->profile_path)
        return err_nomem(e);
    int r = interval ? opt_duration_parse(interval + 1, &ms, e) : 0;
    if (!r && ms > UINT64_MAX / NS_PER_MS)
        r = err_set(e, ERR_USAGE, "'%s' is too long", interval + 1);
    if (r)
        return err_wrap(e, "--profile");
    *ret_ns = ms * NS_PER_MS;
    return 0;
}

static int choose_profile(struct observe *o, const char *text, struct runner_conf *conf,
                          struct runner_grants *grants, struct err *e)
{
    if (!text)
        return 0;
    if (strcmp(text, "perfmap") == 0) {
        conf->perf_map = true;
        return 0;
    }
    if (is_way(text, "guest"))
        return parse_guest(o, text, &grants->profile_ns, e);
    return err_set(e, ERR_USAGE, "--profile: '%s' is neither perfmap nor guest[,FILE[,INTERVAL]]", text);
}

static int open_file(struct outfile *file, const char *path, struct observe *o, size_t at, struct err *e)
{
    int r = outfile_open(file, path, e);
    if (!r) {
        o->keep[at] = file->data;
        o->keep[at + 1] = file->answer;
    }
    return r;
}

int observe_open(struct observe *o, const struct observe_options *options, struct runner_conf *conf,
                 struct runner_grants *grants, struct err *e)
{
    *o = (struct observe){.coredump = OUTFILE_INIT, .profile = OUTFILE_INIT};
    int r = choose_coredump(options, &o->coredump_path, e);
    if (!r)
        r = choose_profile(o, options->profile, conf, grants, e);
    if (!r && o->coredump_path && !(r = open_file(&o->coredump, o->coredump_path, o, 0, e))) {
        grants->coredump = &o->coredump.base;
        conf->n_keep = 2;
    }
    if (!r && o->profile_path && !(r = open_file(&o->profile, o->profile_path, o, conf->n_keep, e))) {
        grants->profile = &o->profile.base;
        conf->n_keep += 2;
    }
    conf->keep = o->keep;
    conf->source_lines = options->source_lines;
    return r;
}

void observe_done(struct observe *o)
{
    outfile_done(&o->coredump);
    outfile_done(&o->profile);
    free(TAKE(o->profile_path));
}

struct figures {
    const struct flow_times *flow;
    const struct runner_stats *runner;
    uint64_t peak_memory; /* bytes */
};

static void text_time(struct buf *out, const char *what, uint64_t ns)
{
    buf_printf(out, "%-12s %10" PRIu64 ".%03" PRIu64 " ms", what, ns / NS_PER_MS, ns % NS_PER_MS / 1000);
}

static void text_line(struct buf *out, const char *what, uint64_t ns)
{
    text_time(out, what, ns);
    buf_append_u8(out, '\n');
}

static void text_figures(const struct figures *f, struct buf *out)
{
    text_line(out, "resolve", f->flow->resolve_ns);
    text_line(out, "fetch", f->flow->fetch_ns);
    text_line(out, "verify", f->flow->verify_ns);
    text_time(out, "load", f->runner->load_ns);
    buf_append_str(out, f->runner->kept ? "  from the cache\n" : "  compiled\n");
    text_line(out, "instantiate", f->runner->instantiate_ns);
    text_line(out, "run", f->runner->run_ns);
    buf_printf(out, "%-12s %10" PRIu64 " KiB\n", "peak memory", f->peak_memory / 1024);
    buf_printf(out, "%-12s %10" PRIu64 " bytes\n", "fetched", f->flow->fetched);
    if (f->runner->metered)
        buf_printf(out, "%-12s %10" PRIu64 "\n", "fuel", f->runner->fuel);
}

static void json_figures(const struct figures *f, struct buf *out)
{
    struct jout w = ui_json_begin(out, "waybill.run.stats/1");
    jout_object(&w, "ns");
    jout_uint(&w, "resolve", f->flow->resolve_ns);
    jout_uint(&w, "fetch", f->flow->fetch_ns);
    jout_uint(&w, "verify", f->flow->verify_ns);
    jout_uint(&w, "load", f->runner->load_ns);
    jout_uint(&w, "instantiate", f->runner->instantiate_ns);
    jout_uint(&w, "run", f->runner->run_ns);
    jout_object_end(&w);
    jout_bool(&w, "from_cache", f->runner->kept);
    jout_uint(&w, "peak_memory", f->peak_memory);
    jout_uint(&w, "fetched", f->flow->fetched);
    if (f->runner->metered)
        jout_uint(&w, "fuel", f->runner->fuel);
    else
        jout_null(&w, "fuel");
    ui_json_end(&w);
}

static void text_file(struct buf *out, const char *what, const char *path)
{
    buf_printf(out, "waybill: %s: ", what);
    ui_text_str(out, path);
    buf_append_u8(out, '\n');
}

void observe_report(const struct observe *o, const struct observe_options *options,
                    const struct flow_artifact *artifact, const struct runner_result *result, bool json)
{
    AUTO_DONE(buf) out = BUF_INIT(UI_OUT_MAX);
    struct rusage used = {0};
    struct err ignored;
    (void)getrusage(RUSAGE_SELF, &used);
    const struct figures f = {&artifact->times, &result->stats, (uint64_t)used.ru_maxrss * 1024};
    if (result->dumped)
        text_file(&out, "core dump", o->coredump_path);
    if (result->profiled)
        text_file(&out, "profile", o->profile_path);
    if (options->stats && json)
        json_figures(&f, &out);
    else if (options->stats)
        text_figures(&f, &out);
    (void)!ui_print_to(STDERR_FILENO, &out, &ignored);
}
