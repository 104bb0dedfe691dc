#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

@test "signs, says so, and the result still runs" {
    guest hello
    waybill keygen -o alice
    expect 0 waybill sign --key alice.key hello.wasm -o signed.wasm
    [ "${lines[0]}" = 'Signed: signed.wasm' ]
    [[ ${lines[1]} =~ ^Key:\ \ \ \ SHA256:[0-9a-f]{64}$ ]]
    expect 0 waybill run signed.wasm
    out_is 'hello from the guest'
    cmp "$GUESTS/hello.wasm" hello.wasm
}

@test "--json" {
    guest hello
    local fingerprint
    fingerprint=$(waybill keygen --json -o alice | jq -r .fingerprint)
    expect 0 waybill sign --json --key alice.key hello.wasm -o signed.wasm
    [ "$(jq -r '[.schema, .file, .format, .keyType, .fingerprint] | join(" ")' <<<"$output")" = \
        "waybill.sign/1 signed.wasm embedded ed25519 $fingerprint" ]
}

@test "signing is reproducible" {
    guest hello
    waybill keygen -o alice
    waybill sign --key alice.key hello.wasm -o a.wasm
    waybill sign --key alice.key hello.wasm -o b.wasm
    cmp a.wasm b.wasm
}

@test "a second signer adds one; both verify" {
    signed_guests
    waybill sign --key bob.key signed.wasm -o both.wasm
    expect 0 waybill verify --key alice.pub both.wasm
    expect 0 waybill verify --key bob.pub both.wasm
    expect 0 waybill inspect --json both.wasm
    [ "$(jq '.module.signatures | length' <<<"$output")" = 2 ]
}

@test "in place: the output may be the input" {
    signed_guests
    expect 0 waybill sign --key bob.key signed.wasm -o signed.wasm
    expect 0 waybill verify --key alice.pub --key bob.pub signed.wasm
    tidy .
}

@test "a component is signed as well" {
    guest component-ok
    waybill keygen -o alice
    expect 0 waybill sign --key alice.key component-ok.wasm -o signed.wasm
    expect 0 waybill verify --key alice.pub signed.wasm
    expect 0 waybill run --key alice.pub signed.wasm
}

@test "the format knows no P-256" {
    guest hello
    waybill keygen --type p256 -o p
    expect 1 waybill sign --key p.key hello.wasm -o out.wasm
    err_has 'Ed25519'
    absent out.wasm
    tidy .
}

@test "keys: public, missing, no key at all, damaged" {
    guest hello
    waybill keygen -o alice
    expect 2 waybill sign --key alice.pub hello.wasm -o out.wasm
    err_has 'alice.pub is a public key'
    expect 4 waybill sign --key nobody.key hello.wasm -o out.wasm
    err_has 'nobody.key: No such file'
    echo nonsense >bad.key
    expect 16 waybill sign --key bad.key hello.wasm -o out.wasm
    err_has 'bad.key'
    head -c 80 alice.key >short.key
    expect 16 waybill sign --key short.key hello.wasm -o out.wasm
    head -c 100000 /dev/zero >huge.key
    expect 16 waybill sign --key huge.key hello.wasm -o out.wasm
    err_has 'huge.key'
    : >empty.key
    expect 16 waybill sign --key empty.key hello.wasm -o out.wasm
    absent out.wasm
}

@test "what is no wasm file is not signed" {
    waybill keygen -o alice
    echo text >text
    expect 16 waybill sign --key alice.key text -o out.wasm
    : >empty
    expect 16 waybill sign --key alice.key empty -o out.wasm
    head -c 300 "$GUESTS/hello.wasm" >short
    expect 16 waybill sign --key alice.key short -o out.wasm
    expect 1 waybill sign --key alice.key . -o out.wasm
    err_has 'not a regular file'
    expect 4 waybill sign --key alice.key nothing.wasm -o out.wasm
    absent out.wasm
    tidy .
}

@test "an output that cannot be written leaves the old one" {
    signed_guests
    expect 4 waybill sign --key alice.key hello.wasm -o no/out.wasm
    mkdir out.wasm
    expect 1 waybill sign --key alice.key hello.wasm -o out.wasm
    err_has 'out.wasm'
    tidy .
}

@test "a private key that others can reach: a warning" {
    guest hello
    waybill keygen -o alice
    expect 0 waybill sign --key alice.key hello.wasm -o a.wasm
    err_is ''
    chmod 640 alice.key
    expect 0 waybill sign --key alice.key hello.wasm -o b.wasm
    err_is 'waybill: warning: alice.key: others can reach this private key (chmod 600)'
    cmp a.wasm b.wasm
}
