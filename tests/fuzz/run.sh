#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Fuzzes each parser for a while, one after the other, from a copy of its corpus.
# Usage: run.sh BUILD_DIR SECONDS [TARGET...]; TARGET is "wbin" and so on, all of them by default.
# Prints executions per second; a finding is kept in BUILD_DIR/findings and fails the run.
set -u
[ $# -ge 2 ] || {
    echo "usage: $0 BUILD_DIR SECONDS [TARGET...]" >&2
    exit 2
}
build=$(cd "$1" && pwd) || exit 2
seconds=$2
shift 2
cd "$(dirname "$0")/../.." || exit 2
if [ $# -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        name=${source##*/fuzz_}
        set -- "$@" "${name%.c}"
    done
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
findings=$build/findings
mkdir -p "$findings"
export ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
bad=0

for name in "$@"; do
    program=$build/tests/fuzz/fuzz_$name
    if [ ! -x "$program" ]; then
        echo "not ok - $name: $program is not built"
        bad=1
        continue
    fi
    mkdir -p "$work/$name"
    [ -d "testdata/corpus/$name" ] && cp "testdata/corpus/$name/"* "$work/$name/"
    log=$work/$name.log
    "$program" -max_total_time="$seconds" -max_len=65536 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
        -artifact_prefix="$findings/$name-" "$work/$name" >"$log" 2>&1
    status=$?
    number() { sed -n "s/^stat::$1: *//p" "$log"; }
    if [ "$status" -eq 0 ]; then
        echo "ok - $name: $(number number_of_executed_units) runs, $(number average_exec_per_sec) a second"
    else
        echo "not ok - $name: a finding in $findings"
        tail -n 40 "$log" | sed 's/^/# /'
        bad=1
    fi
done
exit $bad
