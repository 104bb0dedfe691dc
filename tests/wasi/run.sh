#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The preview 1 cases of the WASI test suite (prebuilt: branch prod/testsuite-base of WebAssembly/wasi-testsuite), in TAP. The
# suite's own runner drives them where there are Python 3.12 and the modules that it needs, else ours. The suite is not in the tree.
# Usage: run.sh [--own-runner] [SUITE]; SUITE or $WASI_TESTSUITE is a checkout, else one in the folder of the peers ($PEERS).
# With $INSTALL_PEERS = 1 one is brought there first.
set -u
here=$(cd "$(dirname "$0")" && pwd)
cd "$here/../.." || exit 2
export WAYBILL=${WAYBILL:-$PWD/build/release/bin/waybill}
PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
own=0
[ "${1:-}" != --own-runner ] || { own=1 && shift; }
suite=${1:-${WASI_TESTSUITE:-$PEERS/wasi-testsuite}}

skip() {
    echo "ok - wasi: all # SKIP $1"
    exit 0
}

if [ ! -d "$suite/tests" ] && [ "${INSTALL_PEERS:-0}" = 1 ] && [ "$suite" = "$PEERS/wasi-testsuite" ]; then
    git clone -q --depth 1 -b prod/testsuite-base https://github.com/WebAssembly/wasi-testsuite "$suite.part" >&2 </dev/null &&
        mv "$suite.part" "$suite"
    rm -rf "$suite.part"
fi
[ -d "$suite/tests" ] || skip "no suite in $suite: WASI_TESTSUITE names a checkout"
command -v python3 >/dev/null || skip "no python3"
[ -x "$WAYBILL" ] || skip "no waybill: $WAYBILL"

# The tests write beside their modules, so they get a copy; the second wall is on where this waybill has it.
work=$(mktemp -d) || exit 2
trap 'rm -rf "$work"' EXIT
for language in assemblyscript c rust; do
    from=$suite/tests/$language/testsuite/wasm32-wasip1
    [ -d "$from" ] || {
        echo "not ok - wasi: the suite has no $from"
        exit 1
    }
    mkdir -p "$work/$language/testsuite" && cp -R "$from" "$work/$language/testsuite/" || exit 2
done
folders=("$work"/*/testsuite/wasm32-wasip1)
if [ -z "${WAYBILL_RUN_OPTIONS+set}" ] && "$WAYBILL" __options 2>/dev/null | grep -q '^run own --sandbox '; then
    WAYBILL_RUN_OPTIONS=--sandbox=require
fi
export WAYBILL_RUN_OPTIONS=${WAYBILL_RUN_OPTIONS:-}
export XDG_CACHE_HOME=$work/cache
status=0
if [ $own -eq 0 ] && (cd "$suite/test-runner" && python3 -B -c "import sys, wasi_test_runner.__main__; sys.exit(sys.version_info < (3, 12))") 2>/dev/null; then
    runner="the suite's runner"
    PYTHONDONTWRITEBYTECODE=1 python3 -B "$suite/test-runner/wasi_test_runner.py" -r "$here/adapter.py" -t "${folders[@]}" \
        --disable-colors --json-output-location "$work/report.json" >"$work/said" 2>&1 </dev/null || status=$?
    python3 -B - "$work/report.json" >"$work/tap" <<'PYTHON' || { status=1 && sed 's/^/# /' "$work/said"; }
import json, sys
for suite in json.load(open(sys.argv[1], encoding="utf-8"))["results"]:
    for test in sorted(suite["tests"], key=lambda test: test["name"]):
        good = test["executed"] and test["outcome"] == "pass"
        print(f"{'ok' if good else 'not ok'} - {suite['name']}: {test['name']}")
        for line in [] if good else "\n".join(test["failures"] or [test["outcome"]]).split("\n"):
            print("#", line)
PYTHON
else
    runner="our runner"
    python3 -B "$here/own_runner.py" "${folders[@]}" >"$work/tap" 2>&1 || status=$?
fi
cat "$work/tap"
good=$(grep -c '^ok' "$work/tap")
total=$(grep -cE '^(not )?ok' "$work/tap")
echo "# wasi: $good of $total preview 1 cases pass, by $runner${WAYBILL_RUN_OPTIONS:+, with $WAYBILL_RUN_OPTIONS}"
[ "$status" -eq 0 ] && [ "$good" -eq "$total" ] && [ "$total" -gt 0 ]
