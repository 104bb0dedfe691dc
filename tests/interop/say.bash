# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Words that the scripts of this folder share. Each sets suite, the name of the peer, before anything else; bad becomes 1 with
# the first test that fails. go_peer installs, as wasmsign2.sh and registry.sh do, into the folder $PEERS.
# shellcheck disable=SC2034,SC2154 # bad is for those who source this, suite is theirs
WAYBILL=${WAYBILL:-$PWD/build/release/bin/waybill}
GUESTS=${GUESTS:-$PWD/build/guests}
PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
export PEERS
PATH=$PATH:$PEERS/bin
tree=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
bad=0

skip() { echo "ok - $suite: $1 # SKIP $2"; }
skip_all() {
    skip "all" "$1"
    exit 0
}

# go_peer PROGRAM PACKAGE@VERSION: by a module of its own, since some programs cannot be had by `go install`.
go_peer() {
    command -v "$1" >/dev/null && return
    command -v go >/dev/null || return 0
    local build
    build=$(mktemp -d) && mkdir -p "$PEERS/bin" &&
        (cd "$build" && go mod init build && go get "$2" && CGO_ENABLED=0 nice go build -o "$PEERS/bin/$1" "${2%@*}") >&2 ||
        echo "# go could not install $1" >&2
    rm -rf "$build"
}

# is NAME WANTED COMMAND...: the command's exit status; what it prints is in the file out. What failed is shown, with out.
is() {
    local name=$1 want=$2 got=0
    shift 2
    "$@" >out 2>&1 </dev/null || got=$?
    if [ "$got" -eq "$want" ]; then
        echo "ok - $suite: $name"
    else
        echo "not ok - $suite: $name: status $got instead of $want: $*"
        sed 's/^/# /' out | head -n 20
        bad=1
    fi
}

# has NAME TEXT: in what the last command printed.
has() {
    if grep -qF -e "$2" out; then
        echo "ok - $suite: $1"
    else
        echo "not ok - $suite: $1: nothing says '$2'"
        sed 's/^/# /' out | head -n 20
        bad=1
    fi
}

# says NAME COMMAND...: only what the peer answers.
says() {
    local name=$1 answer=refuses
    shift
    "$@" >out 2>&1 </dev/null && answer=ACCEPTS
    echo "# $suite $answer: $name"
}

# A folder that is gone in the end, a home that knows nothing of the user's, and no way out of this machine: a proxy that
# nobody is. Go's programs ask no proxy for the loopback interface.
own_home() {
    dir=$(mktemp -d) || exit 2
    trap 'servers_end; rm -rf "$dir"' EXIT
    mkdir "$dir/home" && cd "$dir" || exit 2
    export HOME=$dir/home XDG_CACHE_HOME=$dir/cache DOCKER_CONFIG=$dir/home/.docker NO_COLOR=1
    export HTTPS_PROXY=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1 NO_PROXY=127.0.0.1,localhost
    unset XDG_CONFIG_HOME XDG_DATA_HOME
}
