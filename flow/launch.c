/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/launch.h"

#include <string.h>

const char *flow_launch_name(const struct flow_artifact *artifact)
{
    const char *path = artifact->repo ? artifact->repo : artifact->name;
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int flow_launch_obtain(const struct flow_conf *conf, const struct flow_launch *launch,
                       struct flow_artifact *ret, struct err *e)
{
    const unsigned want = FLOW_WANT_BYTES | FLOW_TO_RUN | (launch->allow_unsigned ? FLOW_UNSIGNED : 0);
    return flow_obtain(conf, launch->target, want, launch->demand, ret, e);
}

/* What is to be granted must be in what the policy lets the artifact have, and its claims state. */
static int check_grants(const struct flow_artifact *artifact, const struct runner_grants *g, struct err *e)
{
    const struct flow_rights rights = {&artifact->decision, &artifact->report};
    const struct {
        bool given;
        const char *capability, *option;
    } asked[] = {{g->n_dirs > 0, FLOW_GRANT_FILESYSTEM, "--dir"},
                 {g->n_env > 0, FLOW_GRANT_ENVIRONMENT, "--env"}};
    for (size_t i = 0; i < ARRAY_LEN(asked); i++)
        if (asked[i].given && flow_grant_check(&rights, asked[i].capability, e) != 0)
            return err_wrap(e, "%s", asked[i].option);
    return 0;
}

/* What the two have in common. ret_runner, ret_grants: what is to be run with. */
static int prepare(const struct flow_artifact *artifact, const struct flow_launch *launch, const char **name,
                   struct runner_conf *ret_runner, struct runner_grants *ret_grants, struct err *e)
{
    if (!artifact->to_run)
        return err_set(e, ERR_REFUSED, "not run, since it was obtained for another purpose");
    *ret_runner = *launch->runner;
    *ret_grants = *launch->grants;
    /* There is one run, so that it is known what its code must be able to do. */
    const struct runner_limits *l = &ret_grants->limits;
    ret_runner->code.metered = l->fuel != 0;
    ret_runner->code.uninterruptible = !l->timeout_ms && !l->cpu_ms && !l->max_output && !ret_grants->profile;
    ret_runner->has_dirs = ret_grants->n_dirs > 0;
    if (ret_grants->argc == 0) {
        *name = flow_launch_name(artifact);
        ret_grants->argv = name;
        ret_grants->argc = 1;
    }
    return check_grants(artifact, ret_grants, e);
}

int flow_launch_run(const struct flow_artifact *artifact, const struct flow_launch *launch,
                    struct runner_result *ret, struct err *e)
{
    const char *name;
    struct runner_conf runner;
    struct runner_grants grants;
    int r = prepare(artifact, launch, &name, &runner, &grants, e);
    return r ? r
             : runner_run(&runner, buf_bytes(&artifact->bytes), &artifact->digest, artifact->name, &grants,
                          ret, e);
}

int flow_launch_check(const struct flow_artifact *artifact, const struct flow_launch *launch, struct err *e)
{
    const char *name;
    struct runner_conf runner;
    struct runner_grants grants;
    int r = prepare(artifact, launch, &name, &runner, &grants, e);
    return r ? r
             : runner_check(&runner, buf_bytes(&artifact->bytes), &artifact->digest, artifact->name, &grants,
                            e);
}

int flow_launch(const struct flow_conf *conf, const struct flow_launch *launch, struct runner_result *ret,
                struct err *e)
{
    AUTO_DONE(flow_artifact) artifact = {.fd = -1};
    int r = flow_launch_obtain(conf, launch, &artifact, e);
    return r ? r : flow_launch_run(&artifact, launch, ret, e);
}
