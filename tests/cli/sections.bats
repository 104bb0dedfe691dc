#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Parts, detached signatures and claims: what a signature in a file covers.
load lib

# section NAME TEXT: a custom section with short contents.
section() {
    printf '\0'
    leb $((1 + ${#1} + ${#2}))
    leb ${#1}
    printf '%s%s' "$1" "$2"
}

# noted_guest: hello.wasm with two sections behind it, and two pairs of keys.
noted_guest() {
    guest hello
    { cat hello.wasm && section caps few && section notes old; } >noted.wasm
    waybill keygen -o alice >/dev/null
    waybill keygen -o bob >/dev/null
}

@test "--split: the whole verifies, and some parts of it when others changed" {
    noted_guest
    expect 0 waybill sign --key alice.key --split '^caps$' noted.wasm -o signed.wasm
    expect 0 waybill run signed.wasm
    out_is 'hello from the guest'
    expect 0 waybill verify --key alice.pub signed.wasm
    expect 0 waybill verify --key alice.pub --sections '^caps$' signed.wasm
    out_has 'parts (sections 1-'
    out_lacks 'the whole module'
    sed 's/old/new/' signed.wasm >notes.wasm
    expect 17 waybill verify --key alice.pub notes.wasm
    expect 0 waybill verify --key alice.pub --sections '^caps$' notes.wasm
    out_has '(custom notes)'
    expect 17 waybill verify --key alice.pub --sections 'notes|caps' notes.wasm
    sed 's/few/all/' signed.wasm >caps.wasm
    expect 17 waybill verify --key alice.pub --sections '^caps$' caps.wasm
    expect 12 waybill verify --key bob.pub --sections '^caps$' signed.wasm
}

@test "--sections is closed: no delimiters, sections behind the last one, no such section" {
    noted_guest
    waybill sign --key alice.key noted.wasm -o whole.wasm
    expect 17 waybill verify --key alice.pub --sections '^caps$' whole.wasm
    err_has 'no delimiters'
    waybill sign --key alice.key --split '^caps$' noted.wasm -o signed.wasm
    { cat signed.wasm && section more x; } >longer.wasm
    expect 17 waybill verify --key alice.pub --sections '^caps$' longer.wasm
    err_has 'behind the last delimiter'
    expect 17 waybill verify --key alice.pub --sections '^none$' signed.wasm
    err_has 'no custom section has a name that matches'
    expect 10 waybill verify --key alice.pub --sections '^caps$' noted.wasm
}

@test "expressions that are none" {
    noted_guest
    expect 2 waybill sign --key alice.key --split '[' noted.wasm -o signed.wasm
    expect 2 waybill sign --key alice.key --split '(a)\1' noted.wasm -o signed.wasm
    err_has 'back reference'
    absent signed.wasm
    waybill sign --key alice.key --split '^caps$' noted.wasm -o signed.wasm
    expect 2 waybill verify --key alice.pub --sections '*[' signed.wasm
    tidy .
}

@test "a second signer of a split file; a signer of what was added behind" {
    noted_guest
    waybill sign --key alice.key --split '^caps$' noted.wasm -o signed.wasm
    expect 0 waybill sign --key bob.key --split '^caps$' signed.wasm -o both.wasm
    expect 0 waybill verify --key alice.pub both.wasm
    expect 0 waybill verify --key bob.pub both.wasm
    { cat signed.wasm && section more x; } >longer.wasm
    expect 0 waybill sign --key bob.key --split '^caps$' longer.wasm -o longer-signed.wasm
    expect 0 waybill verify --key bob.pub longer-signed.wasm
    expect 17 waybill verify --key alice.pub longer-signed.wasm
    expect 0 waybill verify --key alice.pub --sections '^caps$' longer-signed.wasm
}

@test "a detached signature: made, verified, added to, put in and taken out again" {
    noted_guest
    expect 0 waybill sign --key alice.key --detached noted.sig noted.wasm
    out_has 'Signed: noted.sig'
    expect 0 waybill verify --key alice.pub --signature noted.sig noted.wasm
    expect 10 waybill verify --key alice.pub noted.wasm
    expect 12 waybill verify --key bob.pub --signature noted.sig noted.wasm
    expect 17 waybill verify --key alice.pub --signature noted.sig hello.wasm
    expect 0 waybill sign --key bob.key --detached noted.sig noted.wasm
    expect 0 waybill verify --key alice.pub --signature noted.sig noted.wasm
    expect 0 waybill verify --key bob.pub --signature noted.sig noted.wasm
    expect 0 waybill attach --signature noted.sig noted.wasm -o signed.wasm
    out_is 'Attached: signed.wasm'
    expect 0 waybill verify --key alice.pub signed.wasm
    expect 0 waybill detach signed.wasm -o bare.wasm --signature again.sig
    cmp bare.wasm noted.wasm
    cmp again.sig noted.sig
    waybill sign --key alice.key noted.wasm -o inside.wasm
    waybill sign --key bob.key inside.wasm -o inside.wasm
    cmp signed.wasm inside.wasm
    expect 0 waybill detach --json inside.wasm -o inside.wasm --signature inside.sig
    [ "$(jq -r '[.schema, .file, .signature] | join(" ")' <<<"$output")" = 'waybill.detach/1 inside.wasm inside.sig' ]
    cmp inside.wasm noted.wasm
    tidy .
}

@test "detached signatures that do not belong" {
    noted_guest
    waybill sign --key alice.key --detached noted.sig noted.wasm
    waybill sign --key alice.key noted.wasm -o signed.wasm
    expect 16 waybill sign --key alice.key --detached other.sig signed.wasm
    expect 16 waybill verify --key alice.pub --signature noted.sig signed.wasm
    expect 17 waybill attach --signature noted.sig hello.wasm -o out.wasm
    err_has 'for other content'
    expect 16 waybill attach --signature noted.sig signed.wasm -o out.wasm
    expect 1 waybill attach --signature hello.wasm noted.wasm -o out.wasm
    err_has 'another version'
    : >empty.sig
    expect 16 waybill verify --key alice.pub --signature empty.sig noted.wasm
    expect 4 waybill verify --key alice.pub --signature none.sig noted.wasm
    expect 10 waybill detach noted.wasm -o out.wasm --signature out.sig
    expect 2 waybill detach signed.wasm -o out.wasm --signature out.wasm
    absent out.wasm out.sig other.sig
    local at
    for ((at = 0; at < $(size_of noted.sig); at++)); do
        head -c $at noted.sig >short.sig
        run "$WAYBILL" verify --key alice.pub --signature short.sig noted.wasm
        [ "$status" = 16 ] || fail "$at bytes: status $status"
    done
}

@test "options that do not go together" {
    noted_guest
    local options
    for options in '' '--detached a.sig -o out.wasm' '--detached a.sig --split x' '--cap x -o out.wasm' \
        '--name x --format embedded -o out.wasm' '--format claims --split x -o out.wasm' '--format claims' \
        '--format claims --detached a.sig' '--format cosine -o out.wasm'; do
        # shellcheck disable=SC2086 # several options
        expect 2 waybill sign --key alice.key $options noted.wasm
    done
    expect 2 waybill attach --signature a.sig noted.wasm
    expect 2 waybill attach --signature a.sig -T a/b noted.wasm -o out.wasm
    expect 2 waybill attach --signature a.sig noted.wasm oci:shelf -o out.wasm
    expect 2 waybill attach noted.wasm oci:shelf:1
    expect 2 waybill attach -T a/b noted.wasm
    absent out.wasm a.sig
}

@test "claims: the keys of the account and of the module may both be encrypted" {
    noted_guest
    WAYBILL_PASSWORD=one waybill key convert --to cosign -o alice.enc alice.key
    WAYBILL_PASSWORD=two waybill key convert --to cosign -o bob.enc bob.key
    expect 0 waybill sign --format claims --key alice.enc --subject-key bob.enc --password-fd 3 \
        noted.wasm -o claimed.wasm 3< <(printf 'one\ntwo\n')
    expect 0 waybill verify --key alice.pub claimed.wasm
    out_has "$(waybill key show --json bob.pub | jq -r '.nkeys[1]')"
    expect 5 waybill sign --format claims --key alice.enc --subject-key bob.enc --password-fd 3 \
        noted.wasm -o no.wasm 3< <(printf 'one\none\n')
    err_has 'bob.enc: wrong password'
    WAYBILL_PASSWORD=two expect 0 waybill sign --format claims --key alice.key --subject-key bob.enc noted.wasm -o claimed.wasm
    expect 2 setsid "$WAYBILL" sign --format claims --key alice.key --subject-key bob.enc noted.wasm -o no.wasm
    absent no.wasm
}

@test "claims: signed, shown, verified, and they expire" {
    noted_guest
    export SOURCE_DATE_EPOCH
    SOURCE_DATE_EPOCH=$(date +%s)
    expect 0 waybill sign --format claims --key alice.key --subject-key bob.key --name tea --ver 1.2.3 --rev 7 \
        --tag acme --cap wasmcloud:httpserver --cap wasmcloud:keyvalue --expires 30d noted.wasm -o claimed.wasm
    waybill sign --format claims --key alice.key --subject-key bob.key --name tea --ver 1.2.3 --rev 7 \
        --tag acme --cap wasmcloud:httpserver --cap wasmcloud:keyvalue --expires 30d noted.wasm -o again.wasm
    cmp claimed.wasm again.wasm
    expect 0 waybill run claimed.wasm
    expect 0 waybill verify --key alice.pub claimed.wasm
    out_has 'claims'
    out_has 'tea 1.2.3'
    out_has '(custom wasmcloud_jwt)'
    expect 0 waybill verify --json --key alice.pub claimed.wasm
    [ "$(jq -c '.checks[0].capabilities' <<<"$output")" = '["wasmcloud:httpserver","wasmcloud:keyvalue"]' ] || fail "$output"
    expect 12 waybill verify --key bob.pub claimed.wasm
    sed 's/few/all/' claimed.wasm >changed.wasm
    expect 17 waybill verify --key alice.pub changed.wasm
    expect 0 waybill inspect claimed.wasm
    out_has 'revision 7, until'
    out_has 'capabilities wasmcloud:httpserver, wasmcloud:keyvalue, tags acme'
    SOURCE_DATE_EPOCH=1000000000
    waybill sign --format claims --key alice.key --expires 1h noted.wasm -o old.wasm
    expect 14 waybill verify --key alice.pub old.wasm
    err_has 'expired'
    SOURCE_DATE_EPOCH=$(date +%s)
    waybill sign --format claims --key alice.key --not-before 1h noted.wasm -o early.wasm
    expect 14 waybill verify --key alice.pub early.wasm
}

@test "claims of a component and under an embedded signature" {
    guest component-ok
    waybill keygen -o alice
    waybill keygen -o bob
    expect 0 waybill sign --format claims --key alice.key component-ok.wasm -o claimed.wasm
    expect 0 waybill verify --key alice.pub claimed.wasm
    expect 0 waybill sign --key bob.key claimed.wasm -o both.wasm
    expect 0 waybill verify --key alice.pub both.wasm
    expect 0 waybill verify --key bob.pub both.wasm
    out_lacks 'no signature covers'
    expect 17 waybill sign --format claims --key alice.key both.wasm -o out.wasm
    err_has 'put in the claims, then sign'
    absent out.wasm
}

@test "inspect --sections: hashes, and what would cover each section" {
    noted_guest
    waybill sign --key alice.key --format claims noted.wasm -o claimed.wasm
    waybill sign --key bob.key claimed.wasm -o both.wasm
    expect 0 waybill inspect --sections both.wasm
    out_has 'covered by no signature'
    out_has 'covered by signature 1'
    expect 0 waybill inspect --json --sections both.wasm
    local offset size
    read -r offset size < <(jq -r '.module.sections[-1] | "\(.offset) \(.size)"' <<<"$output")
    [ "$(jq -r '.module.sections[-1].sha256' <<<"$output")" = \
        "$(tail -c +$((offset + 1)) both.wasm | sha256sum | cut -d' ' -f1)" ]
    [ "$(jq -r '.module.sections[0] | [.name, (.coveredBy | length)] | join(" ")' <<<"$output")" = 'signature 0' ]
    # The embedded signature covers the claims, and these all but themselves.
    [ "$(jq -c '[.module.sections[1:][].coveredBy] | unique' <<<"$output")" = '[[0],[0,1]]' ]
    [ "$(jq -c '[.module.signatures[] | [.format, .fits]]' <<<"$output")" = '[["embedded",true],["claims",true]]' ]
    expect 0 waybill inspect --json --sections claimed.wasm
    [ "$(jq -c '[.module.sections[] | .coveredBy | length] | [add, length]' <<<"$output")" = \
        "$(jq -c '[(.module.sections | length) - 1, (.module.sections | length)]' <<<"$output")" ]
    expect 0 waybill inspect --json claimed.wasm
    [ "$(jq -r '.module.sections[0].sha256' <<<"$output")" = null ]
}
