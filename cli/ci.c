/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The variables are those that the systems document:
 *     GitHub   docs.github.com, "Store information in variables"; the build type and its parameters are
 *              actions.github.io/buildtypes/workflow/v1
 *     GitLab   docs.gitlab.com/ci/variables/predefined_variables, and the provenance of gitlab-runner
 *     Jenkins  www.jenkins.io/doc/book/pipeline/jenkinsfile, "Using environment variables", and the git
 * plugin
 */
#include "cli/ci.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GITHUB_TYPE  "https://actions.github.io/buildtypes/workflow/v1"
#define GITLAB_TYPE  "https://docs.gitlab.com/ci/"
#define JENKINS_TYPE "https://www.jenkins.io/doc/book/pipeline/jenkinsfile/"

typedef char *getter(const char *name);

/* A variable that is there and not empty, or NULL. */
static const char *var(getter *get, const char *name)
{
    const char *value = get(name);
    return value && *value ? value : NULL;
}

/* A new text of ours, or NULL: one of the texts it is made of is not known, or there is no memory. */
static const char *text(struct ci *c, const char *const *parts, size_t n)
{
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        if (!parts[i])
            return NULL;
        len += strlen(parts[i]);
    }
    char *out = c->n_texts < CI_TEXTS ? malloc(len + 1) : NULL;
    c->failed = c->failed || !out;
    if (!out)
        return NULL;
    c->texts[c->n_texts++] = out;
    *out = 0;
    char *at = out;
    for (size_t i = 0; i < n; i++)
        at = stpcpy(at, parts[i]);
    return out;
}
#define TEXT(c, ...) \
    text(c, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static void add(struct sign_pair *to, size_t *n, const char *key, const char *value)
{
    if (value)
        to[(*n)++] = (struct sign_pair){key, value};
}

/* A URL as git has it, without a user in it: there are tokens in such places. */
static const char *plain_url(struct ci *c, const char *url)
{
    const char *scheme = url ? strstr(url, "://") : NULL;
    if (!scheme)
        return url;
    const char *host = scheme + 3;
    const char *at = host + strcspn(host, "/?#");
    const char *last = NULL;
    for (const char *p = host; p < at; p++)
        if (*p == '@')
            last = p;
    if (!last)
        return url;
    char start[32];
    (void)snprintf(start, sizeof(start), "%.*s", (int)(host - url < 31 ? host - url : 31), url);
    return TEXT(c, start, last + 1);
}

static void add_source(struct ci *c, const char *url, const char *ref, const char *commit)
{
    struct sign_provenance *p = &c->provenance;
    const char *uri = ref ? TEXT(c, "git+", url, "@", ref) : TEXT(c, "git+", url);
    if (!uri || strncmp(uri, "git+http", 8) != 0)
        return;
    size_t n = commit ? strlen(commit) : 0;
    bool good = (n == 40 || n == 64) && strspn(commit, "0123456789abcdef") == n;
    c->dependencies[p->n_dependencies++] =
        (struct sign_dependency){uri, good ? "gitCommit" : NULL, good ? commit : NULL};
}

/* "owner/repo/.github/workflows/x.yml@refs/heads/main": what stands between the repository and the @. */
static const char *github_path(struct ci *c, const char *workflow, const char *repository)
{
    size_t n = repository ? strlen(repository) : 0;
    if (!workflow || !n || strncmp(workflow, repository, n) != 0 || workflow[n] != '/')
        return NULL;
    const char *path = TEXT(c, workflow + n + 1);
    if (path)
        c->texts[c->n_texts - 1][strcspn(path, "@")] = 0;
    return path;
}

static void read_github(struct ci *c, getter *get)
{
    struct sign_provenance *p = &c->provenance;
    const char *server = var(get, "GITHUB_SERVER_URL"), *repository = var(get, "GITHUB_REPOSITORY");
    const char *workflow = var(get, "GITHUB_WORKFLOW_REF"), *ref = var(get, "GITHUB_REF");
    const char *attempt = var(get, "GITHUB_RUN_ATTEMPT");
    const char *url = TEXT(c, server, "/", repository);
    p->build_type = GITHUB_TYPE;
    p->builder_id = TEXT(c, server, "/", workflow);
    p->invocation_id =
        TEXT(c, url, "/actions/runs/", var(get, "GITHUB_RUN_ID"), "/attempts/", attempt ? attempt : "1");
    add(c->external, &p->n_external, "workflow.ref", ref);
    add(c->external, &p->n_external, "workflow.repository", url);
    add(c->external, &p->n_external, "workflow.path", github_path(c, workflow, repository));
    add(c->internal, &p->n_internal, "github.event_name", var(get, "GITHUB_EVENT_NAME"));
    add(c->internal, &p->n_internal, "github.repository_id", var(get, "GITHUB_REPOSITORY_ID"));
    add(c->internal, &p->n_internal, "github.repository_owner_id", var(get, "GITHUB_REPOSITORY_OWNER_ID"));
    add(c->internal, &p->n_internal, "github.runner_environment", var(get, "RUNNER_ENVIRONMENT"));
    add_source(c, url, ref, var(get, "GITHUB_SHA"));
}

/* CI_REPOSITORY_URL holds a token; the project's URL does not. */
static void read_gitlab(struct ci *c, getter *get)
{
    struct sign_provenance *p = &c->provenance;
    const char *project = plain_url(c, var(get, "CI_PROJECT_URL"));
    p->build_type = GITLAB_TYPE;
    p->builder_id = TEXT(c, var(get, "CI_SERVER_URL"), "/-/runners/", var(get, "CI_RUNNER_ID"));
    p->invocation_id = var(get, "CI_JOB_URL");
    p->started_on = var(get, "CI_JOB_STARTED_AT");
    add(c->external, &p->n_external, "source", project);
    add(c->external, &p->n_external, "ref", var(get, "CI_COMMIT_REF_NAME"));
    add(c->external, &p->n_external, "entryPoint", var(get, "CI_JOB_NAME"));
    add(c->external, &p->n_external, "config", var(get, "CI_CONFIG_PATH"));
    add(c->internal, &p->n_internal, "pipeline", var(get, "CI_PIPELINE_URL"));
    add(c->internal, &p->n_internal, "trigger", var(get, "CI_PIPELINE_SOURCE"));
    add(c->internal, &p->n_internal, "runnerVersion", var(get, "CI_RUNNER_VERSION"));
    add(c->internal, &p->n_internal, "architecture", var(get, "CI_RUNNER_EXECUTABLE_ARCH"));
    add_source(c, project, NULL, var(get, "CI_COMMIT_SHA"));
}

static void read_jenkins(struct ci *c, getter *get)
{
    struct sign_provenance *p = &c->provenance;
    const char *url = plain_url(c, var(get, "GIT_URL"));
    p->build_type = JENKINS_TYPE;
    p->builder_id = plain_url(c, var(get, "JENKINS_URL"));
    p->invocation_id = plain_url(c, var(get, "BUILD_URL"));
    add(c->external, &p->n_external, "source", url);
    add(c->external, &p->n_external, "ref", var(get, "GIT_BRANCH"));
    add(c->external, &p->n_external, "job", var(get, "JOB_NAME"));
    add(c->internal, &p->n_internal, "node", var(get, "NODE_NAME"));
    add_source(c, url, NULL, var(get, "GIT_COMMIT"));
}

static const struct {
    const char *name, *variable, *value; /* value: NULL: any */
    void (*read)(struct ci *c, getter *get);
} systems[] = {
    [CI_GITHUB] = {"GitHub Actions", "GITHUB_ACTIONS", "true", read_github},
    [CI_GITLAB] = {"GitLab CI", "GITLAB_CI", "true", read_gitlab},
    [CI_JENKINS] = {"Jenkins", "JENKINS_URL", NULL, read_jenkins},
};

static bool is_there(size_t i, getter *get)
{
    const char *value = var(get, systems[i].variable);
    return value && (!systems[i].value || strcmp(value, systems[i].value) == 0);
}

int ci_read(enum ci_kind kind, char *(*get)(const char *name), struct ci *ret, struct err *e)
{
    *ret = (struct ci){.n_texts = 0};
    ret->provenance = (struct sign_provenance){
        .external = ret->external, .internal = ret->internal, .dependencies = ret->dependencies};
    if (kind == CI_NONE)
        return 0;
    for (size_t i = CI_GITHUB; i < ARRAY_LEN(systems); i++) {
        if (kind != CI_AUTO && kind != (enum ci_kind)i)
            continue;
        if (is_there(i, get)) {
            systems[i].read(ret, get);
            return ret->failed ? err_nomem(e) : 0;
        }
        if (kind != CI_AUTO)
            return err_set(e, ERR_CONFIG, "this is no job of %s: %s is not set", systems[i].name,
                           systems[i].variable);
    }
    return 0;
}

void ci_done(struct ci *c)
{
    for (size_t i = 0; i < c->n_texts; i++)
        free(c->texts[i]);
}
