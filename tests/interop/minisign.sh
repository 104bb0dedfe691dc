#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# minisign's signatures of files: waybill verifies them, and makes none. TAP. Uses $WAYBILL and $GUESTS; see run.sh.
# shellcheck disable=SC2317 # most functions are called by name
set -u
suite=minisign
# shellcheck source=tests/interop/say.bash
. "$(dirname "$0")/say.bash"
# shellcheck source=tests/interop/servers.bash
. "$(dirname "$0")/servers.bash"
command -v minisign >/dev/null || skip_all "it is not there"
[ -f "$GUESTS/hello.wasm" ] || skip_all "no hello.wasm in $GUESTS"
own_home
umask 077

is "keys" 0 minisign -G -W -f -p key.pub -s key.sec
is "keys: somebody else's" 0 minisign -G -W -f -p foreign.pub -s foreign.sec

# form NAME OPTION...: a signature in one of its forms, beside the file.
form() {
    local name=$1
    shift
    rm -f module.wasm.minisig
    cp "$GUESTS/hello.wasm" module.wasm
    is "$name: they sign" 0 minisign -S -q -s key.sec -m module.wasm -t "a trusted comment" "$@"
    is "$name: they verify it" 0 minisign -V -q -p key.pub -m module.wasm
    is "$name: we verify it" 0 "$WAYBILL" verify --key key.pub --signature module.wasm.minisig module.wasm
    is "$name: they refuse a foreign key" 1 minisign -V -q -p foreign.pub -m module.wasm
    is "$name: we refuse a foreign key" 12 "$WAYBILL" verify --key foreign.pub --signature module.wasm.minisig module.wasm
    cp module.wasm.minisig kept
    sed -i 's/^trusted comment: .*/trusted comment: another one/' module.wasm.minisig
    is "$name: they refuse another comment" 1 minisign -V -q -p key.pub -m module.wasm
    is "$name: we refuse another comment" 12 "$WAYBILL" verify --key key.pub --signature module.wasm.minisig module.wasm
    cp kept module.wasm.minisig
    printf '\0\5\4more' >>module.wasm
    is "$name: they refuse a longer file" 1 minisign -V -q -p key.pub -m module.wasm
    is "$name: we refuse a longer file" 12 "$WAYBILL" verify --key key.pub --signature module.wasm.minisig module.wasm
}
form "of the hash"
# Its older form, of the bytes themselves.
form "of the bytes" -l
exit $bad
