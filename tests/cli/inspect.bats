#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

@test "a module: sections, imports, exports, no signature" {
    guest hello
    expect 0 waybill inspect hello.wasm
    out_has "Module:    module, $(size_of hello.wasm) bytes"
    out_has "sha256:$(sha256sum <hello.wasm | cut -d' ' -f1)"
    out_has '  func      wasi_snapshot_preview1 fd_write'
    out_has '  func      _start'
    out_has '  memory    memory'
    out_has 'Signatures: none'
    err_is ''
}

@test "--json of a module adds up to its size" {
    guest hello
    expect 0 waybill inspect --json hello.wasm
    [ "$(jq -r '.schema + " " + .file + " " + .module.kind' <<<"$output")" = 'waybill.inspect/1 hello.wasm module' ]
    [ "$(jq '.module.size' <<<"$output")" = "$(size_of hello.wasm)" ]
    [ "$(jq '.module.sections[-1] | .offset + .size' <<<"$output")" -lt "$(size_of hello.wasm)" ]
    [ "$(jq -r '.module.imports[] | select(.name == "proc_exit") | .module' <<<"$output")" = wasi_snapshot_preview1 ]
}

@test "a component: decoded names" {
    guest component-ok
    expect 0 waybill inspect component-ok.wasm
    out_has 'Module:    component'
    out_has '  instance  wasi:cli/stdout@0.2.0'
    out_has '  instance  wasi:cli/run@0.2.0'
}

@test "signatures are listed, one line each" {
    signed_guests
    waybill sign --key bob.key -o both.wasm signed.wasm
    expect 0 waybill inspect both.wasm
    out_has 'Signatures (not checked):'
    [ "$(grep -c 'key id' <<<"$output")" = 2 ]
}

@test "a reference: manifest, kind, config, annotations" {
    guest hello
    local digest
    digest=$(waybill push --json -a org.example.note=tea hello.wasm oci:shelf:1 | jq -r .digest)
    expect 0 waybill inspect oci:shelf:1
    out_has 'Reference: oci:shelf:1'
    out_has "Digest:    $digest"
    out_has 'Manifest:  application/vnd.oci.image.manifest.v1+json'
    out_has 'Kind:      cncf-wasm-v0'
    out_has 'Config:    application/vnd.wasm.config.v0+json'
    out_has '  org.example.note = tea'
    out_has 'org.opencontainers.image.title = hello.wasm'
    out_has 'wasip1'
    out_has '  func      _start'
    expect 0 waybill inspect --json "oci:shelf@$digest"
    [ "$(jq -r '[.digest, .kind, .mediaType, .config.os, .manifest.annotations["org.example.note"], .module.kind] | join(" ")' <<<"$output")" = \
        "$digest cncf-wasm-v0 application/vnd.oci.image.manifest.v1+json wasip1 tea module" ]
}

@test "what is no wasm artifact is shown as far as its manifest" {
    guest hello
    waybill push hello.wasm oci:shelf:1
    jq -c '.config.mediaType = "a/b" | .layers[0].mediaType = "a/b"' \
        "shelf/blobs/sha256/$(jq -r '.manifests[0].digest[7:]' shelf/index.json)" >image.json
    local digest
    digest=$(sha256sum <image.json | cut -d' ' -f1)
    cp image.json "shelf/blobs/sha256/$digest"
    jq -c '.manifests[0] |= (.digest = "sha256:'"$digest"'" | .size = '"$(size_of image.json)"')' shelf/index.json >new
    mv new shelf/index.json
    expect 0 waybill inspect oci:shelf:1
    out_has 'Kind:      no known wasm artifact'
    out_lacks 'Sections'
    expect 0 waybill inspect --json oci:shelf:1
    [ "$(jq -c '[.kind, .module]' <<<"$output")" = '[null,null]' ]
}

@test "names from outside are escaped" {
    # A module with one custom section whose name clears the screen.
    { printf '\0asm\1\0\0\0' && printf '\0\5\4\033[2J'; } >evil.wasm
    expect 0 waybill inspect evil.wasm
    [[ $output != *$'\e'* ]]
    out_has '\x1b[2J'
    guest hello
    waybill push -a $'org.example.x=\e]0;owned\a' hello.wasm oci:shelf:1
    expect 0 waybill inspect oci:shelf:1
    [[ $output != *$'\e'* ]]
    out_has '\x1b]0;owned\x07'
}

@test "malformed files: 16" {
    : >empty.wasm
    echo text >text.wasm
    head -c 1000 "$GUESTS/hello.wasm" >short.wasm
    printf '\0asm\1\0\0\0\1\377\377\377\377\17' >huge.wasm
    printf '\0asm\1\0\0\0\1\200\200\200\200\200\0' >overlong.wasm
    printf '\0asm\1\0\0\0\77\0' >unknown.wasm
    printf '\0asm\1\0\0\0\0\2\1\377' >utf8.wasm
    for bad in empty text short huge overlong unknown utf8; do
        expect 16 waybill inspect $bad.wasm
        out_is ''
        err_has "$bad.wasm"
    done
}

@test "every truncation of a module is refused or shown, and never crashes" {
    guest hello
    local at
    for ((at = 0; at < $(size_of hello.wasm); at += 97)); do
        head -c $at hello.wasm >short.wasm
        run "$WAYBILL" inspect short.wasm
        [ "$status" = 0 ] || [ "$status" = 16 ] || fail "$at bytes: status $status"
    done
}

@test "not found" {
    expect 4 waybill inspect nothing.wasm
    err_is 'waybill: inspect nothing.wasm: No such file or directory'
    expect 4 waybill inspect oci:nothing:1
}
