#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# tags: of layouts, and of Debian's registry.
load lib

setup_file() {
    ! command -v docker-registry >/dev/null || start_registry
}
teardown_file() { stop_registry; }

@test "a layout: sorted, each once, tools' tags only with --all" {
    guest hello
    local tag
    for tag in 2.0 1.0 latest sha256-0123.sig sha256-0123 sha512-0; do waybill push -q hello.wasm "oci:shelf:$tag" >/dev/null; done
    expect 0 waybill tags oci:shelf
    out_is $'1.0\n2.0\nlatest'
    expect 0 waybill tags oci:shelf:2.0
    out_is $'1.0\n2.0\nlatest'
    expect 0 waybill tags --all oci:shelf
    out_is $'1.0\n2.0\nlatest\nsha256-0123\nsha256-0123.sig\nsha512-0'
    expect 0 waybill tags --json oci:shelf
    [ "$(jq -c . <<<"$output")" = '{"schema":"waybill.tags/1","reference":"oci:shelf","tags":["1.0","2.0","latest"]}' ]
}

@test "a layout: nothing in it, none there, names that clear the screen" {
    guest hello
    waybill push -q hello.wasm oci:shelf:1 >/dev/null
    jq '.manifests = []' shelf/index.json >new && cp new shelf/index.json
    expect 0 waybill tags oci:shelf
    out_is ''
    expect 0 waybill tags --json oci:shelf
    [ "$(jq -c .tags <<<"$output")" = '[]' ]
    expect 4 waybill tags oci:nowhere
    mkdir empty
    expect 16 waybill tags oci:empty
    rm -r shelf
    waybill push -q hello.wasm oci:shelf:1 >/dev/null
    jq '.manifests[0].annotations["org.opencontainers.image.ref.name"] = "\u001b[2J"' shelf/index.json >new
    cp new shelf/index.json
    expect 0 waybill tags oci:shelf
    out_is '\x1b[2J'
}

@test "a registry: what was pushed, and a repository that is not there" {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    guest hello
    local tag
    for tag in 2.0 1.0 sha256-0123; do waybill push -q hello.wasm "$REGISTRY/tags/x:$tag" >/dev/null; done
    expect 0 waybill tags "$REGISTRY/tags/x"
    out_is $'1.0\n2.0'
    expect 4 waybill tags "$REGISTRY/tags/none"
}
