#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What real registries were seen to do, as far as the other files here have no place for it.
load lib

@test "a content type with parameters is the type before them" {
    faulty
    pushed
    fault set_header GET /manifests/ '"headers": {"Content-Type": "application/vnd.oci.image.manifest.v1+json; charset=utf-8"}'
    good
}

@test "a manifest with both layers and manifests: 16" {
    faulty
    guest hello
    fault replace_body GET /manifests/ '"body": "{\"schemaVersion\":2,\"manifests\":[],\"layers\":[],\"config\":{}}"'
    fault status GET /manifests/ '"status": 404'
    pushed
    refused 16 manifest
}

@test "what comes compressed unasked is not what the digest names: 16 by tag, 17 by digest, 17 for a blob" {
    faulty
    pushed
    local digest
    digest=$(waybill pull --json -o first.wasm "$R/a/b:v1" | jq -r .digest)
    rm -rf "$HOME/.cache"
    fault gzip GET /manifests/
    refused 16 manifest
    fault gzip GET /manifests/
    expect 17 waybill pull -o out.wasm "$R/a/b@$digest"
    fault gzip GET /blobs/
    refused 17 "were expected"
    logged_is 0 '"accept_encoding": "'
    good
}

@test "a token service without POST gets a GET, where there is a password, too" {
    faulty --auth token
    credentials "{\"auth\": \"$(printf user:password | base64 -w0)\", \"identitytoken\": \"stale\"}"
    local status
    for status in 404 405; do
        rm -rf "$HOME/.cache"
        fault status POST /token "\"status\": $status"
        pushed
    done
    logged_is 2 '"POST"' /token
    logged_is 2 '"GET"' /token '"status": 200'
}

@test "Azure: the user that is none, with an identity token: a POST, and no password goes anywhere" {
    faulty --auth token
    credentials "{\"auth\": \"$(printf 00000000-0000-0000-0000-000000000000: | base64 -w0)\", \"identitytoken\": \"identity\"}"
    fault status POST /token '"status": 200, "body": "{\"access_token\": \"unknown\"}"'
    guest hello
    refused 5 "status 401"
    logged_is 1 '"POST"' /token
    logged_is 0 /token '"auth_scheme": "basic"'
}

@test "an upload that ends with 200, 202 or 204 has ended" {
    faulty
    local status
    for status in 200 202 204; do
        fault set_status PUT /uploads/ "\"status\": $status"
        fault set_status PUT /manifests/ "\"status\": $status"
        pushed
        rm -rf "$HOME/.cache"
        good
        teardown
        rm -rf "$HOME/.cache"
        faulty
    done
}

@test "a repository that has to be made first, where the connection just ends: 3" {
    faulty
    guest hello
    fault drop POST /uploads/ '"times": 0'
    expect 3 waybill push hello.wasm "$R/a/b:v1"
    logged_is 0 /manifests/
}

@test "400, 403 and 404 are not asked for again; 429 in words that are no JSON: 3" {
    faulty
    pushed
    local status before
    for status in 400:3 403:5 404:4; do
        before=$(logged /manifests/)
        fault status GET /manifests/ "\"status\": ${status%:*}, \"times\": 0"
        refused "${status#*:}" "status ${status%:*}"
        logged_is $((before + 1)) /manifests/
        ask DELETE /_fault
    done
    fault retry_after GET /manifests/ '"value": 86400, "body": "Too Many Requests (HAP429).\n"'
    refused 3 "status 429"
    err_has "try again in 86400 s"
}

@test "a HEAD that says no digest: a copy puts the manifest, and it is right" {
    faulty
    pushed
    fault set_header HEAD /manifests/ '"times": 0, "headers": {"Docker-Content-Digest": null}'
    expect 0 waybill copy -q "$R/a/b:v1" "$R/c/d:v1"
    expect 0 waybill copy -q "$R/a/b:v1" "$R/c/d:v1"
    expect 0 waybill pull -o out.wasm "$R/c/d:v1"
    cmp hello.wasm out.wasm
}

@test "tags of tools are not listed" {
    faulty
    pushed
    waybill push -q hello.wasm "$R/a/b:sha256-$(printf '5%.0s' {1..64}).sig" >/dev/null
    expect 0 waybill tags "$R/a/b"
    out_is v1
}

@test "references: upper case in a host, a digest beside a tag that is not there, IPv6" {
    faulty
    pushed
    local digest
    digest=$(waybill pull --json -o first.wasm "LOCALHOST:${R##*:}/a/b:v1" | jq -r .digest)
    rm -rf "$HOME/.cache"
    expect 0 waybill pull -o out.wasm "$R/a/b:gone@$digest"
    cmp hello.wasm out.wasm
    logged_is 0 /manifests/gone
    expect 3 waybill pull -o none.wasm "[::1]:${R##*:}/a/b:v1"
    absent none.wasm
}
