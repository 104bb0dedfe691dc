#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The main job against Debian's docker-registry, with skopeo for a second opinion.
load lib

setup_file() {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    start_registry
}
teardown_file() { stop_registry; }

# A repository of its own for each test.
repo() { echo "$REGISTRY/test$BATS_TEST_NUMBER/hello"; }
need_skopeo() { command -v skopeo >/dev/null || skip "skopeo is not installed"; }
blob_path() { echo "$REGISTRY_ROOT/docker/registry/v2/blobs/sha256/${1:0:2}/$1/data"; }
sha() { sha256sum <"$1" | cut -d' ' -f1; }

@test "the main job: keygen, sign, push, inspect, pull --key, verify, run --key" {
    guest hello
    waybill keygen -o alice
    waybill sign --key alice.key hello.wasm -o signed.wasm
    local ref
    ref=$(repo):1.0
    expect 0 waybill push signed.wasm "$ref"
    [ "${lines[0]}" = "Pushed: $ref" ]
    [ "${lines[1]}" = "Size:   $(size_of signed.wasm)" ]
    [[ ${lines[2]} =~ ^Digest:\ sha256:[0-9a-f]{64}$ ]]
    local digest=${lines[2]#Digest: }
    expect 0 waybill inspect "$ref"
    out_has "$digest"
    out_has 'Kind:      cncf-wasm-v0'
    expect 0 waybill pull --key alice.pub -o out.wasm "$ref"
    out_is "Pulled: $ref
Size:   $(size_of signed.wasm)
Digest: $digest"
    cmp signed.wasm out.wasm
    expect 0 waybill verify --key alice.pub "$ref"
    expect 0 waybill run --key alice.pub "$ref"
    out_is 'hello from the guest'
    expect 0 waybill run --key alice.pub "$(repo)@$digest"
    out_is 'hello from the guest'
}

@test "refused with their own status and nothing written: unsigned, foreign, changed, spliced" {
    signed_guests
    local name
    for name in hello signed changed spliced; do waybill push -q $name.wasm "$(repo):$name"; done
    expect 10 waybill pull --key alice.pub -o out.wasm "$(repo):hello"
    expect 12 waybill pull --key bob.pub -o out.wasm "$(repo):signed"
    expect 17 waybill pull --key alice.pub -o out.wasm "$(repo):changed"
    expect 17 waybill pull --key alice.pub -o out.wasm "$(repo):spliced"
    absent out.wasm
    tidy . "$HOME"
    for name in hello changed spliced; do
        expect 126 waybill run --key alice.pub "$(repo):$name"
        out_is ''
    done
    expect 126 waybill run --key bob.pub "$(repo):signed"
    expect 126 waybill run "$(repo):signed"
    err_has --allow-unsigned
}

@test "a byte changed in the registry's storage: 17 and nothing written, with a store and without" {
    guest hello
    waybill push -q hello.wasm "$(repo):1"
    local data
    data=$(blob_path "$(sha hello.wasm)")
    cp "$data" keep
    flip "$data" 2000
    expect 17 waybill pull -o out.wasm "$(repo):1"
    expect 17 env -u HOME "$WAYBILL" pull -o out.wasm "$(repo):1"
    expect 126 waybill run --allow-unsigned "$(repo):1"
    absent out.wasm
    tidy . "$HOME"
    cp keep "$data"
    expect 0 waybill pull -o out.wasm "$(repo):1"
    cmp hello.wasm out.wasm
}

@test "a manifest changed in the registry's storage: 17 by digest" {
    guest hello
    local pinned data
    pinned=$(waybill push -q hello.wasm "$(repo):1")
    data=$(blob_path "${pinned##*:}")
    sed -i 's/hello.wasm/jello.wasm/' "$data"
    expect 17 waybill pull -o out.wasm "$pinned"
    absent out.wasm
    sed -i 's/jello.wasm/hello.wasm/' "$data"
    expect 0 waybill pull -o out.wasm "$pinned"
}

@test "skopeo reads what we push, and we read what skopeo copies" {
    need_skopeo
    guest hello component-ok
    local name digest
    for name in hello component-ok; do
        digest=$(waybill push --json $name.wasm "$(repo):$name" | jq -r .digest)
        skopeo inspect --raw --tls-verify=false "docker://$(repo):$name" >raw
        [ "sha256:$(sha raw)" = "$digest" ]
        skopeo copy -q --src-tls-verify=false "docker://$(repo):$name" oci:layout:$name
        expect 0 waybill pull --json -o out.wasm oci:layout:$name
        [ "$(jq -r .digest <<<"$output")" = "$digest" ]
        cmp $name.wasm out.wasm
        waybill push -q $name.wasm oci:mine:$name
        skopeo copy -q --dest-tls-verify=false oci:mine:$name "docker://$(repo)-copy:$name"
        expect 0 waybill pull -q -o out.wasm "$(repo)-copy:$name"
        out_is "$(repo)-copy@$digest"
    done
}

@test "a layout and a registry get the same manifest" {
    guest hello
    local one two
    one=$(waybill push -q -a k=v hello.wasm "$(repo):1")
    two=$(waybill push -q -a k=v hello.wasm oci:shelf:1)
    [ "${one#*@}" = "${two#*@}" ]
}

@test "by digest and in the store: no request; by tag: one" {
    guest hello
    local pinned before
    pinned=$(waybill push -q hello.wasm "$(repo):1")
    waybill pull -o out.wasm "$(repo):1"
    waybill inspect "$pinned" # has the config fetched, which nothing else needs
    before=$(requests)
    expect 0 waybill pull -o again.wasm "$pinned"
    cmp hello.wasm again.wasm
    expect 0 waybill run --allow-unsigned "$pinned"
    expect 0 waybill inspect "$pinned"
    [ "$(requests)" = "$before" ]
    expect 0 waybill pull -o again.wasm "$(repo):1"
    [ "$(requests)" = $((before + 1)) ]
    expect 0 waybill run --allow-unsigned "$(repo):1"
    [ "$(requests)" = $((before + 2)) ]
}

@test "the store: a damaged copy is fetched again, a registry that is gone does not matter by digest" {
    guest hello
    local pinned copy
    pinned=$(waybill push -q hello.wasm "$(repo):1")
    waybill pull -o out.wasm "$pinned"
    copy=$HOME/.cache/waybill/store/blobs/sha256/$(sha hello.wasm)
    chmod u+w "$copy"
    flip "$copy" 1000
    expect 0 waybill pull -o out.wasm "$pinned"
    cmp hello.wasm out.wasm
    cmp hello.wasm "$copy"
    flip "$copy" 1000
    expect 0 waybill run --allow-unsigned "$pinned"
    out_is 'hello from the guest'
    truncate -s 10 "$copy"
    expect 0 waybill pull -o out.wasm "$pinned"
    cmp hello.wasm out.wasm
    rm "$copy" && ln -s /etc/passwd "$copy"
    expect 0 waybill pull -o out.wasm "$pinned"
    cmp hello.wasm out.wasm
}

@test "the store is private; one that others may write to is refused" {
    guest hello
    waybill push -q hello.wasm "$(repo):1"
    waybill pull -o out.wasm "$(repo):1"
    local store=$HOME/.cache/waybill/store
    [ "$(stat -c %a "$store")" = 700 ]
    [ -z "$(find "$store" -type f -perm /077)" ]
    chmod 777 "$store"
    expect 2 waybill pull -o other.wasm "$(repo):1"
    err_has "$store"
    absent other.wasm
}

@test "where no store can be made everything is fetched, with a warning" {
    guest hello
    local pinned
    pinned=$(waybill push -q hello.wasm "$(repo):1")
    for _ in 1 2; do
        expect 0 env XDG_CACHE_HOME=/dev/null "$WAYBILL" pull -o out.wasm "$pinned"
        err_has 'warning: store: '
        cmp hello.wasm out.wasm
    done
    expect 0 env XDG_CACHE_HOME=/dev/null "$WAYBILL" run --allow-unsigned "$pinned"
    out_is 'hello from the guest'
}

@test "ten pulls at once into one store" {
    big_guest big.wasm 3000000
    waybill push -q big.wasm "$(repo):1"
    local i pids=()
    for i in 1 2 3 4 5 6 7 8 9 10; do
        "$WAYBILL" pull -q -o out$i.wasm "$(repo):1" >/dev/null 3>&- &
        pids+=($!)
    done
    for i in "${pids[@]}"; do wait "$i"; done
    for i in 1 2 3 4 5 6 7 8 9 10; do cmp big.wasm out$i.wasm; done
    tidy . "$HOME"
}

@test "a pushed blob is not sent again" {
    guest hello
    waybill push -q hello.wasm "$(repo):1"
    local before
    before=$(grep -c '"PUT .*/blobs/uploads/' "$REGISTRY_LOG")
    expect 0 waybill push --json hello.wasm "$(repo):2"
    [ "$(jq .existed <<<"$output")" = true ]
    [ "$(grep -c '"PUT .*/blobs/uploads/' "$REGISTRY_LOG")" = "$before" ]
}

@test "a tag moves" {
    guest hello args
    waybill push -q hello.wasm "$(repo):1"
    waybill pull -q -o out.wasm "$(repo):1"
    waybill push -q args.wasm "$(repo):1"
    expect 0 waybill pull -q -o out.wasm "$(repo):1"
    cmp args.wasm out.wasm
}

@test "killed pushes and pulls: the next one succeeds" {
    big_guest big.wasm 12000000
    local delay
    for delay in 0.005 0.02 0.04 0.07 0.1; do
        "$WAYBILL" push -q big.wasm "$(repo):1" >/dev/null 3>&- &
        sleep $delay
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
    done
    expect 0 waybill push -q big.wasm "$(repo):1"
    for delay in 0.005 0.01 0.02 0.04 0.07; do
        rm -rf "$HOME/.cache/waybill/store/blobs"
        "$WAYBILL" pull -q -o out.wasm "$(repo):1" >/dev/null 3>&- &
        sleep $delay
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
        [ ! -e out.wasm ] || cmp big.wasm out.wasm
        rm -f out.wasm
        expect 0 waybill pull -q -o out.wasm "$(repo):1"
        cmp big.wasm out.wasm
        rm out.wasm
    done
}

@test "not found: 4" {
    guest hello
    waybill push -q hello.wasm "$(repo):1"
    expect 4 waybill pull -o out.wasm "$(repo):none"
    expect 4 waybill pull -o out.wasm "$(repo)-none:1"
    expect 4 waybill inspect "$(repo)@sha256:$(printf '0%.0s' {1..64})"
    expect 127 waybill run --allow-unsigned "$(repo):none"
    absent out.wasm
}

@test "nobody answers: 3, and 125 from run" {
    guest hello
    expect 3 waybill pull -o out.wasm 127.0.0.1:1/a/b:1
    err_has 'waybill: pull 127.0.0.1:1/a/b:1: '
    expect 3 waybill push hello.wasm 127.0.0.1:1/a/b:1
    expect 125 waybill run --allow-unsigned 127.0.0.1:1/a/b:1
    absent out.wasm
}

@test "localhost is loopback, too" {
    guest hello
    expect 0 waybill push -q hello.wasm "localhost:${REGISTRY##*:}/test$BATS_TEST_NUMBER/hello:1"
    expect 0 waybill pull -q -o out.wasm "localhost:${REGISTRY##*:}/test$BATS_TEST_NUMBER/hello:1"
    cmp hello.wasm out.wasm
}

@test "where nothing can be kept everything is fetched" {
    guest hello
    waybill push -q hello.wasm "$(repo):1"
    local store=$HOME/.cache/waybill/store/blobs/sha256
    expect 0 waybill pull -q -o first.wasm "$(repo):1"
    rm "$store/$(sha hello.wasm)" && mkdir "$store/$(sha hello.wasm)"
    expect 0 waybill pull -q -o second.wasm "$(repo):1"
    err_has 'nothing is kept'
    expect 0 waybill run --allow-unsigned "$(repo):1"
    out_is 'hello from the guest'
    rm -r "$HOME/.cache" && : >"$HOME/.cache"
    expect 0 waybill pull -q -o third.wasm "$(repo):1"
    err_has 'nothing is kept'
    expect 4 waybill pull -q -o fourth.wasm "$(repo):none"
    cmp first.wasm second.wasm && cmp first.wasm third.wasm && cmp first.wasm hello.wasm
}
