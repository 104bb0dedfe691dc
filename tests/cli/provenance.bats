#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# provenance: what the command line and each CI system's environment become.
load lib

COMMIT=0123456789abcdef0123456789abcdef01234567

# The tests may be a job of one of them.
unset GITLAB_CI JENKINS_URL "${!GITHUB_@}" "${!CI_@}" "${!GIT_@}" RUNNER_ENVIRONMENT BUILD_URL JOB_NAME NODE_NAME

@test "from the command line alone" {
    expect 0 waybill provenance --ci none --builder-id https://b.example/1 --build-type https://b.example/t \
        --parameter target=hello --parameter a.x=1 --parameter a.y=2 --dependency "git+https://h.example/r@gitCommit:$COMMIT" \
        --dependency https://h.example/plain --invocation-id 7 --started-on 2026-01-31T12:00:00Z --finished-on 2026-01-31T12:00:01Z
    [ "$(jq -c . <<<"$output")" = '{"buildDefinition":{"buildType":"https://b.example/t","externalParameters":{"target":"hello","a":{"x":"1","y":"2"}},"resolvedDependencies":[{"uri":"git+https://h.example/r","digest":{"gitCommit":"'$COMMIT'"}},{"uri":"https://h.example/plain"}]},"runDetails":{"builder":{"id":"https://b.example/1"},"metadata":{"invocationId":"7","startedOn":"2026-01-31T12:00:00Z","finishedOn":"2026-01-31T12:00:01Z"}}}' ]
}

@test "GitHub Actions" {
    export GITHUB_ACTIONS=true GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=acme/app GITHUB_REF=refs/heads/main \
        GITHUB_WORKFLOW_REF=acme/app/.github/workflows/build.yml@refs/heads/main GITHUB_SHA=$COMMIT GITHUB_RUN_ID=99 \
        GITHUB_EVENT_NAME=push RUNNER_ENVIRONMENT=github-hosted GITHUB_REPOSITORY_ID=1 GITHUB_REPOSITORY_OWNER_ID=2
    expect 0 waybill provenance
    [ "$(jq -c '.buildDefinition' <<<"$output")" = '{"buildType":"https://actions.github.io/buildtypes/workflow/v1","externalParameters":{"workflow":{"ref":"refs/heads/main","repository":"https://github.com/acme/app","path":".github/workflows/build.yml"}},"internalParameters":{"github":{"event_name":"push","repository_id":"1","repository_owner_id":"2","runner_environment":"github-hosted"}},"resolvedDependencies":[{"uri":"git+https://github.com/acme/app@refs/heads/main","digest":{"gitCommit":"'$COMMIT'"}}]}' ]
    [ "$(jq -c '.runDetails' <<<"$output")" = '{"builder":{"id":"https://github.com/acme/app/.github/workflows/build.yml@refs/heads/main"},"metadata":{"invocationId":"https://github.com/acme/app/actions/runs/99/attempts/1"}}' ]
}

@test "GitLab CI; what the command line says comes last, and the token in the repository's URL never" {
    export GITLAB_CI=true CI_SERVER_URL=https://gitlab.example CI_RUNNER_ID=12 CI_PROJECT_URL=https://gitlab.example/a/b CI_COMMIT_SHA=$COMMIT \
        CI_JOB_NAME=build CI_JOB_URL=https://gitlab.example/a/b/-/jobs/5 CI_JOB_STARTED_AT=2026-01-31T12:00:00Z \
        CI_REPOSITORY_URL=https://gitlab-ci-token:geheim@gitlab.example/a/b.git
    expect 0 waybill provenance --parameter entryPoint=other --builder-id https://mine.example/
    [ "$(jq -r '[.buildDefinition.externalParameters.source, .buildDefinition.externalParameters.entryPoint, .runDetails.builder.id, .runDetails.metadata.invocationId, .runDetails.metadata.startedOn, .buildDefinition.resolvedDependencies[0].digest.gitCommit] | join(" ")' <<<"$output")" = \
        "https://gitlab.example/a/b other https://mine.example/ https://gitlab.example/a/b/-/jobs/5 2026-01-31T12:00:00Z $COMMIT" ]
    [[ $output != *geheim* ]]
}

@test "Jenkins; a password in GIT_URL is left out" {
    export JENKINS_URL=https://jenkins.example/ BUILD_URL=https://jenkins.example/job/x/3/ JOB_NAME=x GIT_COMMIT=$COMMIT \
        GIT_URL=https://user:geheim@git.example/x.git
    expect 0 waybill provenance
    [ "$(jq -r '[.runDetails.builder.id, .runDetails.metadata.invocationId, .buildDefinition.externalParameters.source, .buildDefinition.resolvedDependencies[0].uri] | join(" ")' <<<"$output")" = \
        'https://jenkins.example/ https://jenkins.example/job/x/3/ https://git.example/x.git git+https://git.example/x.git' ]
    [[ $output != *geheim* ]]
}

@test "half an environment: what is missing is asked for, what is odd is left out" {
    export GITHUB_ACTIONS=true
    expect 2 waybill provenance
    err_has '--builder-id'
    export GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=acme/app GITHUB_WORKFLOW_REF=other/app/x.yml@r GITHUB_SHA=HEAD GITHUB_REF=r
    expect 0 waybill provenance
    [ "$(jq -c '[.buildDefinition.externalParameters.workflow.path, .buildDefinition.resolvedDependencies[0].digest]' <<<"$output")" = '[null,null]' ]
    expect 2 waybill provenance --ci gitlab
    err_has 'GITLAB_CI is not set'
}

@test "what is wrong on the command line is refused, and nothing is written" {
    local args=(--ci none --builder-id https://b.example/1 --build-type https://b.example/t -o out.json)
    expect 2 waybill provenance --ci none
    expect 2 waybill provenance "${args[@]}" --builder-id name
    expect 2 waybill provenance "${args[@]}" --build-type 'https://a b'
    expect 2 waybill provenance "${args[@]}" --parameter a=1 --parameter a=2
    expect 2 waybill provenance "${args[@]}" --parameter a=1 --parameter a.b=2
    expect 2 waybill provenance "${args[@]}" --parameter .b=2
    expect 2 waybill provenance "${args[@]}" --parameter a.=2
    expect 2 waybill provenance "${args[@]}" --dependency https://x/@sha256:ABC
    expect 2 waybill provenance "${args[@]}" --dependency nothing
    expect 2 waybill provenance "${args[@]}" --started-on yesterday
    expect 2 waybill provenance "${args[@]}" --finished-on 2026-02-30T00:00:00Z
    [ ! -e out.json ]
    expect 0 waybill provenance "${args[@]}"
    [ "$(jq -r .runDetails.builder.id out.json)" = https://b.example/1 ]
}

@test "attest takes it as slsaprovenance1" {
    guest hello
    waybill keygen -o k >/dev/null
    waybill push -q hello.wasm oci:a:1 >/dev/null
    waybill provenance --ci none --builder-id https://b.example/1 --build-type https://b.example/t |
        waybill attest -q --key k.key -T slsaprovenance1 --predicate - oci:a:1 >made
    grep -q '^oci:a@sha256:' made
}
