#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares waybill with peers, side by side in one run, and prints medians, ratios and peak memory.
# Usage: bench/run.sh WAYBILL GUESTS [PART...]; parts: help run transfer.
# Peers are looked for on PATH and in the folder of `make interop`; one that is missing is said so.
set -eu
waybill=$1
guests=$2
shift 2
[ $# -gt 0 ] || set -- help run transfer
here=$(cd "$(dirname "$0")/.." && pwd)
build=$(cd "$(dirname "$waybill")/.." && pwd)
peers=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
PATH=$PATH:$peers/bin
work=$(mktemp -d)
registry=
end() {
    [ -z "$registry" ] || kill "$registry" 2>/dev/null || true
    rm -rf "$work"
}
trap end EXIT
make -s -C "$here" build/release/bench/pair build/release/bench/empty
pair=$build/bench/pair
empty=$build/bench/empty
export XDG_CACHE_HOME=$work/cache
cd "$work"

part_help() {
    "$pair" 200 "waybill --help, an empty C program" "$waybill" --help -- "$empty"
}

part_run() {
    "$waybill" keygen -o key >/dev/null
    "$waybill" sign --key key.key "$guests/report.wasm" -o report.wasm >/dev/null
    echo "# $(stat -c %s report.wasm) bytes, embedded signature verified at each run, compiled code cached"
    if ! command -v wasmtime >/dev/null; then
        echo "# no wasmtime: \`cargo install wasmtime-cli --version 48.0.8 --locked --root $peers\` brings it"
        "$pair" 200 "waybill run, an empty C program" "$waybill" run --key key.pub report.wasm a b -- "$empty"
        return
    fi
    echo "# peer: $(wasmtime --version)"
    printf '[cache]\ndirectory = "%s"\n' "$work/wasmtime-cache" >wasmtime.toml
    "$pair" 300 "waybill run, wasmtime run: warm" "$waybill" run --key key.pub report.wasm a b -- \
        wasmtime run -C cache=y -C cache-config=wasmtime.toml report.wasm a b
    "$pair" 10 "waybill run, wasmtime run: cold" env -u HOME -u XDG_CACHE_HOME "$waybill" run --key key.pub \
        report.wasm a b -- env wasmtime run -C cache=n report.wasm a b
}

start_registry() {
    local port
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >registry.yml <<CONFIG
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/registry}}
http: {addr: "127.0.0.1:$port"}
CONFIG
    docker-registry serve registry.yml >/dev/null 2>&1 &
    registry=$!
    host=127.0.0.1:$port
    for _ in $(seq 100); do
        curl -s -o /dev/null "http://$host/v2/" && return
        sleep 0.05
    done
    echo "the registry did not start" >&2
    exit 1
}

# A module of $1 bytes or a little more: the preamble and one custom section.
big_module() {
    python3 - "$1" <<'PYTHON'
import os, sys
size = int(sys.argv[1])
def leb(n):
    out = b""
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out
with open("big.wasm", "wb") as f:
    f.write(b"\0asm\1\0\0\0\0" + leb(size + 4) + b"\3pad")
    block = os.urandom(1 << 20)
    for _ in range(size >> 20):
        f.write(block)
PYTHON
}

part_transfer() {
    if ! command -v docker-registry >/dev/null; then
        echo "# no docker-registry: \`make check\` installs it"
        return
    fi
    start_registry
    echo "# registry: $(docker-registry --version)"
    "$waybill" push -q "$guests/report.wasm" "$host/small:v1" >/dev/null
    "$pair" 20 "pull by tag, store warm; curl of the manifest" "$waybill" pull -q -o small.wasm "$host/small:v1" -- \
        curl -s -o small.curl "http://$host/v2/small/manifests/v1"
    big_module $((1 << 30))
    blob=sha256:$(sha256sum big.wasm | cut -d' ' -f1)
    "$waybill" push -q big.wasm "$host/big:v1" >/dev/null
    "$pair" 1 "push 1 GiB, sha256sum of it" sh -c "exec $waybill push -q big.wasm $host/big\$\$:v1" -- sha256sum big.wasm
    "$pair" 1 "pull 1 GiB, curl of the blob" \
        sh -c "rm -rf $work/cache/waybill/store; exec $waybill pull -q -o pulled.wasm $host/big:v1" -- \
        curl -s -o pulled.curl "http://$host/v2/big/blobs/$blob"
    cmp big.wasm pulled.wasm
}

echo "# $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $("$waybill" version | head -n 1)"
echo "# medians of waybill and of the peer, ratio (waybill / peer), difference, peak memory of both"
for part; do "part_$part"; done
