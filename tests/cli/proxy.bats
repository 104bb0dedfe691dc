#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Proxies from the environment, and HTTP/2, in front of Debian's registry. registry.test is in no DNS.
load lib

setup_file() {
    command -v docker-registry >/dev/null && command -v openssl >/dev/null || return 0
    cd "$BATS_FILE_TMPDIR" || return 1
    make_ca ca
    make_cert server ca IP:127.0.0.1,DNS:localhost,DNS:registry.test
    htpasswd_line user password >users
    start_registry --tls "$PWD/server.pem" "$PWD/server.key" --htpasswd "$PWD/users"
    export TLS=$REGISTRY
    start_registry --relative
    export T=$BATS_FILE_TMPDIR
}
teardown_file() { stop_registry; }

# helper PROGRAM OPTION...: starts a server of tests/registry; sets PORT, and LOG.
helper() {
    local program=$1 try
    shift
    LOG=$BATS_TEST_TMPDIR/log
    rm -f "$BATS_TEST_TMPDIR/port"
    : >"$LOG"
    python3 -B "$root/tests/registry/$program" --port-file "$BATS_TEST_TMPDIR/port" --log "$LOG" "$@" 3>&- &
    HELPERS="${HELPERS:-} $!"
    for ((try = 0; try < 200; try++)); do
        [ ! -s "$BATS_TEST_TMPDIR/port" ] || break
        sleep 0.05
    done
    PORT=$(cat "$BATS_TEST_TMPDIR/port")
}

teardown() {
    local pid
    for pid in ${HELPERS:-}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
}

need_registry() {
    [ -n "${T:-}" ] || skip "needs docker-registry and openssl"
    guest hello
    mkdir -p "$HOME/.docker"
    printf '{"auths": {"registry.test:%s": {"auth": "%s"}}}\n' "${TLS##*:}" "$(printf user:password | base64)" \
        >"$HOME/.docker/config.json"
}

# good HOST OPTION...: push and pull.
good() {
    local repo=$1/test$BATS_TEST_NUMBER/hello:1
    shift
    expect 0 waybill push "$@" hello.wasm "$repo"
    rm -rf "$HOME/.cache" out.wasm
    expect 0 waybill pull "$@" -o out.wasm "$repo"
    cmp hello.wasm out.wasm
}

logged() { grep -c -- "$1" "$LOG" || true; }

