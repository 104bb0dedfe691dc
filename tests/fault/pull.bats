#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pulling from a registry that breaks off, is busy, or lies.
load lib

@test "a registry that behaves: one request for the tag, one for the blob" {
    faulty
    pushed
    : >"$LOG"
    good
    logged_is 2 '"GET"'
    logged_is 2 ''
}

@test "a connection dropped in the middle of a blob is taken up where it broke" {
    faulty
    pushed
    fault drop_after_bytes GET /blobs/ '"bytes": 100'
    good
    logged_is 1 '"range": "bytes=100-"' '"status": 206'
}

@test "a connection dropped before any answer is tried again" {
    faulty
    pushed
    fault drop GET /manifests/
    fault drop GET /blobs/
    good
}

@test "a registry that always drops: status 3, nothing written, and the next pull succeeds" {
    faulty
    pushed
    fault drop_after_bytes GET /blobs/ '"times": 0, "bytes": 10'
    refused 3 "GET http://$R/"
    ask DELETE /_fault
    good
}

@test "5xx then success" {
    faulty
    pushed
    fault status GET /manifests/ '"status": 503, "times": 2'
    fault status GET /blobs/ '"status": 500'
    good
}

@test "5xx for good: status 3 with the registry's words, escaped" {
    faulty
    pushed
    fault status GET /manifests/ '"status": 500, "times": 0, "body": "bad \u001b[31mday"'
    refused 3 'status 500 (bad \x1b[31mday)'
}

@test "429 with Retry-After in seconds is waited for" {
    faulty
    pushed
    fault retry_after GET /blobs/ '"value": 1'
    local before=$SECONDS
    good
    [ $((SECONDS - before)) -ge 1 ]
}

@test "429 with Retry-After as a date is waited for" {
    faulty
    pushed
    fault retry_after GET /blobs/ '"date": 2'
    local before=$SECONDS
    good
    [ $((SECONDS - before)) -ge 1 ]
}

@test "429 that asks for an hour: status 3 at once, and says when to try again" {
    faulty
    pushed
    fault retry_after GET /manifests/ '"value": 3600, "times": 0'
    local before=$SECONDS
    refused 3 "try again in 3600 s, at 20"
    [ $((SECONDS - before)) -le 3 ]
    logged_is 1 '"GET"'
}

@test "a blob of the right length with other bytes: status 17" {
    faulty
    pushed
    fault wrong_digest GET /blobs/
    refused 17 ", expected sha256:"
    good
}

@test "one bit of a blob: status 17" {
    faulty
    pushed
    fault flip_byte GET /blobs/ '"offset": 50'
    refused 17 ", expected sha256:"
}

@test "a short blob: status 17" {
    faulty
    pushed
    fault short_body GET /blobs/
    refused 17 "were expected"
}

@test "a long blob: status 17" {
    faulty
    pushed
    fault long_body GET /blobs/
    refused 17 "blob sha256:"
}

@test "a manifest that has not the digest asked for: status 17" {
    faulty
    guest hello
    local pinned
    pinned=$(waybill push -q hello.wasm "$R/a/b:v1")
    fault flip_byte GET /manifests/ '"offset": 20'
    expect 17 waybill pull -o out.wasm "$pinned"
    err_has "the registry sent one with the digest sha256:"
    absent out.wasm
    expect 0 waybill pull -o out.wasm "$pinned"
    cmp hello.wasm out.wasm
}

@test "a wrong Docker-Content-Digest header is a warning: the body counts" {
    faulty
    pushed
    fault wrong_docker_digest GET /manifests/
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    err_has "Docker-Content-Digest"
    cmp hello.wasm out.wasm
}

@test "a content type that contradicts the manifest: status 16; one that says nothing of it: no matter" {
    faulty
    pushed
    fault wrong_content_type GET /manifests/ '"value": "application/vnd.oci.image.index.v1+json"'
    refused 16 "application/vnd.oci.image.index.v1+json"
    fault wrong_content_type GET /manifests/ '"value": "text/plain; charset=utf-8"'
    good
}

