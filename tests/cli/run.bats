#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
load lib

@test "runs a file; its output, input and status are its own" {
    guest hello cat stdio exit
    expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    err_is ''
    expect 0 sh -c 'printf "a\nb" | "$WAYBILL" run cat.wasm'
    out_is $'a\nb'
    expect 0 waybill run stdio.wasm
    out_is $'to stdout\nthe end'
    err_is 'to stderr'
    for want in 0 1 42 125; do expect $want waybill run exit.wasm $want; done
}

@test "binary input and output pass through" {
    guest cat
    head -c 300000 /dev/urandom >data
    waybill run cat.wasm <data >copy
    cmp data copy
}

@test "everything behind TARGET is the guest's" {
    guest args
    expect 0 waybill run args.wasm --help -v --key x -- --dir=/ ''
    [ "${lines[0]}" = 'arg 0: args.wasm' ]
    [ "${lines[1]}" = 'arg 1: --help' ]
    [ "${lines[5]}" = 'arg 5: --' ]
    [ "${lines[6]}" = 'arg 6: --dir=/' ]
    [ "${lines[7]}" = 'arg 7: ' ]
}

@test "the guest's environment holds what --env says and nothing else" {
    guest args
    SECRET=1 expect 0 waybill run --env A=1 --env B= --env 'C=x=y' args.wasm
    [ "$(grep '^env' <<<"$output")" = $'env: A=1\nenv: B=\nenv: C=x=y' ]
    expect 125 waybill run --env =x args.wasm
    err_has 'NAME=VALUE or NAME is wanted'
}

@test "folders: none by default, read-only with --dir, writable with :rw" {
    guest files
    mkdir data && echo tea >data/list
    expect 1 waybill run files.wasm read data/list
    expect 0 waybill run --dir data files.wasm read data/list
    out_is tea
    expect 0 waybill run --dir data::/srv files.wasm read /srv/list
    out_is tea
    expect 1 waybill run --dir data::/srv files.wasm write /srv/list coffee
    expect 1 waybill run --dir data::/srv files.wasm unlink /srv/list
    expect 1 waybill run --dir data::/srv files.wasm mkdir /srv/new
    [ "$(cat data/list)" = tea ]
    expect 0 waybill run --dir data::/srv:rw files.wasm write /srv/list coffee
    [ "$(cat data/list)" = coffee ]
}

@test "no way out of a folder" {
    guest files
    mkdir data && echo outside >secret
    ln -s ../secret data/link
    ln -s "$PWD/secret" data/absolute
    for path in /srv/../secret /srv/link /srv/absolute "$PWD/secret" ../secret; do
        expect 1 waybill run --dir data::/srv:rw files.wasm read "$path"
        out_lacks outside
    done
}

@test "folders that are wrong: 125" {
    guest hello
    expect 125 waybill run --dir nowhere hello.wasm
    err_has nowhere
    expect 125 waybill run --dir hello.wasm hello.wasm
    expect 125 waybill run --dir ::x hello.wasm
    err_has 'HOST[::GUEST][:rw] is wanted'
    mkdir a b
    expect 125 waybill run --dir a::/x --dir b::/x hello.wasm
    err_has "two folders are to be called '/x'"
}

@test "out of time: 124, in a loop and asleep in a host call" {
    guest loop sleep start-loop component-loop
    for name in loop sleep start-loop component-loop; do
        expect 124 timeout 10 "$WAYBILL" run --timeout 150ms $name.wasm
        err_is "waybill: run $name.wasm: out of time (timeout 150ms)"
    done
    guest hello
    expect 0 waybill run --timeout 30s hello.wasm
    expect 125 waybill run --timeout 5 hello.wasm
    err_has "'5' is no duration"
}

@test "traps: 134 and the wasm backtrace on stderr" {
    guest trap recurse component-trap
    expect 134 waybill run trap.wasm
    err_has 'waybill: run trap.wasm: the guest trapped'
    err_has unreachable
    err_has 'inner'
    err_has 'outer'
    expect 134 waybill run recurse.wasm
    err_has 'call stack exhausted'
    expect 134 waybill run component-trap.wasm
}

@test "memory: --max-memory stops growth" {
    guest memgrow
    run "$WAYBILL" run --max-memory 1MiB memgrow.wasm
    local small=$status
    run "$WAYBILL" run --max-memory 4MiB memgrow.wasm
    [ "$small" -lt "$status" ] || fail "grew by $small with 1MiB and by $status with 4MiB"
    expect 125 waybill run --max-memory lots memgrow.wasm
    err_has "'lots' is no size"
}

@test "components: ok is 0, err is 1" {
    guest component-ok component-err component-exit
    expect 0 waybill run component-ok.wasm
    out_has 'hello from the component'
    expect 1 waybill run component-err.wasm
}

