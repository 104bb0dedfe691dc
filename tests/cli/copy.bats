#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# copy: layouts, Debian's registry (no referrers API) and go-containerregistry's (with it), and what skopeo says of the result.
load lib

setup_file() {
    ! command -v docker-registry >/dev/null || start_registry
    start_ggcr
}
teardown_file() {
    stop_registry
    stop_ggcr
}


# digest_of REF
digest_of() { waybill tree --json "$1" | jq -r .digest; }

# signed REF: hello.wasm there, with a signature, an attestation, and a signature of that one.
attached() {
    guest hello
    waybill push -q hello.wasm "$1" >/dev/null
    local repo=${1%:*} att
    echo signature >signature.txt
    echo attestation >attestation.txt
    waybill attach -q -T application/vnd.test.signature -a who=alice signature.txt "$1" >/dev/null
    att=$(waybill attach -q -T application/vnd.test.attestation attestation.txt "$1")
    waybill attach -q -T application/vnd.test.signature signature.txt "$repo@${att#*@}" >/dev/null
}

# shape REF: the tree without the names of places.
shape() { waybill tree --json "$1" | jq -c 'del(.schema, .reference, .repository)'; }

# index_layout DIR: an index of two images, an entry that is nested and one that is no manifest, tagged multi.
index_layout() {
    python3 - "$1" <<'END'
import hashlib, json, os, sys
root = sys.argv[1]
os.makedirs(root + "/blobs/sha256")
OCI = "application/vnd.oci.image."
def put(data, kind, **more):
    digest = hashlib.sha256(data).hexdigest()
    open(root + "/blobs/sha256/" + digest, "wb").write(data)
    return {"mediaType": kind, "digest": "sha256:" + digest, "size": len(data), **more}
def dump(value): return json.dumps(value).encode()
def image(os_name, layers):
    config = put(dump({"os": os_name, "architecture": "wasm"}), OCI + "config.v1+json")
    manifest = {"schemaVersion": 2, "mediaType": OCI + "manifest.v1+json", "config": config, "layers": layers}
    return put(dump(manifest), OCI + "manifest.v1+json", platform={"os": os_name, "architecture": "wasm"})
shared = put(b"shared layer", "application/wasm")
one = image("wasip1", [shared, shared, put(b"one", "application/wasm")])
two = image("wasip2", [shared, put(b"two", "application/wasm")])
inner = put(dump({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [two]}), OCI + "index.v1+json")
index = put(dump({"schemaVersion": 2, "mediaType": OCI + "index.v1+json", "manifests": [one, inner]}), OCI + "index.v1+json",
            annotations={"org.opencontainers.image.ref.name": "multi"})
open(root + "/index.json", "wb").write(dump({"schemaVersion": 2, "manifests": [index]}))
open(root + "/oci-layout", "w").write('{"imageLayoutVersion":"1.0.0"}')
END
}

@test "layout to layout: the same bytes under the same digest" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    expect 0 waybill copy -q oci:a:1 oci:b:2
    out_is "oci:b@$(digest_of oci:a:1)"
    expect 0 waybill pull -o out.wasm oci:b:2
    cmp hello.wasm out.wasm
    diff -r a/blobs b/blobs
    tidy a b "$HOME"
}

@test "without a tag the destination gets latest, with a digest none" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    waybill copy -q oci:a:1 oci:b >/dev/null
    expect 0 waybill tags oci:b
    out_is latest
    expect 0 waybill copy -q oci:a:1 "oci:c@$(digest_of oci:a:1)"
    expect 0 waybill tags oci:c
    out_is ''
    expect 17 waybill copy oci:a:1 "oci:d@sha256:$(printf %064d 0)"
    absent d
}

@test "registry, layout, other registry: signatures and attestations keep their digests" {
    need_registry
    attached "$REGISTRY/acme/app:1"
    local want
    want=$(shape "$REGISTRY/acme/app:1")
    [ "$(jq '[.. | .digest? | strings] | length' <<<"$want")" -eq 4 ]
    expect 0 waybill copy -r --json "$REGISTRY/acme/app:1" oci:shelf:1
    [ "$(jq -c '[.manifests.pushed, .manifests.referrers, .blobs.copied]' <<<"$output")" = '[4,3,5]' ]
    [ "$(shape oci:shelf:1)" = "$want" ]
    expect 0 waybill copy -r oci:shelf:1 "$REGISTRY/mirror/app:1"
    [ "$(shape "$REGISTRY/mirror/app:1")" = "$want" ]
    need_ggcr
    expect 0 waybill copy -r oci:shelf:1 "$GGCR/far/app:1"
    diff <(shape "$GGCR/far/app:1") - <<<"$want"
    expect 0 waybill copy -r "$GGCR/far/app:1" "$REGISTRY/back/app:1"
    [ "$(shape "$REGISTRY/back/app:1")" = "$want" ]
    expect 0 waybill copy -r "$GGCR/far/app:1" oci:last:1
    [ "$(shape oci:last:1)" = "$want" ]
    diff -r shelf/blobs last/blobs
}

