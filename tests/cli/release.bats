#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# A release as a policy wants it, on artifacts in a registry: two of three people, claims with a limit on capabilities, a
# provenance by the builder and a list of components. One that is as it should be passes; for each that lacks something,
# verify names the rule that failed, pull writes nothing and run runs nothing.
load lib

setup_file() { ! command -v docker-registry >/dev/null || start_registry; }
teardown_file() { stop_registry; }

BUILDER=https://ci.example.com/runner/1

setup() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    eval "lib_$(declare -f setup)"
    lib_setup
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    umask 022
    guest hello
    local name
    for name in alice bob carol ci mallory; do waybill keygen -o $name >/dev/null; done
    echo '{"bomFormat": "CycloneDX", "specVersion": "1.6"}' >bom.json
    ref=$REGISTRY/release$BATS_TEST_NUMBER/hello:1.0
    cat >policy.toml <<END
version = 1
default = "reject"
[keys.alice]
file = "alice.pub"
[keys.bob]
file = "bob.pub"
[keys.carol]
file = "carol.pub"
[keys.ci]
file = "ci.pub"

[scopes."$REGISTRY/release$BATS_TEST_NUMBER"]
keys = ["alice", "bob", "carol"]
threshold = 2
formats = ["sigstore", "cosign", "claims"]
claims = "required"
min_revision = 5
capabilities = ["wasi:http", "wasi:cli"]

[[scopes."$REGISTRY/release$BATS_TEST_NUMBER".attestation]]
name = "provenance"
type = "slsaprovenance1"
keys = ["ci"]
conditions = [{ name = "builder", pointer = "/predicate/runDetails/builder/id", equals = "$BUILDER" }]

[[scopes."$REGISTRY/release$BATS_TEST_NUMBER".attestation]]
name = "components"
type = "cyclonedx"
keys = ["ci"]
END
}

# The parts of a release.
claimed() { # KEY OPTION...
    waybill sign --key "$1.key" --format claims "${@:2}" hello.wasm -o claimed.wasm >/dev/null
}
pushed() { waybill push -q "$1" "$ref" >/dev/null; }
signed() { # KEY FORMAT
    waybill sign -q --key "$1.key" --format "$2" "$ref" >/dev/null
}
built() { # KEY [BUILDER]
    waybill provenance --ci none --builder-id "${2:-$BUILDER}" --build-type https://ci.example.com/make -o built.json
    waybill attest -q --key "$1.key" --type slsaprovenance1 --predicate built.json "$ref" >/dev/null
}
listed() { # KEY
    waybill attest -q --key "$1.key" --type cyclonedx --predicate bom.json "$ref" >/dev/null
}
release() {
    claimed alice --rev 5 --cap wasi:http
    pushed claimed.wasm
    signed alice sigstore
    signed bob cosign
    built ci
    listed ci
}

