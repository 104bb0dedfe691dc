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

# conforms N: what was printed is so many reports by the published schema.
conforms() {
    local n
    n=$(python3 -B "$root/tests/cli/schema.py" "$root/man/waybill-verify.schema.json" <<<"$output")
    [ "$n" -eq "$1" ] || fail "$n reports instead of $1" "$output"
}

@test "--json keeps to the schema that is published, whatever the verdict" {
    signed_guests
    waybill push -q signed.wasm oci:shelf:1 >/dev/null
    waybill push -q hello.wasm oci:shelf:2 >/dev/null
    waybill sign --key alice.key oci:shelf:2 >/dev/null
    local target
    for target in signed.wasm oci:shelf:1 oci:shelf:2; do
        expect 0 waybill verify --json --key alice.pub $target
        conforms 1
    done
    expect 12 waybill verify --json --key bob.pub oci:shelf:2
    conforms 1
    expect 17 waybill verify --json --key alice.pub signed.wasm oci:shelf:2 hello.wasm changed.wasm nothing.wasm
    conforms 5
    [ "$(jq -s -c 'map(.verified)' <<<"$output")" = '[true,true,false,false,false]' ]
}

@test "several targets: each has its lines and its failure, the exit status is the highest" {
    signed_guests
    expect 0 waybill verify --key alice.pub signed.wasm ./signed.wasm
    expect 10 waybill verify --key alice.pub signed.wasm hello.wasm
    out_has 'verified: signed.wasm'
    out_has 'not verified: hello.wasm'
    err_is 'waybill: verify hello.wasm: no signature'
    expect 17 waybill verify --key alice.pub hello.wasm changed.wasm signed.wasm
    [ "${#stderr_lines[@]}" -eq 2 ]
}

@test "--from-file: one verdict a line, in the order of the file" {
    signed_guests
    waybill push -q signed.wasm oci:shelf:1 >/dev/null
    printf '%s\n' '# a list' '' 'oci:shelf:1  ' hello.wasm $'signed.wasm\r' >list
    expect 10 waybill verify --key alice.pub --from-file list
    out_is 'verified: oci:shelf:1
not verified: hello.wasm
verified: signed.wasm'
    err_is 'waybill: verify hello.wasm: no signature'
    expect 0 sh -c 'echo oci:shelf:1 | "$WAYBILL" verify --key alice.pub --from-file - signed.wasm'
    out_is 'verified: signed.wasm
verified: oci:shelf:1'
    printf '# nothing\n\n' >empty
    expect 2 waybill verify --key alice.pub --from-file empty
    err_has 'no target'
    expect 4 waybill verify --key alice.pub --from-file nowhere
    expect 2 sh -c 'echo - | "$WAYBILL" verify --key alice.pub --from-file -'
    expect 16 sh -c 'printf "a\0b\n" | "$WAYBILL" verify --key alice.pub --from-file -'
}

@test "--quiet says nothing but failures" {
    signed_guests
    expect 0 waybill verify -q --key alice.pub signed.wasm
    out_is ''
    err_is ''
    expect 12 waybill verify -q --key bob.pub signed.wasm
    out_is ''
    err_has 'verify signed.wasm: '
}

@test "--sarif: a run with one result for each target" {
    signed_guests
    expect 10 waybill verify --sarif --key alice.pub signed.wasm hello.wasm
    [ "$(jq -c '[.version, .runs[0].tool.driver.name, (.runs[0].results | length)]' <<<"$output")" = '["2.1.0","waybill",2]' ]
    [ "$(jq -c '.runs[0].results | map([.kind, .level, .ruleId, .locations[0].physicalLocation.artifactLocation.uri])' <<<"$output")" = \
        '[["pass","none",null,"signed.wasm"],["fail","error","waybill/UNSIGNED","hello.wasm"]]' ]
    # each result's rule is the one at its index
    [ "$(jq '.runs[0] | .tool.driver.rules as $r | [.results[] | select(.ruleId) | $r[.ruleIndex].id == .ruleId] | all' <<<"$output")" = true ]
    expect 2 waybill verify --sarif --json --key alice.pub signed.wasm
}

