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
    refused 5 "there are no credentials for $R"
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

@test "a configuration file that is broken: status 2, without showing it" {
    faulty
    mkdir -p "$HOME/.docker"
    echo '{"auths": {"x": {"auth": "c2VjcmV0OnNlY3JldA=="' >"$HOME/.docker/config.json"
    refused 2 "config.json: not valid JSON"
    err_lacks c2Vj
    credentials '{"auth": "no base64"}'
    refused 2 '"auth" is not base64'
}
