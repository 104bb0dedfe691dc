#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Verification needs no network but the registry. Everything here happens in a network namespace that has nothing but a loopback
# interface, with the registry inside; where namespaces are not allowed, strace says whom the program spoke to.
load lib

setup_file() {
    local why=$BATS_FILE_TMPDIR/why
    if unshare -rn true 2>"$why"; then
        export CUT=namespace
    elif strace -o /dev/null true 2>>"$why"; then
        export CUT=strace
    else
        export CUT=
    fi
}

# cut_off SCENE: one scene of offline.sh, with the network cut off.
cut_off() {
    [ -n "$CUT" ] || skip "neither network namespaces nor strace: $(tail -n 1 "$BATS_FILE_TMPDIR/why")"
    need_registry
    local inside=(bash "$BATS_TEST_DIRNAME/offline.sh" "$CUT" "$1")
    [ "$CUT" != namespace ] || inside=(unshare -rn "${inside[@]}")
    expect 0 "${inside[@]}"
    out_has "$1: done"
}

@test "the network is cut off indeed" { cut_off nothing; }
@test "a bundle by a key" { cut_off sigstore; }
@test "cosign's image under a tag" { cut_off cosign; }
@test "an attestation" { cut_off attestation; }
@test "a Notary signature" { cut_off notation; }
@test "an SSH signature" { cut_off ssh; }
@test "a signature and claims inside the module" { cut_off embedded; }
@test "a keyless bundle against a trusted root" { cut_off keyless; }
@test "a policy: two of three, provenance, the embedded signature; pull and run obey it" { cut_off policy; }
@test "a layout and an archive: nothing is asked of anybody" { cut_off layout; }
