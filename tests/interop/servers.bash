# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Registries for the scripts of interop and bench: each on a free port of the loopback interface, all ended by servers_end.
# Each function sets HOST (host:port); its first argument is a folder of its own for the server.

servers_root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
SERVERS=()

servers_end() {
    local pid
    for pid in "${SERVERS[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${SERVERS[@]}"; do wait "$pid" 2>/dev/null || true; done
    SERVERS=()
}

# server_wait FILE PID: until the file has something in it.
server_wait() {
    local try
    for ((try = 0; try < 200; try++)); do
        [ ! -s "$1" ] || return 0
        kill -0 "$2" 2>/dev/null || break
        sleep 0.05
    done
    return 1
}

# Debian's registry.
server_docker() {
    local port='' try
    mkdir -p "$1/data"
    cat >"$1/config.yml" <<END
version: 0.1
log: {level: info, accesslog: {disabled: true}}
storage:
  filesystem: {rootdirectory: $1/data}
  delete: {enabled: true}
http: {addr: 127.0.0.1:0}
END
    command -v docker-registry >/dev/null || return 1
    OTEL_TRACES_EXPORTER=none docker-registry serve "$1/config.yml" >"$1/log" 2>&1 &
    SERVERS+=($!)
    for ((try = 0; try < 200; try++)); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$1/log" 2>/dev/null || true)
        [ -z "$port" ] || break
        sleep 0.05
    done
    HOST=127.0.0.1:$port
    [ -n "$port" ]
}

# go-containerregistry's; says on standard error why it cannot be had.
server_ggcr() {
    local program
    program=$("$servers_root/tests/interop/ggcr/build.sh") || return 1
    mkdir -p "$1/data"
    rm -f "$1/port"
    "$program" "$1/port" "$1/data" >"$1/log" 2>&1 &
    SERVERS+=($!)
    server_wait "$1/port" $! || return 1
    HOST=127.0.0.1:$(cat "$1/port")
}

# The fault registry, with the options that follow; its request log is FOLDER/requests.
server_faulty() {
    local dir=$1
    shift
    mkdir -p "$dir"
    rm -f "$dir/ports" "$dir/requests"
    python3 -B "$servers_root/tests/registry/registry.py" --max-seconds 1200 --port-file "$dir/ports" \
        --log "$dir/requests" "$@" &
    SERVERS+=($!)
    server_wait "$dir/ports" $! || return 1
    # shellcheck disable=SC2034 # for those who source this
    HOST=127.0.0.1:$(sed 's/.*"main": \([0-9]*\).*/\1/' "$dir/ports")
}