# fails STATUS RULE WORDS: for one reason alone. RULE goes behind the scope's name; "/" in front: that of the file.
fails() {
    local rule="scopes.\"$REGISTRY/release$BATS_TEST_NUMBER\"$2"
    [[ $2 != /* ]] || rule=${2#/}
    expect "$1" waybill verify --json --policy policy.toml "${@:4}" "$ref"
    [ "$(jq -r '.policy.findings[].rule' <<<"$output")" = "$rule" ] || fail "rule: $rule" "$output"
    [[ $(jq -r .reason <<<"$output") == *"$3"* ]] || fail "reason: $3" "$output"
    expect "$1" waybill pull --policy policy.toml "${@:4}" -o out.wasm "$ref"
    absent out.wasm
    expect 126 waybill run --policy policy.toml "${@:4}" "$ref"
    out_is ''
}

@test "a good release is verified, pulled and run; also as a copy in another repository, with all that belongs to it" {
    release
    expect 0 waybill verify --policy policy.toml "$ref"
    expect 0 waybill verify --json --policy policy.toml "$ref"
    [ "$(jq -c '[.verified, .policy.signers, .policy.findings]' <<<"$output")" = '[true,2,[]]' ] || fail "$output"
    expect 0 waybill pull --policy policy.toml -o out.wasm "$ref"
    cmp claimed.wasm out.wasm
    expect 0 waybill run --policy policy.toml "$ref"
    out_is 'hello from the guest'
    expect 0 waybill copy -q --recursive "$ref" "${ref%:*}/copy:2"
    expect 0 waybill verify --policy policy.toml "${ref%:*}/copy:2"
}

@test "broken: nobody signed, and there are no claims" {
    pushed hello.wasm
    built ci
    listed ci
    expect 10 waybill verify --policy policy.toml "$ref"
    out_has 'no signature'
    expect 10 waybill pull --policy policy.toml -o out.wasm "$ref"
    absent out.wasm
}

@test "broken: one person signed, in three ways" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed alice sigstore
    signed alice cosign
    built ci
    listed ci
    fails 15 .threshold '1 of 2'
}

@test "broken: the second signature is a stranger's" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed mallory sigstore
    built ci
    listed ci
    fails 15 .threshold '1 of 2'
}

@test "broken: the second signature is in a format that does not count" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed bob ssh
    built ci
    listed ci
    fails 15 .threshold '1 of 2'
}

@test "broken: the second signature is an attestation" {
    claimed alice --rev 5
    pushed claimed.wasm
    listed bob
    built ci
    listed ci
    fails 15 .threshold '1 of 2'
}

@test "broken: no provenance" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed bob sigstore
    listed ci
    fails 15 .attestation.provenance slsaprovenance1
}

@test "broken: a provenance by one who may sign, and may not attest" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed bob sigstore
    built alice
    listed ci
    fails 15 .attestation.provenance slsaprovenance1
}

@test "broken: built by another builder" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed bob sigstore
    built ci https://ci.example.com/runner/13
    listed ci
    fails 15 .attestation.provenance.builder builder
}

@test "broken: a list of components that nobody signed" {
    claimed alice --rev 5
    pushed claimed.wasm
    signed bob sigstore
    built ci
    waybill attach -q --type application/vnd.cyclonedx+json bom.json "$ref" >/dev/null
    fails 15 .attestation.components cyclonedx
}

@test "broken: a capability too many is claimed" {
    claimed alice --rev 5 --cap wasi:http --cap wasi:sockets
    pushed claimed.wasm
    signed bob sigstore
    built ci
    listed ci
    fails 15 .capabilities 'wasi:sockets is claimed and not allowed'
}

@test "broken: a revision that was taken back" {
    claimed alice --rev 4
    pushed claimed.wasm
    signed bob sigstore
    built ci
    listed ci
    fails 15 .min_revision 'revision'
}

@test "broken: no claims, and claims that have expired" {
    pushed hello.wasm
    signed alice sigstore
    signed bob cosign
    built ci
    listed ci
    fails 15 .claims claims
    claimed alice --rev 5 --expires 1h
    pushed claimed.wasm
    signed alice sigstore
    signed bob cosign
    built ci
    listed ci
    expect 0 waybill verify --policy policy.toml "$ref"
    fails 15 .claims claims --now "$(($(date +%s) + 7200))"
}

@test "broken: its digest is on the list of those that are never taken" {
    release
    local digest
    digest=$(waybill inspect --json "$ref" | jq -r .digest)
    sed -i "2i deny = [\"$digest\"]" policy.toml
    fails 15 /deny "$digest"
}

@test "broken: signatures and attestations of another artifact" {
    release
    local other=$ref base=http://$REGISTRY/v2/release$BATS_TEST_NUMBER/hello type=application/vnd.dev.sigstore.bundle.v0.3+json
    local digest layer
    signed bob sigstore
    ref=${ref%:*}:2.0
    claimed alice --rev 6
    pushed claimed.wasm
    waybill tree --json "$other" >tree.json
    for digest in $(jq -r '.referrers[].digest' tree.json); do
        layer=$(curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$base/manifests/$digest" | jq -r '.layers[0].digest')
        curl -sf "$base/blobs/$layer" >bundle.json
        waybill attach -q --type $type --media-type $type bundle.json "$ref" >/dev/null
    done
    expect 15 waybill verify --policy policy.toml "$ref"
    out_has 'FAILED  sigstore'
    out_has 'threshold'
    expect 15 waybill pull --policy policy.toml -o out.wasm "$ref"
    absent out.wasm
}

@test "run grants no more than the policy allows" {
    release
    mkdir data
    expect 126 waybill run --policy policy.toml --dir data "$ref"
    err_has '--dir: wasi:filesystem is not allowed (scopes.'
    out_is ''
    # wasi:cli covers its interfaces.
    expect 0 waybill run --policy policy.toml --env A=b "$ref"
    sed -i 's/"wasi:cli"/"wasi:clinic"/' policy.toml
    expect 126 waybill run --policy policy.toml --env A=b "$ref"
    err_has '--env: wasi:cli/environment is not allowed'
    sed -i 's/^capabilities = .*/mode = "audit"\n&/' policy.toml
    expect 0 waybill run --policy policy.toml --dir data "$ref"
    err_has 'not enforced: scopes.'
    sed -i '/^capabilities/d' policy.toml
    expect 0 waybill run --policy policy.toml --dir data --env A=b "$ref"
}
