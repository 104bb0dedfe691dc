#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Credentials: Basic, tokens, and where they must not go.
load lib

@test "basic: with credentials" {
    faulty --auth basic --user me --password 'p:w d'
    as 'me:p:w d'
    pushed
    good
}

@test "basic: none, and wrong ones: status 5" {
    faulty --auth basic
    guest hello
    refused 5 "there are none for it"
    as user:hemlig
    refused 5 "status 401"
    err_lacks hemlig
}

@test "token: with a token service on another origin" {
    faulty --auth token --token-listener
    as user:password
    pushed
    logged_is 1 '"listener": "token"' '"auth_scheme": "basic"'
    logged_is 0 '"listener": "main"' '"auth_scheme": "basic"'
    good
}

@test "token: refused, and none: status 5" {
    faulty --auth token
    guest hello
    refused 5 "there are no credentials for $R, see \"waybill login $R\""
    as user:hemlig
    refused 5 "the token service refuses the credentials"
    err_lacks hemlig
}

@test "token: anonymous pull" {
    faulty --auth token --anonymous-pull
    as user:password
    pushed
    rm "$HOME/.docker/config.json"
    good
    expect 5 waybill push hello.wasm "$R/a/b:v2"
}

@test "token: under the name access_token, from an identity token" {
    faulty --auth token --token-field access_token --identity-token refresh-me
    credentials '{"identitytoken": "refresh-me"}'
    pushed
    logged_is 1 '"POST"' /token
    logged_is 0 refresh-me
    good
}

@test "token: one that ends in the middle is replaced" {
    faulty --auth token
    as user:password
    fault unauthorized PUT /uploads/
    fault unauthorized PUT /manifests/
    pushed
    fault drop_after_bytes GET /blobs/ '"bytes": 100'
    fault unauthorized GET /blobs/ '"nth": 2'
    good
}

@test "token: 401 for good ends after one more try" {
    faulty --auth token
    as user:password
    guest hello
    fault unauthorized GET /manifests/ '"times": 0'
    refused 5 "status 401"
    logged_is 2 /manifests/
}

@test "a realm that must not get credentials: status 5, and no request" {
    faulty
    as user:password
    guest hello
    local realm
    for realm in http://169.254.169.254/token http://u:p@127.0.0.1/ http://token.example/ file:///etc/passwd; do
        ask DELETE /_fault
        fault unauthorized GET /manifests/ "\"times\": 0, \"challenge\": \"Bearer realm=\\\"$realm\\\"\""
        refused 5 "token"
    done
}

@test "a token service that talks nonsense: status 3" {
    faulty --auth token
    as user:password
    guest hello
    fault replace_body GET /token '"body": "<html>"'
    refused 3 "token service: the reply is not JSON"
    fault replace_body GET /token '"body": "{\"token\": \"a\\r\\nX-Evil: 1\"}"'
    refused 3 "not fit for a header"
}

@test "a token service that redirects is not followed" {
    faulty --auth token
    as user:password
    guest hello
    fault redirect GET /token
    refused 3 "token service answers with status 307"
    logged_is 0 '"listener": "alt"'
}

@test "a challenge by the target of a redirect is not answered" {
    faulty --auth token
    as user:password
    pushed
    ask POST /_fault '[{"action": "redirect", "nth": 1, "match": {"method": "GET", "path": "/blobs/"}},
        {"action": "unauthorized", "times": 0, "match": {"listener": "alt"}}]'
    refused 5 "blob sha256:"
    logged_is 0 '"listener": "alt"' '"has_authorization": true'
}

