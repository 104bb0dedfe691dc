#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows that the lint refuses what it should: a copy of the rooms gets one thing wrong at a time.
set -u
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bad=0

fresh() {
    rm -rf "$work/tree"
    mkdir "$work/tree"
    cp -r base net oci sign runner flow cli "$work/tree/"
}

refuses() { # what, script, words that must be in the answer
    local out
    if out=$("$here/$2" "$work/tree" 2>&1); then
        echo "not ok - lint accepts $1"
        bad=1
    elif ! grep -qF "$3" <<<"$out"; then
        echo "not ok - lint refuses $1 without saying \"$3\""
        bad=1
    else
        echo "ok - lint refuses $1"
    fi
}

fresh
if "$here/arrows.sh" "$work/tree" >/dev/null && "$here/size.sh" "$work/tree" >/dev/null; then
    echo "ok - lint accepts the tree as it is"
else
    echo "not ok - lint accepts the tree as it is"
    bad=1
fi
fresh
echo '#include "oci/ref.h"' >>"$work/tree/sign/format.c"
refuses "an arrow sign → oci" arrows.sh "no arrow sign → oci"
fresh
echo '#include "net/http.h"' >>"$work/tree/sign/format.h"
refuses "an arrow sign → net" arrows.sh "no arrow sign → net"
fresh
echo '#include "flow/obtain.h"' >>"$work/tree/base/err.c"
refuses "an arrow base → flow" arrows.sh "no arrow base → flow"
fresh
echo '#include <curl/curl.h>' >>"$work/tree/oci/registry.c"
refuses "libcurl outside net" arrows.sh "<curl/curl.h>"
fresh
echo '#include <wasmtime.h>' >>"$work/tree/flow/obtain.c"
refuses "the engine outside runner" arrows.sh "<wasmtime.h>"
fresh
echo 'void f(void); void f(void) { (void)getenv("X"); }' >>"$work/tree/oci/ref.c"
refuses "the environment read outside cli" arrows.sh "getenv"
fresh
{
    echo 'int long_one(int a)'
    echo '{'
    for _ in $(seq 80); do echo '    a++;'; done
    echo '    return a;'
    echo '}'
} >>"$work/tree/base/err.c"
refuses "a function of 84 lines" size.sh "80 are allowed"
fresh
for i in $(seq 800); do echo "extern int x$i;"; done >>"$work/tree/base/err.h"
refuses "a file over 800 lines" size.sh "800 are allowed"
exit $bad
