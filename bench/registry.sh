#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# waybill beside other registry clients, in one run on one machine: every line says what was measured, the ratio to the
# peer, and the target. Usage: bench/registry.sh [--quick] [PART...]; parts: trips latency size ranges copy.
#   trips    requests on the critical path, from the fault registry's log (with tokens)
#   latency  times with 25 ms more for each round trip, by a relay in user space (with tokens); a connection's handshake is
#            one too, unless HANDSHAKE_MS=0
#   size     modules of 140 KB to 1 GiB over loopback, Debian's registry; peak memory
#   ranges   a pull of 200 MB from a registry that sends 20 MB/s to each connection
#   copy     requests for each tag when a repository is copied within a registry
# --quick: no 1 GiB, 100 tags instead of 1,000, fewer runs. VERBOSE=1 shows the requests that were counted.
# Peers are looked for on PATH and in the folder of `make interop`; BENCH_PEERS="oras crane" names those to compare with,
# BENCH_SIZES="140000" the sizes.
# shellcheck disable=SC2154 # CMD and HOST are set by what is sourced
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
waybill=${WAYBILL:-$here/build/release/bin/waybill}
export PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
PATH=$PATH:$PEERS/bin
# shellcheck source=tests/interop/servers.bash
. "$here/tests/interop/servers.bash"
# shellcheck source=bench/peers.bash
. "$here/bench/peers.bash"
quick='' verbose=${VERBOSE:-}
[ "${1:-}" != --quick ] || { quick=1 && shift; }
[ $# -gt 0 ] || set -- trips latency size ranges copy
make -s -C "$here" build/release/bench/pair build/release/bench/relay
build=$here/build/release/bench
work=$(mktemp -d)
trap 'servers_end; rm -rf "$work"' EXIT
mkdir "$work/home"
cd "$work"
# Nobody's own configuration or cache. oras keeps blobs only where ORAS_CACHE says so.
export HOME=$work/home XDG_CACHE_HOME=$work/cache DOCKER_CONFIG=$work/home/.docker
# skopeo remembers which repositories have a blob; told to be nobody special, it does so below XDG_DATA_HOME.
export XDG_DATA_HOME=$work/cache/data _CONTAINERS_ROOTLESS_UID=1000
unset XDG_RUNTIME_DIR REGISTRY_AUTH_FILE ORAS_CACHE
# shellcheck disable=SC2086 # BENCH_PEERS is a list
mapfile -t found < <(peers_present ${BENCH_PEERS:-oras regctl crane skopeo wasm-to-oci})

forget() { rm -rf "$XDG_CACHE_HOME" && mkdir -p "$XDG_CACHE_HOME"; }

# Between cold and warm: the registry's way of letting people in has been seen, no token and no blob is there. remember keeps
# that state in known/, remind brings it back.
remember() {
    forget
    peer_push waybill "$1" known/host:v1
    "${CMD[@]}" >/dev/null
    rm -rf known && mkdir known
    find cache -mindepth 1 -maxdepth 3 \( -name seal -o -name challenge \) -exec cp -a --parents {} known \;
    forget
}
remind() { forget && cp -a known/. .; }

# module NAME BYTES: a module of about that size, and an image layout with it for those who push only such.
module() {
    python3 - "$1" "$2" <<'PYTHON'
import os, sys
size = int(sys.argv[2])
def leb(n):
    out = b""
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out
with open(sys.argv[1], "wb") as f:
    f.write(b"\0asm\1\0\0\0\0" + leb(size + 4) + b"\3pad")
    block = os.urandom(min(size, 1 << 20))
    for at in range(0, size, 1 << 20):
        f.write(block[:min(1 << 20, size - at)])
PYTHON
    rm -rf "$1.layout"
    "$waybill" push -q "$1" "oci:$1.layout:v1" >/dev/null
}

# verdict VALUE TARGET: whether it was met.
verdict() { awk -v v="$1" -v t="$2" 'BEGIN { printf "target <= %s: %s\n", t, v <= t ? "met" : "MISSED" }'; }

# trips ------------------------------------------------------------------------------------------------------------

# counted COMMAND...: prints "chain requests connections" of what the command asks of the fault registry.
counted() {
    local before
    before=$(wc -l <"$log")
    if ! "$@" >said 2>&1 </dev/null; then
        echo "failed - -"
        sed 's/^/# /' said | tail -n 3 >&2
        return
    fi
    python3 -B "$here/tests/registry/trips.py" "$log" "$before" >chain
    [ -z "$verbose" ] || sed 's/^/# /' chain >&2
    head -n 1 chain
}

# trips_row LABEL TARGET CHAIN REQUESTS CONNECTIONS
trips_row() {
    printf '%-14s %-18s %11s %9s %12s   %s\n' "$1" "$2" "$4" "$5" "$6" "$([ "$1" != waybill ] || verdict "$4" "$3")"
}

trips_of() { # PEER
    local peer=$1 repo=$1/app digest
    # wasm-to-oci's pull takes only its own artifacts, so each pulls what it pushed.
    forget
    peer_push "$peer" small.wasm "$repo:v1"
    # shellcheck disable=SC2046 # three numbers
    trips_row "$peer" "cold push" 5 $(counted "${CMD[@]}")
    digest=$(curl -sf -u user:password -H "Authorization: Bearer $(token_for "$repo")" -o /dev/null -D - \
        -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$HOST/v2/$repo/manifests/v1" |
        tr -d '\r' | sed -n 's/^docker-content-digest: //Ip')
    local what ref target
    for what in "cold pull" "warm pull, tag" "warm pull, digest" "pull, host known"; do
        ref=$repo:v1 target=1
        case $what in
        "cold pull") forget && target=4 ;;
        "warm pull, digest") ref=$repo@$digest target=0 ;;
        "pull, host known") remind && target=4 ;;
        esac
        peer_out "$peer" "$work/out"
        peer_pull "$peer" "$ref" "$work/out"
        # shellcheck disable=SC2046
        trips_row "$peer" "$what" $target $(counted "${CMD[@]}")
    done
    remind
    peer_push "$peer" small.wasm "$repo/more:v1"
    # shellcheck disable=SC2046
    trips_row "$peer" "push, host known" 5 $(counted "${CMD[@]}")
    # shellcheck disable=SC2046
    trips_row "$peer" "push, all there" 5 $(counted "${CMD[@]}")
}