@test "without -r the referrers stay where they are" {
    attached oci:a:1
    waybill copy -q oci:a:1 oci:b:1 >/dev/null
    expect 0 waybill tree --json oci:b:1
    [ "$(jq -c .referrers <<<"$output")" = '[]' ]
}

@test "a copy can be made again, and completes one that lacks referrers" {
    attached oci:a:1
    waybill copy -q oci:a:1 oci:b:1 >/dev/null
    waybill copy -q -r oci:a:1 oci:b:1 >/dev/null
    waybill copy -q -r oci:a:1 oci:b:1 >/dev/null
    [ "$(shape oci:a:1)" = "$(shape oci:b:1)" ]
    [ "$(jq '.manifests | length' b/index.json)" -eq 4 ]
}

@test "tags that tools make of a digest go along with -r alone" {
    guest hello args
    waybill push -q hello.wasm oci:a:1 >/dev/null
    local digest
    digest=$(digest_of oci:a:1)
    waybill push -q args.wasm "oci:a:sha256-${digest#sha256:}.sig" >/dev/null
    waybill push -q args.wasm "oci:a:sha256-$(printf %064d 1).sig" >/dev/null
    waybill copy -q oci:a:1 oci:b:1 >/dev/null
    expect 0 waybill tags --all oci:b
    out_is 1
    waybill copy -q -r oci:a:1 oci:b:1 >/dev/null
    expect 0 waybill tags --all oci:b
    out_is $'1\n'"sha256-${digest#sha256:}.sig"
}

@test "an index: whole, nested ones too, or the manifest for one platform" {
    index_layout a
    expect 0 waybill copy --json oci:a:multi oci:b:all
    [ "$(jq -c '[.manifests.pushed, .blobs.copied]' <<<"$output")" = '[4,5]' ]
    diff -r a/blobs b/blobs
    [ "$(jq '.manifests | length' b/index.json)" -eq 1 ]
    expect 0 waybill copy -q --platform wasip1/wasm oci:a:multi oci:c:one
    out_is "oci:c@$(jq -r '.manifests[0].digest' a/blobs/sha256/"$(jq -r '.manifests[0].digest' a/index.json | cut -d: -f2)")"
    [ "$(find c/blobs -type f | wc -l)" -eq 4 ]
    expect 4 waybill copy --platform linux/amd64 oci:a:multi oci:d:x
    absent d
    need_registry
    expect 0 waybill copy oci:a:multi "$REGISTRY/multi:all"
    expect 0 waybill copy "$REGISTRY/multi:all" oci:e:all
    diff -r a/blobs e/blobs
}

@test "skopeo reads the copies, and copies of what it wrote are its own" {
    command -v skopeo >/dev/null || skip "skopeo is not installed"
    need_registry
    index_layout a
    waybill copy -q oci:a:multi "$REGISTRY/peer:multi" >/dev/null
    waybill copy -q --platform wasip1/wasm oci:a:multi oci:b:one >/dev/null
    expect 0 skopeo inspect --raw oci:b:one
    [ "sha256:$(printf %s "$output" | sha256sum | cut -d' ' -f1)" = "$(digest_of oci:b:one)" ]
    expect 0 skopeo inspect --raw --tls-verify=false "docker://$REGISTRY/peer:multi"
    [ "sha256:$(printf %s "$output" | sha256sum | cut -d' ' -f1)" = "$(jq -r '.manifests[0].digest' a/index.json)" ]
    expect 0 skopeo --insecure-policy copy --preserve-digests oci:b:one oci:c:one
    expect 0 waybill copy -q oci:c:one oci:d:one
    diff -r b/blobs d/blobs
}

@test "within a registry blobs are mounted, and a tag in the same repository costs two requests" {
    need_registry
    guest hello
    waybill push -q hello.wasm "$REGISTRY/here/x:1" >/dev/null
    expect 0 waybill copy --json "$REGISTRY/here/x:1" "$REGISTRY/there/y:2"
    [ "$(jq -c '[.blobs.copied, .blobs.mounted]' <<<"$output")" = '[0,2]' ]
    expect 0 waybill pull -o out.wasm "$REGISTRY/there/y:2"
    cmp hello.wasm out.wasm
    local before
    before=$(requests)
    expect 0 waybill copy "$REGISTRY/here/x:1" "$REGISTRY/here/x:2"
    [ $(($(requests) - before)) -eq 2 ]
}

@test "every tag, twice: to a layout and back" {
    need_registry
    guest hello args
    local tag
    for tag in 1 2 3; do waybill push -q hello.wasm "$REGISTRY/many:$tag" >/dev/null; done
    waybill push -q args.wasm "$REGISTRY/many:4" >/dev/null
    expect 0 waybill copy --all-tags --json "$REGISTRY/many" oci:many
    [ "$(jq -c '[.tags, .blobs.copied]' <<<"$output")" = '[4,4]' ]
    expect 0 waybill tags oci:many
    out_is $'1\n2\n3\n4'
    expect 0 waybill copy --all-tags oci:many "$REGISTRY/again"
    expect 0 waybill tags "$REGISTRY/again"
    out_is $'1\n2\n3\n4'
    [ "$(digest_of "$REGISTRY/again:4")" = "$(digest_of "$REGISTRY/many:4")" ]
}

