#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Verification beside cosign and sha256sum, in one run on one machine: every line says what was measured, the ratio to the
# peer, and the target. Usage: bench/verify.sh [--quick] [PART...]; parts: cosign trips file policy many.
#   cosign   what cosign signed, over loopback, Debian's registry: an image under a tag, and a bundle. cosign is let near no
#            network but that, which is when it is fastest
#   trips    requests and round trips after the manifest, from the fault registry's log: every request counts, also those
#            that are answered with 404. By default every place is asked where a signature can be (cosign's tag, the list
#            of referrers by the API and by its tag), with --format or -q those that are needed
#   file     the signature inside a module of 100 MB, and sha256sum of it; the file is in the page cache
#   policy   one look-up among 10,000 scopes, and a whole command that reads such a policy
#   many     1,000 artifacts in one command, and a process of cosign for each of 20 of them: artifacts a second
# --quick: fewer runs, 100 artifacts. cosign is looked for on PATH and in the folder of `make interop`.
# shellcheck disable=SC2154 # HOST is set by what is sourced
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
waybill=${WAYBILL:-$here/build/release/bin/waybill}
guests=${GUESTS:-$here/build/guests}
export PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
PATH=$PATH:$PEERS/bin
# shellcheck source=tests/interop/servers.bash
. "$here/tests/interop/servers.bash"
quick=''
[ "${1:-}" != --quick ] || { quick=1 && shift; }
[ $# -gt 0 ] || set -- cosign trips file policy many
make -s -C "$here" build/release/bench/pair build/release/tests/unit/sign_policy_test
build=$here/build/release
pair=$build/bench/pair
work=$(mktemp -d)
trap 'servers_end; rm -rf "$work"' EXIT
mkdir "$work/home"
cd "$work"
export HOME=$work/home XDG_CACHE_HOME=$work/cache DOCKER_CONFIG=$work/home/.docker COSIGN_PASSWORD=bench
# Nobody's own policy. A proxy that nobody is: Go's programs do not ask it for the loopback interface.
export HTTPS_PROXY=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 NO_PROXY=127.0.0.1
unset XDG_CONFIG_HOME
cp "$guests/hello.wasm" .
offline=(--insecure-ignore-tlog=true --allow-http-registry)
offline_sign=(--tlog-upload=false --allow-http-registry -y)

# verdict VALUE TARGET [at-least]: whether it was met.
verdict() {
    awk -v v="$1" -v t="$2" -v low="${3:-}" 'BEGIN {
        printf "target %s %s: %s\n", low ? ">=" : "<=", t, (low ? v >= t : v <= t) ? "met" : "MISSED" }'
}
# versus TARGET RUNS LABEL COMMAND... -- PEER...
versus() {
    local target=$1 line ratio
    shift
    line=$("$pair" "$@") || return 0
    ratio=$(sed -n 's/.*ratio *\([0-9.]*\).*/\1/p' <<<"$line")
    echo "$line   $(verdict "$ratio" "$target")"
}
need_cosign() { command -v cosign >/dev/null || { echo "# no cosign: make interop installs it" && return 1; }; }
need_docker() { server_docker "$work/docker" || { echo "# no docker-registry" && return 1; }; }
keys() { [ -e bench.key ] || cosign generate-key-pair --output-key-prefix bench >/dev/null 2>&1; }

