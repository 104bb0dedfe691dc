#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs what a digest names, if the key's owner signed it, with five seconds and 64 MiB and nothing else.
# Usage: run-checked.sh PUB REPO@DIGEST [ARGS...]
set -eu
key=$1 reference=$2
shift 2
case $reference in
*@sha256:*) ;;
*)
    echo "$reference has no digest" >&2
    exit 126
    ;;
esac
exec waybill run --key "$key" --timeout 5s --max-memory 64MiB "$reference" "$@"
