#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Dispatch, help, version, and how failures and output behave everywhere.
load lib

@test "no command: status 2 and one hint" {
    expect 2 waybill
    out_is ''
    err_is $'waybill: a command is missing\nsee \'waybill --help\''
}

@test "an unknown command and an unknown option in its place" {
    expect 2 waybill frobnicate
    err_is $'waybill: unknown command \'frobnicate\'\nsee \'waybill --help\''
    expect 2 waybill --frobnicate
    err_has "unknown option '--frobnicate'"
    expect 2 waybill ''
    err_has "unknown command ''"
}

@test "what is repeated from the command line is escaped" {
    expect 2 waybill $'a\e[2Jb'
    err_has "unknown command 'a\\x1b[2Jb'"
    [[ $stderr != *$'\e'* ]]
}

@test "--help, -h, help: the same text on stdout" {
    expect 0 waybill --help
    out_has 'Usage: waybill COMMAND'
    local text=$output
    for verb in push pull inspect keygen key sign verify run login logout version help; do out_has "  $verb "; done
    out_lacks __options
    expect 0 waybill -h
    out_is "$text"
    expect 0 waybill help
    out_is "$text"
}

@test "each command: COMMAND --help is help COMMAND, in 80 columns, even where the rest is wrong" {
    for verb in push pull inspect keygen key sign verify run login logout version help; do
        expect 0 waybill "$verb" --help
        out_has "Usage: waybill $verb"
        err_is ''
        local text=$output
        expect 0 waybill help "$verb"
        out_is "$text"
        [ -z "$(awk 'length > 80' <<<"$text")" ] || fail "lines over 80 columns in help of $verb"
    done
    expect 2 waybill help nothing
    err_has "unknown command 'nothing'"
}

@test "help --json describes every command" {
    expect 0 waybill help --json
    [ "$(jq -r .schema <<<"$output")" = waybill.help/1 ]
    [ "$(jq -r '[.commands[].name] | join(" ")' <<<"$output")" = 'push pull inspect keygen key sign verify run compile tags copy tree attach detach attest provenance delete login logout policy cache completion version help' ]
    [ "$(jq -r '.commands[] | select(.name == "push") | .options[] | select(.name == "quiet") | .letter' <<<"$output")" = q ]
}

@test "version" {
    local version
    version=$(sed -n 's/^#define WAYBILL_VERSION "\(.*\)"/\1/p' "$root/base/version.h")
    expect 0 waybill version
    out_is "waybill $version"
    expect 0 waybill --version
    out_is "waybill $version"
    expect 0 waybill version --json
    [ "$(jq -r '.schema + " " + .version' <<<"$output")" = "waybill.version/1 $version" ]
}

@test "operands: missing, too many, empty" {
    expect 2 waybill push hello.wasm
    err_is $'waybill: push: an operand is missing: FILE REF\nsee \'waybill push --help\''
    expect 2 waybill push a b c
    err_has "one operand too many: 'c'"
    expect 2 waybill push '' oci:x
    err_has 'an operand is empty: FILE REF'
    expect 2 waybill version x
    err_has "one operand too many: 'x'"
}

@test "options: unknown, without a value, required ones absent" {
    expect 2 waybill pull --nope
    err_is $'waybill: pull: unknown option \'--nope\'\nsee \'waybill pull --help\''
    expect 2 waybill pull oci:x
    err_has "option '--output FILE' is missing"
    expect 2 waybill pull oci:x -o
    err_has "option '-o': a value is missing"
    expect 2 waybill pull oci:x --output=
    err_has "option '--output': the value is empty"
    expect 2 waybill push -q --json=1 a b
    err_has "option '--json': it takes no value"
    expect 2 waybill verify x
    err_has "option '--key PUB' is missing"
}