@test "HTTPS by CONNECT; the registry's credentials are not shown to the proxy" {
    need_registry
    helper proxy.py
    local name=registry.test:${TLS##*:}
    https_proxy=http://127.0.0.1:$PORT good "$name" --ca-file "$T/ca.pem"
    [ "$(logged "\"CONNECT\", \"target\": \"$name\"")" -gt 0 ] || fail "$(cat "$LOG")"
    [ "$(logged '"authorization"')" -eq 0 ]
    [ "$(logged '"kind": "[A-Z]*"')" -eq "$(logged '"CONNECT"')" ]
    : >"$LOG"
    HTTPS_PROXY=127.0.0.1:$PORT good "$name" --ca-file "$T/ca.pem"
    [ "$(logged '"CONNECT"')" -gt 0 ]
    : >"$LOG"
    all_proxy=http://127.0.0.1:$PORT good "$name" --ca-file "$T/ca.pem"
    [ "$(logged '"CONNECT"')" -gt 0 ]
}

@test "a proxy with a password, and without the right one" {
    need_registry
    helper proxy.py --user name:secret
    local name=registry.test:${TLS##*:}
    https_proxy=http://name:secret@127.0.0.1:$PORT good "$name" --ca-file "$T/ca.pem"
    [ "$(logged '"authorization"')" -eq 0 ]
    [ "$(logged proxy-authorization)" -gt 0 ]
    expect 3 env https_proxy=http://name:wrong@127.0.0.1:"$PORT" "$WAYBILL" pull -v -o out.wasm "$name/a/b:1"
    err_has 'the proxy wants a user name and a password'
    [ "$(wc -l <<<"$stderr")" -eq 1 ] || fail "$stderr"
    [[ $stderr != *wrong* ]]
}

@test "plain HTTP is forwarded" {
    need_registry
    helper proxy.py
    http_proxy=http://127.0.0.1:$PORT good "plain.test:${REGISTRY##*:}" --plain-http
    [ "$(logged "http://plain.test:${REGISTRY##*:}/v2/")" -gt 0 ] || fail "$(cat "$LOG")"
    [ "$(logged '"CONNECT"')" -eq 0 ]
}

@test "SOCKS 5, and the proxy looks the name up" {
    need_registry
    helper proxy.py
    local name=registry.test:${TLS##*:}
    https_proxy=socks5h://127.0.0.1:$PORT good "$name" --ca-file "$T/ca.pem"
    [ "$(logged "\"SOCKS1\", \"target\": \"$name\"")" -gt 0 ] || fail "$(cat "$LOG")"
}

@test "no proxy: loopback, no_proxy, --resolve" {
    need_registry
    helper proxy.py
    export http_proxy=http://127.0.0.1:$PORT https_proxy=http://127.0.0.1:$PORT all_proxy=http://127.0.0.1:$PORT
    good "$REGISTRY"
    good "localhost:${REGISTRY##*:}"
    good "registry.test:${TLS##*:}" --ca-file "$T/ca.pem" --resolve "registry.test:${TLS##*:}:127.0.0.1"
    expect 3 env no_proxy=other.test,.test "$WAYBILL" pull -o out.wasm "registry.test:${TLS##*:}/a/b:1"
    expect 3 env NO_PROXY='*' "$WAYBILL" pull -o out.wasm "registry.test:${TLS##*:}/a/b:1"
    [ ! -s "$LOG" ] || fail "$(cat "$LOG")"
}

@test "a proxy that is not there, and one that refuses" {
    need_registry
    expect 3 env https_proxy=http://127.0.0.1:1 "$WAYBILL" pull -o out.wasm registry.test/a/b:1
    err_has 'that is the proxy of the environment'
    helper proxy.py --refuse 403
    expect 3 env https_proxy=http://127.0.0.1:"$PORT" "$WAYBILL" pull -v -o out.wasm registry.test/a/b:1
    err_has 'the proxy refuses to connect: status 403'
    [ "$(logged CONNECT)" -eq 1 ]
    absent out.wasm
}

@test "a proxy in a form that cannot be used: 2, without its password" {
    local proxy
    for proxy in bogus://user:s3cret@proxy 'http://user:s3cret@[bad' http://user:s3cret@127.0.0.1:99999; do
        expect 2 env https_proxy="$proxy" "$WAYBILL" pull -v -o out.wasm registry.test/a/b:1
        err_has 'names a proxy in a form that cannot be used'
        [[ $stderr != *s3cret* ]] || fail "$stderr"
        [ "$(wc -l <<<"$stderr")" -eq 1 ] || fail "more than one line: $stderr"
    done
}

# nghttpx speaks HTTP/2 in front of the plain registry.
@test "HTTP/2 where the server offers it" {
    need_registry
    command -v nghttpx >/dev/null || skip "nghttpx is not installed"
    local try port
    for ((try = 0; try < 5; try++)); do
        port=$((20000 + RANDOM % 10000))
        nghttpx --no-ocsp --workers=1 --frontend="127.0.0.1,$port" --backend="127.0.0.1,${REGISTRY##*:}" \
            --accesslog-file="$PWD/access" --accesslog-format='$alpn $request' --errorlog-file="$PWD/error" \
            --pid-file="$PWD/pid" "$T/server.key" "$T/server.pem" 3>&- &
        HELPERS="${HELPERS:-} $!"
        sleep 0.5
        ! kill -0 $! 2>/dev/null || break
    done
    good "localhost:$port" --ca-file "$T/ca.pem"
    # no check of access before it is written
    sleep 0.3
    grep -q '^h2 .* HTTP/2' access || fail "$(cat access error)"
    ! grep -v '^h2 ' access || fail "something else than HTTP/2 was spoken"
    big_guest big.wasm 5000000
    cp big.wasm hello.wasm
    good "localhost:$port/big" --ca-file "$T/ca.pem"
}

@test "HTTP/1.1 again where HTTP/2 is broken" {
    need_registry
    local kind
    for kind in cut goaway reset garbage http1 close; do
        helper bad_http2.py --to "${REGISTRY##*:}" --cert "$T/server.pem" --key "$T/server.key" --fault $kind
        waybill push -q hello.wasm "$REGISTRY/h2/$kind:1"
        rm -rf "$HOME/.cache" out.wasm
        expect 0 waybill pull --ca-file "$T/ca.pem" -o out.wasm "localhost:$PORT/h2/$kind:1"
        cmp hello.wasm out.wasm
        expect 0 waybill push --debug --ca-file "$T/ca.pem" hello.wasm "localhost:$PORT/h2/$kind-pushed:1"
        grep -q h2 "$LOG" && grep -q http/1.1 "$LOG" || fail "$kind" "$(cat "$LOG")"
    done
}
