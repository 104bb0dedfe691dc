#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pull, from image layouts; registries are in registry.bats.
load lib

shelf() {
    signed_guests
    for name in hello signed changed spliced; do waybill push -q $name.wasm oci:shelf:$name >/dev/null; done
}
index() { jq "$1" shelf/index.json >index.new && mv index.new shelf/index.json; }
manifest_path() { echo "shelf/blobs/sha256/$(jq -r '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "'"$1"'") | .digest[7:]' shelf/index.json)"; }
layer_path() { echo "shelf/blobs/sha256/$(jq -r '.layers[0].digest[7:]' "$(manifest_path "$1")")"; }
config_path() { echo "shelf/blobs/sha256/$(jq -r '.config.digest[7:]' "$(manifest_path "$1")")"; }
# Puts a changed manifest in the place of a tag's.
remake_manifest() {
    local digest
    jq -c "$2" "$(manifest_path "$1")" >m.json
    digest=$(sha256sum <m.json | cut -d' ' -f1)
    cp m.json "shelf/blobs/sha256/$digest"
    index '(.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == "'"$1"'")) |= (.digest = "sha256:'"$digest"'" | .size = '"$(size_of m.json)"')'
}

@test "prints reference, size and the digest that push printed" {
    guest hello
    local digest
    digest=$(waybill push hello.wasm oci:shelf:1 | sed -n 's/^Digest: //p')
    expect 0 waybill pull -o out.wasm oci:shelf:1
    out_is "Pulled: oci:shelf:1
Size:   $(size_of hello.wasm)
Digest: $digest"
    err_is ''
    cmp hello.wasm out.wasm
}

@test "-q and --json" {
    shelf
    expect 0 waybill pull -q -o out.wasm oci:shelf:signed
    [[ $output =~ ^oci:shelf@sha256:[0-9a-f]{64}$ ]]
    local pinned=$output
    expect 0 waybill pull --json --key alice.pub -o out.wasm "$pinned"
    [ "$(jq -r '[.schema, .repository + "@" + .digest, .size, .file, .verified, .checks[0].ok] | map(tostring) | join(" ")' <<<"$output")" = \
        "waybill.pull/1 $pinned $(size_of signed.wasm) out.wasm true true" ]
    expect 0 waybill pull --json -o out.wasm "$pinned"
    [ "$(jq -c '[.verified, .checks]' <<<"$output")" = '[false,[]]' ]
}

@test "-o - is standard output, and the rest goes to stderr" {
    shelf
    expect 0 sh -c '"$WAYBILL" pull -o - oci:shelf:hello >out.wasm'
    err_has 'Pulled: oci:shelf:hello'
    cmp hello.wasm out.wasm
    sh -c '"$WAYBILL" pull -o - oci:shelf:hello 2>/dev/null | cat' >piped.wasm
    cmp hello.wasm piped.wasm
    expect 1 sh -c '"$WAYBILL" pull -o - oci:shelf:hello >/dev/full'
    err_has 'No space left on device'
}

@test "with --key: verified, and refused with its own status and nothing written" {
    shelf
    expect 0 waybill pull --key alice.pub -o good.wasm oci:shelf:signed
    cmp signed.wasm good.wasm
    expect 10 waybill pull --key alice.pub -o out.wasm oci:shelf:hello
    expect 12 waybill pull --key bob.pub -o out.wasm oci:shelf:signed
    expect 17 waybill pull --key alice.pub -o out.wasm oci:shelf:changed
    expect 17 waybill pull --key alice.pub -o out.wasm oci:shelf:spliced
    out_is ''
    absent out.wasm
    tidy .
}

@test "with --key and -o -: not a byte before the verdict" {
    shelf
    expect 12 waybill pull --key bob.pub -o - oci:shelf:signed
    out_is ''
    expect 17 waybill pull --key alice.pub -o - oci:shelf:changed
    out_is ''
}

@test "a refused pull leaves the old file" {
    shelf
    echo old >out.wasm
    expect 12 waybill pull --key bob.pub -o out.wasm oci:shelf:signed
    [ "$(cat out.wasm)" = old ]
    expect 0 waybill pull -o out.wasm oci:shelf:signed
    cmp signed.wasm out.wasm
}

@test "not found: folder, tag, digest" {
    shelf
    expect 4 waybill pull -o out.wasm oci:nowhere:1
    expect 4 waybill pull -o out.wasm oci:shelf:none
    err_has 'none'
    expect 4 waybill pull -o out.wasm "oci:shelf@sha256:$(printf '0%.0s' {1..64})"
    absent out.wasm nowhere
}

