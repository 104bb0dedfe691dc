#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds the engine once and keeps it outside the tree, under a name made of everything that decides what comes out.
# The last line of stdout is the folder: include/, lib/libwaybill_engine.a and lib/native-libs (what to link with it).
#
# WAYBILL_ENGINE_CACHE  where finished engines are kept (default: the user's cache folder)
# CARGO_TARGET_DIR      keeps cargo's intermediate files there (default: a temporary folder, removed at the end)
set -eu
umask 022
unset CARGO_BUILD_TARGET

here=$(cd "$(dirname "$0")" && pwd)
cache=${WAYBILL_ENGINE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-engine}
min_minor=95
work=

say() { echo "engine: $*" >&2; }
die() { say "$*"; exit 1; }

end() {
    [ -z "$work" ] || rm -rf "$work"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# True when a cargo of at least 1.$min_minor answers.
have_cargo() {
    minor=$(cargo --version 2>/dev/null | sed -n 's/^cargo 1\.\([0-9]*\)\..*/\1/p')
    [ "${minor:-0}" -ge "$min_minor" ]
}

need_cargo() {
    PATH=${CARGO_HOME:-$HOME/.cargo}/bin:$PATH
    have_cargo && return
    install='rustup toolchain install stable --profile minimal && rustup default stable'
    if command -v rustup >/dev/null 2>&1; then
        say "cargo 1.$min_minor is needed: asking rustup for the stable toolchain"
        sh -c "$install" >&2 || die "type: $install"
    elif apt-cache policy rustup 2>/dev/null | grep -q 'Candidate: [0-9]'; then
        sudo=
        [ "$(id -u)" -eq 0 ] || sudo=sudo
        say "cargo 1.$min_minor is needed: installing the distribution's rustup package"
        $sudo apt-get install -y rustup >&2 || die "type: $sudo apt-get install rustup && $install"
        sh -c "$install" >&2 || die "type: $install"
    fi
    hash -r
    have_cargo || die "cargo 1.$min_minor is needed; type: curl -sSf https://sh.rustup.rs | sh -s -- -y --profile minimal"
}

cargo_here() {
    verb=$1
    shift
    cargo "$verb" --locked --manifest-path "$here/Cargo.toml" "$@"
}

# The folder that holds the source of the crate behind the C API.
capi_source() {
    cargo_here metadata --format-version 1 | tr ',' '\n' |
        sed -n 's/^"manifest_path":"\(.*wasmtime-c-api-impl-[^"]*\)\/Cargo.toml"}*$/\1/p' | head -n 1
}

# The features that cargo resolved for that crate, as conf.h spells them, one a line.
capi_features() {
    cargo_here tree -p wasmtime-c-api-impl --depth 0 -f '{f}' | tr ',a-z-' '\nA-Z_'
}

# conf.h: the template's features that were resolved are defined, the others are not.
write_conf() {
    capi_features >"$work/features"
    awk -v list="$work/features" '
        BEGIN { while ((getline name < list) > 0) on["WASMTIME_FEATURE_" name] = 1 }
        $1 == "#cmakedefine" { print ($2 in on) ? "#define " $2 : "/* #undef " $2 " */"; next }
        { print }' "$1/include/wasmtime/conf.h.in" >"$2/wasmtime/conf.h"
    grep -q '^#define WASMTIME_FEATURE_COMPONENT_MODEL$' "$2/wasmtime/conf.h" || die "conf.h lacks its features"
}

install_headers() {
    mkdir -p "$2"
    (cd "$1/include" && find . -name '*.h' ! -name 'doc-*' -exec cp --parents '{}' "$2" ';')
    write_conf "$1" "$2"
    cp "$here"/include/*.h "$2/"
}

# Cargo prints the native libraries as a note among its messages.
build_library() {
    host=$(rustc -vV | sed -n 's/^host: //p')
    target=${CARGO_TARGET_DIR:-$work/target}
    # The crate's build script only installs headers, and wants cmake for that; we copy them ourselves.
    CARGO_TARGET_DIR=$target cargo_here rustc --release --lib \
        --config "target.$host.wasmtime-c-api.include='unused'" -- --print native-static-libs 2>"$work/log" ||
        { cat "$work/log" >&2; die "cargo failed"; }
    mkdir -p "$1"
    strip --strip-debug -o "$1/libwaybill_engine.a" "$target/release/libwaybill_engine.a"
    sed -n 's/^note: native-static-libs: //p' "$work/log" | tail -n 1 >"$1/native-libs"
    [ -s "$1/native-libs" ] || die "cargo named no native libraries"
}

build() {
    source=$(capi_source)
    [ -d "$source/include" ] || die "the source of wasmtime-c-api-impl was not found"
    say "building (a few minutes, once): $1"
    install_headers "$source" "$work/out/include"
    build_library "$work/out/lib"
    mv -T "$work/out" "$1"
}

need_cargo
# Our own headers are left out: what they declare only changes together with src.
hash=$({ rustc -vV; cat "$here/Cargo.toml" "$here/Cargo.lock" "$here/build.sh" "$here"/src/*.rs; } |
    sha256sum | cut -c 1-32)
out=$cache/$hash
mkdir -p "$cache"
if [ ! -d "$out" ]; then
    exec 9>"$cache/lock"
    flock 9
    rm -rf "$cache"/build.* # what a killed build left
    work=$(mktemp -d "$cache/build.XXXXXX")
    [ -d "$out" ] || build "$out"
fi
echo "$out"
