#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# --via: registries behind OpenSSH's server. Who may come in is tested here for sftp:, too.
load lib
load ssh

setup_file() {
    [ -x /usr/sbin/sshd ] || return 0
    ssh_keys
    ! command -v docker-registry >/dev/null || start_registry
}
teardown_file() { stop_registry; }

setup() {
    [ -x /usr/sbin/sshd ] || skip "sshd (openssh-server) is not installed"
    [ -n "${REGISTRY:-}" ] || skip "docker-registry is not installed"
    export HOME=$BATS_TEST_TMPDIR/home TMPDIR=$BATS_TEST_TMPDIR/tmp LC_ALL=C
    unset XDG_CACHE_HOME DOCKER_CONFIG SSH_AUTH_SOCK
    mkdir -p "$HOME" "$TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return 1
}
teardown() {
    stop_sshd
    stop_agent
}

via() { waybill "$1" --via "ssh://$SSHD" "${@:2}"; }

@test "a key file: push, pull and tags, from connections of the server's, one login each" {
    start_sshd
    know_sshd
    use_key
    guest hello
    expect 0 via push -q hello.wasm "$REGISTRY/via/file:1"
    expect 0 via tags "$REGISTRY/via/file"
    out_is 1
    expect 0 via pull -o out.wasm "$REGISTRY/via/file:1"
    cmp hello.wasm out.wasm
    expect 0 via run --allow-unsigned "$REGISTRY/via/file:1"
    out_is 'hello from the guest'
    [ "$(grep -c 'Accepted publickey' "$SSHD_LOG")" -eq 4 ]
    # nothing was written down
    [ "$(ls "$HOME/.ssh")" = $'id_ed25519\nknown_hosts' ]
    [ "$(wc -l <"$HOME/.ssh/known_hosts")" -eq 1 ]
}

@test "the registry's name is looked up at the server alone, by way of a configuration file as well" {
    start_sshd
    know_sshd
    use_key
    guest hello
    printf 'Host bastion\n  HostName 127.0.0.1\n  Port %s\n  User %s\n' "$SSHD_PORT" "$(id -un)" >"$HOME/.ssh/config"
    # nobody's name: the server, and not we, finds that out
    expect 3 waybill tags --via ssh://bastion --plain-http nobody.invalid:5000/via/name
    err_has 'the SSH server cannot connect to nobody.invalid:5000'
    grep -q 'nobody.invalid' "$SSHD_LOG"
    expect 0 waybill push --via ssh://bastion -q hello.wasm "localhost:${REGISTRY#*:}/via/name:1"
}

@test "an agent alone" {
    start_sshd
    know_sshd
    start_agent
    guest hello
    expect 0 via push -q hello.wasm "$REGISTRY/via/agent:1"
}

@test "keys that the server does not take, or that cannot be used: not authorised, and which ones" {
    start_sshd
    know_sshd
    guest hello
    expect 5 via push -q hello.wasm "$REGISTRY/via/no:1"
    err_has "the server takes none of our keys (no agent)"
    use_key stranger
    expect 5 via push -q hello.wasm "$REGISTRY/via/no:1"
    err_has "takes none of our keys (no agent, $HOME/.ssh/id_ed25519)"
    use_key locked
    expect 5 via push -q hello.wasm "$REGISTRY/via/no:1" </dev/null
    err_has "id_ed25519 (encrypted: only by way of ssh-agent)"
    use_key
    chmod 644 "$HOME/.ssh/id_ed25519"
    expect 5 via push -q hello.wasm "$REGISTRY/via/no:1"
    err_has "id_ed25519 (others may read it: not used)"
}

