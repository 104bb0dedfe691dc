#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

@test "makes two files that openssl reads, of both types" {
    for type in ed25519 p256; do
        expect 0 waybill keygen --type $type -o $type
        [ "${lines[0]}" = "Private key: $type.key" ]
        [ "${lines[1]}" = "Public key:  $type.pub" ]
        [[ ${lines[2]} =~ ^Fingerprint:\ SHA256:[0-9a-f]{64}$ ]]
        openssl pkey -in $type.key -pubout >derived.pub
        cmp derived.pub $type.pub
    done
    openssl pkey -in ed25519.key -noout -text | grep -q ED25519
    openssl pkey -in p256.key -noout -text | grep -q prime256v1
}

@test "ed25519 is the default, and the fingerprint that of the SPKI" {
    expect 0 waybill keygen -o k --json
    [ "$(jq -r '.schema + " " + .type + " " + .privateKey + " " + .publicKey' <<<"$output")" = 'waybill.keygen/1 ed25519 k.key k.pub' ]
    [ "$(jq -r .fingerprint <<<"$output")" = "SHA256:$(openssl pkey -pubin -in k.pub -outform DER | sha256sum | cut -d' ' -f1)" ]
}

@test "modes: 0600 and 0644, whatever the umask adds" {
    (umask 0 && waybill keygen -o k)
    [ "$(stat -c %a k.key)" = 600 ]
    [ "$(stat -c %a k.pub)" = 644 ]
}

@test "two pairs are not the same" {
    waybill keygen -o a
    waybill keygen -o b
    cmp -s a.key b.key && fail "the same key"
    cmp -s a.pub b.pub && fail "the same key"
    true
}

@test "refuses to overwrite the private key" {
    echo mine >k.key
    expect 1 waybill keygen -o k
    err_has 'k.key: already exists'
    [ "$(cat k.key)" = mine ]
    absent k.pub
    tidy .
}

@test "refuses to overwrite the public key, and leaves no private one" {
    echo mine >k.pub
    expect 1 waybill keygen -o k
    err_has 'k.pub: already exists'
    [ "$(cat k.pub)" = mine ]
    absent k.key
    tidy .
}

@test "a dangling link in the place of a key counts as a file that is there" {
    ln -s elsewhere k.key
    expect 1 waybill keygen -o k
    absent elsewhere k.pub
    ln -s elsewhere l.pub
    expect 1 waybill keygen -o l
    absent elsewhere l.key
    tidy .
}

@test "a folder that is not there" {
    expect 4 waybill keygen -o no/k
    err_has 'No such file or directory'
}

@test "an unknown type, and no name" {
    expect 2 waybill keygen --type rsa -o k
    err_has "option '--type': 'rsa' is none of: ed25519, p256"
    expect 2 waybill keygen
    err_has "option '--output NAME' is missing"
    absent k.key k.pub
}

@test "a killed keygen leaves no half of a pair that stops the next one" {
    for i in 1 2 3 4 5; do
        "$WAYBILL" keygen -o k$i >/dev/null &
        kill -9 $! 2>/dev/null || true
        wait $! 2>/dev/null || true
        [ ! -s k$i.key ] || openssl pkey -in k$i.key -noout
    done
}
