#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs mutants of the built guests, modules and components, and of the texts among their sources, through the whole runner.
# Usage: mutants.sh BUILD_DIR COUNT [SEED]; a SEED makes the same mutants of the same guests. A finding is kept in
# BUILD_DIR/findings and fails the run. TAP.
set -u
[ $# -ge 2 ] || {
    echo "usage: $0 BUILD_DIR COUNT [SEED]" >&2
    exit 2
}
build=$(cd "$1" && pwd) || exit 2
cd "$(dirname "$0")/../.." || exit 2
guests=${GUESTS:-build/guests}
seed=${3:-$(date +%s)}
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
mapfile -t seeds < <(find "$guests/" testdata/guests/ -name '*.wasm' -o -name '*.wat' | sort)
echo "# seed $seed"
"$build/tests/fuzz/mutants" "$2" "$seed" "$work" "${seeds[@]}"
status=$?
if compgen -G "$work/mutant-*" >/dev/null; then
    mkdir -p "$build/findings" && cp "$work"/mutant-* "$build/findings/"
    echo "# kept in $build/findings"
fi
exit $status
