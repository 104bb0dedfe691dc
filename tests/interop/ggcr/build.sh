#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Prints the path of the registry built from this folder; builds it where that has not been done. It is kept outside the tree,
# by the hash of what it is made of. When it cannot be had: one line on standard error that says why, and status 1.
set -u
cd "$(dirname "$0")" || exit 2
peers=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
program=$peers/ggcr/registry-$(cat main.go go.mod go.sum | sha256sum | head -c 16)

fail() {
    echo "no registry with the referrers API: $*" >&2
    exit 1
}

if [ ! -x "$program" ]; then
    command -v go >/dev/null || fail "go is not there to build it"
    mkdir -p "$peers/ggcr" || fail "no folder $peers/ggcr"
    # Several tests may ask at once; one that failed is not tried again by each of them.
    exec 8>"$program.lock"
    flock 8
    [ -z "$(find "$program.failed" -mmin -10 2>/dev/null)" ] || fail "$(cat "$program.failed")"
    if [ ! -x "$program" ]; then
        if ! CGO_ENABLED=0 GOFLAGS='-mod=readonly -trimpath -buildvcs=false' GOTOOLCHAIN=local \
            timeout 180 go build -o "$program.$$" . >"$program.log" 2>&1; then
            echo "go could not build it: $(tail -n 1 "$program.log")" >"$program.failed"
            fail "$(cat "$program.failed")"
        fi
        mv "$program.$$" "$program"
    fi
fi
echo "$program"
