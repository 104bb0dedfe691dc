#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Passwords, tokens and keys in what is said with --debug, in files that are left, and in the arguments of processes.
load lib

# told STATUS COMMAND...: runs it with --debug, and nothing that it says or leaves holds a secret.
told() {
    local secret
    expect "$@" --debug
    for secret in hemlig "$(printf user:hemlig | base64)" "$(grep -v -- ----- "$BATS_TEST_TMPDIR/work/alice.key" | head -c 24)" \
        ${SEEN_TOKEN:+"$SEEN_TOKEN"}; do
        err_lacks "$secret"
        [[ $output != *"$secret"* ]] || fail "$secret is on stdout"
    done
    ! grep -rlF hemlig "$HOME/.cache" 2>/dev/null || fail 'a password was left in the cache'
}

@test "registry credentials and tokens: none is said" {
    local auth
    waybill keygen -o alice >/dev/null
    guest hello
    for auth in basic token; do
        rm -rf "$HOME/.docker" "$HOME/.cache" "$HOME/.config"
        faulty --auth "$auth" --password hemlig
        expect 0 sh -c "echo hemlig | '$WAYBILL' login --debug --username user --password-stdin $R"
        err_lacks hemlig
        told 0 waybill push hello.wasm "$R/a/b:v1"
        told 0 waybill sign --key alice.key "$R/a/b:v1"
        told 0 waybill verify --key alice.pub "$R/a/b:v1"
        told 0 waybill pull --key alice.pub -o out.wasm "$R/a/b:v1"
        # shellcheck disable=SC2154 # stderr is set by run
        ! grep -qE 'Authorization: |"(access_)?token"' <<<"$stderr" || fail "$stderr"
        WAYBILL_USERNAME=user WAYBILL_PASSWORD=hemlig told 0 waybill verify --key alice.pub "$R/a/b:v1"
        as user:wrong-hemlig
        told 5 waybill verify --key alice.pub "$R/a/b:v1"
        teardown
    done
}

@test "passwords of keys: by a descriptor, by the environment, right or wrong: none is said" {
    guest hello
    COSIGN_PASSWORD=hemlig waybill keygen --encrypt -o alice >/dev/null
    waybill push -q hello.wasm oci:lay:1 >/dev/null
    COSIGN_PASSWORD=hemlig told 0 waybill sign --key alice.key oci:lay:1
    WAYBILL_PASSWORD=hemlig told 0 waybill sign --key alice.key -o signed.wasm hello.wasm
    echo hemlig >password
    told 0 waybill sign --key alice.key --password-fd 9 oci:lay:1 9<password
    COSIGN_PASSWORD=hemligare run --separate-stderr "$WAYBILL" sign --debug --key alice.key oci:lay:1
    [ "$status" -eq 5 ] || fail "$status" "$stderr"
    err_lacks hemlig
    ! grep -rlF hemlig lay signed.wasm alice.pub || fail 'a password was left'
}

@test "a process that waits for the registry: no secret among its arguments" {
    waybill keygen -o alice >/dev/null
    guest hello
    faulty --auth basic --password hemlig --delay-ms 1500
    as user:hemlig
    "$WAYBILL" push --debug hello.wasm "$R/a/b:v1" >/dev/null 2>&1 3>&- &
    local pid=$!
    sleep 0.5
    tr '\0' '\n' <"/proc/$pid/cmdline" >arguments
    grep -q push arguments
    if grep hemlig arguments; then fail 'the password is an argument'; fi
    kill "$pid"
    wait "$pid" || true
}
