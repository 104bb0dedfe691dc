#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

@test "makes two files that openssl reads, of all types" {
    for type in ed25519 p256 p384 rsa rsa3072; do
        expect 0 waybill keygen --type $type -o $type
        [ "${lines[0]}" = "Private key: $type.key" ]
        [ "${lines[1]}" = "Public key:  $type.pub" ]
        [[ ${lines[2]} =~ ^Fingerprint:\ SHA256:[0-9a-f]{64}$ ]]
        openssl pkey -in $type.key -pubout >derived.pub
        cmp derived.pub $type.pub
    done
    openssl pkey -in ed25519.key -noout -text | grep -q ED25519
    openssl pkey -in p256.key -noout -text | grep -q prime256v1
    openssl pkey -in p384.key -noout -text | grep -q secp384r1
    openssl pkey -in rsa.key -noout -text | grep -q '2048 bit'
    openssl pkey -in rsa3072.key -noout -text | grep -q '3072 bit'
    openssl pkey -in rsa.key -noout -check
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
    expect 2 waybill keygen --type dsa -o k
    err_has "option '--type': 'dsa' is none of: ed25519, p256, p384, rsa, rsa3072, rsa4096, nkeys-account"
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

@test "--encrypt: the key opens with its password and no other" {
    for type in ed25519 p256 p384 rsa; do
        WAYBILL_PASSWORD=hemlig expect 0 waybill keygen --encrypt --type $type -o $type
        grep -qx -e '-----BEGIN ENCRYPTED SIGSTORE PRIVATE KEY-----' $type.key
        [ "$(stat -c %a $type.key)" = 600 ]
        fingerprint=${lines[2]#Fingerprint: }
        COSIGN_PASSWORD=hemlig expect 0 waybill key show --json $type.key
        [ "$(jq -r '"\(.fingerprint) \(.private) \(.encrypted) \(.format)"' <<<"$output")" = "$fingerprint true true cosign" ]
        WAYBILL_PASSWORD=falsch expect 5 waybill key show $type.key
        err_is "waybill: key show: $type.key: wrong password, or the file was changed"
    done
}

@test "--encrypt without a password: status 2, and no file" {
    expect 2 setsid "$WAYBILL" keygen --encrypt -o k </dev/null
    err_has 'no terminal to ask on'
    err_has WAYBILL_PASSWORD
    absent k.key k.pub
    tidy .
}

@test "--encrypt asks twice on a terminal" {
    expect 0 python3 "$root/tests/cli/typed.py" one one -- "$WAYBILL" keygen --encrypt -o k
    out_has 'New password for k.key: '
    out_has 'The same again: '
    out_lacks one
    WAYBILL_PASSWORD=one expect 0 waybill key show k.key
    expect 2 python3 "$root/tests/cli/typed.py" one two -- "$WAYBILL" keygen --encrypt -o l
    out_has 'the two passwords differ'
    absent l.key l.pub
}

@test "--format: as wasmsign2 has keys; --type nkeys-*: as nk has them" {
    expect 0 waybill keygen --format wasmsign2 -o w
    [ "$(stat -c %s w.key w.pub | tr '\n' ' ')" = "65 33 " ]
    for kind in account:A module:M service:V user:U operator:O server:N cluster:C; do
        expect 0 waybill keygen --type "nkeys-${kind%:*}" -o "${kind%:*}"
        grep -qxE "S${kind#*:}[A-Z2-7]{56}" "${kind%:*}.key"
        grep -qxE "${kind#*:}[A-Z2-7]{55}" "${kind%:*}.pub"
        [ "$(waybill key show --json "${kind%:*}.key" | jq -r '.nkeys | join(" ")')" = "$(cat "${kind%:*}.pub")" ]
    done
}

@test "what does not go together" {
    expect 2 waybill keygen --encrypt --format wasmsign2 -o k
    expect 2 waybill keygen --encrypt --type nkeys-user -o k
    expect 2 waybill keygen --format cosign --type nkeys-user -o k
    expect 2 waybill keygen --format wasmsign2 --type p256 -o k
    expect 2 waybill keygen --password-fd 3 -o k
    err_has '--password-fd needs --encrypt'
    absent k.key k.pub
}