token_for() {
    curl -sf -u user:password "http://$HOST/token?service=fault-registry&scope=repository:$1:pull" | jq -r .token
}

part_trips() {
    local peer
    # The wait makes what is asked at the same time overlap in the log. What one peer pushed is not there for the next.
    server_faulty "$work/trips" --auth token --delay-ms 60 --anonymous-mount no
    log=$work/trips/requests
    peers_login user:password
    module small.wasm 140000
    remember small.wasm
    echo "# round trips on the critical path, all requests, connections; 140 KB, tokens; cold: no cache, no token; warm: again;"
    echo "# host known: as cold, but something else was done at this registry before"
    printf '%-14s %-18s %11s %9s %12s\n' client "" round-trips requests connections
    for peer in waybill "${found[@]}"; do trips_of "$peer"; done
    servers_end
}

# times ------------------------------------------------------------------------------------------------------------

# versus TARGET RUNS LABEL: times OURS against CMD, each time after PREPARE; remembers the ratio in RATIO.
versus() {
    local line
    if ! line=$("$build/pair" -p "$PREPARE" "$2" "$3" "${OURS[@]}" -- "${CMD[@]}" 2>problem); then
        echo "# $3: $(tail -n 1 problem)"
        RATIO=
        return
    fi
    [[ $line =~ ratio\ +([0-9.]+).*peak\ +([0-9.]+) ]]
    RATIO=${BASH_REMATCH[1]} OUR_PEAK=${BASH_REMATCH[2]}
    echo "$line   $([ -z "$1" ] || verdict "$RATIO" "$1")"
}

relay() { # DELAY-MS HANDSHAKE-MS: a relay in front of HOST, which then is the relay
    rm -f "$work/relay.port"
    "$build/relay" "$1" "${HOST##*:}" "$work/relay.port" "$2" &
    SERVERS+=($!)
    server_wait "$work/relay.port" $!
    HOST=127.0.0.1:$(cat "$work/relay.port")
}

series=0

