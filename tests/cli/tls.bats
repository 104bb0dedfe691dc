#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# TLS: Debian's registry with a private authority, wrong and expired certificates, client certificates, --resolve.
load lib

setup_file() {
    command -v docker-registry >/dev/null && command -v openssl >/dev/null || return 0
    cd "$BATS_FILE_TMPDIR" || return 1
    make_ca ca && make_ca other
    make_cert server ca IP:127.0.0.1,DNS:localhost,DNS:registry.test
    make_cert late ca IP:127.0.0.1 -1
    make_cert elsewhere ca DNS:elsewhere.test
    make_cert client ca DNS:client && make_cert stranger other DNS:client && make_cert past ca DNS:client -1
    cat client.pem client.key >both.pem
    start_registry --tls "$PWD/late.pem" "$PWD/late.key"
    export LATE=$REGISTRY
    start_registry --tls "$PWD/elsewhere.pem" "$PWD/elsewhere.key"
    export ELSEWHERE=$REGISTRY
    start_registry --tls "$PWD/server.pem" "$PWD/server.key" --client-ca "$PWD/ca.pem"
    export MUTUAL=$REGISTRY
    start_registry
    export PLAIN=$REGISTRY
    start_registry --tls "$PWD/server.pem" "$PWD/server.key"
    export T=$BATS_FILE_TMPDIR
}
teardown_file() { stop_registry; }

need_registry() {
    [ -n "${T:-}" ] || skip "needs docker-registry and openssl"
    guest hello
}

# good REGISTRY OPTION...: push and pull with the options.
good() {
    local repo=$1/test$BATS_TEST_NUMBER/hello:1
    shift
    expect 0 waybill push "$@" hello.wasm "$repo"
    rm -rf "$HOME/.cache" out.wasm
    expect 0 waybill pull "$@" -o out.wasm "$repo"
    cmp hello.wasm out.wasm
}

# bad STATUS MESSAGE REGISTRY OPTION...: a pull ends so, with one line, which with -v means without a second try.
# What a server of TLS 1.3 thinks of a client certificate may be lost with the connection: then there is one.
bad() {
    local want=$1 message=$2 repo=$3/a/b:1 chatty=-v
    [[ $message != 'the server '* ]] || chatty=
    shift 3
    rm -f out.wasm
    expect "$want" waybill pull "$@" $chatty -o out.wasm "$repo"
    err_has "$message"
    [[ $stderr == "waybill: pull $repo: "* ]] || fail "not the line that was expected: $stderr"
    [ "$(wc -l <<<"$stderr")" -eq 1 ] || fail "more than one line: $stderr"
    absent out.wasm
}

@test "a private authority: --ca-file, on loopback too" {
    need_registry
    good "$REGISTRY" --ca-file "$T/ca.pem"
    good "localhost:${REGISTRY##*:}" --ca-file "$T/ca.pem"
    expect 0 waybill tags --ca-file "$T/ca.pem" "$REGISTRY/test$BATS_TEST_NUMBER/hello"
    out_is 1
    expect 0 waybill run --ca-file "$T/ca.pem" --allow-unsigned "$REGISTRY/test$BATS_TEST_NUMBER/hello:1"
    out_is 'hello from the guest'
}

@test "an unknown authority" {
    need_registry
    bad 3 'signed by an authority that is not known here (see --ca-file)' "$REGISTRY" --ca-file "$T/other.pem"
    bad 3 'signed by an authority that is not known here (see --ca-file)' "$REGISTRY" --cert "$T/both.pem"
    bad 3 'signed by an authority that is not known here (see --ca-file)' registry.test:443 \
        --resolve "registry.test:443:$REGISTRY"
    expect 125 waybill run --allow-unsigned --ca-file "$T/other.pem" "$REGISTRY/a/b:1"
    expect 3 waybill push --ca-file "$T/other.pem" hello.wasm "$REGISTRY/a/b:1"
}

@test "an expired certificate, and one of another host" {
    need_registry
    bad 3 'its certificate has expired' "$LATE" --ca-file "$T/ca.pem"
    bad 3 'its certificate is for another host' "$ELSEWHERE" --ca-file "$T/ca.pem"
    bad 3 'its certificate is for another host' "localhost:${ELSEWHERE##*:}" --ca-file "$T/ca.pem"
    bad 3 'its certificate is for another host' "other.test:443" --ca-file "$T/ca.pem" \
        --resolve "other.test:443:$REGISTRY"
}

@test "--insecure: works, and warns once" {
    need_registry
    local registry
    for registry in "$REGISTRY" "$LATE" "$ELSEWHERE"; do
        good "$registry" --insecure
        [ "$(grep -c 'warning: certificates are not checked' <<<"$stderr")" -eq 1 ] || fail "$stderr"
    done
}

@test "--insecure is not for a mirror" {
    need_registry
    good "$REGISTRY" --ca-file "$T/ca.pem"
    mkdir -p "$HOME/.config/containers"
    printf '[[registry]]\nprefix = "nowhere.invalid/a"\n[[registry.mirror]]\nlocation = "%s"\n' \
        "registry.test:${REGISTRY##*:}/test$((BATS_TEST_NUMBER))" >"$HOME/.config/containers/registries.conf"
    set -- --resolve "registry.test:${REGISTRY##*:}:127.0.0.1"
    expect 0 waybill pull "$@" --ca-file "$T/ca.pem" -o out.wasm nowhere.invalid/a/hello:1
    rm -rf "$HOME/.cache"
    expect 3 waybill pull "$@" --insecure -o none.wasm nowhere.invalid/a/hello:1
    absent none.wasm
}

