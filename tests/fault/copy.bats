#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# copy from and to a registry that counts, refuses and breaks.
load lib

# tagged N: tags 1 to N of $R/many, each with a config of its own and the same module.
tagged() {
    guest hello
    local i
    for ((i = 1; i <= $1; i++)); do
        waybill push -q -a "n=$((i % 2 ? 1 : i))" hello.wasm "$R/many:$i" >/dev/null
    done
}

count() { wc -l <"$LOG"; }

@test "every tag within a registry: two requests each, one mount for each blob" {
    faulty
    tagged 20
    local before
    before=$(count)
    expect 0 waybill copy --all-tags --json "$R/many" "$R/copy/of/many"
    [ "$(jq -c '[.tags, .blobs.copied, .blobs.mounted]' <<<"$output")" = '[20,0,2]' ]
    # the tags of both sides, two mounts, and two for each tag
    [ $(($(count) - before)) -le $((2 + 2 + 2 * 20)) ]
    logged_is 2 mount=
    before=$(count)
    expect 0 waybill copy --all-tags --json "$R/many" "$R/copy/of/many"
    [ "$(jq -c '[.tags, .manifests.pushed, .manifests.existed]' <<<"$output")" = '[20,0,20]' ]
    [ $(($(count) - before)) -le $((2 + 2 * 20)) ]
}

@test "skopeo sync needs more than twice as many" {
    command -v skopeo >/dev/null || skip "skopeo is not installed"
    faulty
    tagged 10
    local before ours theirs
    before=$(count)
    waybill copy -q --all-tags "$R/many" "$R/ours/many" >/dev/null
    ours=$(($(count) - before)) before=$(count)
    skopeo --insecure-policy sync --all --src docker --dest docker --src-tls-verify=false --dest-tls-verify=false "$R/many" "$R/theirs" >/dev/null 2>&1
    theirs=$(($(count) - before))
    [ "$theirs" -ge $((2 * ours)) ]
}

@test "a registry that does not mount: pushed instead, and not asked again" {
    local answer
    for answer in no 400 401 404; do
        faulty --mount "$answer"
        pushed
        expect 0 waybill copy --json "$R/a/b:v1" "$R/c/d:v1"
        [ "$(jq -c '[.blobs.copied, .blobs.mounted]' <<<"$output")" = '[2,0]' ]
        expect 0 waybill pull -o out.wasm "$R/c/d:v1"
        cmp hello.wasm out.wasm
        kill "$FAULTY_PID"
        wait "$FAULTY_PID" || true
    done
}

@test "with tokens: the right to pull from the other repository is asked for, together with the others" {
    faulty --auth token
    as user:password
    pushed
    : >"$LOG"
    expect 0 waybill copy --json "$R/a/b:v1" "$R/c/d:v1"
    [ "$(jq -c '[.blobs.copied, .blobs.mounted]' <<<"$output")" = '[0,2]' ]
    [ "$(logged '"path": "/token')" -le 2 ]
    expect 0 waybill pull -o out.wasm "$R/c/d:v1"
    cmp hello.wasm out.wasm
}

@test "a download that breaks in the middle is taken up, and the copy is right" {
    faulty
    big_guest big.wasm 3000000
    waybill push -q big.wasm "$R/a/b:v1" >/dev/null
    fault drop_after_bytes GET '/blobs/' '"bytes": 1000000, "times": 2'
    expect 0 waybill copy -q "$R/a/b:v1" oci:out:1
    expect 0 waybill pull -o out.wasm oci:out:1
    cmp big.wasm out.wasm
}

@test "an upload that breaks is made again from the start of the source" {
    faulty
    big_guest big.wasm 3000000
    waybill push -q big.wasm oci:a:1 >/dev/null
    fault drop_request PUT 'blobs/uploads' '"bytes": 500000, "times": 2'
    expect 0 waybill copy -q oci:a:1 "$R/a/b:v1"
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
    waybill copy -q "$R/a/b:v1" "$R/other:1" >/dev/null
}

@test "blobs that are not what their digest says: 17, small and large, and none of it arrives whole" {
    local size digest
    for size in 100 3000000; do
        faulty --mount no
        big_guest big.wasm $size
        waybill push -q big.wasm "$R/a/b:v1" >/dev/null
        digest=$(sha256sum big.wasm | cut -d' ' -f1)
        fault flip_byte GET "/blobs/sha256:$digest" '"offset": 50, "times": 0'
        local before
        before=$(logged '"PUT"' blobs/uploads "$digest" '201')
        expect 17 waybill copy "$R/a/b:v1" "$R/c/d:v1"
        logged_is "$before" '"PUT"' blobs/uploads "$digest" '201'
        expect 4 waybill pull -o out.wasm "$R/c/d:v1"
        kill "$FAULTY_PID"
        wait "$FAULTY_PID" || true
    done
}

@test "a manifest of another size than its index states: 17" {
    faulty --sparse
    pushed
    local body digest
    digest=$(waybill inspect --json "$R/a/b:v1" | jq -r .digest)
    body=$(jq -nc --arg d "$digest" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json", manifests:
        [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: 1}]}')
    curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' -d "$body" "http://$R/v2/a/b/manifests/index"
    expect 17 waybill copy "$R/a/b:index" oci:out:1
    expect 0 waybill tags oci:out
    out_is ''
}

@test "an index that names what is not there: 4" {
    faulty --sparse
    pushed
    local body
    body=$(jq -nc --arg d "sha256:$(printf %064d 3)" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: 1}]}')
    curl -sf -X PUT -H 'Content-Type: application/vnd.oci.image.index.v1+json' -d "$body" "http://$R/v2/a/b/manifests/index"
    expect 4 waybill copy "$R/a/b:index" oci:out:1
}

@test "a copy that was cut off goes on where it was" {
    faulty
    big_guest big.wasm 3000000
    waybill push -q big.wasm oci:a:1 >/dev/null
    fault status PUT /manifests/ '"status": 400, "body": "not now"'
    expect 3 waybill copy oci:a:1 "$R/a/b:v1"
    expect 0 waybill copy --json oci:a:1 "$R/a/b:v1"
    [ "$(jq -c '[.blobs.copied, .blobs.existed]' <<<"$output")" = '[0,2]' ]
}

@test "blobs go at the same time" {
    faulty
    pushed
    fault delay GET /blobs/ '"ms": 700, "times": 0'
    local start=$SECONDS
    expect 0 waybill copy "$R/a/b:v1" oci:out:1
    [ $((SECONDS - start)) -le 1 ]
}

@test "a terminal sees how far a copy is, all blobs together; a file does not" {
    command -v script >/dev/null || skip "script is not installed"
    faulty --delay-ms 300
    guest hello args
    waybill push -q hello.wasm "$R/a/b:v1" >/dev/null
    waybill push -q args.wasm "$R/a/b:v2" >/dev/null
    expect 0 script -qec "$WAYBILL copy --all-tags $R/a/b oci:shown" /dev/null
    out_has 'copy ['
    out_has 'MiB/s'
    expect 0 waybill copy --all-tags "$R/a/b" oci:unseen
    err_is ''
}