# against PEER WHAT TARGET RUNS LABEL: WHAT is push, pull or again (a pull with all caches warm).
against() {
    local peer=$1 what=$2 out=$work/out
    PREPARE="rm -rf $out"
    [ "$what" = push ] || PREPARE="$PREPARE $out-$peer; [ $peer != regctl ] || mkdir -p $out-$peer"
    [ "$what" = again ] || PREPARE="rm -rf $work/cache; ${state:-:}; $PREPARE"
    if [ "$what" = push ]; then
        series=$((series + 1)) # each push goes to a repository that was never seen
        peer_push waybill "$file" "series$series/run{run}:v1" && OURS=("${CMD[@]}")
        peer_push "$peer" "$file" "series$series/run{run}:v1"
    else
        peer_pull waybill waybill/app:v1 "$out" && OURS=("${CMD[@]}")
        peer_pull "$peer" "$peer/app:v1" "$out-$peer"
    fi
    versus "$3" "$4" "$5 $what: waybill, $peer"
}

# Puts FILE where the pulls of `against` look for it.
seed() {
    local peer
    for peer in waybill "${found[@]}"; do
        peer_push "$peer" "$file" "$peer/app:v1"
        "${CMD[@]}" >said 2>&1 || echo "# $peer could not push $file: $(tail -n 1 said)"
    done
}

part_latency() {
    local runs=${quick:+5} peer what target
    server_faulty "$work/latency" --auth token --anonymous-mount no
    relay 12.5 "${HANDSHAKE_MS:-25}"
    peers_login user:password
    file=small.wasm
    module $file 140000
    remember $file
    seed
    echo "# 25 ms for each round trip; 140 KB, tokens; push and pull: no cache, no token; host known: the same when something"
    echo "# else was done at this registry before; again: with the caches that a client has"
    for what in push pull again; do
        for peer in "${found[@]}"; do
            target=
            [ "$peer" != oras ] || case $what in push) target=0.7 ;; pull) target=0.75 ;; again) target=0.3 ;; esac
            [ $what != again ] || forget
            against "$peer" $what "$target" "${runs:-9}" "25 ms,"
            if [ $what = again ]; then
                [ "$peer" != oras ] || ORAS_CACHE=$work/cache/oras against oras again "" "${runs:-9}" "25 ms, ORAS_CACHE set,"
                continue
            fi
            state="cp -a $work/known/. $work/" against "$peer" $what "$target" "${runs:-9}" "25 ms, host known,"
        done
    done
    servers_end
}

# The largest ratio is that to the fastest peer.
size_part() { # WHAT LABEL RUNS
    local peer worst=0 fastest='' target
    for peer in "${found[@]}"; do
        target=
        [ "$peer.$2" != "oras.140 KB" ] || target=1.0
        against "$peer" "$1" "$target" "$3" "$2,"
        [ -n "$RATIO" ] || continue
        if awk "BEGIN { exit !($RATIO > $worst) }"; then worst=$RATIO fastest=$peer; fi
    done
    [ -z "$fastest" ] || printf '%-44s ratio %s to the fastest (%s), %s; peak %s MiB, %s\n' "$2 $1" "$worst" "$fastest" \
        "$(verdict "$worst" 1.0)" "$OUR_PEAK" "$(verdict "$OUR_PEAK" 24)"
}

part_size() {
    local size label runs what
    local sizes=(140000 5000000 100000000)
    [ -n "$quick" ] || sizes+=(1073741824)
    [ -z "${BENCH_SIZES:-}" ] || read -r -a sizes <<<"$BENCH_SIZES"
    echo "# loopback, docker-registry, no authentication, all cold"
    for size in "${sizes[@]}"; do
        server_docker "$work/size" || { echo "# no docker-registry" && return; }
        case $size in
        140000) label="140 KB" runs=20 ;;
        5000000) label="5 MB" runs=9 ;;
        100000000) label="100 MB" runs=3 ;;
        1073741824) label="1 GiB" runs=1 ;;
        *) label="$size bytes" runs=3 ;;
        esac
        [ -z "$quick" ] || runs=$(((runs + 2) / 3))
        file=module-$size.wasm
        module "$file" "$size"
        seed
        for what in push pull; do size_part $what "$label" $runs; done
        servers_end
        rm -rf "$work/size" "$file" "$file.layout"
    done
}

# ranges -----------------------------------------------------------------------------------------------------------

