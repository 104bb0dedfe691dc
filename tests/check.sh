#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs every part of `make check` and counts: each part speaks TAP. The last line is "N passed, N failed, N skipped".
# Usage: check.sh [PART...]; the parts are the functions part_* below.
set -u
cd "$(dirname "$0")/.." || exit 2
release=build/release
asan=build/asan
tsan=build/tsan
logs=build/log
mkdir -p "$logs"
passed=0 failed=0 skipped=0
skipped_line='^(not )?ok .*# [Ss][Kk][Ii][Pp]'

export WAYBILL=$PWD/$release/bin/waybill
export GUESTS=$PWD/build/guests
export CMOCKA_MESSAGE_OUTPUT=TAP
export ASAN_OPTIONS=detect_leaks=1:abort_on_error=0
export UBSAN_OPTIONS=print_stacktrace=1

# tap NAME COMMAND...: runs a command whose output is TAP and adds to the counts.
tap() {
    local name=$1 log=$logs/${1//[\/ ]/_}.tap status=0 ok no skip
    shift
    "$@" >"$log" 2>"$log.err" </dev/null || status=$?
    # A skipped test of cmocka says "not ok ... # SKIP", one of bats "ok ... # skip".
    skip=$(grep -cE "$skipped_line" "$log")
    no=$(grep -E '^not ok' "$log" | grep -cvE "$skipped_line")
    ok=$(grep -E '^ok\b' "$log" | grep -cvE "$skipped_line")
    if [ "$status" -ne 0 ] && [ "$no" -eq 0 ]; then
        no=1
        echo "not ok - $name ended with status $status" >>"$log"
    elif [ "$((ok + no + skip))" -eq 0 ]; then
        no=1
        echo "not ok - $name ran no test" >>"$log"
    fi
    passed=$((passed + ok)) failed=$((failed + no)) skipped=$((skipped + skip))
    printf '%-44s %4d passed %3d failed %3d skipped\n' "$name" "$ok" "$no" "$skip"
    grep -E "$skipped_line|^# skipped:" "$log" | sed 's/^/    /'
    if [ "$no" -gt 0 ]; then
        sed 's/^/    /' "$log" | grep -A 14 -E '^    not ok' | head -n 60
        tail -n 25 "$log.err" | sed 's/^/    ! /'
    fi
}

unit() { # variant folder
    local test
    for test in tests/unit/*_test.c; do
        test=${test%.c}
        tap "$(basename "$1") $test" "$1/$test"
    done
}

corpus() { # variant folder
    local target
    for target in tests/fuzz/fuzz_*.c; do
        target=${target%.c}
        tap "$(basename "$1") $target" "$1/$target" "testdata/corpus/${target#tests/fuzz/fuzz_}"
    done
}

part_lint() { tap lint tests/lint/run.sh; }
part_unit() { unit $release; }
mutants() { # variant folder, how many
    tap "$(basename "$1") tests/fuzz/mutants" tests/fuzz/mutants.sh "$1" "$2" 1
}

part_corpus() {
    corpus $release
    mutants $release 3000
}
part_sanitized() {
    unit $asan
    corpus $asan
    mutants $asan 500
}
part_threads() {
    local test
    for test in "$tsan"/tests/unit/*_test; do tap "tsan ${test#"$tsan"/}" "$test"; done
}
# Python's unittest in TAP.
registry_tests() {
    python3 -B -m unittest discover -v -s tests/registry 2>&1 |
        sed -E 's/^(test\w+) .*\.\.\. ok$/ok - \1/; s/^(test\w+) .*\.\.\. (FAIL|ERROR)$/not ok - \1/'
    return "${PIPESTATUS[0]}"
}
part_registry() { tap tests/registry registry_tests; }
part_cli() {
    local file
    for file in tests/cli/*.bats tests/fault/*.bats; do
        [ -e "$file" ] && tap "$file" bats --tap "$file"
    done
}
# Public signature vectors are not in the tree: VECTORS names their folder.
part_vectors() { tap tests/vectors $release/tests/vectors/wycheproof ${VECTORS:+"$VECTORS"}; }
# The WASI test suite is not in the tree: WASI_TESTSUITE names a checkout.
part_wasi() { tap tests/wasi tests/wasi/run.sh; }
part_interop() { tap tests/interop tests/interop/run.sh; }

[ $# -gt 0 ] || set -- lint unit corpus sanitized threads registry cli vectors wasi interop
for part; do "part_$part"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