@test "an unknown server, another key than the known one, a revoked one: refused with the fingerprint, whatever the configuration says" {
    start_sshd
    use_key
    guest hello
    printf 'StrictHostKeyChecking no\n' >"$HOME/.ssh/config"
    expect 3 via push -q hello.wasm "$REGISTRY/via/no:1"
    err_has "the server is not known: its key $(fingerprint host) (ssh-ed25519) is not in $HOME/.ssh/known_hosts"
    absent "$HOME/.ssh/known_hosts"
    know_sshd host2
    cp "$HOME/.ssh/known_hosts" before
    expect 3 via push -q hello.wasm "$REGISTRY/via/no:1"
    err_has "the server's key $(fingerprint host) (ssh-ed25519) is not the one in $HOME/.ssh/known_hosts"
    cmp before "$HOME/.ssh/known_hosts"
    know_sshd
    printf '@revoked * %s\n' "$(cut -d' ' -f1,2 "$SSH_KEYS/host.pub")" >>"$HOME/.ssh/known_hosts"
    expect 3 via push -q hello.wasm "$REGISTRY/via/no:1"
    err_has "$(fingerprint host) (ssh-ed25519) is revoked in"
    [ "$(grep -c Accepted "$SSHD_LOG")" -eq 0 ]
}

@test "a configuration file that others may write to is refused" {
    start_sshd
    know_sshd
    use_key
    echo >"$HOME/.ssh/config"
    chmod 666 "$HOME/.ssh/config"
    expect 2 via tags "$REGISTRY/via/no"
    err_has "$HOME/.ssh/config: others than you may write to it"
}

@test "forwarding that the server forbids; no server; URLs that are none" {
    start_sshd 'AllowTcpForwarding no'
    know_sshd
    use_key
    expect 5 via tags "$REGISTRY/via/no"
    err_has "the SSH server forbids connections to $REGISTRY"
    stop_sshd
    expect 3 via tags "$REGISTRY/via/no"
    err_has "cannot connect to 127.0.0.1:$SSHD_PORT: Connection refused"
    local url
    for url in http://a ssh://a:0 ssh://u:pw@a ssh://-oProxyCommand=x ssh:// ssh://a/b 'ssh://a b'; do
        expect 2 waybill tags --via "$url" "$REGISTRY/via/no"
    done
}

@test "100 MB each way, while the server exchanges keys again and again" {
    start_sshd 'RekeyLimit 5M'
    know_sshd
    use_key
    big_guest big.wasm $((100 << 20))
    expect 0 via push -q big.wasm "$REGISTRY/via/big:1"
    rm -rf "$HOME/.cache"
    expect 0 via pull -o out.wasm "$REGISTRY/via/big:1"
    cmp big.wasm out.wasm
}

@test "ProxyJump: through another server, by a connection of our own" {
    start_sshd
    know_sshd
    use_key
    guest hello
    cat >"$HOME/.ssh/config" <<END
Host inner
  HostName 127.0.0.1
  Port $SSHD_PORT
  ProxyJump $SSHD
END
    expect 0 env PATH=/nonexistent "$WAYBILL" push --via ssh://inner -q hello.wasm "$REGISTRY/via/jump:1"
    [ "$(grep -c 'Accepted publickey' "$SSHD_LOG")" -eq 2 ]
}

@test "a server that dies in the middle of a transfer: a failure of the network, nothing left" {
    start_sshd
    know_sshd
    use_key
    big_guest big.wasm $((300 << 20))
    "$WAYBILL" push --via "ssh://$SSHD" -q big.wasm "$REGISTRY/via/dies:1" 2>said &
    local pid=$! try status=0
    for ((try = 0; try < 200; try++)); do
        ! grep -q 'Accepted publickey' "$SSHD_LOG" || break
        sleep 0.02
    done
    sleep 0.2
    stop_sshd
    wait $pid || status=$?
    [ "$status" -eq 3 ] || fail "status $status" "$(cat said)"
    tidy "$HOME" .
}

@test "nothing of it is loaded unless it is asked for" {
    command -v strace >/dev/null || skip "strace is not installed"
    guest hello
    # the sanitizer of leaks is a debugger, too, and there can be one only
    ASAN_OPTIONS=detect_leaks=0 strace -f -e trace=openat -o trace "$WAYBILL" push -q hello.wasm "$REGISTRY/via/lazy:1" >/dev/null
    grep -q 'http\.so' trace
    # libcurl has libssh2
    [ "$(grep -cE 'libssh\.so|waybill/ssh\.so' trace)" -eq 0 ]
}