@test "a large blob: streamed, right, in little memory" {
    need_registry
    big_guest big.wasm 60000000
    waybill push -q big.wasm oci:a:1 >/dev/null
    expect 0 waybill copy -q oci:a:1 "$REGISTRY/big:1"
    expect 0 /usr/bin/env bash -c 'ulimit -v 400000; exec "$0" copy -q "$1" oci:b:1' "$WAYBILL" "$REGISTRY/big:1"
    diff -r a/blobs b/blobs
}

@test "layers that are not for distribution stay, and nobody goes where they point" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    python3 - a <<'END'
import hashlib, json, sys
root = sys.argv[1]
index = json.load(open(root + "/index.json"))
body = json.load(open(root + "/blobs/sha256/" + index["manifests"][0]["digest"][7:]))
body["layers"].append({"mediaType": "application/vnd.oci.image.layer.nondistributable.v1.tar", "digest": "sha256:" + "5" * 64,
                       "size": 5, "urls": ["http://127.0.0.1:1/secret"]})
body = json.dumps(body).encode()
digest = hashlib.sha256(body).hexdigest()
open(root + "/blobs/sha256/" + digest, "wb").write(body)
index["manifests"][0].update(digest="sha256:" + digest, size=len(body))
json.dump(index, open(root + "/index.json", "w"))
END
    expect 0 waybill copy oci:a:1 oci:b:1
    out_has 'Left out:  1 layers'
    expect 0 waybill copy --json oci:a:1 oci:c:1
    [ "$(jq -c '[.blobs.copied, .blobs.existed, .blobs.foreign]' <<<"$output")" = '[2,0,1]' ]
    [ "$(digest_of oci:a:1)" = "$(digest_of oci:b:1)" ]
}

@test "what is missing or damaged in the source ends the copy, and no tag appears" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    local blob
    blob=a/blobs/sha256/$(sha256sum hello.wasm | cut -d' ' -f1)
    chmod u+w "$blob"
    flip "$blob" 20
    expect 17 waybill copy oci:a:1 oci:b:1
    err_has "copy oci:b:1: blob sha256:${blob##*/}: digest is"
    expect 0 waybill tags oci:b
    out_is ''
    rm "$blob"
    expect 4 waybill copy oci:a:1 oci:b:1
    err_is "waybill: copy oci:b:1: blob sha256:${blob##*/} is missing"
    expect 4 waybill copy oci:a:none oci:b:1
    err_has 'copy oci:b:1: oci:a:none: '
    expect 4 waybill copy oci:none:1 oci:b:1
    err_has 'copy oci:b:1: oci:none:1: '
    expect 2 waybill copy --all-tags --platform a/b oci:a oci:b
    tidy b
}

@test "a referrer that names another subject is left out with a warning, one that is gone too" {
    need_registry
    attached "$REGISTRY/liar:1"
    guest args
    waybill push -q args.wasm "$REGISTRY/liar:other" >/dev/null
    local subject other
    subject=$(digest_of "$REGISTRY/liar:1") other=$(digest_of "$REGISTRY/liar:other")
    curl -sf -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/liar/manifests/sha256-${subject#*:}" >list
    jq -c --arg other "$other" --arg none "sha256:$(printf %064d 7)" --argjson size \
        "$(curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$REGISTRY/v2/liar/manifests/other" | wc -c)" \
        '.manifests += [.manifests[0] + {digest: $other, size: $size}]' list >list2
    curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @list2 \
        "http://$REGISTRY/v2/liar/manifests/sha256-${subject#*:}"
    expect 0 waybill copy -r --json "$REGISTRY/liar:1" oci:a:1
    err_has 'has another subject'
    [ "$(jq .manifests.referrers <<<"$output")" -eq 3 ]
}

@test "archives: referrers go in and come out, in one file" {
    attached oci:a:1
    expect 0 waybill copy -r oci:a:1 oci-archive:b.tar:1
    [ "$(shape oci-archive:b.tar:1)" = "$(shape oci:a:1)" ]
    expect 0 waybill copy -r oci-archive:b.tar:1 oci:c:1
    diff -r a/blobs c/blobs
    expect 0 waybill attach -q -T test/more signature.txt oci-archive:b.tar:1
    for bad in 0 -1 1KiB; do
        expect 2 waybill tree --depth $bad oci-archive:b.tar:1
        err_has "'$bad' is no whole number above 0"
    done
    expect 0 waybill tree --json --depth 1 oci-archive:b.tar:1
    [ "$(jq '.referrers | length' <<<"$output")" -eq 3 ]
    expect 0 waybill delete -y oci-archive:b.tar:1
    expect 0 waybill tags oci-archive:b.tar
    out_is ''
    [ "$(tar tf b.tar | grep -c "$(sha256sum hello.wasm | cut -d' ' -f1)" || true)" -eq 0 ]
    tidy .
}