part_cosign() {
    local runs=${quick:+15} digest
    need_cosign && need_docker || return 0
    keys
    cosign trusted-root create --out root.json >/dev/null
    digest=$("$waybill" push -q hello.wasm "$HOST/bench/tag:v1")
    cosign sign --key bench.key "${offline_sign[@]}" "$digest" >said 2>&1
    digest=$("$waybill" push -q hello.wasm "$HOST/bench/bundle:v1")
    cosign sign --key bench.key "${offline_sign[@]}" --new-bundle-format --use-signing-config=false "$digest" >said 2>&1
    echo "# what cosign signed, by tag; waybill's store empty each time"
    versus 0.4 -p "rm -rf $XDG_CACHE_HOME" "${runs:-60}" "verify, .sig tag: waybill, cosign" \
        "$waybill" verify --key bench.pub "$HOST/bench/tag:v1" -- \
        cosign verify --key bench.pub "${offline[@]}" "$HOST/bench/tag:v1" 2>said
    versus 0.4 -p "rm -rf $XDG_CACHE_HOME" "${runs:-60}" "verify, .sig tag: waybill --format cosign, cosign" \
        "$waybill" verify --format cosign --key bench.pub "$HOST/bench/tag:v1" -- \
        cosign verify --key bench.pub "${offline[@]}" "$HOST/bench/tag:v1" 2>said
    versus 0.4 -p "rm -rf $XDG_CACHE_HOME" "${runs:-60}" "verify, bundle: waybill, cosign" \
        "$waybill" verify --key bench.pub "$HOST/bench/bundle:v1" -- \
        cosign verify --key bench.pub "${offline[@]}" --new-bundle-format --trusted-root root.json "$HOST/bench/bundle:v1" 2>said
    servers_end
}

# counted LABEL COMMAND...: what it asked of the fault registry; the first request is that for the manifest.
counted() {
    local label=$1 before chain requests connections
    shift
    before=$(wc -l <"$work/trips/requests")
    "$@" >said 2>&1 || { echo "# $label failed: $(tail -n 1 said)" && return; }
    python3 -B "$here/tests/registry/trips.py" "$work/trips/requests" "$before" >asked
    read -r chain requests connections <asked
    printf '%-44s %d round trips after the manifest, %s %d requests, %d connections\n' "$label" $((chain - 1)) \
        "$([ "${label#cosign}" != "$label" ] && echo or || echo "$(verdict $((chain - 1)) 2);")" $((requests - 1)) "$connections"
}

part_trips() {
    local digest way
    need_cosign || return 0
    keys
    cosign trusted-root create --out root.json >/dev/null
    server_faulty "$work/trips" --referrers --delay-ms 60
    for way in tag bundle; do
        digest=$("$waybill" push -q hello.wasm "$HOST/bench/$way:v1")
        # shellcheck disable=SC2046 # none or two
        cosign sign --key bench.key "${offline_sign[@]}" \
            $([ $way = tag ] || echo --new-bundle-format --use-signing-config=false) "$digest" >said 2>&1
        rm -rf "$XDG_CACHE_HOME"
        counted "waybill, $way" "$waybill" verify --key bench.pub "$HOST/bench/$way:v1"
        rm -rf "$XDG_CACHE_HOME"
        counted "waybill --format, $way" "$waybill" verify --key bench.pub "$HOST/bench/$way:v1" \
            --format "$([ $way = tag ] && echo cosign || echo sigstore)"
        # shellcheck disable=SC2046
        counted "cosign, $way" cosign verify --key bench.pub "${offline[@]}" \
            $([ $way = tag ] || echo --new-bundle-format --trusted-root root.json) "$HOST/bench/$way:v1"
    done
    servers_end
}

part_file() {
    "$waybill" keygen -o file >/dev/null
    python3 - <<'PYTHON'
import os
size, block = 100 << 20, os.urandom(1 << 20)
def leb(n):
    out = b""
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out
with open("big.wasm", "wb") as f:
    f.write(b"\0asm\1\0\0\0\0" + leb(size + 4) + b"\3pad")
    for _ in range(size >> 20):
        f.write(block)
PYTHON
    "$waybill" sign --key file.key big.wasm -o signed.wasm >/dev/null
    rm big.wasm
    versus 1.15 "${quick:+5}${quick:-15}" "embedded verify of 100 MB, sha256sum" \
        "$waybill" verify --key file.pub signed.wasm -- sha256sum signed.wasm
    rm signed.wasm
}

part_policy() {
    local look_up
    look_up=$("$build/tests/unit/sign_policy_test" 2>&1 | sed -n 's/.*a look-up among 10000 scopes takes \([0-9.]*\) us.*/\1/p')
    echo "one look-up among 10,000 scopes: ${look_up:-?} us   $(verdict "${look_up:-1000}" 50)"
    "$waybill" keygen -o one >/dev/null 2>&1 || true
    {
        printf 'version = 1\n[keys.one]\nfile = "one.pub"\n'
        seq -f '[scopes."registry.example/team%.0f/app"]
keys = ["one"]' 10000
    } >policy.toml
    echo "# whole processes: a policy of 10,000 scopes, $(stat -c %s policy.toml) bytes, read and asked; one of one scope"
    printf 'version = 1\n[keys.one]\nfile = "one.pub"\n[scopes."registry.example/team9999/app"]\nkeys = ["one"]\n' >small.toml
    "$pair" "${quick:+5}${quick:-15}" "policy explain: 10,000 scopes, 1 scope" \
        "$waybill" policy explain --policy policy.toml registry.example/team9999/app:v1 -- \
        "$waybill" policy explain --policy small.toml registry.example/team9999/app:v1
}

# shelf COUNT: a repository of as many artifacts, tags v0 and on, by plain requests.
shelf() {
    python3 - "$HOST" "$1" <<'PYTHON'
import hashlib, http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1])
def ask(method, path, body, headers=None):
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    reply.read()
    assert reply.status in (201, 202), (path, reply.status)
    return reply.getheader("Location")
