#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# sign on references, and attest: what is written, and where. That the signatures are right is said by openssl here, by
# cosign in tests/interop.
load lib

setup_file() { ! command -v docker-registry >/dev/null || start_registry; }
teardown_file() { stop_registry; }

# blob DIR DIGEST: its path.
blob() { echo "$1/blobs/${2/://}"; }

# The payload of a bundle, and what openssl says of its signature: pae_good BUNDLE PUB.
pae_good() {
    local payload type
    jq -r .dsseEnvelope.payload "$1" | base64 -d >payload
    type=$(jq -r .dsseEnvelope.payloadType "$1")
    payload=$(size_of payload)
    { printf 'DSSEv1 %d %s %d ' ${#type} "$type" "$payload" && cat payload; } >pae
    jq -r '.dsseEnvelope.signatures[0].sig' "$1" | base64 -d >sig
    openssl dgst -sha256 -verify "$2" -signature sig pae
}

@test "sigstore: a bundle of the third version, a referrer, signed over the digest" {
    guest hello
    waybill keygen --type p256 -o k >/dev/null
    local subject made
    subject=$(waybill push -q hello.wasm oci:a:1)
    expect 0 waybill sign -q --key k.key -a stage=prod oci:a:1
    made=${output#*@}
    [ "$(jq -r '[.artifactType, .config.mediaType, .layers[0].mediaType, .subject.digest] | join(" ")' "$(blob a "$made")")" = \
        "application/vnd.dev.sigstore.bundle.v0.3+json application/vnd.oci.empty.v1+json application/vnd.dev.sigstore.bundle.v0.3+json ${subject#*@}" ]
    [ "$(jq -r '.annotations["dev.sigstore.bundle.content"]' "$(blob a "$made")")" = dsse-envelope ]
    local bundle
    bundle=$(blob a "$(jq -r '.layers[0].digest' "$(blob a "$made")")")
    pae_good "$bundle" k.pub
    [ "$(jq -r '.predicateType, .subject[0].digest.sha256, .subject[0].annotations.stage' payload | tr '\n' ' ')" = \
        "https://sigstore.dev/cosign/sign/v1 ${subject#*@sha256:} prod " ]
}

@test "cosign: a layer under the .sig tag; the next signer adds one, the same one adds none" {
    guest hello
    local subject tag
    subject=$(waybill push -q hello.wasm oci:a:1)
    waybill keygen --type p256 -o k >/dev/null
    waybill keygen -o m >/dev/null
    expect 2 waybill sign --format cosign --key k.key oci:a:1
    err_has repository
    expect 0 waybill sign --format cosign --identity r.example/x --key k.key oci:a:1
    tag=sha256-${subject#*@sha256:}.sig
    out_has "under the tag $tag"
    layers() { waybill inspect --json "oci:a:$tag" | jq '.manifest.layers | length'; }
    [ "$(layers)" -eq 1 ]
    expect 0 waybill sign --format cosign --identity r.example/x --key k.key oci:a:1
    # ECDSA signatures are deterministic here: the same layer again
    [ "$(layers)" -eq 1 ]
    expect 0 waybill sign --format cosign --identity r.example/x --key m.key oci:a:1
    [ "$(layers)" -eq 2 ]
    local payload
    waybill inspect --json "oci:a:$tag" | jq .manifest >manifest
    payload=$(blob a "$(jq -r '.layers[0].digest' manifest)")
    [ "$(jq -r '.critical | .identity["docker-reference"], .image["docker-manifest-digest"], .type' "$payload" | tr '\n' '|')" = \
        "r.example/x|${subject#*@}|cosign container image signature|" ]
    jq -r '.layers[0].annotations["dev.cosignproject.cosign/signature"]' manifest | base64 -d >sig
    openssl dgst -sha256 -verify k.pub -signature sig "$payload"
    # the config is one of an image with these layers
    [ "$(jq -c .rootfs.diff_ids "$(blob a "$(jq -r .config.digest manifest)")")" = "$(jq -c '[.layers[].digest]' manifest)" ]
}

@test "ten who sign at the same moment lose nothing, neither as referrers nor under a tag" {
    need_registry
    guest hello
    local i n subject
    subject=$(waybill push -q hello.wasm "$REGISTRY/ten:1")
    for i in 0 1 2 3 4 5 6 7 8 9; do waybill keygen -o "k$i" >/dev/null; done
    for i in 0 1 2 3 4 5 6 7 8 9; do
        waybill sign --key "k$i.key" "$REGISTRY/ten:1" >/dev/null 2>"err$i" &
        waybill sign --format cosign --key "k$i.key" "$REGISTRY/ten:1" >/dev/null 2>>"err$i" &
    done
    wait
    cat err?
    [ "$(waybill inspect --json "$REGISTRY/ten:sha256-${subject#*@sha256:}.sig" | jq '.manifest.layers | length')" -eq 10 ]
    n=$(waybill tree --json "$REGISTRY/ten:1" | jq '[.. | objects | select(.artifactType? == "application/vnd.dev.sigstore.bundle.v0.3+json")] | length')
    [ "$n" -eq 10 ]
}

@test "a layer that others put under the tag stays as it is, with what stands beside it" {
    guest hello
    local subject tag
    subject=$(waybill push -q hello.wasm oci:a:1)
    tag=sha256-${subject#*@sha256:}.sig
    waybill keygen -o k >/dev/null
    waybill sign -q --format cosign --identity r.example/x --key k.key oci:a:1 >/dev/null
    local old
    old=$(blob a "$(jq -r --arg t "$tag" '.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $t) | .digest' a/index.json)")
    jq -c '.annotations = {"their": "own"} | .layers[0].annotations["dev.sigstore.cosign/bundle"] = "{}"' "$old" >changed
    local hex
    hex=$(sha256sum changed | cut -d' ' -f1)
    cp changed "a/blobs/sha256/$hex"
    jq -c --arg t "$tag" --arg d "sha256:$hex" --argjson s "$(size_of changed)" \
        '(.manifests[] | select(.annotations["org.opencontainers.image.ref.name"] == $t)) |= (.digest = $d | .size = $s)' \
        a/index.json >index && cp index a/index.json
    waybill keygen -o m >/dev/null
    expect 0 waybill sign -q --format cosign --identity r.example/x --key m.key oci:a:1
    waybill inspect --json "oci:a:$tag" | jq .manifest >manifest
    [ "$(jq -r '.annotations.their, .layers[0].annotations["dev.sigstore.cosign/bundle"], (.layers | length)' manifest | tr '\n' ' ')" = 'own {} 2 ' ]
}

@test "what the .sig tag names is an index, or no manifest: refused, and it stays" {
    guest hello
    local subject hex tag
    subject=$(waybill push -q hello.wasm oci:a:1)
    tag=sha256-${subject#*@sha256:}.sig
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}' >index
    hex=$(sha256sum index | cut -d' ' -f1)
    cp index "a/blobs/sha256/$hex"
    jq -c --arg t "$tag" --arg d "sha256:$hex" --argjson s "$(size_of index)" '.manifests += [{"mediaType": "application/vnd.oci.image.index.v1+json",
        "digest": $d, "size": $s, "annotations": {"org.opencontainers.image.ref.name": $t}}]' a/index.json >new && cp new a/index.json
    waybill keygen -o k >/dev/null
    expect 16 waybill sign --format cosign --identity r.example/x --key k.key oci:a:1
    err_has 'an index where an image of signatures should be'
    grep -q "$hex" a/index.json
}

@test "-r signs an index and all its manifests; without it the index alone" {
    guest hello args
    local a b index
    a=$(waybill push -q hello.wasm oci:a:1)
    b=$(waybill push -q args.wasm oci:a:2)
    size() { size_of "$(blob a "${1#*@}")"; }
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"os":"wasip1","architecture":"wasm"}},{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"platform":{"os":"wasip2","architecture":"wasm"}}]}' \
        "${a#*@}" "$(size "$a")" "${b#*@}" "$(size "$b")" >index
    index=$(sha256sum index | cut -d' ' -f1)
    cp index "a/blobs/sha256/$index"
    jq -c --arg d "sha256:$index" --argjson s "$(size_of index)" '.manifests += [{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": $d, "size": $s,
        "annotations": {"org.opencontainers.image.ref.name": "all"}}]' a/index.json >new && cp new a/index.json
    waybill keygen -o k >/dev/null
    expect 0 waybill sign --json --key k.key oci:a:all
    [ "$(jq -r '[.signatures[].subject] | join(" ")' <<<"$output")" = "sha256:$index" ]
    expect 0 waybill sign --json -r --key k.key oci:a:all
    [ "$(jq -r '[.signatures[].subject] | join(" ")' <<<"$output")" = "sha256:$index ${a#*@} ${b#*@}" ]
}

@test "-r signs nothing when a manifest of the index is missing" {
    guest hello
    local index
    waybill push -q hello.wasm oci:a:1 >/dev/null
    printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:%064d","size":7}]}' 1 >index
    index=$(sha256sum index | cut -d' ' -f1)
    cp index "a/blobs/sha256/$index"
    jq -c --arg d "sha256:$index" --argjson s "$(size_of index)" '.manifests += [{"mediaType": "application/vnd.oci.image.index.v1+json", "digest": $d, "size": $s,
        "annotations": {"org.opencontainers.image.ref.name": "all"}}]' a/index.json >new && cp new a/index.json
    cp a/index.json before
    waybill keygen -o k >/dev/null
    expect 4 waybill sign -r --key k.key oci:a:all
    cmp before a/index.json
}

