#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Big modules to and from Debian's docker-registry, with processes that are killed at any moment.
load lib

setup_file() { start_registry; }
teardown_file() { stop_registry; }

# noise: big.wasm, a module of 64 MiB.
noise() {
    python3 - "$1" <<'PY'
import random, sys
size = (64 << 20) + 6
length = bytes([0x80 | size & 0x7f, 0x80 | size >> 7 & 0x7f, 0x80 | size >> 14 & 0x7f, size >> 21])
body = random.Random(int(sys.argv[1])).randbytes(64 << 20)
open("big.wasm", "wb").write(b"\0asm\1\0\0\0\0" + length + b"\x05noise" + body)
PY
}

# killed SECONDS COMMAND...: starts it, and kills it then.
killed() {
    local wait=$1 pid
    shift
    "$@" 3>&- >/dev/null 2>&1 &
    pid=$!
    sleep "$wait"
    kill -9 "$pid" 2>/dev/null || true
    wait "$pid" || true
}

@test "pushes and pulls killed at many moments, then one that is not: the bytes are right" {
    local wait digest
    noise 3
    for wait in 0.02 0.05 0.1 0.15 0.2; do killed "$wait" "$WAYBILL" push big.wasm "$REGISTRY/big/a:v1"; done
    expect 0 waybill push -q big.wasm "$REGISTRY/big/a:v1"
    for wait in 0.01 0.02 0.04 0.06 0.08 0.1; do
        rm -rf "$HOME/.cache/waybill/store/blobs"
        killed "$wait" "$WAYBILL" pull -o out.wasm "$REGISTRY/big/a:v1"
        [ ! -e out.wasm ] || cmp big.wasm out.wasm
        rm -f out.wasm
    done
    expect 0 waybill pull -o out.wasm "$REGISTRY/big/a:v1"
    cmp big.wasm out.wasm
    tidy . "$HOME"
    digest=$(sha256sum big.wasm | cut -d ' ' -f 1)
    cmp big.wasm "$REGISTRY_ROOT/docker/registry/v2/blobs/sha256/${digest:0:2}/$digest/data"
}

@test "a big module is mounted from another repository" {
    noise 4
    expect 0 waybill push -q big.wasm "$REGISTRY/big/b:v1"
    expect 0 waybill push --verbose big.wasm "$REGISTRY/big/c:v1"
    err_has "taken over from big/b"
    rm -rf "$HOME/.cache/waybill/store"
    expect 0 waybill pull -o out.wasm "$REGISTRY/big/c:v1"
    cmp big.wasm out.wasm
}

@test "a push and a pull of a big module need little memory" {
    noise 5
    [ -x /usr/bin/time ] || skip "no /usr/bin/time"
    local peak
    expect 0 /usr/bin/time -f %M -o peak "$WAYBILL" push -q big.wasm "$REGISTRY/big/d:v1"
    peak=$(cat peak)
    [ "$peak" -lt 24576 ] || fail "push: $peak KiB"
    expect 0 /usr/bin/time -f %M -o peak "$WAYBILL" pull -q -o out.wasm "$REGISTRY/big/d:v1"
    peak=$(cat peak)
    [ "$peak" -lt 24576 ] || fail "pull: $peak KiB"
}
