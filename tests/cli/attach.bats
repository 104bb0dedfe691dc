#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# attach, tree and delete: layouts, Debian's registry (no referrers API), go-containerregistry's (with it).
load lib

setup_file() {
    ! command -v docker-registry >/dev/null || start_registry
    start_ggcr
}
teardown_file() {
    stop_registry
    stop_ggcr
}

TYPE=application/vnd.test.note

# blob DIR DIGEST: its path.
blob() { echo "$1/blobs/${2/://}"; }

@test "the manifest: subject, empty config without data, title, annotations in order" {
    guest hello
    echo note >note.txt
    mkdir -p sub && cp note.txt sub/
    local subject digest
    subject=$(waybill push -q hello.wasm oci:a:1)
    expect 0 waybill attach -q -T $TYPE --media-type text/plain -a z=1 -a a=2 sub/note.txt oci:a:1
    digest=${output#*@}
    [ "$(jq -c '[.artifactType, .config.mediaType, .config.size, (.config | has("data")), .subject.digest, .subject.size]' \
        "$(blob a "$digest")")" = "[\"$TYPE\",\"application/vnd.oci.empty.v1+json\",2,false,\"${subject#*@}\",$(size_of "$(blob a "${subject#*@}")")]" ]
    [ "$(jq -c '[.layers[0].mediaType, .layers[0].annotations, .annotations]' "$(blob a "$digest")")" = \
        '["text/plain",{"org.opencontainers.image.title":"note.txt"},{"a":"2","z":"1"}]' ]
    grep -q '"annotations":{"a":"2","z":"1"}' "$(blob a "$digest")"
}

@test "the same again is the same, and is there once" {
    guest hello
    echo note >note.txt
    waybill push -q hello.wasm oci:a:1 >/dev/null
    expect 0 waybill attach -q -T $TYPE note.txt oci:a:1
    local first=$output
    sleep 1
    expect 0 waybill attach -q -T $TYPE note.txt oci:a:1
    out_is "$first"
    [ "$(jq '.manifests | length' a/index.json)" -eq 2 ]
}

@test "what is written: text, --json" {
    guest hello
    echo note >note.txt
    waybill push -q hello.wasm oci:a:1 >/dev/null
    expect 0 waybill attach -T $TYPE note.txt oci:a:1
    out_has 'Attached: oci:a:1'
    out_has 'Size:     5'
    expect 0 waybill attach --json -T $TYPE note.txt oci:a:1
    [ "$(jq -r '[.schema, .reference, .repository, .artifactType, .size] | map(tostring) | join(" ")' <<<"$output")" = \
        "waybill.attach/1 oci:a:1 oci:a $TYPE 5" ]
}

@test "a layout's artifact is still the one that is meant without a tag" {
    guest hello
    echo note >note.txt
    waybill push -q hello.wasm oci:a:v7 >/dev/null
    waybill attach -q -T $TYPE note.txt oci:a >/dev/null
    expect 0 waybill pull -o out.wasm oci:a
    cmp hello.wasm out.wasm
}

@test "wrong types, files and subjects: nothing comes into being" {
    guest hello
    echo note >note.txt
    expect 2 waybill attach note.txt oci:a:1
    err_has "option '--type TYPE' is missing"
    expect 2 waybill attach -T 'no type' note.txt oci:a:1
    expect 2 waybill attach -T a/b --media-type x note.txt oci:a:1
    expect 4 waybill attach -T a/b none.txt oci:a:1
    expect 4 waybill attach -T a/b note.txt oci:a:1
    absent a
    waybill push -q hello.wasm oci:a:1 >/dev/null
    expect 4 waybill attach -T a/b note.txt oci:a:2
    expect 2 waybill attach -T a/b -a nothing note.txt oci:a:1
    [ "$(jq '.manifests | length' a/index.json)" -eq 1 ]
}

@test "tree: order, depth, types, annotations escaped" {
    guest hello
    echo note >note.txt
    waybill push -q hello.wasm oci:a:1 >/dev/null
    local b
    waybill attach -q -T test/z note.txt oci:a:1 >/dev/null
    b=$(waybill attach -q -T test/b -a $'k=\e[2J' note.txt oci:a:1)
    waybill attach -q -T test/c note.txt "$b" >/dev/null
    expect 0 waybill tree oci:a:1
    [ "$(sed -E 's/sha256:[0-9a-f]+/D/; s/[0-9]+$/N/' <<<"$output")" = $'oci:a@D  application/vnd.wasm.config.v0+json  N
├── D  test/b  N
│   └── D  test/c  N
└── D  test/z  N' ]
    expect 0 waybill tree -a oci:a:1
    out_has '│     k=\x1b[2J'
    expect 0 waybill tree --type test/b oci:a:1
    out_has test/c
    out_lacks test/z
    expect 0 waybill tree --json oci:a:1
    [ "$(jq -c '[.schema, .referrers[0].artifactType, .referrers[0].annotations.k, .referrers[0].referrers[0].artifactType,
        .referrers[1].artifactType]' <<<"$output")" = '["waybill.tree/1","test/b","\u001b[2J","test/c","test/z"]' ]
    expect 4 waybill tree oci:a:2
}

@test "a registry without the API: the list lies under a tag, entries of others stay" {
    need_registry
    guest hello
    echo note >note.txt
    local subject one two
    subject=$(waybill push -q hello.wasm "$REGISTRY/tagged:1")
    one=$(waybill attach -q -T $TYPE note.txt "$REGISTRY/tagged:1")
    local tag=sha256-${subject#*@sha256:} list
    list=$(curl -sf -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/tagged/manifests/$tag")
    jq -c '.manifests[0].annotations.theirs = "kept" | .annotations.list = "kept too"' <<<"$list" >theirs
    curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' --data-binary @theirs \
        "http://$REGISTRY/v2/tagged/manifests/$tag"
    two=$(waybill attach -q -T test/two -a who=bob note.txt "$REGISTRY/tagged:1")
    list=$(curl -sf -H 'Accept: application/vnd.oci.image.index.v1+json' "http://$REGISTRY/v2/tagged/manifests/$tag")
    [ "$(jq -c '[.mediaType, .annotations.list, .manifests[0].digest, .manifests[0].annotations.theirs, .manifests[1].digest,
        .manifests[1].artifactType, .manifests[1].annotations.who]' <<<"$list")" = \
        "[\"application/vnd.oci.image.index.v1+json\",\"kept too\",\"${one#*@}\",\"kept\",\"${two#*@}\",\"test/two\",\"bob\"]" ]
    expect 0 waybill tags "$REGISTRY/tagged"
    out_is 1
}

@test "twelve at the same moment lose nothing" {
    need_registry
    guest hello
    waybill push -q hello.wasm "$REGISTRY/crowd:1" >/dev/null
    local i pids=()
    for i in {1..12}; do
        echo "$i" >"note$i"
        waybill attach -q -T $TYPE "note$i" "$REGISTRY/crowd:1" >/dev/null 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    expect 0 waybill tree --json "$REGISTRY/crowd:1"
    [ "$(jq '.referrers | length' <<<"$output")" -eq 12 ]
}

@test "two that share no lock lose nothing either" {
    need_registry
    guest hello
    waybill push -q hello.wasm "$REGISTRY/strangers:1" >/dev/null
    local i pids=()
    for i in 1 2; do
        echo "$i" >"note$i"
        mkdir -p "home$i"
        HOME=$PWD/home$i waybill attach -q -T $TYPE "note$i" "$REGISTRY/strangers:1" >/dev/null 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    expect 0 waybill tree --json "$REGISTRY/strangers:1"
    [ "$(jq '.referrers | length' <<<"$output")" -eq 2 ]
}

# It lists referrers and does not say so (OCI-Subject), so that the tag is kept too, as the specification wants.
@test "a registry with the API: what both lists have is shown once, and types that it gets wrong are right" {
    need_ggcr
    guest hello
    echo note >note.txt
    waybill push -q hello.wasm "$GGCR/api:1" >/dev/null
    expect 0 waybill attach -q -T $TYPE note.txt "$GGCR/api:1"
    local digest=${output#*@}
    expect 0 waybill tree --json "$GGCR/api:1"
    [ "$(jq '.referrers | length' <<<"$output")" -eq 1 ]
    expect 0 waybill tree --json --type $TYPE "$GGCR/api:1"
    [ "$(jq -r '.referrers[0] | .digest + .artifactType' <<<"$output")" = "$digest$TYPE" ]
}

@test "delete wants to be told so" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    expect 2 waybill delete oci:a:1 </dev/null
    err_has '--yes is wanted'
    expect 2 waybill delete "oci:a@sha256:$(printf %064d 0)" </dev/null
    expect 2 waybill delete oci:a </dev/null
    err_has ':TAG or @DIGEST is wanted'
    expect 4 waybill delete oci:a:none </dev/null
    err_has 'no artifact tagged none'
    expect 4 waybill delete oci:none:1 </dev/null
    expect 2 waybill delete -y oci:a
    err_has ':TAG or @DIGEST is wanted'
    expect 0 waybill tags oci:a
    out_is 1
    expect 4 waybill delete -y oci:a:2
    expect 4 waybill delete -y "oci:a@sha256:$(printf %064d 0)"
}

@test "a layout: the entry goes, and blobs that nothing refers to; others stay" {
    guest hello args
    echo note >note.txt
    local one two
    one=$(waybill push -q hello.wasm oci:a:1)
    waybill push -q hello.wasm oci:a:same >/dev/null
    two=$(waybill push -q args.wasm oci:a:2)
    waybill attach -q -T $TYPE note.txt oci:a:2 >/dev/null
    echo stray >"a/blobs/sha256/$(echo stray | sha256sum | cut -d' ' -f1)"
    expect 0 waybill delete -y --json oci:a:1
    [ "$(jq -r '.schema + " " + .reference + " " + (.digest | tostring)' <<<"$output")" = 'waybill.delete/1 oci:a:1 null' ]
    expect 0 waybill pull -o out.wasm oci:a:same
    waybill delete -y "oci:a@${one#*@}" >/dev/null
    expect 0 waybill tags oci:a
    out_is 2
    absent "$(blob a "${one#*@}")" "a/blobs/sha256/$(sha256sum hello.wasm | cut -d' ' -f1)"
    expect 0 waybill pull -o out.wasm oci:a:2
    cmp args.wasm out.wasm
    waybill delete -y "oci:a@${two#*@}" >/dev/null
    absent "$(blob a "${two#*@}")"
    # left: the stray blob, and the note with its config and manifest
    [ "$(find a/blobs -type f | wc -l)" -eq 4 ]
    tidy a
}

@test "a layout somebody is writing to: the entry goes, the blobs stay, and it is said" {
    guest hello
    waybill push -q hello.wasm oci:a:1 >/dev/null
    expect 0 flock -s a/blobs "$WAYBILL" delete -y oci:a:1
    err_has 'somebody is writing to the layout'
    [ "$(find a/blobs -type f | wc -l)" -eq 3 ]
    [ "$(jq -c .manifests a/index.json)" = '[]' ]
}

@test "a registry: by digest, with all its tags; Debian's removes no tags, and that is said" {
    need_registry
    guest hello args
    local digest
    digest=$(waybill push -q hello.wasm "$REGISTRY/gone:1")
    waybill push -q args.wasm "$REGISTRY/gone:2" >/dev/null
    expect 1 waybill delete -y "$REGISTRY/gone:1"
    err_has 'the registry removes no tags'
    expect 0 waybill pull -o out.wasm "$REGISTRY/gone:1"
    expect 0 waybill delete -y "$digest"
    expect 4 waybill pull -o none.wasm "$REGISTRY/gone:1"
    expect 0 waybill pull -o out.wasm "$REGISTRY/gone:2"
    expect 4 waybill delete -y "$digest"
}

@test "a registry: a referrer leaves the list of its subject" {
    need_registry
    guest hello
    echo note >note.txt
    local one two
    waybill push -q hello.wasm "$REGISTRY/left:1" >/dev/null
    one=$(waybill attach -q -T test/one note.txt "$REGISTRY/left:1")
    two=$(waybill attach -q -T test/two note.txt "$REGISTRY/left:1")
    expect 0 waybill delete -y "$one"
    expect 0 waybill tree --json "$REGISTRY/left:1"
    [ "$(jq -r '[.referrers[].digest] | join(" ")' <<<"$output")" = "${two#*@}" ]
    expect 0 waybill delete -y "$two"
    expect 0 waybill tree --json "$REGISTRY/left:1"
    [ "$(jq -c .referrers <<<"$output")" = '[]' ]
}

@test "delete on a terminal asks, about what is there, also if it is damaged" {
    command -v script >/dev/null || skip "script is not installed"
    guest hello
    local digest
    digest=$(waybill push -q hello.wasm oci:a:1)
    waybill push -q hello.wasm oci:a:2 >/dev/null
    expect 4 script -qec "$WAYBILL delete oci:a:none" /dev/null <<<y
    out_lacks 'Remove'
    expect 1 script -qec "$WAYBILL delete oci:a:1" /dev/null <<<n
    out_has 'Remove oci:a:1? [y/N]'
    expect 0 script -qec "$WAYBILL delete oci:a:1" /dev/null <<<y
    echo damaged >"$(blob a "${digest#*@}")"
    expect 0 script -qec "$WAYBILL delete oci:a:2" /dev/null <<<y
    expect 0 waybill tags oci:a
    out_is ''
}
