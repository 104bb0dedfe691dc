#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The second wall around a guest: what a process that runs one has given up. What that stops is tested in
# tests/unit/runner_sandbox_test.c.
load lib

without() { "$root/build/release/tests/tool/without" "$@"; }

# asleep [OPTION...]: a guest that sleeps; sets pid and waits until its process has got that far.
asleep() {
    guest sleep
    "$WAYBILL" run "$@" sleep.wasm 3>&- &
    pid=$!
    local try
    for ((try = 0; try < 100; try++)); do
        ! grep -qs eventpoll <(readlink /proc/$pid/fd/* 2>/dev/null) || return 0
        sleep 0.05
    done
    fail "the guest does not run"
}

# Says nothing of the job that was killed.
wake() {
    [ -n "${pid:-}" ] || return 0
    {
        kill -9 "$pid"
        wait "$pid"
    } 2>/dev/null || true
    pid=
}
teardown() { wake; }

# says LINE...: each is in the status of every thread.
says() {
    local line status
    for status in /proc/"$pid"/task/*/status; do
        for line; do grep -q "^$line$" "$status" || fail "$status lacks $line" "$(cat "$status")"; done
    done
}

@test "by default a guest's process has given up what it does not need" {
    asleep --timeout 1m
    says $'NoNewPrivs:\t1' $'Seccomp:\t2' $'CapEff:\t0*' $'CapPrm:\t0*' $'CapInh:\t0*' $'CapBnd:\t[0-9a-f]*' $'CapAmb:\t0*'
    [ "$(id -u)" != 0 ] || says $'CapBnd:\t0*'
}

@test "--sandbox=off: nothing is given up" {
    asleep --sandbox=off
    says $'NoNewPrivs:\t0' $'Seccomp:\t0'
}

@test "inherited descriptors are closed" {
    echo secret >secret
    exec 9<secret
    asleep
    ! readlink /proc/"$pid"/fd/* | grep -q secret || fail "$(ls -l /proc/"$pid"/fd)"
    wake
    asleep --sandbox=off
    exec 9<&-
    readlink /proc/"$pid"/fd/* | grep -q secret
}

@test "folders do what they did" {
    guest files
    mkdir -p data/sub && echo tea >data/list
    expect 0 waybill run --sandbox=auto --dir data::/srv:rw files.wasm rename /srv/list /srv/sub/list
    expect 0 waybill run --sandbox=auto --dir data::/srv files.wasm read /srv/sub/list
    out_is tea
    expect 1 waybill run --sandbox=auto --dir data::/srv files.wasm write /srv/sub/list coffee
    expect 0 waybill run --sandbox=auto --dir data::/srv:rw files.wasm unlink /srv/sub/list
    expect 0 waybill run --sandbox=auto --insecure-proc --dir /::/:rw files.wasm write "$PWD/data/list" coffee
    [ "$(cat data/list)" = coffee ]
}

@test "standard streams of every kind" {
    guest cat hello
    echo tea >in
    expect 0 waybill run cat.wasm <in
    out_is tea
    expect 0 sh -c 'echo tea | "$WAYBILL" run cat.wasm | cat'
    out_is tea
    waybill run cat.wasm <in >out
    [ "$(cat out)" = tea ]
    expect 0 waybill run cat.wasm </dev/null
    expect 0 script -qec "'$WAYBILL' run hello.wasm" /dev/null
    out_has 'hello from the guest'
}

@test "a kernel without Landlock or seccomp: auto runs and says so, require does not run" {
    guest hello
    for layer in landlock seccomp; do
        expect 0 without $layer "$WAYBILL" run hello.wasm
        out_is 'hello from the guest'
        err_is ''
        expect 0 without $layer "$WAYBILL" run --verbose hello.wasm
        err_has "sandbox: $layer is not in force: "
        expect 0 without $layer "$WAYBILL" run --verbose --sandbox=off hello.wasm
        [[ $stderr != *sandbox:* ]] || fail "not expected: $stderr"
        expect 125 without $layer "$WAYBILL" run --sandbox=require hello.wasm
        out_is ''
        err_has "waybill: run hello.wasm: sandbox: $layer cannot be put in force: "
    done
}

@test "--sandbox=require where all is there" {
    guest hello component-ok trap
    "$WAYBILL" run --sandbox=require hello.wasm >out 2>err || {
        grep -q 'cannot be put in force' err && skip "this kernel lacks a layer: $(cat err)"
        fail "$(cat err)"
    }
    [ "$(cat out)" = 'hello from the guest' ]
    expect 0 waybill run --sandbox=require component-ok.wasm
    expect 134 waybill run --sandbox=require trap.wasm
    err_has 'wasm trap: wasm `unreachable` instruction executed'
    err_has 'inner'
}

@test "root keeps the right to a folder of somebody else, and no other" {
    [ "$(id -u)" = 0 ] || skip "only root has it"
    guest files
    mkdir own theirs && chown 65534 theirs && chmod 700 theirs
    expect 0 waybill run --dir theirs::/srv:rw files.wasm write /srv/new coffee
    [ "$(cat theirs/new)" = coffee ]
    asleep --dir theirs
    says $'CapEff:\t0*2' $'CapPrm:\t0*2'
    wake
    asleep --dir own
    says $'CapEff:\t0*' $'CapPrm:\t0*'
}

@test "a user who is not root" {
    [ "$(id -u)" = 0 ] || skip "only root can become somebody else"
    guest files
    mkdir -p data home && echo tea >data/list
    cp "$WAYBILL" waybill
    chmod 755 . data && chmod 777 data home
    chmod a+x "$BATS_RUN_TMPDIR" "$BATS_SUITE_TMPDIR" "$BATS_FILE_TMPDIR" "$BATS_TEST_TMPDIR"
    nobody() { HOME=$PWD/home setpriv --reuid=65534 --regid=65534 --clear-groups "$PWD/waybill" "$@"; }
    expect 0 nobody run --sandbox=auto --dir data files.wasm read data/list
    out_is tea
    expect 0 nobody run --sandbox=auto --dir data:rw files.wasm write data/new coffee
    [ "$(cat data/new)" = coffee ]
    expect 0 nobody run --sandbox=auto --dir data:rw files.wasm unlink data/new
    # its own process is out of its reach even through /proc
    expect 0 nobody run --sandbox=off --insecure-proc --dir /proc files.wasm read /proc/self/environ
    expect 1 nobody run --sandbox=auto --insecure-proc --dir /proc files.wasm read /proc/self/environ
}

@test "a wrong mode: 125" {
    guest hello
    expect 125 waybill run --sandbox=maybe hello.wasm
    err_has maybe
}