@test "a realm with a user name in it, or over HTTP for a registry over HTTPS: no request, whatever is remembered" {
    faulty --auth token
    as user:password
    pushed
    rm -rf "$HOME/.cache"
    fault unauthorized GET /manifests/ "\"challenge\": \"Bearer realm=\\\"http://user:password@$R/token\\\"\""
    local before
    before=$(logged /token)
    refused 5 "token"
    logged_is "$before" /token
    # what was remembered does not help either
    local memo
    rm -rf "$HOME/.cache"
    good
    for memo in "$HOME"/.cache/waybill/memo/challenge/*; do
        sed -i 's|//127|//u:p@127|' "$memo"
    done
    rm -rf "$HOME/.cache/waybill/memo/token" "$HOME/.cache/waybill/store"
    good
}

@test "a challenge with commas and quotes in its values, and several in one header" {
    faulty --auth token
    as user:password
    pushed
    rm -rf "$HOME/.cache"
    fault unauthorized GET /manifests/ "\"challenge\": \"Digest nonce=\\\"a, b\\\", Basic realm=\\\"x, y\\\", BEARER Realm=\\\"http://$R/token\\\", service=\\\"fault-registry\\\"\""
    good
}

@test "a challenge without a scope: one is made from the reference" {
    faulty --auth token
    as user:password
    pushed
    rm -rf "$HOME/.cache"
    fault unauthorized GET /manifests/ "\"challenge\": \"Bearer realm=\\\"http://$R/token\\\"\""
    good
    logged_is 1 '/token?scope=repository%3Aa%2Fb%3Apull"'
}

@test "the token of an earlier command: no 401 and no token request" {
    faulty --auth token
    as user:password
    pushed
    good
    local tokens requests
    tokens=$(logged '"GET"' /token) requests=$(logged '"method"' /manifests/)
    expect 0 waybill pull -q -o again.wasm "$R/a/b:v1"
    logged_is "$tokens" '"GET"' /token
    logged_is $((requests + 1)) '"method"' /manifests/
    [ -z "$(find "$HOME/.cache/waybill/memo" -perm /077)" ]
}

@test "the token of an earlier command that was revoked: one more try" {
    faulty --auth token
    as user:password
    pushed
    good
    ask POST /_revoke
    good
    ask POST /_revoke
    expect 0 waybill push -q hello.wasm "$R/a/b:v2"
}

@test "the token of an earlier command goes to the registry alone that gave it" {
    faulty --auth token
    as user:password
    pushed
    good
    rm -rf "$HOME/.cache/waybill/store"
    fault redirect GET /blobs/ '"times": 0'
    good
    logged_is 0 '"listener": "alt"' '"has_authorization": true'
    local first=$R
    kill "$FAULTY_PID" && wait "$FAULTY_PID" || true
    faulty --auth none
    expect 4 waybill pull -o other.wasm "$R/a/b:v1"
    [ "$R" != "$first" ]
    logged_is 0 '"has_authorization": true'
}

@test "what a stranger said in the registry's place under --resolve is not believed without it" {
    faulty --auth token
    local stranger=$FAULTY_PID port=${R##*:} log=$LOG
    fault unauthorized GET /manifests/ "\"times\": 0, \"challenge\": \"Bearer realm=\\\"http://$R/token\\\"\""
    local BATS_TEST_TMPDIR=$BATS_TEST_TMPDIR/own
    mkdir "$BATS_TEST_TMPDIR"
    faulty --auth token
    R=localhost:${R##*:}
    expect 5 waybill pull -o out.wasm --resolve "$R:127.0.0.1:$port" "$R/a/b:v1"
    as user:password
    guest hello
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    kill "$stranger" && wait "$stranger" || true
    LOG=$log logged_is 0 '"has_authorization": true' /token
}

@test "credentials: the command line, then the environment, then podman's, then docker's, then the text" {
    faulty --auth basic
    guest hello
    local right wrong podman=$HOME/.config/containers
    right=$(printf user:password | base64) wrong=$(printf user:hemlig | base64)
    file() { mkdir -p "${1%/*}" && printf '{"auths": {"%s": {"auth": "%s"}}}' "${3:-$R}" "$2" >"$1"; }
    export DOCKER_AUTH_CONFIG="{\"auths\": {\"$R\": {\"auth\": \"$right\"}}}"
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    file "$HOME/.docker/config.json" "$wrong"
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    DOCKER_CONFIG=$HOME/elsewhere expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    file "$podman/auth.json" "$right"
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    export XDG_RUNTIME_DIR=$HOME/run XDG_CONFIG_HOME=$HOME/.config
    file "$HOME/run/containers/auth.json" "$wrong"
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    file "$HOME/run/containers/auth.json" "$right" "$R/a/b"
    file "$podman/auth.json" "$wrong"
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    expect 5 waybill push -q hello.wasm "$R/a/c:v1"
    file "$HOME/named.json" "$right"
    REGISTRY_AUTH_FILE=$HOME/named.json expect 0 waybill push -q hello.wasm "$R/a/c:v1"
    REGISTRY_AUTH_FILE=$HOME/none.json expect 2 waybill push -q hello.wasm "$R/a/c:v1"
    err_has none.json
    expect 0 waybill push -q --auth-file "$HOME/named.json" hello.wasm "$R/a/c:v1"
    export WAYBILL_USERNAME=user WAYBILL_PASSWORD=password
    expect 0 waybill push -q hello.wasm "$R/a/c:v1"
    file "$HOME/named.json" "$wrong"
    expect 5 waybill push -q --auth-file "$HOME/named.json" hello.wasm "$R/a/c:v1"
    expect 5 waybill push -q --username user --password-stdin hello.wasm "$R/a/c:v1" <<<hemlig
    WAYBILL_PASSWORD=hemlig expect 0 waybill push -q --username user --password-stdin hello.wasm "$R/a/c:v1" <<<password
    err_lacks hemlig
}

@test "credentials: what contradicts itself or is not whole: status 2" {
    faulty
    guest hello
    local push=(waybill push -q hello.wasm "$R/a/b:v1")
    expect 2 "${push[@]}" --username user
    err_has "a user name without a password"
    expect 2 "${push[@]}" --password-stdin <<<password
    err_has "a password without a user name"
    expect 2 "${push[@]}" --username us:er --password-stdin <<<password
    err_has "a colon"
    expect 2 "${push[@]}" --username user --password-stdin </dev/null
    err_has "its first line is empty"
    expect 2 "${push[@]}" --username user --password-stdin --auth-file x <<<password
    err_has "contradicts"
    WAYBILL_USERNAME=user expect 2 "${push[@]}"
    err_has WAYBILL_PASSWORD
    WAYBILL_USERNAME=user WAYBILL_IDENTITY_TOKEN=hemlig expect 2 "${push[@]}"
    err_has contradicts
    err_lacks hemlig
    logged_is 0 '"method"'
}

@test "credentials: WAYBILL_PASSWORD alone is the password of a key, and goes to no registry" {
    faulty --auth basic
    guest hello
    WAYBILL_PASSWORD=password expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    logged_is 0 '"has_authorization": true'
}

@test "credentials: an identity token of the environment" {
    faulty --auth token --identity-token refresh-me
    guest hello
    WAYBILL_IDENTITY_TOKEN=refresh-me expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    logged_is 1 '"POST"' /token
    logged_is 0 refresh-me
    WAYBILL_IDENTITY_TOKEN=hemlig expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    err_lacks hemlig
}

@test "credentials: the password is the first line alone, the rest is the guest's" {
    faulty --auth basic
    guest cat
    as user:password
    waybill push -q cat.wasm "$R/a/b:v1"
    rm "$HOME/.docker/config.json"
    printf 'password\nof the guest\n' >input
    expect 0 waybill run --username user --password-stdin --allow-unsigned "$R/a/b:v1" <input
    out_is "of the guest"
    # a file needs no registry, and the line is read all the same
    expect 0 waybill run --username user --password-stdin cat.wasm <input
    out_is "of the guest"
}

# helper NAME SCRIPT: a credential helper, which is found; uses keeps its calls.
helper() {
    mkdir -p "$HOME/bin" && export PATH=$HOME/bin:$PATH
    printf '#!/bin/sh\necho "$1" >>"%s/uses"\n%s\n' "$HOME" "$2" >"$HOME/bin/docker-credential-$1"
    chmod +x "$HOME/bin/docker-credential-$1"
}
configured() { mkdir -p "$HOME/.docker" && printf '%s' "$1" >"$HOME/.docker/config.json"; }

@test "helper: asked once and only when the registry asks" {
    faulty --auth token
    guest hello
    helper test 'read s; printf "{\"ServerURL\":\"%s\",\"Username\":\"user\",\"Secret\":\"password\"}" "$s"'
    configured '{"credsStore": "test"}'
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    [ "$(cat "$HOME/uses")" = get ]
    expect 0 waybill push -q hello.wasm "$R/a/b:v2"
    [ "$(cat "$HOME/uses")" = get ]
    kill "$FAULTY_PID" && wait "$FAULTY_PID" || true
    faulty
    expect 4 waybill pull -o x "$R/a/b:v1"
    [ "$(cat "$HOME/uses")" = get ]
}

@test "helper: of the registry before the one for all, before the file" {
    faulty --auth basic
    guest hello
    helper own 'echo "{\"Username\":\"user\",\"Secret\":\"password\"}"'
    helper all 'echo "{\"Username\":\"user\",\"Secret\":\"hemlig\"}"'
    configured "{\"credsStore\": \"all\", \"credHelpers\": {\"$R\": \"own\"}, \"auths\": {\"$R\": {\"auth\": \"dTpw\"}}}"
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    configured "{\"credsStore\": \"all\"}"
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    helper all 'echo "credentials not found in native keychain"; exit 1'
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    err_has "there are none for it"
}

@test "helper: one that fails, talks nonsense or is not there" {
    faulty --auth basic --anonymous-pull
    guest hello
    configured '{"credsStore": "test"}'
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    err_has "warning: the credential helper docker-credential-test, which the configuration names, is not installed"
    helper test "printf 'it is \\033[31mlocked'; echo hemlig >&2; exit 1"
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    err_has 'credential helper docker-credential-test: it failed with status 1: it is \x1b[31mlocked'
    err_lacks hemlig
    expect 5 waybill push -q --debug hello.wasm "$R/a/b:v1"
    err_has "docker-credential-test says: hemlig"
    helper test 'head -c 10000000 /dev/zero'
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    err_has "more than"
    helper test 'echo hemlig'
    expect 5 waybill push -q hello.wasm "$R/a/b:v1"
    err_has "not JSON"
    err_lacks hemlig
    configured '{"credsStore": "../test"}'
    expect 2 waybill push -q hello.wasm "$R/a/b:v1"
    err_has "config.json: the name of a credential helper"
}

@test "helper: gets no secret of the environment" {
    faulty --auth basic
    guest hello
    helper test 'env >"$HOME/env"; echo "{}"'
    configured '{"credsStore": "test"}'
    printf '{"credsStore": "test"}' >file.json
    WAYBILL_USERNAME=user WAYBILL_PASSWORD=hemlig expect 5 waybill push -q --auth-file file.json hello.wasm "$R/a/b:v1"
    grep -q HOME= "$HOME/env"
    if grep hemlig "$HOME/env"; then fail "the helper saw it"; fi
}

@test "a configuration file that is broken: status 2, without showing it" {
    faulty
    mkdir -p "$HOME/.docker"
    echo '{"auths": {"x": {"auth": "c2VjcmV0OnNlY3JldA=="' >"$HOME/.docker/config.json"
    refused 2 "config.json: not valid JSON"
    err_lacks c2Vj
    credentials '{"auth": "no base64"}'
    refused 2 '"auth" is not base64'
    local text
    for text in null '[]' 7 '"c2Vj"'; do
        echo "$text" >"$HOME/.docker/config.json"
        refused 2 "config.json: not a JSON object"
        err_lacks c2Vj
    done
}
