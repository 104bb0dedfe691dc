#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signatures of references, where the registry or somebody who may write to it lies. Nothing that is not verified is
# written or run, and each lie has its own exit status.
load lib

# artifact OPTION...: the registry, keys of alice and bob, and hello.wasm as $R/a/b:v1, whose digest is $D.
artifact() {
    faulty "$@"
    [ -e alice.key ] || waybill keygen -o alice >/dev/null
    [ -e bob.key ] || waybill keygen -o bob >/dev/null
    guest hello
    D=$(waybill push -q hello.wasm "$R/a/b:v1") || return 1
    D=${D#*@}
    forget
}

forget() {
    rm -rf "$HOME/.cache"
    : >"$LOG"
}

# make WHAT [OPTION...]: a signature of $D by alice, see signatures.py.
make() {
    python3 -B "$root/tests/registry/signatures.py" "$R/a/b" "$D" "${KEY:-alice.key}" "$@"
}

verify() { "$WAYBILL" verify --key alice.pub "$R/a/b:v1"; }

# denied STATUS TEXT: verify, pull and run all say so, with nothing in the store but what was asked for; nothing is
# written or run.
denied() {
    local status=$1 text=$2 run=126
    forget
    rm -f out.wasm
    expect "$status" verify
    [ -z "$output" ] || [ "${lines[-1]}" = "not verified: $R/a/b:v1" ] || fail "$output"
    [[ $stderr == *"$text"* || $output == *"$text"* ]] || fail "expected: $text" "got: $output" "$stderr"
    expect "$status" waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    absent out.wasm
    [ "$status" -ne 3 ] || run=125
    expect "$run" waybill run --key alice.pub "$R/a/b:v1"
    out_is ''
    tidy "$HOME" .
}

verified() {
    expect 0 verify
    [ "${lines[-1]}" = "verified: $R/a/b:v1" ] || fail "$output"
}

@test "cosign's signature under the tag, by alice: verified, pulled, run" {
    artifact
    make sig
    verified
    out_has "ok      cosign    alice.pub: manifest $D: signed (tag sha256-${D#*:}.sig)"
    out_has "resolved: $R/a/b@$D"
    expect 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
    expect 0 waybill run --key alice.pub "$R/a/b:v1"
    expect 12 waybill verify --key bob.pub "$R/a/b:v1"
    expect 0 waybill verify --key bob.pub --key alice.pub "$R/a/b:v1"
}

@test "a bundle as a referrer, in the registry's list and under the tag" {
    artifact --referrers
    make bundle
    verified
    out_has 'ok      sigstore  alice.pub: '
    teardown
    artifact
    make bundle --list
    verified
    out_has 'ok      sigstore  alice.pub: '
}

@test "a list that states another artifact type hides no signature" {
    artifact
    make bundle --list --listed-type application/vnd.oci.empty.v1+json
    verified
    teardown
    artifact
    make bundle --list --listed-type application/spdx+json
    verified
}

@test "unsigned: 10" {
    artifact
    denied 10 'no signature'
    make other --list
    denied 10 'no signature'
}

@test "the signature was removed: 10" {
    artifact --delete all
    make sig
    verified
    ask DELETE "/v2/a/b/manifests/sha256-${D#*:}.sig"
    denied 10 'no signature'
}

@test "a signature by another key: 12" {
    artifact
    KEY=bob.key make sig
    denied 12 ''
    KEY=bob.key make bundle --list
    denied 12 ''
}

@test "a signature of another artifact under this one's tag: 17" {
    artifact
    make sig --says "sha256:$(printf %064d 7)"
    denied 17 'a signature of something else'
}

@test "a signature of another artifact as a referrer of this one: 17" {
    artifact --referrers
    make bundle --says "sha256:$(printf %064d 7)"
    denied 17 ''
}

@test "a referrer that is listed here, and whose subject is another manifest: 17" {
    artifact
    make bundle --list --subject "sha256:$(printf %064d 7)"
    denied 17 'its subject is another manifest'
}

@test "a referrer whose bytes are not those of its digest: 17" {
    artifact --referrers
    local referrer
    referrer=$(make bundle)
    fault flip_byte GET "manifests/$referrer" '"times": 0'
    denied 17 "referrer $referrer: "
    ask DELETE /_fault
    fault long_body GET "manifests/$referrer" '"times": 0'
    denied 17 "referrer $referrer: "
}

@test "a referrer that is listed with another size: 17; one that is not there: 10" {
    artifact
    make bundle --list --listed-size 7
    denied 17 'another size'
    teardown
    artifact
    local referrer
    referrer=$(make bundle --list)
    fault status GET "manifests/$referrer" '"times": 0, "status": 404'
    denied 10 'listed and not there'
}

@test "a signature's blob that is short, long or changed: 17" {
    artifact
    local blob action
    make sig
    blob=$(curl -sf "http://$R/v2/a/b/manifests/sha256-${D#*:}.sig" -H 'Accept: application/vnd.oci.image.manifest.v1+json' | jq -r '.layers[0].digest')
    for action in short_body long_body flip_byte wrong_digest; do
        ask DELETE /_fault
        fault "$action" GET "blobs/$blob" '"times": 0'
        denied 17 "tag sha256-${D#*:}.sig: "
    done
}

@test "a descriptor that states another size than the blob has: 17" {
    artifact --sparse
    make sig --size 5
    denied 17 ''
}

@test "Docker-Content-Digest of something else counts for nothing" {
    artifact
    make sig
    fault wrong_docker_digest GET /manifests/v1 '"times": 0'
    expect 0 verify
    err_has 'names another digest'
    out_has "resolved: $R/a/b@$D"
}

@test "other bytes than the digest that was asked for: 17" {
    artifact
    make sig
    fault flip_byte GET "manifests/$D" '"times": 0'
    forget
    expect 17 waybill verify --key alice.pub "$R/a/b@$D"
    expect 17 waybill pull --key alice.pub -o out.wasm "$R/a/b@$D"
    absent out.wasm
}

@test "a tag that moves in the meantime: it is asked once, and everything else goes by digest" {
    artifact
    make sig
    guest args
    waybill push -q args.wasm "$R/a/b:other" >/dev/null
    local other
    other=$(curl -sf "http://$R/v2/a/b/manifests/other" -H 'Accept: application/vnd.oci.image.manifest.v1+json' | jq -Rs .)
    forget
    fault replace_body GET /manifests/v1 "\"nth\": 2, \"times\": 0, \"body\": $other"
    expect 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
    logged_is 1 '"GET"' /manifests/v1
    # and now it has moved: what it names is not signed
    denied 10 'no signature'
}

@test "a manifest with layers and manifests: 16" {
    artifact
    make sig
    local body
    body=$(curl -sf "http://$R/v2/a/b/manifests/v1" -H 'Accept: application/vnd.oci.image.manifest.v1+json' | jq -c '. + {manifests: []}' | jq -Rs .)
    fault replace_body GET /manifests/v1 "\"times\": 0, \"body\": $body"
    denied 16 ''
}

@test "a module that is not the one of the signed manifest: 17" {
    artifact
    make sig
    local hex
    hex=$(sha256sum <hello.wasm | cut -d' ' -f1)
    fault flip_byte GET "blobs/sha256:$hex" '"offset": 30, "times": 0'
    expect 17 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    absent out.wasm
    expect 126 waybill run --key alice.pub "$R/a/b:v1"
    out_is ''
    # verify says of the manifest that it is signed, and that the module was not read; where it is, so is that
    forget
    verified
    out_has 'ok      module    not read: its digest is what the manifest states'
    expect 17 waybill verify --key alice.pub --sections . "$R/a/b:v1"
    expect 17 waybill verify --key bob.pub "$R/a/b:v1"
}

@test "more signatures under the tag than are looked at: the first hundred are, and the verdict is theirs" {
    artifact
    make sig --count 101
    verified
    [ "$(grep -c '^ok      cosign' <<<"$output")" -eq 100 ]
    out_has 'FAILED  oci       1 more signature was not looked at: 100 in one place are, and 128 MiB in all'
    KEY=bob.key make sig --count 150
    denied 12 '50 more signatures were not looked at'
    make sig --count 100
    verified
    [ "$(grep -c '^ok      cosign' <<<"$output")" -eq 100 ]
    out_lacks 'not looked at'
}

# What whoever may push can hang up pushes aside nothing that was there before: the first hundred of the list are
# looked at, those first that it says are of a format that counts.
@test "attack: 150 referrers that are no good signatures, behind a good one" {
    artifact
    make bundle --list
    KEY=bob.key make bundle --list --copies 150
    verified
    out_has 'FAILED  oci       51 more signatures were not looked at'
    [ "$(grep -c '^FAILED  sigstore' <<<"$output")" -eq 99 ]
    expect 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
    [ "$(waybill verify --json --key alice.pub "$R/a/b:v1" |
        jq -r '[.checks[] | select(.error == "LIMIT" and .format == "oci" and .kind == "note")] | length')" = 1 ]
}

@test "attack: 150 referrers before the good one, of no type or another: it has its turn first" {
    artifact
    make other --list --copies 150 --listed-type application/vnd.oci.empty.v1+json
    make bundle --list
    verified
    teardown
    artifact
    KEY=bob.key make bundle --attest --list --copies 150
    make bundle --list
    verified
    expect 0 waybill verify --key alice.pub --quiet "$R/a/b:v1"
    # where attestations are demanded they are not put last
    expect 12 waybill verify --key alice.pub --attestation slsaprovenance1 "$R/a/b:v1"
    err_has 'were not looked at'
}

@test "attack: 150 referrers before the good one that are exactly as it is listed: refused, and the limit is named" {
    artifact
    KEY=bob.key make bundle --list --copies 150
    make bundle --list
    denied 12 '51 more signatures were not looked at: 100 in one place are'
    printf '%s\n' 'version = 1' '[keys.a]' 'file = "alice.pub"' '[scopes.""]' 'keys = ["a"]' >policy.toml
    chmod go-w . policy.toml alice.pub
    expect 12 waybill verify --policy policy.toml "$R/a/b:v1"
    err_has '51 more signatures were not looked at'
    # the tag has its own hundred
    make sig
    expect 0 waybill verify --policy policy.toml "$R/a/b:v1"
    verified
}

@test "attack: 150 referrers that are no signatures at all under a signature's type: 12, after a hundred" {
    artifact --referrers
    make bundle --broken --copies 150
    denied 12 'not looked at'
    forget
    expect 12 verify
    [ "$(grep -c '"GET"' "$LOG")" -le 230 ]
    make sig
    verified
}

@test "attack: a list of referrers that is spoilt takes nothing away from a signature under the tag" {
    artifact
    make sig
    make other --list
    fault replace_body GET "manifests/${D/:/-}\$" '"times": 0, "body": "{\"schemaVersion\":2,\"manifests\":[{\"x\":1}]}"'
    verified
    out_has 'FAILED  oci       list of referrers: '
    KEY=bob.key make sig
    denied 12 ''
}

@test "a blob that says that it is larger than signatures are: 16, and it is not fetched" {
    artifact --sparse
    make sig --size 20000000
    denied 16 ''
    logged_is 1 '"GET"' /blobs/ # of three commands, the module
}

@test "attack: large signatures push no small one aside" {
    artifact --sparse
    KEY=bob.key make bundle --list --copies 30 --size 16777216
    make bundle --list
    forget
    verified
    out_has '22 more signatures were not looked at: 100 in one place are, and 128 MiB in all'
}

@test "signatures that together are larger than what is looked at: only the first are fetched" {
    artifact --sparse
    make sig --count 20 --size 16777216
    forget
    expect 17 verify
    out_has '12 more signatures were not looked at: 100 in one place are, and 128 MiB in all'
    logged_is 9 '"GET"' /blobs/ # the module, and eight of those
}

@test "100,000 referrers of other types: passed over; a signature under the tag is found" {
    artifact --referrers --generate-referrers 100000
    denied 10 'no signature'
    make sig
    forget
    expect 0 timeout 60 "$WAYBILL" verify --key alice.pub "$R/a/b:v1"
    logged_is 3 '"GET"' /manifests/
}

@test "a list of referrers without an end: 16; a signature under the tag counts all the same" {
    artifact --referrers --generate-referrers 10 --referrers-page 5 --link endless
    denied 16 'more than 1000 pages'
    make sig
    verified
    out_has 'FAILED  oci       list of referrers: referrers: more than 1000 pages'
}

@test "a registry that does not say what there is: 3, whatever else is good" {
    artifact
    make sig
    fault status GET /referrers/ '"times": 0, "status": 500, "body": "no"'
    denied 3 ''
    ask DELETE /_fault
    make bundle --list
    fault status GET '[.]sig$' '"times": 0, "status": 502, "body": "no"'
    denied 3 ''
}

@test "an attestation is no signature: 10; asked for, it is what counts" {
    artifact --referrers
    make att
    make bundle --attest
    denied 10 'no signature'
    expect 0 waybill verify --key alice.pub --attestation slsaprovenance1 "$R/a/b:v1"
    expect 10 waybill verify --key alice.pub --attestation spdx "$R/a/b:v1"
    err_has 'no attestation of the type spdx'
    expect 12 waybill verify --key bob.pub --attestation slsaprovenance1 "$R/a/b:v1"
    expect 2 waybill verify --key alice.pub --attestation nonsense "$R/a/b:v1"
}

@test "what others wrote is shown without its escape sequences" {
    artifact
    make sig --reference $'\033]0;owned\007\033[31mregistry.example/x'
    verified
    out_has 'owned'
    [[ $output$stderr != *$'\033'* && $output$stderr != *$'\007'* ]] || fail "$output"
    expect 0 waybill verify --json --key alice.pub "$R/a/b:v1"
    [[ $output$stderr != *$'\033'* ]] || fail "$output"
    expect 0 waybill verify --sarif --key alice.pub "$R/a/b:v1"
    [[ $output$stderr != *$'\033'* ]] || fail "$output"
}

@test "the store's copy is swapped after it was verified: what is run was verified" {
    artifact
    make sig
    expect 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    guest args
    local hex blob
    hex=$(sha256sum <hello.wasm | cut -d' ' -f1)
    blob=$HOME/.cache/waybill/store/blobs/sha256/$hex
    chmod u+w "$blob"
    cp args.wasm "$blob"
    truncate -s "$(size_of hello.wasm)" "$blob"
    expect 0 waybill run --key alice.pub "$R/a/b:v1"
    [ "$output" = "$(waybill run hello.wasm)" ]
}

@test "two round trips after the manifest" {
    artifact --delay-ms 60
    make sig
    forget
    trips_are 3 waybill verify --key alice.pub "$R/a/b:v1"
}

# asked_are N COMMAND...: it is verified with that many requests after the one for the manifest, one after the other or not.
asked_are() {
    local n=$1
    shift
    forget
    expect 0 "$@"
    logged_is $((n + 1)) '"method"'
}

@test "cosign's signature: four requests after the manifest, with --format cosign two, and no module" {
    artifact
    make sig
    asked_are 4 waybill verify --key alice.pub "$R/a/b:v1"
    asked_are 2 waybill verify --key alice.pub --format cosign "$R/a/b:v1"
    logged_is 1 "manifests/sha256-${D#*:}.sig"
    logged_is 1 /blobs/
    [ "$(grep -o '"connection": "[^"]*"' "$LOG" | sort -u | wc -l)" -eq 1 ]
    asked_are 2 waybill verify --key alice.pub --quiet "$R/a/b:v1"
    echo "$R/a/b:v1" >list
    asked_are 2 waybill verify --key alice.pub --from-file list
    # the manifests and blobs that are in the store are not asked for again
    : >"$LOG"
    expect 0 waybill verify --key alice.pub --format cosign "$R/a/b@$D"
    logged_is 1 '"method"'
}

@test "a bundle: with --format sigstore the registry's list, its tag, and what they name" {
    artifact --referrers
    make bundle
    asked_are 4 waybill verify --key alice.pub --format sigstore "$R/a/b:v1"
    logged_is 0 '.sig"'
    logged_is 1 /blobs/
    # the list is asked for in any case
    expect 10 waybill verify --key alice.pub --format ssh "$R/a/b:v1"
}

@test "without a demand no .att is asked; with one it is" {
    artifact
    make sig
    make att
    asked_are 4 waybill verify --key alice.pub "$R/a/b:v1"
    logged_is 0 '.att"'
    forget
    expect 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    logged_is 0 '.att"'
    forget
    expect 0 waybill verify --key alice.pub --attestation slsaprovenance1 "$R/a/b:v1"
    logged_is 1 '.att"'
    policy 'keys = ["alice"]' "[[scopes.\"$R/a\".attestation]]" 'type = "slsaprovenance1"'
    forget
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    logged_is 1 '.att"'
}

@test "the module is not got where a signature beside it is good, and is where none is" {
    artifact
    local hex
    hex=$(sha256sum <hello.wasm | cut -d' ' -f1)
    KEY=bob.key make sig
    forget
    expect 12 verify
    logged_is 1 "/blobs/sha256:$hex"
    out_lacks 'not read'
    make sig
    forget
    verified
    logged_is 0 "/blobs/sha256:$hex"
    out_has 'not read'
    expect 0 waybill verify --json --key alice.pub "$R/a/b:v1"
    [ "$(jq -r .digest <<<"$output")" = "sha256:$hex" ] || fail "$output"
    [ "$(jq -r '.checks[] | select(.format == "module").kind' <<<"$output")" = note ] || fail "$output"
    # pull and run use it
    forget
    expect 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
    logged_is 1 "/blobs/sha256:$hex"
}

@test "a policy that looks into the module has it got, whatever lies beside it" {
    artifact
    make sig
    local line hex
    hex=$(sha256sum <hello.wasm | cut -d' ' -f1)
    for line in 'embedded = "required"' 'claims = "required"'; do
        policy 'keys = ["alice"]' "$line"
        forget
        expect 15 waybill verify "$R/a/b:v1"
        logged_is 1 "/blobs/sha256:$hex"
    done
    policy 'keys = ["alice"]' 'capabilities = []'
    forget
    expect 0 waybill verify "$R/a/b:v1"
    logged_is 1 "/blobs/sha256:$hex"
    # --format does not weaken it
    expect 2 waybill verify --format cosign "$R/a/b:v1"
    err_has 'the formats leave claims out'
    expect 0 waybill verify --format cosign --format claims "$R/a/b:v1"
    policy 'keys = ["alice"]'
    forget
    expect 0 waybill verify "$R/a/b:v1"
    logged_is 0 "/blobs/sha256:$hex"
    # pins and deny lists go by the digest that the signed manifest states
    policy 'keys = ["alice"]' "digests = [\"sha256:$hex\"]"
    expect 0 waybill verify "$R/a/b:v1"
    policy 'keys = ["alice"]' "deny = [\"sha256:$hex\"]"
    forget
    expect 15 waybill verify "$R/a/b:v1"
    err_has 'deny list'
    # that is none by SHA-512, so that the module is read
    local other
    other=sha512:$(sha512sum <hello.wasm | cut -d' ' -f1)
    policy 'keys = ["alice"]' "deny = [\"$other\"]"
    expect 15 waybill verify "$R/a/b:v1"
    err_has 'deny list'
    policy 'keys = ["alice"]' "digests = [\"$other\"]"
    forget
    expect 0 waybill verify "$R/a/b:v1"
    logged_is 1 "/blobs/sha256:$hex"
}

@test "--format: others do not count; what is none is a usage error" {
    artifact --referrers
    make bundle
    expect 0 waybill verify --key alice.pub --format cosign --format sigstore "$R/a/b:v1"
    expect 10 waybill verify --key alice.pub --format cosign "$R/a/b:v1"
    expect 10 waybill verify --key alice.pub --format embedded "$R/a/b:v1"
    expect 2 waybill verify --key alice.pub --format nonsense "$R/a/b:v1"
    err_has 'no format of signatures'
    waybill sign --key alice.key hello.wasm -o signed.wasm >/dev/null
    expect 0 waybill verify --key alice.pub --format embedded signed.wasm
    expect 10 waybill verify --key alice.pub --format claims signed.wasm
    policy 'keys = ["alice"]'
    expect 10 waybill verify --format cosign "$R/a/b:v1"
    expect 0 waybill verify --format sigstore "$R/a/b:v1"
}

@test "a policy for one format asks its place first, and the others before it says no" {
    artifact --referrers
    make sig
    policy 'keys = ["alice"]' 'formats = ["cosign"]'
    asked_are 2 waybill verify "$R/a/b:v1"
    policy 'keys = ["alice"]' 'formats = ["sigstore"]'
    expect 15 waybill verify "$R/a/b:v1"
    out_has 'format that does not count'
    make bundle
    asked_are 4 waybill verify "$R/a/b:v1"
    policy 'keys = ["alice", "bob"]' 'threshold = 2' 'formats = ["cosign", "sigstore"]'
    KEY=bob.key make bundle
    expect 0 waybill verify --quiet "$R/a/b:v1"
}

@test "--quiet and --from-file go on looking where the first place has nothing good" {
    artifact --referrers
    waybill keygen -o carol >/dev/null
    KEY=bob.key make sig
    make bundle
    expect 0 waybill verify --quiet --key alice.pub "$R/a/b:v1"
    echo "$R/a/b:v1" >list
    expect 0 waybill verify --key alice.pub --from-file list
    expect 12 waybill verify --quiet --key carol.pub "$R/a/b:v1"
}

@test "--require-digest: a tag is refused before any request" {
    artifact
    make sig
    forget
    expect 2 waybill verify --require-digest --key alice.pub "$R/a/b:v1"
    err_has 'names no digest'
    logged_is 0 GET
    expect 0 waybill verify --require-digest --key alice.pub "$R/a/b@$D"
}

# policy LINE...: the user's policy, with the keys alice and bob and these lines for $R/a.
policy() {
    local dir=$HOME/.config/waybill
    mkdir -p "$dir"
    cp alice.pub bob.pub "$dir"
    chmod -R go-w "$HOME/.config"
    printf '%s\n' 'version = 1' '[keys.alice]' 'file = "alice.pub"' '[keys.bob]' 'file = "bob.pub"' "[scopes.\"$R/a\"]" "$@" \
        >"$dir/policy.toml"
    chmod go-w "$dir/policy.toml"
}

@test "a policy that is found counts for verify, pull and run: what it does not let pass is neither written nor run" {
    artifact
    policy 'keys = ["alice", "bob"]' 'threshold = 2'
    make sig
    expect 15 waybill verify "$R/a/b:v1"
    out_has 'FAILED  policy    scopes.'
    expect 15 waybill pull -o out.wasm "$R/a/b:v1"
    absent out.wasm
    expect 126 waybill run "$R/a/b:v1"
    out_is ''
    KEY=bob.key make bundle --list
    expect 0 waybill verify "$R/a/b:v1"
    expect 0 waybill verify --json "$R/a/b:v1"
    [ "$(jq -c '[.verified, .policy.signers, .policy.findings]' <<<"$output")" = '[true,2,[]]' ]
    expect 0 waybill pull --json -o out.wasm "$R/a/b:v1"
    [ "$(jq .verified <<<"$output")" = true ]
    expect 0 waybill run "$R/a/b:v1"
}

@test "a place that no scope covers is rejected before any request" {
    artifact
    make sig
    policy 'keys = ["alice"]'
    expect 0 waybill verify "$R/a/b:v1"
    : >"$LOG"
    expect 15 waybill verify "$R/ab/c:v1"
    expect 15 waybill pull -o out.wasm "$R/ab/c:v1"
    expect 126 waybill run "$R/ab/c:v1"
    logged_is 0 GET
    # files are a place, too
    expect 126 waybill run hello.wasm
}

@test "--allow-unsigned says what it passes over, and contradicts what would verify" {
    artifact
    policy 'keys = ["alice"]'
    expect 10 waybill pull -o out.wasm "$R/a/b:v1"
    expect 0 waybill pull --allow-unsigned -o out.wasm "$R/a/b:v1"
    err_has "the policy $HOME/.config/waybill/policy.toml is not asked"
    expect 0 waybill run --allow-unsigned "$R/a/b:v1"
    err_has 'is not asked'
    rm "$HOME/.config/waybill/policy.toml"
    expect 0 waybill run --allow-unsigned "$R/a/b:v1"
    err_has 'no signature is looked for'
    expect 125 waybill run --allow-unsigned --key alice.pub "$R/a/b:v1"
    expect 2 waybill pull --allow-unsigned --key alice.pub -o out.wasm "$R/a/b:v1"
}

@test "a policy that cannot be read lets nothing pass" {
    artifact
    make sig
    policy 'keys = ["alice"]' 'thresold = 2'
    expect 2 waybill verify "$R/a/b:v1"
    expect 2 waybill pull -o out.wasm "$R/a/b:v1"
    absent out.wasm
    expect 125 waybill run "$R/a/b:v1"
    rm "$HOME/.config/waybill/policy.toml"
    ln -s nowhere "$HOME/.config/waybill/policy.toml"
    expect 2 waybill pull -o out.wasm "$R/a/b:v1"
    absent out.wasm
}

@test "audit: what is found is said, and it is taken; it does not count as verified" {
    artifact
    policy 'keys = ["alice"]' 'mode = "audit"'
    expect 0 waybill verify "$R/a/b:v1"
    out_has "not checked: $R/a/b:v1"
    out_has 'noted   policy'
    err_has 'not enforced'
    expect 0 waybill pull --json -o out.wasm "$R/a/b:v1"
    [ "$(jq .verified <<<"$output")" = false ]
}

@test "tree judges each signature and attestation when there are keys" {
    artifact --referrers
    make sig
    KEY=bob.key make bundle
    make other
    expect 0 waybill tree "$R/a/b:v1"
    out_lacks simplesigning
    expect 0 waybill tree --key alice.pub "$R/a/b:v1"
    [[ $output == *'application/vnd.dev.sigstore.bundle.v0.3+json'*'FAILED '* ]] || fail "$output"
    [[ $output == *'application/vnd.dev.cosign.simplesigning.v1+json'*'ok alice.pub: signed'* ]] || fail "$output"
    expect 0 waybill tree --json --key alice.pub --key bob.pub "$R/a/b:v1"
    [ "$(jq -c '[.referrers[].verified]' <<<"$output")" = '[true,null,true]' ] || fail "$output"
    [ "$(jq -r '.referrers[2].tag' <<<"$output")" = "sha256-${D#*:}.sig" ]
}

@test "many references in one process go over few connections" {
    artifact
    make sig
    local i
    for i in {1..60}; do echo "$R/a/b:v1"; done >list
    forget
    expect 0 waybill verify --key alice.pub --from-file list
    [ "$(grep -c "^verified: $R/a/b:v1\$" <<<"$output")" -eq 60 ]
    [ "$(grep -o '"connection": "[^"]*"' "$LOG" | sort -u | wc -l)" -le 16 ]
}
