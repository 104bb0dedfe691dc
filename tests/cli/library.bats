#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# libwaybill as it is installed: a program that is built against it, its headers, the names that it shows.

load lib

prefix=/opt/w

# Into a folder that all tests share. The user's own home: make may want to know where the engine is kept.
setup_file() {
    local home
    home=$(getent passwd "$(id -u)" | cut -d: -f6)
    export PLACE=$BATS_FILE_TMPDIR/root
    HOME=$home make -s -C "$BATS_TEST_DIRNAME/../.." install DESTDIR="$PLACE" PREFIX=$prefix
}

flags() { PKG_CONFIG_PATH=$PLACE$prefix/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$PLACE pkg-config "$@" waybill; }

# build SOURCE: the program `embed` of it.
build() {
    # shellcheck disable=SC2046 # several flags
    cc -std=c17 -D_POSIX_C_SOURCE=200809L -Wall -Wextra -Werror -o embed "$1" $(flags --cflags --libs)
}

embed() { LD_LIBRARY_PATH=$PLACE$prefix/lib ./embed "$@"; }

# A policy that takes what alice signed, a module of hers in a layout, one of nobody's in another.
shelves() {
    guest files
    waybill keygen -o alice >/dev/null
    waybill sign --key alice.key files.wasm -o signed.wasm >/dev/null
    waybill push -q signed.wasm oci:shelf:1.0
    waybill push -q files.wasm oci:other:1.0
    printf 'version = 1\n[keys.alice]\nfile = "alice.pub"\n[scopes."oci:"]\nkeys = ["alice"]\n%s\n' "${1-}" >policy.toml
    chmod go-w policy.toml alice.pub .
    mkdir data
    echo tea >data/list
}

@test "library: the example runs a verified module with a folder and reads its result" {
    [ "$(wc -l <"$root/examples/embed.c")" -lt 80 ]
    build "$root/examples/embed.c"
    shelves
    expect 0 embed oci:shelf:1.0 policy.toml data
    out_is $'status 0\nguest: tea'
    err_is ''
}

@test "library: the example refuses what nobody signed, and says why" {
    build "$root/examples/embed.c"
    shelves
    expect 10 embed oci:other:1.0 policy.toml data
    out_is ''
    err_has 'embed: oci:other:1.0: '
    err_has 'no signature'
}

@test "library: the policy's capabilities hold for a program, too" {
    build "$root/examples/embed.c"
    shelves 'capabilities = ["wasi:cli/environment"]'
    expect 18 embed oci:shelf:1.0 policy.toml data
    out_is ''
    err_has 'wasi:filesystem is not allowed'
}

@test "library: it finds its plugins beside itself, and not where the program is" {
    build "$root/examples/embed.c"
    shelves
    waybill copy -q oci:shelf:1.0 oci-archive:shelf.tar:1.0
    sed -i 's/"oci:"/"oci-archive:"/' policy.toml
    expect 0 embed oci-archive:shelf.tar:1.0 policy.toml data
    cp -P "$PLACE$prefix"/lib/libwaybill.so* .
    LD_LIBRARY_PATH=$PWD expect 2 ./embed oci-archive:shelf.tar:1.0 policy.toml data
    err_has "plugin $PWD/waybill/archive.so"
    LD_LIBRARY_PATH=. expect 2 ./embed oci-archive:shelf.tar:1.0 policy.toml data
    err_has 'relative path'
}

@test "library: each header compiles alone, as C17 without extensions and as C++" {
    local h dir=$PLACE$prefix/include/waybill n=0
    while IFS= read -r h; do
        printf '#include "%s"\nextern int one;\n' "$h" | cc -std=c17 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$dir" -x c - || fail "$h"
        printf 'extern "C" {\n#include "%s"\n}\n' "$h" |
            c++ -Wall -Wextra -Werror -fsyntax-only -I"$dir" -include cstdlib -include cstring -x c++ - || fail "$h as C++"
        n=$((n + 1))
    done < <(cd "$dir" && find . -name '*.h' -printf '%P\n')
    [ "$n" -gt 10 ]
    # of other libraries there is none
    [ -z "$(grep -rhE '#include <(wasm|wasi|wasmtime|jansson|gcrypt|curl|libssh|gnutls|archive)' "$dir")" ]
    printf '#include <waybill.h>\nint main() { struct err e = ERR_INIT; return e.code; }\n' >plain.cc
    # shellcheck disable=SC2046
    c++ -Wall -Werror -o plain plain.cc $(flags --cflags --libs)
}

@test "library: it shows the functions that its headers declare, and nothing of the engine" {
    local so=$PLACE$prefix/lib/libwaybill.so name
    nm -D --defined-only "$so" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort >shown
    for name in flow_launch flow_obtain flow_trust_load runner_run runner_program_run err_set log_set_handler plugin_set_folder; do
        grep -qx "$name" shown || fail "$name is missing"
    done
    [ -z "$(grep -vE '^(base|bytes|buf|cas|dir|digest|err|fd|file|hash|hex|io|jarr|jdoc|jobj|jout|json|jval|leb32|log|mem|net|oci|opener|flow|plugin|runner|sha|sign|sink|source|stream|text|time|wbin)_' shown)" ]
    [ -z "$(grep -E 'wasmtime|^wasm_|^wasi_|^_*rust|seccomp' shown)" ]
    readelf -d "$so" | grep 'Library soname: \[libwaybill.so.[0-9]*\]'
    for so in "$PLACE$prefix"/lib/waybill/*.so; do
        [ "$(nm -D --defined-only "$so" | awk '{ print $3 }')" = waybill_plugin ] || fail "$so shows more"
    done
}

@test "library: pkg-config tells the version; LIBDIR and INCLUDEDIR are heard, and uninstall takes all away" {
    local home
    home=$(getent passwd "$(id -u)" | cut -d: -f6)
    [ "$(flags --modversion)" = "$(waybill version | awk 'NR == 1 { print $2 }')" ]
    local -a where=(DESTDIR="$PWD/there" PREFIX=/usr LIBDIR=/usr/lib/here INCLUDEDIR=/usr/headers)
    HOME=$home make -s -C "$root" install "${where[@]}"
    [ -f there/usr/headers/waybill/flow/launch.h ]
    [ -f there/usr/lib/here/libwaybill.so ]
    [ -f there/usr/lib/here/waybill/http.so ]
    [ -f there/usr/lib/waybill/http.so ]
    grep -qx 'libdir=/usr/lib/here' there/usr/lib/here/pkgconfig/waybill.pc
    make -s -C "$root" uninstall "${where[@]}"
    [ -z "$(find there ! -type d)" ]
    absent there/usr/headers/waybill there/usr/lib/waybill
}
