#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What every source file must have, and what none may: licence line, format, calls that are banned, headers that compile
# alone, clang's warnings beside gcc's.
set -u
bad=0
fail() {
    echo "not ok - $1"
    bad=1
}
pass() { echo "ok - $1"; }
verdict() { # name, output
    if [ -n "$2" ]; then
        echo "# ${2//$'\n'/$'\n'# }"
        fail "$1"
    else
        pass "$1"
    fi
}
mapfile -t c < <(git ls-files -co --exclude-standard '*.c' '*.h' | xargs -r ls -d 2>/dev/null)
mapfile -t sh < <(git ls-files -co --exclude-standard '*.sh' '*.bash' .ci/run .ci/install | xargs -r ls -d 2>/dev/null)
mapfile -t all < <(git ls-files -co --exclude-standard | grep -vE '^testdata/corpus/|\.(lock|json|md|wasm|pem|pub|key)$|/go\.sum$|^LICENSE$|^\.gitignore$|^README' | xargs -r ls -d 2>/dev/null)
flags=(-std=c17 -D_GNU_SOURCE -I. -isystem build/engine/include -Wall -Wextra -Wpedantic -Wshadow -Wconversion
    -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual -Wvla -Wformat=2 -Wno-format-nonliteral -Werror)

verdict "spdx: every file names its licence" "$(for f in "${all[@]}"; do
    head -n 3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || echo "$f"
done)"
verdict "format: clang-format has nothing to change" "$(clang-format --dry-run -Werror "${c[@]}" 2>&1 | head -n 40)"
verdict "banned: no strcpy, strcat, sprintf, gets, system, popen, alloca, strtok" \
    "$(grep -nE '\b(strcpy|strcat|sprintf|vsprintf|gets|system|popen|alloca|strtok|atoi|atol)\(' "${c[@]}")"
verdict "unfinished: no TODO, FIXME, XXX" "$(grep -nE '\b(TODO|FIXME|XXX|HACK)\b' "${c[@]}" "${sh[@]}" | grep -v '^tests/lint/')"
verdict "headers: each compiles alone" "$(for h in "${c[@]}"; do
    case $h in *.h) echo "#include \"$h\"
extern int one_declaration;" | clang "${flags[@]}" -fsyntax-only -x c - 2>&1 ;; esac
done)"
verdict "clang: no warning" "$(for f in "${c[@]}"; do
    case $f in testdata/* | examples/*) ;; *.c) clang "${flags[@]}" -fsyntax-only "$f" 2>&1 ;; esac
done)"
verdict "shellcheck" "$(shellcheck -x "${sh[@]}" 2>&1)"
verdict "mandoc: the manual pages are clean" "$(mandoc -T lint -W warning man/*.[135] 2>&1)"
exit $bad
