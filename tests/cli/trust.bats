#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What must not be taken for trusted: things that are denied under another name, signatures that say less than was
# asked for, keys that are trusted for something else.
load lib

setup() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    eval "lib_$(declare -f setup)"
    lib_setup
    umask 022
    local name
    for name in a b; do waybill keygen -o $name >/dev/null; done
}

# policy TEXT...: policy.toml with the keys a and b.
policy() {
    printf '%s\n' 'version = 1' "$@" '[keys.a]' 'file = "a.pub"' '[keys.b]' 'file = "b.pub"' >policy.toml
}

relayout() { python3 -B "$BATS_TEST_DIRNAME/relayout.py" lay "$@"; }

# denied TARGET [WORDS]: by verify, pull and run.
denied() {
    expect 15 waybill verify --policy policy.toml "$1"
    err_has "${2:-deny list}"
    expect 15 waybill pull --policy policy.toml -o out.wasm "$1"
    absent out.wasm
    expect 126 waybill run --policy policy.toml "$1"
    out_is ''
}

@test "attack: a manifest that is denied is so too in an index and by another digest" {
    guest hello
    local made
    made=$(waybill push -q hello.wasm oci:lay:1)
    waybill sign -q --key a.key oci:lay:1 >/dev/null
    relayout 1 index wrapped
    relayout 1 sha512 other
    waybill sign -q --key a.key oci:lay:other >/dev/null
    policy '[scopes."oci:"]' 'keys = ["a"]'
    expect 0 waybill verify --policy policy.toml oci:lay:wrapped
    expect 0 waybill verify --policy policy.toml oci:lay:other
    policy "deny = [\"${made#*@}\"]" '[scopes."oci:"]' 'keys = ["a"]'
    denied oci:lay:1
    denied oci:lay:wrapped
    denied oci:lay:other
    policy '[scopes."oci:"]' 'verdict = "insecure-accept-anything"' "deny = [\"${made#*@}\"]"
    denied oci:lay:wrapped
    denied oci:lay:other
    policy "deny = [\"sha512:$(sha512sum "lay/blobs/sha256/${made#*@sha256:}" | cut -d' ' -f1)\"]" \
        '[scopes."oci:"]' 'keys = ["a"]'
    denied oci:lay:1
    denied oci:lay:wrapped
}

@test "a subject by SHA-512 has no tag of signatures, and sign says so instead of cutting the name" {
    guest hello
    waybill push -q hello.wasm oci:lay:1
    relayout 1 sha512 other
    cp lay/index.json before
    expect 1 waybill sign -q --format cosign --identity example.com/hello --key a.key oci:lay:other
    err_has 'no .sig tag can be made for sha512:'
    cmp lay/index.json before
    expect 0 waybill tree oci:lay:other
}

@test "attack: a module that is denied is so too when the manifest names it by another digest" {
    guest hello
    waybill sign --key a.key -o signed.wasm hello.wasm >/dev/null
    waybill push -q signed.wasm oci:lay:1 >/dev/null
    relayout 1 layer other
    local short long
    short=$(sha256sum signed.wasm | cut -d' ' -f1)
    long=$(sha512sum signed.wasm | cut -d' ' -f1)
    policy '[scopes."oci:"]' 'keys = ["a"]'
    expect 0 waybill verify --policy policy.toml oci:lay:other
    policy "deny = [\"sha256:$short\"]" '[scopes."oci:"]' 'keys = ["a"]' '[scopes."file:"]' 'keys = ["a"]'
    denied oci:lay:1
    denied oci:lay:other
    policy "deny = [\"sha512:$long\"]" '[scopes."oci:"]' 'keys = ["a"]' '[scopes."file:"]' 'keys = ["a"]'
    denied oci:lay:1
    denied oci:lay:other
    expect 15 waybill verify --policy policy.toml signed.wasm
    err_has 'deny list'
}

@test "pins hold under every digest of the same bytes" {
    guest hello
    local made long
    made=$(waybill push -q hello.wasm oci:lay:1)
    waybill sign -q --key a.key oci:lay:1 >/dev/null
    relayout 1 index wrapped
    long=$(sha512sum hello.wasm | cut -d' ' -f1)
    policy '[scopes."oci:"]' 'keys = ["a"]' "digests = [\"sha512:$long\"]"
    expect 0 waybill verify --policy policy.toml oci:lay:1
    policy '[scopes."oci:"]' 'keys = ["a"]' "digests = [\"${made#*@}\"]"
    expect 0 waybill verify --policy policy.toml oci:lay:wrapped
    policy '[scopes."oci:"]' 'keys = ["a"]' "digests = [\"sha512:$(printf x | sha512sum | cut -d' ' -f1)\"]"
    denied oci:lay:1 'neither the manifest nor the module'
}

@test "attack: a signature that can hold no annotations does not have the one that is asked for" {
    guest hello
    waybill sign --key a.key -o embedded.wasm hello.wasm >/dev/null
    waybill sign --format claims --key a.key -o claims.wasm hello.wasm >/dev/null
    local file
    for file in embedded claims; do
        expect 0 waybill verify --key a.pub $file.wasm
        expect 15 waybill verify --key a.pub --annotation env=prod $file.wasm
        err_has 'env=prod'
        waybill push -q $file.wasm oci:lay:$file >/dev/null
        expect 15 waybill pull --key a.pub --annotation env=prod -o out.wasm oci:lay:$file
        absent out.wasm
    done
    # one that has it counts beside it
    waybill sign -q --key a.key -a env=prod oci:lay:embedded >/dev/null
    expect 0 waybill verify --key a.pub --annotation env=prod oci:lay:embedded
}

@test "attack: a key that may attest is no signer, also where a file names signers" {
    guest hello
    command -v ssh-keygen >/dev/null || skip "ssh-keygen is not there"
    ssh-keygen -q -t ed25519 -N '' -f alice
    printf 'alice@x.example %s\n' "$(cut -d' ' -f1,2 alice.pub)" >allowed
    waybill push -q hello.wasm oci:lay:1 >/dev/null
    printf '{"buildDefinition":{},"runDetails":{"builder":{"id":"x"}}}' >p.json
    waybill attest -q --key b.key --type slsaprovenance1 --predicate p.json oci:lay:1 >/dev/null
    waybill sign -q --format ssh --key b.key oci:lay:1 >/dev/null
    policy '[signers.people]' 'file = "allowed"' '[scopes."oci:"]' 'signers = "people"' \
        '[[scopes."oci:".attestation]]' 'type = "slsaprovenance1"' 'keys = ["b"]'
    expect 12 waybill verify --policy policy.toml oci:lay:1
    err_has 'others than those who may'
    waybill sign -q --format ssh --key alice oci:lay:1 >/dev/null
    expect 0 waybill verify --policy policy.toml oci:lay:1
}

@test "one signer with two tasks: a key that attests and that the file of signers names" {
    guest hello
    command -v ssh-keygen >/dev/null || skip "ssh-keygen is not there"
    ssh-keygen -q -t ed25519 -N '' -f alice
    printf 'alice@x.example %s\n' "$(cut -d' ' -f1,2 alice.pub)" >allowed
    waybill push -q hello.wasm oci:lay:1 >/dev/null
    printf '{"buildDefinition":{},"runDetails":{"builder":{"id":"x"}}}' >p.json
    waybill attest -q --key alice --type slsaprovenance1 --predicate p.json oci:lay:1 >/dev/null
    waybill sign -q --format ssh --key alice oci:lay:1 >/dev/null
    cp alice.pub a.pub
    policy '[signers.people]' 'file = "allowed"' '[scopes."oci:"]' 'signers = "people"' \
        '[[scopes."oci:".attestation]]' 'type = "slsaprovenance1"' 'keys = ["a"]'
    expect 0 waybill verify --policy policy.toml oci:lay:1
}

@test "--from-file: nothing behind the last line is a target" {
    guest hello
    waybill sign --key a.key -o s.wasm hello.wasm >/dev/null
    local n name
    for n in 1 7 50; do
        name=$(printf "%0${n}d.wasm" 0)
        cp s.wasm "$name"
        printf '%s' "$name" >list
        expect 0 env MALLOC_PERTURB_=190 "$WAYBILL" verify --key a.pub --from-file list
        out_is "verified: $name"
    done
}

@test "run: a policy that limits capabilities limits what the command line may give" {
    guest hello
    waybill sign --key a.key -o s.wasm hello.wasm >/dev/null
    policy '[scopes."file:"]' 'keys = ["a"]' 'capabilities = ["wasi:http"]'
    mkdir folder
    expect 0 waybill run --policy policy.toml s.wasm
    expect 126 waybill run --policy policy.toml --dir folder s.wasm
    out_is ''
    err_has 'wasi:filesystem is not allowed (scopes."file:".capabilities)'
    policy '[scopes."file:"]' 'keys = ["a"]' 'capabilities = ["wasi:filesystem"]'
    expect 0 waybill run --policy policy.toml --dir folder s.wasm
    policy '[scopes."file:"]' 'keys = ["a"]' 'capabilities = []' 'mode = "audit"'
    expect 0 waybill run --policy policy.toml --dir folder s.wasm
    err_has 'not enforced'
}

@test "attack: claims of a capability that is not allowed, by somebody else or passed over" {
    guest hello
    policy '[scopes."file:"]' 'keys = ["a"]' 'capabilities = ["wasi:http"]'
    waybill sign --format claims --cap wasi:http --key b.key -o claims.wasm hello.wasm >/dev/null
    waybill sign --key a.key -o s.wasm claims.wasm >/dev/null
    expect 0 waybill verify --policy policy.toml s.wasm
    waybill sign --format claims --cap wasi:evil --key b.key -o claims.wasm hello.wasm >/dev/null
    waybill sign --key a.key -o t.wasm claims.wasm >/dev/null
    expect 15 waybill verify --policy policy.toml t.wasm
    err_has 'wasi:evil is claimed and not allowed'
    expect 15 waybill verify --json --policy policy.toml t.wasm
    [ "$(jq -c '.checks[] | select(.format == "claims") | [.ok, .capabilities]' <<<"$output")" = '[false,null]' ]
    expect 126 waybill run --policy policy.toml t.wasm
    waybill sign --format ssh --key a.key --detached t.sig t.wasm >/dev/null
    expect 2 waybill verify --policy policy.toml --signature t.sig t.wasm
    err_has 'the policy limits capabilities'
    expect 0 waybill verify --key a.pub --signature t.sig t.wasm
}
