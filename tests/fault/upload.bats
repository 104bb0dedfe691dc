#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pushes of big modules: one PATCH of the whole, taken up where it broke, in parts where the whole does not go through.
load lib

# pushes [OPTION...]: a push of big.wasm succeeds, and gives the right bytes.
pushes() {
    expect 0 waybill push --verbose "$@" big.wasm "$R/a/b:v1"
    rm -rf out.wasm "$HOME/.cache/waybill/store"
    "$WAYBILL" pull -q -o out.wasm "$R/a/b:v1" >/dev/null
    cmp big.wasm out.wasm
}

# taken: how many bytes of the blob's uploads the registry has read, of PATCHes and PUTs of blobs.
taken() {
    sed -nE '/"method": "(PATCH|PUT)".*\/uploads\//s/.*"bytes_in": ([0-9]*).*/\1/p' "$LOG" |
        awk '{ n += $1 } END { print n + 0 }'
}

# The config is small, and sent once by each push that comes to its end.
taken_once() {
    local got
    got=$(taken)
    [ "$got" -ge "$SIZE" ] && [ "$got" -le $((SIZE + 2000 + ${1:-0})) ] || fail "$got bytes for $SIZE" "$(cat "$LOG")"
}

# killed_push BYTES: a push that is killed when the registry has so much of its PATCH.
killed_push() {
    local pid try before
    before=$(logged '"PATCH"')
    fault stall_request PATCH /uploads/ "\"bytes\": $1, \"ms\": 1500"
    "$WAYBILL" push big.wasm "$R/a/b:v1" 3>&- &
    pid=$!
    for ((try = 0; try < 200; try++)); do
        [[ $(fault_state) != *'"fired": 1'* ]] || break
        sleep 0.05
    done
    sleep 0.2
    kill -9 "$pid"
    wait "$pid" || true
    for ((try = 0; try < 100; try++)); do
        [ "$(logged '"PATCH"')" -eq "$before" ] || break
        sleep 0.05
    done
    ask DELETE /_fault
}

# What the registry says of its rules.
fault_state() {
    exec 9<>"/dev/tcp/${R%:*}/${R##*:}"
    printf 'GET /_fault HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n' "$R" >&9
    cat <&9
    exec 9>&-
}

@test "a big module: one POST, one PATCH, one PUT" {
    faulty
    big 17
    pushes
    logged_is 1 '"PATCH"'
    logged_is 2 '"POST"'
    taken_once
}

@test "a broken connection: the upload goes on where the registry is" {
    faulty
    big 17
    fault break_request PATCH /uploads/ '"bytes": 9000000'
    pushes
    logged_is 2 '"PATCH"'
    logged_is 1 '"GET"' '/uploads/' '"status": 204'
    taken_once 1048576
}

@test "connections that break again and again, and forwards" {
    faulty
    big 17
    fault break_request PATCH /uploads/ '"bytes": 3000000, "times": 4'
    pushes
    taken_once 4194304
}

@test "a registry that undoes a broken request, and one that forgets the upload" {
    faulty --broken-upload revert
    big 17
    fault break_request PATCH /uploads/ '"bytes": 9000000'
    pushes
    logged_is 1 '"GET"' '/uploads/' '"status": 204'
    teardown
    faulty --broken-upload gone
    fault break_request PATCH /uploads/ '"bytes": 9000000'
    pushes
    logged_is 1 '"GET"' '/uploads/' '"status": 404'
    logged_is 3 '"POST"'
}

@test "uploads that always break: status 3" {
    faulty
    big 17
    fault drop_request PATCH /uploads/ '"bytes": 10, "times": 0'
    fault drop_request PUT /uploads/ '"bytes": 10, "times": 0'
    expect 3 waybill push big.wasm "$R/a/b:v1"
    err_has "blob sha256:"
    logged_is 0 /manifests/
    [ "$(logged '"PATCH"')" -le 40 ] || fail "$(logged '"PATCH"') PATCHes"
}

@test "an upload whose digest does not come out is begun anew, once" {
    faulty
    guest hello
    fault status PUT /uploads/ '"status": 400'
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    good
    fault status PUT /uploads/ '"status": 400, "times": 0'
    big 1
    expect 3 waybill push big.wasm "$R/c/d:v1"
    logged_is 5 '"status": 400'
}

@test "what registries say of ranges: stale, counted from the part, 0--1, nothing; 201 to PATCH" {
    local range
    big 17
    for range in stale chunk minus absent; do
        faulty --range "$range" --patch 201
        fault break_request PATCH /uploads/ '"bytes": 6000000'
        fault break_request PATCH /uploads/ '"bytes": 3000000'
        rm -rf "$HOME/.cache"
        pushes
        teardown
    done
}