@test "a file is no reference for pull" {
    shelf
    run "$WAYBILL" pull -o out.wasm ./hello.wasm
    [ "$status" = 2 ]
    absent out.wasm
}

@test "an output that cannot be written" {
    shelf
    expect 4 waybill pull -o no/out.wasm oci:shelf:hello
    mkdir out.wasm
    expect 1 waybill pull -o out.wasm oci:shelf:hello
    tidy .
}

@test "a blob that is changed: 17; missing: 4; shorter or longer: 17" {
    shelf
    local layer
    layer=$(layer_path hello)
    chmod u+w "$layer"
    cp "$layer" keep
    flip "$layer" 100
    expect 17 waybill pull -o out.wasm oci:shelf:hello
    truncate -s -1 "$layer"
    expect 17 waybill pull -o out.wasm oci:shelf:hello
    { cat keep && echo more; } >"$layer"
    expect 17 waybill pull -o out.wasm oci:shelf:hello
    : >"$layer"
    expect 17 waybill pull -o out.wasm oci:shelf:hello
    rm "$layer"
    expect 4 waybill pull -o out.wasm oci:shelf:hello
    absent out.wasm
    tidy .
    cp keep "$layer"
    expect 0 waybill pull -o out.wasm oci:shelf:hello
}

@test "a manifest that is changed: 17; one that the index promises and is not there: 16" {
    shelf
    local manifest
    manifest=$(manifest_path hello)
    chmod u+w "$manifest"
    flip "$manifest" 40
    expect 17 waybill pull -o out.wasm oci:shelf:hello
    rm "$manifest"
    expect 16 waybill pull -o out.wasm oci:shelf:hello
    err_has 'the manifest that index.json names is missing'
    absent out.wasm
}

@test "links in the place of blobs are not followed" {
    shelf
    local layer
    layer=$(layer_path hello)
    rm -f "$layer"
    ln -s "$PWD/hello.wasm" "$layer"
    run "$WAYBILL" pull -o out.wasm oci:shelf:hello
    [ "$status" -ne 0 ]
    absent out.wasm
    rm "$layer" && mkfifo "$layer"
    run timeout 5 "$WAYBILL" pull -o out.wasm oci:shelf:hello
    [ "$status" -ne 0 ]
    [ "$status" -ne 124 ]
    rm "$layer" && mkdir "$layer"
    run "$WAYBILL" pull -o out.wasm oci:shelf:hello
    [ "$status" -ne 0 ]
    absent out.wasm
}

@test "manifests that lie or are malformed" {
    shelf
    cp -r shelf keep
    local bad
    for bad in '17 .layers[0].size += 1' '16 .layers = []' '16 .layers += .layers' \
        '16 .layers[0].digest = "sha256:../../../../etc/passwd"' '16 .layers[0].mediaType = "text/plain"' \
        '16 .layers[0].size = -1' '16 .schemaVersion = 1' '16 del(.config)' '16 .manifests = []' \
        '1 .config.mediaType = "a/b" | .layers[0].mediaType = "a/b"'; do
        rm -r shelf
        cp -r keep shelf
        remake_manifest hello "${bad#* }"
        expect "${bad%% *}" waybill pull -o out.wasm oci:shelf:hello
        absent out.wasm
    done
    err_has 'not a wasm artifact'
}

@test "indexes that are malformed, and a layout without its marks" {
    shelf
    cp -r shelf keep
    for text in '' '{' '[]' '{"schemaVersion":2}' '{"schemaVersion":2,"manifests":[{}]}' \
        '{"schemaVersion":2,"manifests":[],"manifests":[]}' '{"schemaVersion":2,"manifests":[]}x'; do
        printf %s "$text" >shelf/index.json
        expect 16 waybill pull -o out.wasm oci:shelf:hello
    done
    rm shelf/index.json
    run "$WAYBILL" pull -o out.wasm oci:shelf:hello
    [ "$status" -ne 0 ]
    rm -r shelf && cp -r keep shelf
    echo '{"imageLayoutVersion":"9.0.0"}' >shelf/oci-layout
    run "$WAYBILL" pull -o out.wasm oci:shelf:hello
    [ "$status" -ne 0 ]
    absent out.wasm
}

@test "foreign files in a layout do no harm" {
    shelf
    echo hi >shelf/README
    echo hi >shelf/blobs/sha256/not-a-digest
    mkdir shelf/blobs/md5
    expect 0 waybill pull -o out.wasm oci:shelf:hello
}

@test "nothing but the output is written" {
    shelf
    find shelf -type f -exec sha256sum {} + | sort >before
    expect 0 waybill pull -o out.wasm oci:shelf:hello
    find shelf -type f -exec sha256sum {} + | sort >after
    cmp before after
    tidy . "$TMPDIR"
}