part_ranges() {
    local peer
    server_faulty "$work/ranges"
    file=module-200.wasm
    module $file 200000000
    seed
    curl -sf -d '{"action": "bandwidth", "match": {"method": "GET", "path": "/blobs/"}, "rate": 20000000, "times": 0}' \
        "http://$HOST/_fault" >said
    echo "# 20 MB/s for each connection, all cold"
    for peer in "${found[@]}"; do against "$peer" pull "" 1 "200 MB,"; done
    servers_end
    rm -rf "$work/ranges" "$file" "$file.layout"
}

# copy -------------------------------------------------------------------------------------------------------------

# tagged COUNT: a repository shelf/app of as many artifacts, by plain requests.
tagged() {
    python3 - "$HOST" "$1" <<'PYTHON'
import hashlib, http.client, json, sys
connection = http.client.HTTPConnection(sys.argv[1])
def ask(method, path, body, headers=None):
    connection.request(method, path, body, headers or {})
    reply = connection.getresponse()
    reply.read()
    assert reply.status == 201, (path, reply.status)
def descriptor(kind, data):
    return {"mediaType": kind, "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}
def blob(kind, data):
    made = descriptor(kind, data)
    ask("POST", "/v2/shelf/app/blobs/uploads/?digest=" + made["digest"], data)
    return made
kind = "application/vnd.oci.image.manifest.v1+json"
for n in range(int(sys.argv[2])):
    layer = blob("application/wasm", b"\0asm\1\0\0\0\0\5\4" + b"%04d" % n)
    config = blob("application/vnd.wasm.config.v0+json", json.dumps({
        "created": "1970-01-01T00:00:00Z", "architecture": "wasm", "os": "wasip1",
        "layerDigests": [layer["digest"]]}).encode())
    manifest = json.dumps({"schemaVersion": 2, "mediaType": kind, "config": config, "layers": [layer]}).encode()
    ask("PUT", "/v2/shelf/app/manifests/v%d" % n, manifest, {"Content-Type": kind})
PYTHON
}

copy_of() { # PEER TAGS
    local before requests start end status=0
    forget
    before=$(grep -c '"method"' "$work/copy/requests")
    peer_copy "$1" shelf/app "$1"
    start=$(date +%s%N)
    timeout 600 "${CMD[@]}" >said 2>&1 </dev/null || status=$?
    end=$(date +%s%N)
    requests=$(($(grep -c '"method"' "$work/copy/requests") - before))
    copied=$(curl -sf "http://$HOST/v2/$1/app/tags/list?n=100000" | jq '.tags | length' || echo 0)
    if [ $status -ne 0 ] || [ "${copied:-0}" -ne "$2" ]; then
        echo "# $1: status $status, ${copied:-0} of $2 tags: $(tail -n 1 said)"
        PER_TAG=
        return
    fi
    PER_TAG=$(awk "BEGIN { printf \"%.2f\", $requests / $2 }")
    printf '%-14s %8d requests, %6s for each tag, %8d ms' "$1" $requests "$PER_TAG" $(((end - start) / 1000000))
}

part_copy() {
    local tags=1000 theirs peer
    [ -z "$quick" ] || tags=100
    server_faulty "$work/copy" --page-size 100000
    tagged $tags
    echo "# a repository of $tags tags copied within one registry"
    theirs=
    for peer in $(peers_present skopeo crane); do
        copy_of "$peer" $tags
        [ -z "$PER_TAG" ] || echo
        [ "$peer" != skopeo ] || theirs=$PER_TAG
    done
    copy_of waybill $tags
    [ -z "$PER_TAG" ] || if [ -z "$theirs" ]; then echo; else
        printf '   ratio to skopeo %s, %s\n' "$(awk "BEGIN { printf \"%.2f\", $PER_TAG / $theirs }")" \
            "$(verdict "$(awk "BEGIN { print $PER_TAG / $theirs }")" 0.5)"
    fi
    servers_end
}

echo "# $(nproc) cores, $(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -n 1), $("$waybill" version | head -n 1)"
for peer in "${found[@]}"; do
    case $peer in
    wasm-to-oci) ;; # does not say
    skopeo) echo "# peer: $(skopeo --version)" ;;
    *) echo "# peer: $peer $("$peer" version | sed -n 's/^\(VCSTag:\|Version:\)* *\(v*[0-9].*\)/\2/p' | head -n 1)" ;;
    esac
done
for part; do "part_$part"; done
