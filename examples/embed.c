/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs what a reference names, if a policy says that it may be, and lets it read one folder.
 *
 *     cc -o embed embed.c $(pkg-config --cflags --libs waybill)
 *     ./embed oci:shelf:1.0 policy.toml data
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <waybill.h>

/* The library says nothing by itself; a program decides what becomes of what it has to say. */
static void say(void *ctx, enum log_level level, const char *text)
{
    (void)ctx, (void)level;
    fprintf(stderr, "embed: %s\n", text);
}

/* What the guest writes goes to a file without a name in any folder, which is read afterwards. */
static int run(const char *reference, const char *folder, const struct flow_trust *trust, FILE *output,
               struct runner_result *result, struct err *e)
{
    char path[64];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fileno(output));

    const struct flow_conf conf = {.temp_dir = "/tmp"}; /* anonymous; nothing is kept */
    const struct flow_demand demand = {.trust = trust, .now = time(NULL)};
    const struct runner_conf runner = {.sandbox = RUNNER_SANDBOX_OFF}; /* this process has more to do */
    const struct runner_dir dirs[] = {{.host = folder, .guest = "/data", .writable = false}};
    const char *const argv[] = {"guest", "read", "/data/list"};
    const struct runner_grants grants = {.argv = argv,
                                         .argc = 3,
                                         .dirs = dirs,
                                         .n_dirs = 1,
                                         .stdout_file = path,
                                         .limits = {.timeout_ms = 5000, .max_memory = 64U << 20}};
    const struct flow_launch launch = {
        .target = reference, .demand = &demand, .runner = &runner, .grants = &grants};
    return flow_launch(&conf, &launch, result, e);
}

int main(int argc, char **argv)
{
    if (argc != 4)
        return fprintf(stderr, "usage: embed REFERENCE POLICY.toml DIR\n"), 2;
    struct err e = ERR_INIT;
    struct runner_result result = {.status = 0};
    struct flow_trust *trust = NULL;
    FILE *output = tmpfile();
    log_set_handler(say, NULL, LOG_WARN);
    (void)setenv("TOKIO_WORKER_THREADS", "1", 1); /* the engine would start a thread for each core */

    /* The policy, and the keys that it names, are read once; any number of artifacts can be judged by it. */
    const struct flow_trust_conf given = {.policy = argv[2]};
    int r = output ? flow_trust_load(&given, &trust, &e) : err_nomem(&e);
    if (!r)
        r = run(argv[1], argv[3], trust, output, &result, &e);
    flow_trust_free(trust);
    if (r) {
        fprintf(stderr, "embed: %s: %s\n", argv[1], e.msg);
        return err_exit_status(r);
    }
    printf("status %d\n%s", result.status, result.message ? result.message : "");
    rewind(output);
    for (char line[256]; fgets(line, sizeof(line), output);)
        printf("guest: %s", line);
    runner_result_done(&result);
    (void)fclose(output);
    return 0;
}