@test "attest: a statement of the predicate about the digest, by its short name, as bundle and under .att" {
    guest hello
    echo '{"bomFormat":"CycloneDX","specVersion":"1.6"}' >bom.json
    local subject made bundle
    subject=$(waybill push -q hello.wasm oci:a:1)
    waybill keygen --type p256 -o k >/dev/null
    expect 0 waybill attest -q --key k.key -T cyclonedx --predicate bom.json oci:a:1
    made=${output#*@}
    [ "$(jq -r '.annotations["dev.sigstore.bundle.predicateType"]' "$(blob a "$made")")" = https://cyclonedx.org/bom ]
    bundle=$(blob a "$(jq -r '.layers[0].digest' "$(blob a "$made")")")
    pae_good "$bundle" k.pub
    [ "$(jq -c '[._type, .predicateType, .subject[0].digest.sha256, .predicate]' payload)" = \
        "[\"https://in-toto.io/Statement/v1\",\"https://cyclonedx.org/bom\",\"${subject#*@sha256:}\",{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\"}]" ]
    expect 0 waybill attest --format cosign --key k.key -T https://example.com/mine --predicate - oci:a:1 <bom.json
    out_has "under the tag sha256-${subject#*@sha256:}.att"
    cat bom.json | expect 0 waybill attest --key k.key -T https://example.com/mine --predicate - oci:a:1
    expect 0 waybill attest --key k.key -T https://example.com/mine --predicate <(cat bom.json) oci:a:1
    expect 1 waybill attest --key k.key -T https://example.com/mine --predicate /dev/null oci:a:1
    err_has 'not a regular file'
    cat /dev/zero | expect 16 waybill attest --key k.key -T https://example.com/mine --predicate - oci:a:1
    expect 0 waybill attest --json --key k.key -T cyclonedx --predicate bom.json oci:a:1
    [ "$(jq -r '[.schema, .predicateType, .format, .keyType] | join(" ")' <<<"$output")" = 'waybill.attest/1 https://cyclonedx.org/bom sigstore p256' ]
}

@test "attest refuses what is no predicate of its type, no type, a file, a public key" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    waybill keygen -o k >/dev/null
    echo '{}' >empty.json
    echo '{"a":' >broken.json
    cp a/index.json before
    expect 16 waybill attest --key k.key -T cyclonedx --predicate empty.json oci:a:1
    expect 16 waybill attest --key k.key -T slsaprovenance1 --predicate empty.json oci:a:1
    expect 16 waybill attest --key k.key -T custom --predicate broken.json oci:a:1
    expect 2 waybill attest --key k.key -T nonsense --predicate empty.json oci:a:1
    err_has 'no type of predicate'
    expect 2 waybill attest --key k.key -T custom --predicate empty.json hello.wasm
    expect 2 waybill attest --key k.pub -T custom --predicate empty.json oci:a:1
    expect 4 waybill attest --key k.key -T custom --predicate absent.json oci:a:1
    expect 4 waybill attest --key k.key -T custom --predicate empty.json oci:a:2
    expect 2 waybill attest --key k.key -T https://sigstore.dev/cosign/sign/v1 --predicate empty.json oci:a:1
    cmp before a/index.json
}

@test "sign: options of files and of references do not mix" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    waybill keygen -o k >/dev/null
    expect 2 waybill sign --key k.key hello.wasm
    err_has '-o OUT'
    expect 2 waybill sign --key k.key -o x.wasm oci:a:1
    expect 2 waybill sign --key k.key -r -o x.wasm hello.wasm
    expect 2 waybill sign --key k.key --format sigstore -o x.wasm hello.wasm
    expect 1 waybill sign --key k.key --format embedded oci:a:1
    expect 1 waybill sign --key k.key --expires 1h oci:a:1
    expect 2 waybill sign --key k.pub oci:a:1
    expect 4 waybill sign --key k.key oci:b:1
    [ ! -e b ] && [ ! -e x.wasm ]
}

@test "an archive: what it held, and the signature" {
    guest hello
    waybill keygen -o k >/dev/null
    waybill push -q hello.wasm oci-archive:a.tar:1 >/dev/null
    expect 0 waybill sign -q --key k.key oci-archive:a.tar:1
    expect 0 waybill sign -q --format cosign --identity r.example/x --key k.key oci-archive:a.tar:1
    [ "$(waybill tree --json oci-archive:a.tar:1 | grep -c 'bundle.v0.3')" -ge 1 ]
    waybill tags --all oci-archive:a.tar | grep -q '\.sig$'
    expect 0 waybill pull oci-archive:a.tar:1 -o out.wasm
    cmp out.wasm hello.wasm
}
