#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What other tools wrote is read: the kinds of wasm artifacts, as layouts made by hand in the form that each tool writes.
load lib
load shelf

# reads KIND: the artifact is of that kind, and its module comes out and runs.
reads() {
    expect 0 waybill inspect oci:shelf
    out_has "Kind:      $1"
    expect 0 waybill pull -o out.wasm oci:shelf
    cmp hello.wasm out.wasm
    expect 0 waybill run --allow-unsigned oci:shelf
    out_is "hello from the guest"
}

any=application/vnd.wasm.content.layer.v1+wasm
solo=application/vnd.module.wasm.content.layer.v1+wasm
image=application/vnd.oci.image.config.v1+json

@test "wasm-to-oci" {
    guest hello
    artifact application/vnd.wasm.config.v1+json '{}' $any=hello.wasm
    reads wasm-to-oci
}

@test "Solo's and Istio's variant oci, with a file beside the module" {
    guest hello
    echo '{}' >runtime.json
    artifact application/vnd.module.wasm.config.v1+json '{"type":"envoy_proxy","abi_version":"v0-x"}' \
        application/json=runtime.json $solo=hello.wasm
    reads solo-wasm
}

@test "wasmCloud's actor, with a config of no bytes" {
    guest hello
    artifact application/vnd.wasmcloud.actor.archive.config '' $solo=hello.wasm
    reads wasmcloud-actor
}

@test "runwasi's image" {
    guest hello
    artifact $image '{"architecture":"wasm","os":"wasip1","rootfs":{"type":"layers","diff_ids":[]}}' \
        application/vnd.bytecodealliance.wasm.component.layer.v0+wasm=hello.wasm
    reads runwasi-image
}

@test "a layer that oras was told is wasm" {
    guest hello
    artifact application/vnd.oci.empty.v1+json '{}' application/wasm=hello.wasm
    reads wasm-layer
}

@test "two modules in one artifact: 16, and nothing written" {
    guest hello args
    artifact application/vnd.wasm.config.v1+json '{}' $any=hello.wasm $any=args.wasm
    expect 16 waybill pull -o out.wasm oci:shelf
    err_has "more than one layer is wasm"
    absent out.wasm
}

@test "one of several layers, by its place or its digest" {
    guest hello args
    artifact application/vnd.module.wasm.config.v1+json '{}' $solo=args.wasm $solo=hello.wasm
    expect 16 waybill pull -o out.wasm oci:shelf
    expect 0 waybill pull --layer 2 -o out.wasm oci:shelf
    cmp hello.wasm out.wasm
    expect 0 waybill pull --layer "sha256:$(sha256sum <args.wasm | cut -d' ' -f1)" -o out.wasm oci:shelf
    cmp args.wasm out.wasm
    expect 0 waybill inspect --layer 1 oci:shelf
    expect 0 waybill run --allow-unsigned --layer 2 oci:shelf
    out_is "hello from the guest"
    for layer in 0 3 x '' 99999999 "sha256:$(sha256sum <config | cut -d' ' -f1)"; do
        expect 2 waybill pull --layer "$layer" -o none.wasm oci:shelf
    done
    expect 2 waybill pull --component web -o none.wasm oci:shelf
    err_has "has no components"
    absent none.wasm
}

@test "what is no wasm is refused: unknown layers, bytes that only say they are wasm" {
    guest hello
    artifact $image '{}' application/vnd.oci.image.layer.v1.tar+xz=hello.wasm
    expect 1 waybill pull -o out.wasm oci:shelf
    err_has "not a wasm artifact"
    echo 'this is no module' >text
    artifact application/vnd.oci.empty.v1+json '{}' application/wasm=text
    expect 16 waybill pull -o out.wasm oci:shelf
    err_has "not a WebAssembly binary"
    printf '\0asm' >text
    artifact application/vnd.oci.empty.v1+json '{}' application/wasm=text
    expect 16 waybill pull -o out.wasm oci:shelf
    absent out.wasm
}

@test "an index: the manifest for wasm, or the one that --platform names" {
    guest hello args
    artifact application/vnd.oci.empty.v1+json '{}' application/wasm=args.wasm
    cp manifest other
    artifact application/vnd.oci.empty.v1+json '{}' application/wasm=hello.wasm
    put args.wasm >/dev/null
    printf '{"schemaVersion":2,"manifests":[%s,%s]}' \
        "$(descriptor application/vnd.oci.image.manifest.v1+json other | jq -c '.platform={os:"linux",architecture:"amd64"}')" \
        "$(descriptor application/vnd.oci.image.manifest.v1+json manifest | jq -c '.platform={os:"wasip1",architecture:"wasm"}')" >list
    printf '{"schemaVersion":2,"manifests":[%s]}' \
        "$(descriptor application/vnd.oci.image.index.v1+json list)" >shelf/index.json
    expect 0 waybill pull -o out.wasm oci:shelf
    cmp hello.wasm out.wasm
    expect 0 waybill pull --platform linux/amd64 -o out.wasm oci:shelf
    cmp args.wasm out.wasm
    expect 0 waybill run --platform wasip1/wasm --allow-unsigned oci:shelf
    out_is "hello from the guest"
    expect 4 waybill pull --platform plan9/wasm -o none.wasm oci:shelf
    expect 2 waybill pull --platform wasm -o none.wasm oci:shelf
    absent none.wasm
    expect 0 waybill inspect oci:shelf
    out_has "index"
    expect 0 waybill inspect --json --platform linux/amd64 oci:shelf
    [ "$(jq -r .digest <<<"$output")" = "sha256:$(sha256sum other | cut -d' ' -f1)" ]
    [ "$(jq -r .repository <<<"$output")" = oci:shelf ]
    expect 4 waybill inspect --platform plan9/wasm oci:shelf
}