@test "references that are wrong say why" {
    guest hello
    for ref in localhost:5000/UPPER:1 localhost:99999/a:1 localhost:5000/a:-x localhost:5000/ 'localhost:5000/a b' \
        localhost:5000/a@sha256:1234 'oci:' oci:x:-; do
        expect 2 waybill push hello.wasm "$ref"
        err_has 'waybill: push '
    done
    expect 2 waybill push hello.wasm "localhost:5000/$(printf 'a%.0s' {1..300})"
    err_has 'longer than 255 characters'
}

@test "stdout that cannot be written is status 1 and a message" {
    expect 1 sh -c '"$WAYBILL" version >/dev/full'
    err_is 'waybill: version: standard output: No space left on device'
    expect 1 sh -c '"$WAYBILL" --help >/dev/full'
    err_has 'standard output: No space left on device'
    expect 1 sh -c '"$WAYBILL" version >&-'
    err_has 'standard output: Bad file descriptor'
}

@test "a closed pipe is status 1 and a message, not a silent death" {
    { sleep 0.2; "$WAYBILL" version 2>err || echo $? >status; } | true
    [ "$(cat status)" = 1 ]
    [ "$(cat err)" = 'waybill: version: standard output: Broken pipe' ]
}

@test "closed standard descriptors are not taken by files" {
    guest sleep
    "$WAYBILL" run --timeout 20s sleep.wasm 20 <&- >&- 2>&- 3>&- &
    local pid=$! try fd
    for ((try = 0; try < 100; try++)); do
        [ ! -d "$HOME/.cache/waybill/modules" ] || break
        sleep 0.05
    done
    for fd in 0 1 2; do readlink "/proc/$pid/fd/$fd"; done >links
    kill "$pid"
    wait "$pid" || true
    [ "$(cat links)" = $'/dev/null\n/dev/null\n/dev/null' ] || fail "$(cat links)"
}

@test "without a home nothing is kept and everything works" {
    guest hello
    expect 0 env -u HOME "$WAYBILL" push -q hello.wasm oci:shelf:1
    expect 0 env -u HOME "$WAYBILL" run --allow-unsigned oci:shelf:1
    out_is 'hello from the guest'
    expect 0 env HOME=relative XDG_CACHE_HOME=also/relative "$WAYBILL" run hello.wasm
    absent relative also
    tidy .
}

@test "XDG_CACHE_HOME decides where things are kept" {
    guest hello
    export XDG_CACHE_HOME=$BATS_TEST_TMPDIR/cache
    expect 0 waybill run hello.wasm
    [ -d "$XDG_CACHE_HOME/waybill/modules" ]
    absent "$HOME/.cache"
}

@test "credentials file: a folder in its place is a configuration error for registries alone" {
    guest hello
    mkdir -p "$HOME/.docker/config.json"
    expect 2 waybill pull -o x 127.0.0.1:1/a:1
    err_has '.docker/config.json'
    expect 2 waybill push hello.wasm docker-io/name
    err_has '.docker/config.json'
    expect 0 waybill run hello.wasm
    expect 0 waybill push -q hello.wasm oci:shelf:1
    expect 0 waybill pull -q -o x oci:shelf:1
    expect 0 waybill inspect oci:shelf:1
}

@test "what asks for no work leaves nothing behind" {
    waybill --help
    waybill version
    waybill push --help
    [ -z "$(find "$HOME" "$TMPDIR" . -mindepth 1)" ]
}

@test "a limit on the size of files is an error that is reported, and no death by a signal" {
    guest hello
    waybill keygen -o alice
    # What is said goes through a pipe: bats keeps it in a file.
    limited() { (set -o pipefail && (ulimit -f 0 && waybill "$@") 2>&1 | cat); }
    expect 1 limited push -q hello.wasm oci:shelf:1
    out_has 'File too large'
    expect 1 limited sign --key alice.key hello.wasm -o signed.wasm
    out_has 'File too large'
    absent signed.wasm
    expect 1 limited keygen -o bob
    absent bob.key bob.pub
}
