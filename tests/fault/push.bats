#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pushing to a registry that breaks off, is busy, or sends us elsewhere.
load lib

# A push ends with STATUS and MESSAGE.
push_fails() {
    expect "$1" waybill push hello.wasm "$R/a/b:v1"
    err_has "$2"
    out_is ""
}

@test "a registry that behaves: look, post, put for each blob, and the manifest" {
    faulty
    guest hello
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    logged_is 2 '"HEAD"'
    logged_is 2 '"POST"'
    logged_is 3 '"PUT"'
    logged_is 7 '"main"'
    : >"$LOG"
    expect 0 waybill push hello.wasm "$R/a/b:v2"
    logged_is 2 '"HEAD"'
    logged_is 1 '"PUT"'
    # what was begun beside the look is cancelled
    logged_is "$(logged '"POST"')" '"DELETE"'
}

@test "a connection dropped in the middle of an upload: the upload begins again" {
    faulty
    guest hello
    fault drop_request PUT /uploads/ '"bytes": 10'
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    # one PUT more; libcurl sends it again by itself where the connection was in use before
    logged_is 3 '"PUT"' /uploads/
    good
}

@test "uploads that always break: status 3" {
    faulty
    guest hello
    fault drop_request PUT /uploads/ '"bytes": 10, "times": 0'
    push_fails 3 "blob sha256:"
    logged_is 0 /manifests/
}

@test "5xx then success at every step" {
    faulty
    guest hello
    fault status HEAD /blobs/ '"status": 502'
    fault status POST /uploads/ '"status": 500'
    fault status PUT /uploads/ '"status": 503'
    fault status PUT /manifests/ '"status": 504'
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    good
}

@test "429 then success" {
    faulty
    guest hello
    fault retry_after PUT /uploads/ '"value": 1'
    fault retry_after PUT /manifests/ '"date": 1'
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    good
}

@test "429 that asks for an hour: status 3, and says when to try again" {
    faulty
    guest hello
    fault retry_after POST /uploads/ '"value": 3600, "times": 0'
    push_fails 3 "try again in 3600 s"
    logged_is 2 '"POST"'
    logged_is 0 '"PUT"'
}

@test "an upload location on another host gets no credentials" {
    faulty --auth basic --location alt
    as user:password
    guest hello
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    logged_is 2 '"listener": "alt"' '"PUT"' '"has_authorization": false'
    logged_is 0 '"listener": "alt"' '"has_authorization": true'
    good
}

@test "an absolute upload location on the same host keeps them" {
    faulty --auth basic --location absolute
    as user:password
    guest hello
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    logged_is 2 /uploads/ '"PUT"' '"has_authorization": true'
}

@test "an upload without a location, or with a hostile one: status 3" {
    faulty
    guest hello
    fault set_header POST /uploads/ '"headers": {"Location": null}, "times": 0'
    push_fails 3 "where to upload to"
    ask DELETE /_fault
    fault set_header POST /uploads/ '"headers": {"Location": "http://169.254.169.254/"}, "times": 0'
    push_fails 3 "link-local"
    ask DELETE /_fault
    fault set_header POST /uploads/ '"headers": {"Location": "file:///tmp/x"}, "times": 0'
    push_fails 3 "upload location"
}

@test "a registry that says it stored another digest: status 17" {
    faulty
    guest hello
    fault wrong_docker_digest PUT /manifests/
    push_fails 17 "stored the manifest as sha256:"
}

@test "a registry that refuses: its words are shown, escaped" {
    faulty
    guest hello
    fault status PUT /manifests/ \
        '"status": 400, "body": "{\"errors\": [{\"code\": \"MANIFEST_INVALID\", \"message\": \"no\\u001b[2J\"}]}"'
    push_fails 3 'MANIFEST_INVALID: no\x1b[2J'
}

@test "a push that is killed leaves nothing half done: the next one succeeds" {
    faulty
    guest hello
    fault delay PUT /uploads/ '"ms": 5000'
    local pid try
    "$WAYBILL" push hello.wasm "$R/a/b:v1" 3>&- &
    pid=$!
    for ((try = 0; try < 100; try++)); do
        [ "$(logged '"POST"')" -eq 0 ] || break
        sleep 0.05
    done
    kill -9 "$pid"
    wait "$pid" || true
    expect 4 waybill pull -o out.wasm "$R/a/b:v1"
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    good
}

@test "a registry that does not find a blob for a moment is asked again; one that never does: 4" {
    faulty
    guest hello
    fault status PUT /manifests/ '"times": 2, "status": 400, "body": "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}"'
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    fault status PUT /manifests/ '"times": 0, "status": 404, "body": "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}"'
    expect 4 waybill push hello.wasm "$R/a/b:v2"
    err_has MANIFEST_BLOB_UNKNOWN
}
