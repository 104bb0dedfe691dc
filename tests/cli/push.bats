#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# push, to image layouts; registries are in registry.bats.
load lib

digest_of() { jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "'"$2"'") | .digest' "$1/index.json"; }
blob() { cat "$1/blobs/sha256/${2#sha256:}"; }

@test "prints reference, size and the manifest's digest" {
    guest hello
    expect 0 waybill push hello.wasm oci:shelf:1.0
    out_is "Pushed: oci:shelf:1.0
Size:   $(size_of hello.wasm)
Digest: $(digest_of shelf 1.0)"
    err_is ''
}

@test "-q prints nothing but REPO@DIGEST" {
    guest hello
    expect 0 waybill push -q hello.wasm oci:shelf:1.0
    out_is "oci:shelf@$(digest_of shelf 1.0)"
}

@test "--json" {
    guest hello
    expect 0 waybill push --json hello.wasm oci:shelf:1.0
    [ "$(jq -r '[.schema, .reference, .repository, .digest, .size, .existed] | map(tostring) | join(" ")' <<<"$output")" = \
        "waybill.push/1 oci:shelf:1.0 oci:shelf $(digest_of shelf 1.0) $(size_of hello.wasm) false" ]
    expect 0 waybill push --json hello.wasm oci:shelf:again
    [ "$(jq .existed <<<"$output")" = true ]
}

@test "what is written is the CNCF artifact, and skopeo takes the layout" {
    guest hello
    waybill push -a org.example.b=2 -a org.example.a=1 hello.wasm oci:shelf:1.0
    local manifest config layer
    manifest=$(blob shelf "$(digest_of shelf 1.0)")
    layer=sha256:$(sha256sum <hello.wasm | cut -d' ' -f1)
    [ "$(jq -r '[.schemaVersion, .mediaType, .config.mediaType, (.layers | length), .layers[0].mediaType, .layers[0].digest, .layers[0].size, .layers[0].annotations["org.opencontainers.image.title"]] | map(tostring) | join(" ")' <<<"$manifest")" = \
        "2 application/vnd.oci.image.manifest.v1+json application/vnd.wasm.config.v0+json 1 application/wasm $layer $(size_of hello.wasm) hello.wasm" ]
    [ "$(jq -c .annotations <<<"$manifest")" = '{"org.example.a":"1","org.example.b":"2"}' ]
    config=$(blob shelf "$(jq -r .config.digest <<<"$manifest")")
    [ "$(jq -r '[.architecture, .os, .layerDigests[0], .created] | join(" ")' <<<"$config")" = "wasm wasip1 $layer 1970-01-01T00:00:00Z" ]
    command -v skopeo >/dev/null || skip "skopeo is not installed"
    [ "$(skopeo inspect --raw oci:shelf:1.0)" = "$manifest" ]
    skopeo copy -q oci:shelf:1.0 oci:other:1.0
    expect 0 waybill pull -o copy.wasm oci:other:1.0
    cmp hello.wasm copy.wasm
}

@test "a component's config names its imports and exports" {
    guest component-ok
    waybill push component-ok.wasm oci:shelf:1
    local config
    config=$(blob shelf "$(blob shelf "$(digest_of shelf 1)" | jq -r .config.digest)")
    [ "$(jq -r .os <<<"$config")" = wasip2 ]
    [ "$(jq -c .component.exports <<<"$config")" = '["wasi:cli/run@0.2.0"]' ]
    [ "$(jq '.component.imports | length' <<<"$config")" -gt 0 ]
}

@test "the same input makes the same bytes on any day, in any zone and folder" {
    guest hello
    waybill push -q -a x=y hello.wasm oci:one:1
    mkdir sub && cp hello.wasm sub && touch -d 2001-01-01 sub/hello.wasm
    TZ=Asia/Tokyo SOURCE_DATE_EPOCH=0 waybill push -q -a x=y sub/hello.wasm oci:two:1
    [ "$(digest_of one 1)" = "$(digest_of two 1)" ]
    [ "$(cat one/index.json)" = "$(cat two/index.json)" ]
}

