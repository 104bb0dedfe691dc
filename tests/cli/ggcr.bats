#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# push, pull, tags and inspect against go-containerregistry's registry: another one than Debian's, with the referrers API.
load lib

setup_file() { start_ggcr; }
teardown_file() { stop_ggcr; }

@test "what is pushed there is pulled again" {
    need_ggcr
    guest hello
    expect 0 waybill push -q hello.wasm "$GGCR/a/b:v1"
    local pinned=$output
    expect 0 waybill pull -o one.wasm "$GGCR/a/b:v1"
    cmp hello.wasm one.wasm
    expect 0 waybill pull -o two.wasm "$pinned"
    cmp hello.wasm two.wasm
}

@test "pushing again changes nothing" {
    need_ggcr
    guest hello
    expect 0 waybill push -q hello.wasm "$GGCR/again:v1"
    local first=$output
    expect 0 waybill push -q hello.wasm "$GGCR/again:v1"
    out_is "$first"
}

@test "tags" {
    need_ggcr
    guest hello
    for tag in a b c; do waybill push -q hello.wasm "$GGCR/tags:$tag"; done
    expect 0 waybill tags "$GGCR/tags"
    out_is $'a\nb\nc'
}

@test "nothing there is 4" {
    need_ggcr
    expect 4 waybill pull -o none.wasm "$GGCR/none:v1"
    absent none.wasm
}

@test "it has the referrers API" {
    need_ggcr
    guest hello
    local digest
    digest=$(waybill push -q hello.wasm "$GGCR/referred:v1")
    expect 0 curl -sf -D headers "http://$GGCR/v2/referred/referrers/${digest#*@}"
    grep -qi '^content-type: application/vnd.oci.image.index.v1+json' headers
    [ "$(jq -c .manifests <<<"$output")" = '[]' ]
}
