#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# make install, uninstall and dist; an installed program finds its plugins.

load lib

prefix=/opt/w

# The user's own home: make may want to know where the engine is kept.
install_here() {
    local home
    home=$(getent passwd "$(id -u)" | cut -d: -f6)
    HOME=$home make -s -C "$root" install DESTDIR="$PWD/root" PREFIX=$prefix
}

@test "install: the program, its plugins and pages go below DESTDIR, and uninstall takes them away" {
    install_here
    [ -x root/$prefix/bin/waybill ]
    [ -f root/$prefix/lib/waybill/http.so ]
    [ -f root/$prefix/lib/waybill/archive.so ]
    [ -f root/$prefix/share/man/man1/waybill-push.1 ]
    [ -f root/$prefix/share/man/man3/libwaybill.3 ]
    [ -f root/$prefix/share/man/man5/waybill-policy.toml.5 ]
    make -s -C "$root" uninstall DESTDIR="$PWD/root" PREFIX=$prefix
    [ -z "$(find root -type f)" ]
}

@test "install: an installed program uses the plugin beside it, and says so when it is gone" {
    install_here
    expect 3 "root/$prefix/bin/waybill" pull -o x.wasm 127.0.0.1:1/a/b:v1
    rm "root/$prefix/lib/waybill/http.so"
    expect 2 "root/$prefix/bin/waybill" pull -o x.wasm 127.0.0.1:1/a/b:v1
    err_has "http.so"
    absent x.wasm
}

@test "dist: the archive holds the committed tree under the version's name" {
    git -C "$root" rev-parse HEAD || skip "this is no git checkout"
    expect 0 make -s -C "$root" dist
    [ "$output" = "build/waybill-$(waybill version | awk 'NR == 1 { print $2 }').tar.gz" ]
    tar tzf "$root/$output" | grep '/Makefile$'
}