@test "what cannot be run: 126" {
    guest import-unknown no-start component-library component-import-unknown
    for name in import-unknown no-start component-library component-import-unknown; do
        expect 126 waybill run $name.wasm
        err_has "waybill: run $name.wasm: "
    done
    echo text >text.wasm
    : >empty.wasm
    head -c 1000 "$GUESTS/hello.wasm" >short.wasm
    for name in text empty short; do expect 126 waybill run $name.wasm; done
}

@test "not found: 127" {
    expect 127 waybill run nothing.wasm
    err_is 'waybill: run nothing.wasm: No such file or directory'
    expect 127 waybill run --allow-unsigned oci:nothing:1
}

@test "a wrong command line: 125" {
    expect 125 waybill run
    err_has 'an operand is missing: TARGET [ARGS...]'
    expect 125 waybill run --nope x.wasm
    err_has "unknown option '--nope'"
    expect 125 waybill run --key a --allow-unsigned x.wasm
    err_has '--key and --allow-unsigned contradict each other'
}

@test "a missing or private key: 125, not 127" {
    signed_guests
    expect 125 waybill run --key nobody.pub signed.wasm
    err_has 'nobody.pub: No such file'
    expect 125 waybill run --key alice.key signed.wasm
    err_has 'alice.key is a private key'
}

@test "a reference needs --key or --allow-unsigned: 126 and what to do" {
    signed_guests
    waybill push -q signed.wasm oci:shelf:1
    expect 126 waybill run oci:shelf:1
    out_is ''
    err_has '--key'
    err_has '--allow-unsigned'
    expect 0 waybill run --allow-unsigned oci:shelf:1
    out_is 'hello from the guest'
    expect 0 waybill run --key alice.pub oci:shelf:1
    out_is 'hello from the guest'
}

@test "with --key: unsigned, foreign, changed, spliced are refused and never run, files too" {
    signed_guests
    for name in hello signed changed spliced; do waybill push -q $name.wasm oci:shelf:$name; done
    for target in oci:shelf:hello hello.wasm oci:shelf:changed changed.wasm oci:shelf:spliced spliced.wasm; do
        expect 126 waybill run --key alice.pub $target
        out_is ''
    done
    for target in oci:shelf:signed signed.wasm; do
        expect 126 waybill run --key bob.pub $target
        out_is ''
        err_has 'no signature by a given key'
    done
}

@test "a damaged blob is not run" {
    guest hello
    waybill push -q hello.wasm oci:shelf:1
    local layer
    layer=shelf/blobs/sha256/$(sha256sum <hello.wasm | cut -d' ' -f1)
    chmod u+w "$layer"
    flip "$layer" 3000
    expect 126 waybill run --allow-unsigned oci:shelf:1
    out_is ''
}

@test "the text format runs from a file" {
    cp "$root/testdata/guests/trap.wat" .
    expect 134 waybill run trap.wat
}

@test "standard input is a target" {
    guest hello
    expect 0 sh -c '"$WAYBILL" run - <hello.wasm'
    out_is 'hello from the guest'
}

@test "compiled code: kept, and a damaged or swapped entry is not loaded" {
    guest hello args
    expect 0 waybill run hello.wasm
    local cache=$HOME/.cache/waybill/modules entry
    [ "$(stat -c %a "$cache")" = 700 ]
    entry=$(find "$cache" -type f ! -name key ! -name '*.lock' | head -n 1)
    [ -n "$entry" ]
    cp "$entry" hello.entry
    flip "$entry" $(($(size_of "$entry") / 2))
    expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    truncate -s 10 "$entry"
    expect 0 waybill run hello.wasm
    waybill run args.wasm >/dev/null
    for other in $(find "$cache" -type f ! -name key ! -name '*.lock' ! -path "$entry"); do cp hello.entry "$other"; done
    expect 0 waybill run args.wasm
    out_is 'arg 0: args.wasm'
}

@test "a cache that others may write to is not used" {
    guest hello
    mkdir -p "$HOME/.cache/waybill/modules"
    chmod 777 "$HOME/.cache/waybill/modules"
    expect 0 waybill run hello.wasm
    out_is 'hello from the guest'
    [ -z "$(ls -A "$HOME/.cache/waybill/modules")" ]
}

@test "of two --env of one name the last counts" {
    guest args
    expect 0 waybill run --env A=1 --env AB=x --env A=2 args.wasm
    [ "$(grep '^env' <<<"$output")" = $'env: AB=x\nenv: A=2' ]
}

@test "a module from standard input: the guest does not read it again" {
    guest cat
    expect 0 sh -c '"$WAYBILL" run - <cat.wasm'
    out_is ''
}

@test "an engine that cannot start is a failure of run and no trap" {
    guest hello
    waybill run hello.wasm
    starved() { (exec 3>&- && ulimit -n 5 && waybill run hello.wasm); }
    expect 125 starved
}

@test "a small stack: a guest that uses it up traps, and takes nothing else along" {
    guest recurse hello
    shallow() { (ulimit -s 256 && waybill "$@"); }
    expect 0 shallow run hello.wasm
    expect 134 shallow run recurse.wasm
    err_has 'call stack exhausted'
}