@test "a client certificate that is wanted" {
    need_registry
    good "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/client.pem" --cert-key "$T/client.key"
    good "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/both.pem"
    good "$REGISTRY" --ca-file "$T/ca.pem" --cert "$T/both.pem"
    bad 3 'the server wants a client certificate' "$MUTUAL" --ca-file "$T/ca.pem"
    bad 3 'the server refuses the client certificate' "$MUTUAL" --ca-file "$T/ca.pem" \
        --cert "$T/stranger.pem" --cert-key "$T/stranger.key"
    bad 3 'the server refuses the client certificate' "$MUTUAL" --ca-file "$T/ca.pem" \
        --cert "$T/past.pem" --cert-key "$T/past.key"
}

@test "files that are no use: 2, and nothing is asked on the terminal" {
    need_registry
    : >empty.pem && echo hello >text.pem
    printf '%s\n' '-----BEGIN CERTIFICATE-----' 'AAAA' '-----END CERTIFICATE-----' >broken.pem
    openssl ec -in "$T/client.key" -aes128 -passout pass:secret -out locked.key 2>/dev/null
    bad 2 'none.pem: No such file' "$REGISTRY" --ca-file none.pem
    bad 2 'none.pem: No such file' "$MUTUAL" --ca-file "$T/ca.pem" --cert none.pem
    bad 2 'none.key: No such file' "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/client.pem" --cert-key none.key
    local file
    for file in empty.pem text.pem broken.pem .; do
        bad 2 "authorities $file: no certificate in PEM" "$REGISTRY" --ca-file "$file"
        bad 2 "client certificate $file: no certificate in PEM" "$MUTUAL" --ca-file "$T/ca.pem" --cert "$file"
        bad 2 "key of the client certificate $file: " "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/client.pem" \
            --cert-key "$file"
    done
    bad 2 'without a password' "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/client.pem" --cert-key locked.key
    bad 2 'or that of another certificate' "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/client.pem" \
        --cert-key "$T/server.key"
    bad 2 'key of the client certificate' "$MUTUAL" --ca-file "$T/ca.pem" --cert "$T/client.pem"
}

@test "TLS that was asked for never becomes plain HTTP" {
    need_registry
    good "$PLAIN"
    bad 3 'no TLS there' "$PLAIN" --ca-file "$T/ca.pem"
    bad 3 'no TLS there' registry.test:443 --resolve "registry.test:443:$PLAIN"
    expect 3 waybill pull --insecure -o out.wasm "$PLAIN/test$BATS_TEST_NUMBER/hello:1"
    err_has 'no TLS there'
    expect 3 waybill pull -o out.wasm "$REGISTRY/a/b:1" # plain HTTP on loopback, as ever
    absent out.wasm
}

@test "options that contradict each other: 2" {
    need_registry
    expect 2 waybill pull --plain-http --ca-file "$T/ca.pem" -o out.wasm "$REGISTRY/a/b:1"
    err_has '--plain-http and --ca-file contradict each other'
    expect 2 waybill pull --plain-http --insecure -o out.wasm "$REGISTRY/a/b:1"
    expect 2 waybill pull --insecure --ca-file "$T/ca.pem" -o out.wasm "$REGISTRY/a/b:1"
    expect 2 waybill pull --cert-key "$T/client.key" -o out.wasm "$REGISTRY/a/b:1"
    err_has '--cert-key needs --cert'
}

@test "--resolve: a name that is not in DNS, with and without a port" {
    need_registry
    good registry.test --ca-file "$T/ca.pem" --resolve "registry.test:443:$REGISTRY"
    good "registry.test:${REGISTRY##*:}" --ca-file "$T/ca.pem" --resolve "registry.test:${REGISTRY##*:}:127.0.0.1" \
        --resolve "other.test:443:127.0.0.2"
    good plain.test --plain-http --resolve "plain.test:80:$PLAIN"
    expect 3 waybill pull --plain-http --resolve "plain.test:81:$PLAIN" -o out.wasm plain.test/a/b:1
}

@test "--resolve: what is no such thing: 2" {
    need_registry
    local value
    for value in x x:1 x:1: :1:127.0.0.1 x::127.0.0.1 x:0:127.0.0.1 x:65536:127.0.0.1 x:1:name x:1:127.0.0.1:0 \
        x:1:127.0.0.1:a x:1:127.0.0.1:1:2 x:1:::1:5x 'x:1:[::1' 'x y:1:127.0.0.1' 'u@x:1:127.0.0.1' x/y:1:127.0.0.1 \
        x:1:127.0.0.1/8 x:1:256.0.0.1 $'x:1:\e[2J'; do
        expect 2 waybill pull --resolve "$value" -o out.wasm "$PLAIN/a/b:1"
        err_has 'is not HOST:PORT:ADDR[:PORT]'
        [[ $stderr != *$'\e'* ]]
    done
}