@test "a tag moves; other tags and foreign entries stay" {
    guest hello args
    waybill push hello.wasm oci:shelf:1
    waybill push hello.wasm oci:shelf:2
    local first
    first=$(digest_of shelf 1)
    waybill push args.wasm oci:shelf:1
    [ "$(digest_of shelf 1)" != "$first" ]
    [ "$(digest_of shelf 2)" = "$first" ]
    expect 0 waybill run --allow-unsigned oci:shelf:2
    out_is 'hello from the guest'
}

@test "without a tag the tag is latest" {
    guest hello
    expect 0 waybill push hello.wasm oci:shelf
    [ "${lines[0]}" = 'Pushed: oci:shelf:latest' ]
    [ -n "$(digest_of shelf latest)" ]
}

@test "annotations that are wrong" {
    guest hello
    for bad in noequals =value; do
        expect 2 waybill push -a $bad hello.wasm oci:shelf:1
        err_has "annotation '$bad': KEY=VALUE is wanted"
    done
    expect 2 waybill push -a k=1 -a k=2 hello.wasm oci:shelf:1
    err_has "annotation 'k' is given twice"
    expect 2 waybill push -a $'k=\xff' hello.wasm oci:shelf:1
    err_has "annotation 'k' is not UTF-8"
    absent shelf
    expect 0 waybill push -a empty= hello.wasm oci:shelf:1
}

@test "files that are no wasm binary: 16, and nothing is written" {
    : >empty.wasm
    echo text >text.wasm
    head -c 1000 "$GUESTS/hello.wasm" >short.wasm
    printf '\0asm\2\0\0\0' >version.wasm
    { cat "$GUESTS/hello.wasm" && printf '\0'; } >tail.wasm
    for bad in empty text short version tail; do
        expect 16 waybill push $bad.wasm oci:shelf:1
        err_has "$bad.wasm"
        absent shelf/index.json
    done
}

@test "files that are missing, folders, pipes" {
    expect 4 waybill push nothing.wasm oci:shelf:1
    err_has 'nothing.wasm: No such file'
    expect 1 waybill push . oci:shelf:1
    err_has 'not a regular file'
    mkfifo pipe
    expect 1 waybill push pipe oci:shelf:1
    err_has 'not a regular file'
}

@test "a push to what is no layout changes nothing there" {
    guest hello
    mkdir notes && echo mine >notes/file
    run "$WAYBILL" push hello.wasm oci:notes:1
    [ "$(cat notes/file)" = mine ]
    echo plain >plainfile
    run "$WAYBILL" push hello.wasm oci:plainfile:1
    [ "$status" -ne 0 ]
    [ "$(cat plainfile)" = plain ]
}

@test "a damaged index stays as it is" {
    guest hello
    waybill push hello.wasm oci:shelf:1
    echo '{"schemaVersion":2,' >shelf/index.json
    expect 16 waybill push hello.wasm oci:shelf:2
    [ "$(cat shelf/index.json)" = '{"schemaVersion":2,' ]
    tidy shelf
}

@test "two pushes at once both arrive" {
    guest hello args
    for i in 1 2 3 4 5; do
        "$WAYBILL" push -q hello.wasm oci:shelf:h$i >/dev/null &
        "$WAYBILL" push -q args.wasm oci:shelf:a$i >/dev/null
        wait $!
    done
    [ "$(jq '.manifests | length' shelf/index.json)" = 10 ]
    for i in 1 2 3 4 5; do expect 0 waybill pull -q -o out.wasm oci:shelf:h$i; done
}

@test "a killed push: the next one succeeds and the layout is sound" {
    big_guest big.wasm 20000000
    for delay in 0.001 0.005 0.01 0.02 0.04; do
        "$WAYBILL" push -q big.wasm oci:shelf:1 >/dev/null &
        sleep $delay
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
    done
    expect 0 waybill push -q big.wasm oci:shelf:1
    expect 0 waybill pull -q -o out.wasm oci:shelf:1
    cmp big.wasm out.wasm
}

@test "a digest that the artifact does not have: 17, and no layout is begun" {
    guest hello
    expect 17 waybill push hello.wasm "oci:fresh:1@sha256:$(printf '0%.0s' {1..64})"
    err_has "digest"
    absent fresh
}