@test "no PATCH at all: the whole by PUT, and the next time at once" {
    faulty --patch 405
    big 17
    pushes
    logged_is 1 '"PATCH"' 405
    : >"$LOG"
    big 17 8
    pushes
    logged_is 0 '"PATCH"'
}

@test "413: parts, smaller ones if need be; the next push begins with what went through" {
    faulty --max-body 3000000
    big 17
    pushes
    [ "$(logged '"status": 413')" -ge 2 ]
    : >"$LOG"
    big 17 8
    pushes
    logged_is 0 '"status": 413'
    taken_once
    # a module that is not big, and still too big for one request
    rm -rf "$HOME/.cache"
    big 5 9
    pushes
}

@test "the least size of a part is kept to" {
    faulty --min-chunk 6000000 --max-body 8000000
    big 17
    pushes
    logged_is 2 '"PATCH"' '"bytes_in": 6000000'
}

@test "416 again and again ends, and the whole goes by PUT" {
    faulty
    big 17
    fault status PATCH /uploads/ '"status": 416, "times": 0'
    pushes
    [ "$(logged '"PATCH"')" -le 20 ] || fail "$(logged '"PATCH"') PATCHes"
}

@test "a token that ends in the middle is renewed" {
    faulty --auth token
    as user:password
    big 17
    fault break_request PATCH /uploads/ '"bytes": 9000000'
    fault revoke GET /uploads/
    pushes
    taken_once 1048576
}

@test "upload locations of every form" {
    local form
    big 17
    for form in absolute alt schemeless folder; do
        faulty --auth basic --location "$form"
        as user:password
        fault break_request PATCH /uploads/ '"bytes": 9000000'
        pushes
        logged_is 0 '"listener": "alt"' '"has_authorization": true'
        teardown
    done
}

@test "a push killed at several points: the next one goes on, and no byte is sent twice" {
    faulty
    big 48
    local at
    for at in 1000000 5000000 1 2000000; do killed_push "$at"; done
    expect 4 waybill pull -o out.wasm "$R/a/b:v1"
    pushes
    err_has "of $SIZE bytes"
    taken_once
    # one upload of the module was ever begun that was filled
    [ "$(sed -n 's/.*"PATCH".*uploads\/\([0-9a-f]*\).*/\1/p' "$LOG" | sort -u | wc -l)" -eq 1 ]
}

@test "a remembered upload that is gone, or whose bytes are others: the push begins anew" {
    faulty
    big 17
    killed_push 5000000
    fault status GET /uploads/ '"status": 404'
    pushes
    rm -rf "$HOME/.cache"
    big 17 8
    killed_push 5000000
    # somebody else's bytes in between
    local url memo
    memo=$(ls "$HOME"/.cache/waybill/memo/session/*)
    url=$(sed 's/.*"value": *"http:\/\/[^/]*\([^"]*\)".*/\1/' "$memo")
    ask PATCH "$url" "somebody else's bytes"
    pushes
}

@test "a remembered upload leads nowhere else" {
    faulty
    big 17
    killed_push 5000000
    sed -i 's/"value": *"http:\/\/[^/]*/"value":"http:\/\/169.254.169.254/' "$HOME"/.cache/waybill/memo/session/*
    pushes
    logged_is 2 '"PATCH"'
}

@test "a blob that another repository of the registry has is not sent" {
    faulty
    big 2
    pushes
    : >"$LOG"
    expect 0 waybill push big.wasm "$R/c/d:v1"
    logged_is 1 '"POST"' 'mount=sha256:' 'from=a/b'
    [ "$(taken)" -lt 2000 ]
    expect 0 waybill push --json big.wasm "$R/c/d:v2"
    out_has '"existed": true'
}

@test "mounts that are refused cost nothing more, or one request" {
    local answer
    big 2
    for answer in no 400 401 403 404 405 500; do
        faulty --mount "$answer"
        rm -rf "$HOME/.cache"
        pushes
        : >"$LOG"
        expect 0 waybill push big.wasm "$R/c/d:v1"
        [ "$answer" != no ] || logged_is 2 '"POST"'
        taken_once
        teardown
    done
}

@test "a cold push with a token: five steps, and one 401" {
    faulty --auth token
    as user:password
    guest hello
    expect 0 waybill push hello.wasm "$R/a/b:v1"
    logged_is 1 '"status": 401'
    logged_is 1 '/token'
    logged_is 2 '"HEAD"' '"status": 404'
    logged_is 2 '"POST"' '"status": 202'
    logged_is 3 '"PUT"'
    logged_is 9 '"listener": "main"'
}
