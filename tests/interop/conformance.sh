#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The OCI distribution specification's own conformance program against the in-tree registry, as TAP: without
# authentication, with Basic, and with tokens. The program is not in the tree and not fetched: build it from the folder
# conformance/ of the specification's repository. Usage: conformance.sh PROGRAM; without it, $CONFORMANCE or one on PATH.
set -u
cd "$(dirname "$0")/../.." || exit 2
program=${1:-${CONFORMANCE:-$(command -v oci-conformance)}}
if [ -z "$program" ]; then
    echo "ok - conformance # SKIP no program: name it as argument or in CONFORMANCE"
    exit 0
fi
program=$(realpath "$program") || exit 2
registry=$PWD/tests/registry/registry.py
dir=$(mktemp -d) || exit 2
pid=
trap '[ -z "$pid" ] || kill "$pid"; rm -rf "$dir"' EXIT
cd "$dir" || exit 2
export OCI_TLS=disabled OCI_RESULTS_DIR=$dir OCI_API_BLOBS_UPLOAD_CANCEL=true OCI_API_BLOBS_DIGEST_HEADER=true \
    OCI_API_MANIFESTS_DIGEST_HEADER=true OCI_API_MANIFESTS_TAG_PARAM=true OCI_DATA_SPARSE=true
bad=0

# conforms NAME OPTION...: one run; prints its counts.
conforms() {
    local name=$1 status=0
    shift
    rm -f ports
    python3 -B "$registry" --port-file ports --referrers --sparse --max-seconds 300 "$@" &
    pid=$!
    for _ in $(seq 100); do
        [ ! -e ports ] || break
        sleep 0.1
    done
    OCI_REGISTRY=127.0.0.1:$(sed 's/.*"main": \([0-9]*\).*/\1/' ports) "$program" >out 2>&1 || status=$?
    kill "$pid"
    wait "$pid" 2>/dev/null
    pid=
    grep -E '^  (Disabled|Skip|Pass|FAIL|Error|Total)\.+:' out | tr -d ' ' | tr -s . ' ' | sed 's/^/# /'
    if [ "$status" -eq 0 ] && grep -q '^OCI Conformance Result: Pass' out && grep -qE '^  FAIL\.+: +0$' out; then
        echo "ok - conformance: $name"
    else
        echo "not ok - conformance: $name"
        grep -iE 'fail|error' out | head -n 40 | sed 's/^/# /'
        bad=1
    fi
}

conforms "no authentication"
export OCI_USERNAME=user OCI_PASSWORD=password
conforms "Basic" --auth basic
conforms "tokens from an origin of their own" --auth token --token-listener
exit $bad