@test "nothing to verify with, options that make no sense: 2" {
    signed_guests
    expect 2 waybill verify signed.wasm
    err_has "option '--key PUB' is missing"
    expect 2 waybill verify --annotation a=b signed.wasm
    expect 2 waybill verify --key alice.pub
    err_has 'an operand is missing'
    expect 2 waybill verify --key alice.pub --now yesterday signed.wasm
    err_has "'yesterday' is no time"
    expect 2 waybill verify --key alice.pub --require-digest signed.wasm
    expect 2 waybill verify --key alice.pub --policy x.toml signed.wasm
    expect 2 waybill verify --policy nowhere.toml signed.wasm
    expect 0 waybill verify --key alice.pub --now 2030-01-01T00:00:00Z signed.wasm
    expect 0 waybill verify --key alice.pub --now 1700000000 signed.wasm
}

@test "a signature of an index is one of the manifest that it names" {
    guest hello
    waybill keygen -o alice >/dev/null
    waybill push -q hello.wasm oci:one:1 >/dev/null
    local manifest size index
    manifest=$(jq -r '.manifests[0].digest' one/index.json)
    size=$(jq -r '.manifests[0].size' one/index.json)
    index=$(jq -nc --arg d "$manifest" --argjson s "$size" '{schemaVersion: 2, mediaType: "application/vnd.oci.image.index.v1+json",
        manifests: [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, platform: {os: "wasip1", architecture: "wasm"}}]}')
    local digest
    digest=$(printf %s "$index" | sha256sum | cut -d' ' -f1)
    printf %s "$index" >"one/blobs/sha256/$digest"
    jq -c --arg d "sha256:$digest" --argjson s "${#index}" '.manifests += [{mediaType: "application/vnd.oci.image.index.v1+json",
        digest: $d, size: $s, annotations: {"org.opencontainers.image.ref.name": "all"}}]' one/index.json >new
    mv new one/index.json
    expect 10 waybill verify --key alice.pub oci:one:all
    waybill sign --key alice.key oci:one:all >/dev/null
    expect 0 waybill verify --key alice.pub oci:one:all
    out_has "resolved: oci:one@sha256:$digest"
    expect 10 waybill verify --key alice.pub oci:one:1
}

@test "what would be passed over in silence is an error: details beside a policy, identities that nothing has" {
    guest hello
    waybill keygen -o k >/dev/null
    waybill sign --key k.key hello.wasm -o signed.wasm >/dev/null
    printf 'version = 1\n[keys.k]\nfile = "k.pub"\n[scopes."file:"]\nkeys = ["k"]\n' >p.toml
    chmod go-w . k.pub p.toml
    expect 0 waybill verify --policy p.toml signed.wasm
    local detail
    for detail in --annotation=a=b --identity=me --issuer=https://i --insecure-ed25519ph --insecure-old-claims; do
        expect 2 waybill verify --policy p.toml "$detail" signed.wasm
        err_has 'the policy p.toml says itself'
        # nor beside a policy that is found
        mkdir -p "$HOME/.config/waybill"
        cp p.toml k.pub "$HOME/.config/waybill"
        chmod -R go-w "$HOME/.config"
        expect 2 waybill verify "$detail" signed.wasm
        expect 2 waybill pull "$detail" -o out.wasm oci:a:1
        rm -r "$HOME/.config/waybill"
    done
    expect 2 waybill verify --key k.pub --identity me signed.wasm
    err_has 'keys have none'
    echo '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1"}' >root.json
    expect 2 waybill verify --trusted-root root.json signed.wasm
    err_has 'anybody could have signed'
    expect 2 waybill verify --trusted-root root.json --issuer https://i signed.wasm
    expect 2 waybill verify --trusted-root root.json --identity-pattern '.*' signed.wasm
    err_has 'an identity and no issuer'
}
