#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Keyless signatures on the command line and by a policy, offline against a trusted root: by an authority and a log of the
# test's own (tests/tool/keyless.c). What each part of such a signature must be: tests/unit/sign_keyless_test.c.
load lib

bundle=application/vnd.dev.sigstore.bundle.v0.3+json

setup() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    eval "lib_$(declare -f setup)"
    lib_setup
    umask 022
    guest hello
    waybill push -q hello.wasm oci:shelf:1 >pushed
    "$root/build/release/tests/tool/keyless" "$(sed 's/.*sha256://' pushed)" >who 2>/dev/null
    subject=$(sed -n 1p <(grep ^https who)) issuer=$(sed -n 2p <(grep ^https who))
}

attached() { waybill attach -q --type $bundle --media-type $bundle "${1:-bundle.json}" oci:shelf:1 >/dev/null; }
verify() { waybill verify --trusted-root trusted_root.json "$@" oci:shelf:1; }

@test "identity and issuer: both must be right, whoever else is" {
    expect 10 verify --identity "$subject" --issuer "$issuer"
    attached
    expect 0 verify --identity "$subject" --issuer "$issuer"
    out_has "ok      sigstore  $subject: "
    expect 0 verify --identity-pattern 'https://ci\.example/.*' --issuer "$issuer"
    expect 12 verify --identity "$subject" --issuer https://token.example
    err_has 'which is not trusted'
    expect 12 verify --identity "${subject%?}" --issuer "$issuer"
    expect 12 verify --identity-pattern 'https://ci\.example/' --issuer "$issuer"
    expect 2 verify --identity "$subject"
    expect 2 verify --issuer "$issuer"
    expect 2 verify
    # a key beside it does not take the place of the identity
    waybill keygen -o k >/dev/null
    expect 12 waybill verify --key k.pub oci:shelf:1
    expect 12 waybill verify --key k.pub --trusted-root trusted_root.json oci:shelf:1
}

@test "pull, run and tree go by it" {
    attached
    local who=(--trusted-root trusted_root.json --identity "$subject" --issuer "$issuer")
    expect 0 waybill pull "${who[@]}" -o out.wasm oci:shelf:1
    expect 0 waybill run "${who[@]}" oci:shelf:1
    out_is 'hello from the guest'
    expect 0 waybill tree "${who[@]}" oci:shelf:1
    out_has "ok $subject: signed"
    rm out.wasm
    who[3]=nobody
    expect 12 waybill pull "${who[@]}" -o out.wasm oci:shelf:1
    absent out.wasm
    expect 126 waybill run "${who[@]}" oci:shelf:1
    out_is ''
}

@test "a policy: roots and identities" {
    attached
    cat >policy.toml <<END
version = 1
[roots.ours]
file = "trusted_root.json"
[scopes."oci:"]
root = "ours"
identities = [{ issuer = "$issuer", subject_regex = "https://ci\\\\.example/team/.*" }]
END
    expect 0 waybill policy check policy.toml
    expect 0 waybill verify --policy policy.toml oci:shelf:1
    sed -i 's/team/other/' policy.toml
    expect 12 waybill verify --policy policy.toml oci:shelf:1
    sed -i '/^identities/d' policy.toml
    expect 2 waybill verify --policy policy.toml oci:shelf:1
}

@test "other logs and authorities, another module, changed bundles, a root that is none" {
    attached
    cp trusted_root.json right.json
    local part
    for part in 12:tlogs 13:ctlogs 13:certificateAuthorities; do
        jq -c ".${part#*:} = []" right.json >trusted_root.json
        expect "${part%:*}" verify --identity "$subject" --issuer "$issuer"
    done
    echo '{"mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1", "tlogs": 1}' >trusted_root.json
    expect 16 verify --identity "$subject" --issuer "$issuer"
    cp right.json trusted_root.json
    local filter
    for filter in 'del(.verificationMaterial.tlogEntries)' '.dsseEnvelope.signatures = []' '.verificationMaterial.tlogEntries[0].integratedTime = "1767225601"' \
        'del(.verificationMaterial.certificate)'; do
        rm -rf shelf
        waybill push -q hello.wasm oci:shelf:1 >/dev/null
        jq -c "$filter" bundle.json >changed.json
        attached changed.json
        run waybill verify --trusted-root trusted_root.json --identity "$subject" --issuer "$issuer" oci:shelf:1
        [ "$status" -ge 10 ] && [ "$status" -le 17 ] || fail "$filter: $status" "$output"
    done
    rm -rf shelf
    guest exit
    waybill push -q exit.wasm oci:shelf:1 >/dev/null
    attached
    expect 17 verify --identity "$subject" --issuer "$issuer"
}
