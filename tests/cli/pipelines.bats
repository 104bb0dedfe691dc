#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The pipelines in examples/pipelines: what a CI system would hand to a shell is handed to one here, with the variables that
# it would set, against a registry. The rest of their files is the CI systems' to read.
load lib

setup_file() { ! command -v docker-registry >/dev/null || start_registry; }
teardown_file() { stop_registry; }

# scripts FILE: one file step1, step2... for each block of commands ("run: |", "script: |", "- |").
scripts() {
    awk '
        function indent(line) { match(line, /^ */); return RLENGTH }
        block && ($0 ~ /^ *$/ || indent($0) > at) {
            if (!own && $0 !~ /^ *$/) own = indent($0)
            print substr($0, own + 1) >("step" n)
            next
        }
        { block = 0 }
        /^ *(- )?((run|script): )?\|$/ { block = 1; own = 0; at = indent($0); n++ }
        END { print n + 0 }' "$root/examples/pipelines/$1"
}

# project REPO: what is in the working copy: a module to be built, the policy, the public key; and the secret, elsewhere.
project() {
    need_registry
    export PATH=${WAYBILL%/*}:$PATH IMAGE=$REGISTRY/acme/$1
    unset "${!GITHUB_@}" "${!CI_@}" "${!GIT_@}" GITLAB_CI JENKINS_URL SUBJECT
    mkdir -p "$BATS_TEST_TMPDIR/secret"
    waybill keygen --type p256 -o "$BATS_TEST_TMPDIR/secret/builder" >/dev/null
    cp "$BATS_TEST_TMPDIR/secret/builder.pub" .
    sed "s/registry\.example\.com/$REGISTRY/" "$root/examples/pipelines/policy.toml" >policy.toml
    printf 'hello.wasm:\n\tcp %s/hello.wasm $@\n' "$GUESTS" >Makefile
    secret=$BATS_TEST_TMPDIR/secret/builder.key
}

# What came of it: verified by the policy, and refused where one of its demands is not met.
judged() { # SUBJECT
    expect 0 waybill verify --policy policy.toml --require-digest "$1"
    waybill push -q "$GUESTS/args.wasm" "$IMAGE:other" >/dev/null
    expect 10 waybill verify --policy policy.toml "$IMAGE:other"
    waybill sign -q --key "$secret" "$IMAGE:other" >/dev/null
    expect 15 waybill verify --policy policy.toml "$IMAGE:other"
    err_has 'no attestation slsaprovenance1'
    waybill provenance --ci none --builder-id https://elsewhere.example/ --build-type https://elsewhere.example/t |
        waybill attest -q --key "$secret" --type slsaprovenance1 --predicate - "$IMAGE:other" >/dev/null
    expect 15 waybill verify --policy policy.toml "$IMAGE:other"
    err_has 'attestation[0].builder'
}

@test "the policy has nothing wrong with it" {
    project policy
    expect 0 waybill policy check policy.toml
}

@test "GitHub Actions" {
    project github
    export GITHUB_ACTIONS=true GITHUB_SERVER_URL=https://github.com GITHUB_REPOSITORY=acme/hello GITHUB_REF=refs/tags/v1 \
        GITHUB_REF_NAME=v1 GITHUB_SHA=0123456789abcdef0123456789abcdef01234567 GITHUB_RUN_ID=1 GITHUB_OUTPUT=$PWD/outputs \
        GITHUB_WORKFLOW_REF=acme/hello/.github/workflows/release.yml@refs/tags/v1 RUNNER_TEMP=$TMPDIR REGISTRY_USER=''
    SIGNING_KEY=$(cat "$secret")
    export SIGNING_KEY
    [ "$(scripts github.yml)" -eq 5 ]
    local n
    for n in 1 2 3 4 5; do
        # As the runner does it.
        expect 0 bash -eo pipefail "step$n"
        ! grep -q '^subject=' outputs 2>/dev/null || SUBJECT=$(sed -n 's/^subject=//p' outputs)
        export SUBJECT
    done
    [ "$(jq -r '.runs | length' waybill.sarif)" -eq 1 ]
    absent "$TMPDIR/builder.key"
    judged "$SUBJECT"
}

@test "GitLab CI" {
    project gitlab
    export GITLAB_CI=true CI_SERVER_URL=https://gitlab.com CI_RUNNER_ID=12 CI_PROJECT_URL=https://gitlab.com/acme/hello \
        CI_COMMIT_SHA=0123456789abcdef0123456789abcdef01234567 CI_COMMIT_SHORT_SHA=01234567 CI_JOB_NAME=build \
        CI_JOB_URL=https://gitlab.com/acme/hello/-/jobs/5 SIGNING_KEY=$secret
    chmod 666 "$secret" # as runners leave it
    [ "$(scripts gitlab.yml)" -eq 3 ]
    expect 0 bash -eo pipefail step1
    expect 0 bash -eo pipefail step2
    SUBJECT=$(sed -n 's/^SUBJECT=//p' build.env)
    export SUBJECT
    expect 0 bash -eo pipefail step3
    judged "$SUBJECT"
}

@test "Tekton" {
    project tekton
    export TAG=v1 RESULT=$PWD/result KEY=$secret RUN=7a1c
    [ "$(scripts tekton.yaml)" -eq 4 ]
    local n
    for n in 1 2 3; do expect 0 sh "step$n"; done
    SUBJECT=$(cat result)
    export SUBJECT
    expect 0 sh step4
    judged "$SUBJECT"
}

@test "make" {
    project make
    cp "$root/examples/pipelines/Makefile" .
    : >hello.c
    guest hello
    expect 0 make release verify "IMAGE=$IMAGE" TAG=v1 "KEY=$secret"
    judged "$(cat subject)"
    # What is not as the policy wants it stops the pipeline.
    sed -i 's/ci\\\\.example/ci\\\\.elsewhere/' policy.toml
    expect 2 make verify
}
