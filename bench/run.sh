#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Compares waybill with peers, side by side in one run, and prints medians, ratios and peak memory.
# Usage: bench/run.sh WAYBILL GUESTS [PART...]; parts:
#   help       waybill --help beside a program that does nothing
#   run        a cached module with its embedded signature, and the same compiled each time, beside wasmtime
#   compute, fileio, output    guests that compute, use many small file operations, write much: beside wasmtime, cached
#   reference  from a reference to the guest's end, verified, beside oras pull && cosign verify && wasmtime run
#   transfer   beside curl and sha256sum
# Peers are looked for on PATH and in the folder of `make interop`; one that is missing is said so.
set -eu
waybill=$1
guests=$2
shift 2
[ $# -gt 0 ] || set -- help run compute fileio output reference transfer
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

# What the peer is told: its cache on, in a folder of its own, or off.
no_wasmtime() {
    if command -v wasmtime >/dev/null; then
        [ -e wasmtime.toml ] || echo "# peer: $(wasmtime --version)"
        printf '[cache]\ndirectory = "%s"\n' "$work/wasmtime-cache" >wasmtime.toml
        return 1
    fi
    echo "# no wasmtime: \`cargo install wasmtime-cli --version 48.0.8 --locked --root $peers\` brings it"
}
warm=(wasmtime run -C cache=y -C cache-config=wasmtime.toml)
cold=(wasmtime run -C cache=n)
# with the second wall wherever this waybill has one
sandbox=()
if "$waybill" __options 2>/dev/null | grep -q '^run own --sandbox '; then sandbox=(--sandbox=require); fi
ours=("$waybill" run "${sandbox[@]}")

part_run() {
    "$waybill" keygen -o key >/dev/null
    "$waybill" sign --key key.key "$guests/report.wasm" -o report.wasm >/dev/null
    echo "# $(stat -c %s report.wasm) bytes, embedded signature verified at each run, compiled code cached${sandbox:+, ${sandbox[*]}}"
    if no_wasmtime; then
        "$pair" 200 "waybill run, an empty C program" "${ours[@]}" --key key.pub report.wasm a b -- "$empty"
        return
    fi
    "$pair" 300 "waybill run, wasmtime run: warm" "${ours[@]}" --key key.pub report.wasm a b -- "${warm[@]}" report.wasm a b
    "$pair" 10 "waybill run, wasmtime run: cold" env -u HOME -u XDG_CACHE_HOME "${ours[@]}" --key key.pub report.wasm a b -- \
        env "${cold[@]}" report.wasm a b
}

part_compute() {
    no_wasmtime && return
    "$pair" 7 "a guest that computes for some seconds" "${ours[@]}" "$guests/compute.wasm" 300 -- "${warm[@]}" "$guests/compute.wasm" 300
    "$pair" 7 "the same, with a time limit: both" "${ours[@]}" --timeout 100s "$guests/compute.wasm" 300 -- \
        "${warm[@]}" -W timeout=100s "$guests/compute.wasm" 300
}

part_fileio() {
    no_wasmtime && return
    mkdir -p files
    echo "# 10 rounds of 20 files: 20,000 writes, 40,000 reads, 20,000 seeks, and some hundred stats, renames and removals"
    "$pair" 15 "a guest of many file operations" "${ours[@]}" --dir files::/data:rw "$guests/fileio.wasm" /data 10 -- \
        "${warm[@]}" --dir files::/data "$guests/fileio.wasm" /data 10
    "$pair" 15 "the same, with a time limit: both" "${ours[@]}" --timeout 100s --dir files::/data:rw "$guests/fileio.wasm" /data 10 -- \
        "${warm[@]}" -W timeout=100s --dir files::/data "$guests/fileio.wasm" /data 10
}

part_output() {
    no_wasmtime && return
    "$pair" 15 "a guest that writes 8 MiB in lines" "${ours[@]}" "$guests/output.wasm" lines 8 -- "${warm[@]}" "$guests/output.wasm" lines 8
    "$pair" 15 "a guest that writes 512 MiB in blocks" "${ours[@]}" "$guests/output.wasm" blocks 512 -- \
        "${warm[@]}" "$guests/output.wasm" blocks 512
}

part_reference() {
    local tool ref digest
    no_wasmtime && return
    for tool in oras cosign docker-registry; do
        command -v $tool >/dev/null || { echo "# no $tool: \`make interop\` and \`make check\` bring it" && return; }
    done
    [ -n "$registry" ] || start_registry
    ref=$host/bench/app:v1
    mkdir -p home out
    cp "$guests/report.wasm" app.wasm
    # Nobody's own policy or credentials, and a proxy that nobody is: Go's programs do not ask it for this machine.
    export HOME=$work/home DOCKER_CONFIG=$work/home/.docker COSIGN_PASSWORD=bench HTTPS_PROXY=http://127.0.0.1:1 \
        HTTP_PROXY=http://127.0.0.1:1 NO_PROXY=127.0.0.1 ORAS_CACHE=$work/oras-cache
    oras push --no-tty --plain-http --artifact-type application/vnd.wasm.config.v0+json "$ref" app.wasm:application/wasm >/dev/null
    digest=$("$waybill" inspect --json "$ref" | jq -r .digest)
    cosign generate-key-pair --output-key-prefix bench >/dev/null 2>&1
    cosign sign --key bench.key --tlog-upload=false --allow-http-registry -y "$host/bench/app@$digest" >said 2>&1
    # As one would type it: the tag is resolved once by each program.
    peer() { # OPTION OF WASMTIME...
        echo "oras pull --no-tty --plain-http -o out $ref && cosign verify --key bench.pub --insecure-ignore-tlog=true --allow-http-registry" \
            "$ref >said 2>&1 && wasmtime run $* out/app.wasm a b"
    }
    echo "# peers: oras $(oras version | sed -n 's/^Version: *//p'), cosign $(cosign version 2>&1 | sed -n 's/^GitVersion: *//p')"
    "$pair" 30 "from a reference to the end: warm" "${ours[@]}" --key bench.pub "$ref" a b -- \
        sh -c "$(peer -C cache=y -C cache-config=wasmtime.toml)"
    "$pair" -p "rm -rf $work/cache $work/oras-cache out" 15 "from a reference to the end: cold" "${ours[@]}" --key bench.pub "$ref" a b -- \
        sh -c "$(peer -C cache=n)"
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
    [ -n "$registry" ] || start_registry
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
