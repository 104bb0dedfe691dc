#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

@test "verified: one line per check, the verdict last" {
    signed_guests
    expect 0 waybill verify --key alice.pub signed.wasm
    [ "${#lines[@]}" -eq 2 ]
    [[ ${lines[0]} == 'ok      embedded  alice.pub: '* ]]
    [ "${lines[1]}" = 'verified: signed.wasm' ]
    err_is ''
}

@test "one of several keys is enough, and the same key twice is one" {
    signed_guests
    expect 0 waybill verify --key bob.pub --key alice.pub --key alice.pub signed.wasm
    out_has 'verified: signed.wasm'
}

@test "no signature: 10" {
    signed_guests
    expect 10 waybill verify --key alice.pub hello.wasm
    [ "${lines[-1]}" = 'not verified: hello.wasm' ]
    err_has 'waybill: verify hello.wasm: no signature'
}

@test "a foreign key: 12" {
    signed_guests
    expect 12 waybill verify --key bob.pub signed.wasm
    [ "${lines[-1]}" = 'not verified: signed.wasm' ]
    err_has 'waybill: verify signed.wasm: '
}

@test "a changed byte: 17" {
    signed_guests
    expect 17 waybill verify --key alice.pub changed.wasm
    [ "${lines[-1]}" = 'not verified: changed.wasm' ]
}

@test "a signature spliced from another module: 17" {
    signed_guests
    expect 17 waybill verify --key alice.pub spliced.wasm
    [ "${lines[-1]}" = 'not verified: spliced.wasm' ]
}

@test "sections added behind or before what was signed: refused" {
    signed_guests
    { cat signed.wasm && printf '\0\5\3pad!'; } >longer.wasm
    expect 17 waybill verify --key alice.pub longer.wasm
    { head -c 8 signed.wasm && printf '\0\5\3pad!' && tail -c +9 signed.wasm; } >before.wasm
    run "$WAYBILL" verify --key alice.pub before.wasm
    [[ $status == 1[0-9] ]]
}

@test "every byte of the signature section counts" {
    signed_guests
    local end=$(($(size_of signed.wasm) - $(size_of hello.wasm) + 8)) at
    for ((at = 8; at < end; at += 7)); do
        cp signed.wasm flipped.wasm
        flip flipped.wasm $at
        run "$WAYBILL" verify --key alice.pub flipped.wasm
        [[ $status == 1[0267] ]] || fail "byte $at: status $status"
    done
}

@test "truncated: malformed or unsigned, never verified" {
    signed_guests
    local size at
    size=$(size_of signed.wasm)
    for at in 0 1 7 8 9 60 139 140 500 $((size - 1)); do
        head -c "$at" signed.wasm >short.wasm
        run "$WAYBILL" verify --key alice.pub short.wasm
        [[ $status == 1[0267] ]] || fail "$at bytes: status $status"
    done
    : >empty.wasm
    expect 16 waybill verify --key alice.pub empty.wasm
}

@test "--json has the verdict also when it is no" {
    signed_guests
    expect 0 waybill verify --json --key alice.pub signed.wasm
    [ "$(jq -r '[.schema, .target, .verified, .error, .checks[0].ok, .checks[0].key] | map(tostring) | join(" ")' <<<"$output")" = \
        'waybill.verify/1 signed.wasm true null true alice.pub' ]
    [ "$(jq -r .digest <<<"$output")" = "sha256:$(sha256sum <signed.wasm | cut -d' ' -f1)" ]
    expect 12 waybill verify --json --key bob.pub signed.wasm
    [ "$(jq -r '[.verified, .error, .digest] | map(tostring) | join(" ")' <<<"$output")" = 'false UNTRUSTED null' ]
    expect 10 waybill verify --json --key bob.pub hello.wasm
    [ "$(jq -r .error <<<"$output")" = UNSIGNED ]
    expect 17 waybill verify --json --key alice.pub changed.wasm
    [ "$(jq -r .error <<<"$output")" = DIGEST ]
}

@test "standard input is a target" {
    signed_guests
    expect 0 sh -c '"$WAYBILL" verify --key alice.pub - <signed.wasm'
    out_has 'verified: -'
}

@test "a private key is not taken for verifying" {
    signed_guests
    expect 2 waybill verify --key alice.key signed.wasm
    err_has 'alice.key is a private key'
}

@test "keys that are missing or damaged" {
    signed_guests
    expect 4 waybill verify --key nobody.pub signed.wasm
    err_has 'nobody.pub: No such file'
    echo nonsense >bad.pub
    expect 16 waybill verify --key bad.pub signed.wasm
    err_has 'bad.pub'
    expect 16 waybill verify --key bad.pub --key alice.pub signed.wasm
    head -c 70 alice.pub >short.pub
    expect 16 waybill verify --key short.pub signed.wasm
}

@test "a file that is not there, and a folder" {
    waybill keygen -o alice
    expect 4 waybill verify --key alice.pub nothing.wasm
    err_is 'waybill: verify nothing.wasm: No such file or directory'
    expect 1 waybill verify --key alice.pub .
    err_has 'not a regular file'
}

@test "a file named like a reference is asked for with ./" {
    signed_guests
    cp signed.wasm host.example:x
    expect 0 waybill verify --key alice.pub ./host.example:x
    expect 4 waybill verify --key alice.pub oci:none:1
}

@test "a reference in a layout, by tag and by digest" {
    signed_guests
    local pinned
    pinned=$(waybill push -q signed.wasm oci:shelf:1)
    expect 0 waybill verify --key alice.pub oci:shelf:1
    [ "${lines[-1]}" = 'verified: oci:shelf:1' ]
    expect 0 waybill verify --key alice.pub "$pinned"
    expect 12 waybill verify --key bob.pub oci:shelf:1
}