def blob(kind, data):
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    where = ask("POST", "/v2/bench/many/blobs/uploads/", b"")
    where = where[where.index("/v2/"):]
    ask("PUT", where + ("&" if "?" in where else "?") + "digest=" + digest, data,
        {"Content-Type": "application/octet-stream"})
    return {"mediaType": kind, "digest": digest, "size": len(data)}
kind = "application/vnd.oci.image.manifest.v1+json"
for n in range(int(sys.argv[2])):
    layer = blob("application/wasm", b"\0asm\1\0\0\0\0\5\4" + b"%04d" % n)
    config = blob("application/vnd.wasm.config.v0+json", json.dumps({
        "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip1",
        "layerDigests": [layer["digest"]]}).encode())
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode()
    ask("PUT", "/v2/bench/many/manifests/v%d" % n, manifest, {"Content-Type": kind})
PYTHON
}

seconds() { # COMMAND...: how long it takes; its failure is ours
    local start end
    start=$(date +%s%N)
    "$@" >said 2>&1 || { tail -n 3 said >&2 && return 1; }
    end=$(date +%s%N)
    awk "BEGIN { print ($end - $start) / 1e9 }"
}
each_by_cosign() { # COUNT
    local n
    for ((n = 0; n < $1; n++)); do cosign verify --key many.pub "${offline[@]}" "$HOST/bench/many:v$n" >/dev/null; done
}

part_many() {
    local count=${quick:+100} sample=20 n ours theirs
    count=${count:-1000}
    need_docker || return 0
    "$waybill" keygen --type p256 -o many >/dev/null
    shelf "$count"
    for ((n = 0; n < count; n++)); do
        "$waybill" sign -q --format cosign --key many.key "$HOST/bench/many:v$n" >/dev/null
        echo "$HOST/bench/many:v$n"
    done >targets
    rm -rf "$XDG_CACHE_HOME"
    ours=$(seconds sh -c "'$waybill' verify --key many.pub --from-file - <targets")
    [ "$(grep -c '^verified: ' said)" -eq "$count" ] || { echo "# not all of them are verified" && tail -n 3 said && return 1; }
    echo "# $count artifacts signed under tags, over loopback, one command; cosign: one process each"
    if ! need_cosign; then
        awk "BEGIN { printf \"waybill: %.0f artifacts a second\n\", $count / $ours }"
        return
    fi
    theirs=$(seconds each_by_cosign $sample)
    n=$(awk "BEGIN { printf \"%.2f\", ($count / $ours) / ($sample / $theirs) }")
    awk "BEGIN { printf \"%d artifacts: %.0f a second, cosign %.1f a second (a sample of %d)\", $count, $count / $ours, \
        $sample / $theirs, $sample }"
    echo "   ratio $n   $(verdict "$n" 5 at-least)"
    servers_end
}

echo "# $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $("$waybill" version | head -n 1)"
! command -v cosign >/dev/null || echo "# peer: cosign $(cosign version 2>/dev/null | sed -n 's/^GitVersion: *//p')"
for part; do "part_$part"; done