@test "a login page instead of a manifest: status 16" {
    faulty
    pushed
    fault replace_body GET /manifests/ '"body": "<html>please log in</html>"'
    refused 16 "manifest"
}

@test "a manifest over 4 MiB: status 16" {
    faulty
    pushed
    fault long_body GET /manifests/ '"bytes": 5000000'
    refused 16 "more than 4194304 bytes"
}

@test "an unknown tag, repository and blob: status 4" {
    faulty
    guest hello
    refused 4 "MANIFEST_UNKNOWN"
    pushed
    fault status GET /blobs/ '"status": 404'
    refused 4 "blob sha256:"
}

@test "a redirect to another host carries no credentials" {
    faulty --auth basic
    as user:password
    pushed
    fault redirect GET /blobs/
    good
    logged_is 1 '"listener": "alt"' '"has_authorization": false' '"status": 200'
    logged_is 0 '"listener": "alt"' '"has_authorization": true'
}

@test "redirects that lead nowhere good: status 3" {
    faulty
    pushed
    local place
    for place in file:///etc/passwd http://169.254.169.254/latest http://user:secret@127.0.0.1/ "http://$R"; do
        ask DELETE /_fault
        fault redirect GET /blobs/ "\"times\": 0, \"to\": \"$place\""
        refused 3 "GET"
        err_lacks secret
    done
}

@test "a redirect to a name with an address of this machine: followed only from this machine" {
    faulty
    pushed
    fault redirect GET /blobs/ "\"times\": 0, \"to\": \"http://cdn.test:$ALT\""
    expect 0 waybill pull --resolve "cdn.test:$ALT:127.0.0.1" -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
    rm -rf "$HOME/.cache" out.wasm
    logged_is 1 '"listener": "alt"'
    # The same registry elsewhere: a proxy, itself on this machine, says that it is 192.0.2.1.
    local port_file=$BATS_TEST_TMPDIR/proxy try
    python3 -B "$root/tests/registry/proxy.py" --port-file "$port_file" --log "$port_file.log" 3>&- &
    PROXY_PID=$!
    for ((try = 0; try < 200; try++)); do
        [ ! -s "$port_file" ] || break
        sleep 0.05
    done
    export http_proxy=http://127.0.0.1:$(cat "$port_file")
    R=192.0.2.1:${R##*:}
    expect 3 waybill pull --plain-http --resolve "cdn.test:$ALT:127.0.0.1" -o out.wasm "$R/a/b:v1"
    err_has 'cdn.test has an address of this machine: refused to be led there'
    absent out.wasm
    # What the proxy reaches is its own business.
    expect 0 waybill pull --plain-http -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
    kill "$PROXY_PID"
    wait "$PROXY_PID" || true
    logged_is 2 '"listener": "alt"'
}

@test "a stalled registry is killed off by the user: the next pull succeeds" {
    faulty
    pushed
    fault stall GET /blobs/ '"bytes": 100, "ms": 20000'
    local pid try
    "$WAYBILL" pull -o out.wasm "$R/a/b:v1" 3>&- &
    pid=$!
    for ((try = 0; try < 100; try++)); do
        [ "$(logged '"fault": "stall"')" -eq 0 ] || break
        sleep 0.05
    done
    kill -9 "$pid"
    wait "$pid" || true
    absent out.wasm
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
}

@test "run of a reference fetches, and a lie is never run" {
    faulty
    pushed
    fault flip_byte GET /blobs/ '"offset": 40'
    expect 126 waybill run --allow-unsigned "$R/a/b:v1"
    out_is ""
    expect 0 waybill run --allow-unsigned "$R/a/b:v1"
}

@test "nobody listens there: status 3" {
    expect 3 waybill pull -o out.wasm 127.0.0.1:1/a/b:v1
    err_has "127.0.0.1"
    absent out.wasm
}
