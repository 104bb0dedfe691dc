#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What was verified is what is executed. `run` is stopped at one system call after the other, what it reads is swapped
# under it, and it goes on: it must run what was signed, or refuse; never what was put there.
load lib

# What may be between two looks at one thing.
steps='openat,openat2,read,pread64,memfd_create,sendfile,fcntl'
# What libraries and sockets are read by is no such look.
noise='\.so|\\177ELF|"/etc/|"/proc/(sys|cpuinfo)|F_[GS]ETF|F_DUPFD'

setup_file() {
    command -v strace >/dev/null || skip "strace is not installed"
    strace -o /dev/null -e inject=getuid:signal=URG true 2>/dev/null || skip "nothing may be traced here"
}
teardown_file() { stop_registry; }

# steps_of COMMAND...: "CALL N" for each step from the reading of the key on.
steps_of() {
    strace -f -o trace -e trace="$steps" "$@" >/dev/null 2>&1 || true
    awk -v noise="${noise//\\/\\\\}" '{ sub(/^[0-9]+ +/, ""); name = $0; sub(/\(.*/, "", name) }
        name !~ /^[a-z0-9_]+$/ { next }
        { n[name]++ }
        /alice\.pub/ { on = 1 }
        on && $0 !~ noise { print name, n[name] }' trace
}

# Who was stopped, one number a line.
stopped() { awk '/stopped by SIGSTOP/ && !seen[$1]++ { print $1 }' log 2>/dev/null; }

# watched TRACER SWAP: calls SWAP when something stops for the first time, and lets all that stops go on each time, since
# each thread, and the process that compiles, counts its own calls.
watched() {
    local tracer=$1 swap=$2 pid=
    for _ in $(seq 2000); do
        kill -0 "$tracer" 2>/dev/null || return 0
        if [ -z "$pid" ]; then
            pid=$(stopped | head -n 1)
            [ -z "$pid" ] || $swap
        fi
        for pid in $(stopped); do
            kill -CONT "$pid" 2>/dev/null || true
        done
        sleep 0.004
    done
    pkill -KILL -P "$tracer" || true
    fail "it does not end: $(head -n 40 log)"
}

# swapped_at CALL N SWAP COMMAND...: runs the command, stopped at the N-th CALL for SWAP; sets status and output.
swapped_at() {
    local call=$1 n=$2 swap=$3 tracer
    shift 3
    rm -f log
    strace -f -o log -e trace="$call" -e inject="$call:signal=STOP:when=$n" "$@" >out 2>err </dev/null &
    tracer=$!
    watched "$tracer" "$swap"
    status=0
    wait "$tracer" || status=$?
    output=$(cat out)
}

# never_wins SWAP RESTORE WANT COMMAND...: at every step. WANT: hello, or hello-or-refused.
never_wins() {
    local swap=$1 restore=$2 want=$3 all n=0 ran=0 call at
    shift 3
    $restore
    "$@" >/dev/null || fail "the command fails without a swap: $*"
    $restore
    all=$(steps_of "$@")
    while read -r call at; do
        $restore
        swapped_at "$call" "$at" "$swap" "$@"
        n=$((n + 1))
        if [ "$output" = 'hello from the guest' ] && [ "$status" -eq 0 ]; then
            ran=$((ran + 1))
        elif [ -n "$output" ] || [ "$status" -eq 0 ] || [ "$want" = hello ]; then
            fail "$swap at $call $at: status $status, output: $output" "$(cat err)"
        fi
    done <<<"$all"
    echo "# $swap: $n steps, the signed module ran in $ran" >&3
    [ "$n" -gt 10 ] && [ "$ran" -gt 0 ] || fail "$n steps, $ran runs: too few to prove a thing"
}

signed_and_other() {
    signed_guests
    cp signed.wasm good.wasm
}

restore_file() { rm -f target.wasm && cp good.wasm target.wasm; }
rename_file() { cp args.wasm new.wasm && mv new.wasm target.wasm; }
overwrite_file() { cat args.wasm >target.wasm; }
splice_file() { tail -c +500 spliced.wasm | dd of=target.wasm bs=1 seek=500 conv=notrunc status=none; }

@test "the file" {
    signed_and_other
    for swap in rename_file overwrite_file splice_file; do
        never_wins $swap restore_file hello-or-refused "$WAYBILL" run --key alice.pub target.wasm
    done
}

modules() { echo "$HOME/.cache/waybill/modules"; }
restore_entry() { rm -f "$(modules)/$entry" && cp -p entry.good "$(modules)/$entry"; }
rename_entry() { cp -p entry.other new && mv new "$(modules)/$entry"; }
overwrite_entry() { cat entry.other >"$(modules)/$entry"; }
# The code of the other module behind the head of this one.
splice_entry() { tail -c +300 entry.other | dd of="$(modules)/$entry" bs=1M seek=299 oflag=seek_bytes conv=notrunc status=none; }
remove_entry() { rm -f "$(modules)/$entry"; }

@test "the cache entry" {
    signed_and_other
    waybill compile --key alice.pub signed.wasm >/dev/null
    entry=$(cd "$(modules)" && ls | grep -v key)
    cp -p "$(modules)/$entry" entry.good
    waybill compile args.wasm >/dev/null
    cp -p "$(modules)/$(cd "$(modules)" && ls | grep -v -e key -e "$entry")" entry.other
    for swap in rename_entry overwrite_entry splice_entry remove_entry; do
        never_wins $swap restore_entry hello "$WAYBILL" run --key alice.pub signed.wasm
    done
}

restore_layout() { rm -rf layout && cp -r layout.good layout; }
swap_layout_tag() { cp layout.other/index.json layout/new && mv layout/new layout/index.json; }
swap_layout_blob() { cat args.wasm >"layout/blobs/sha256/$blob"; }

@test "a tag and a blob of an image layout" {
    signed_and_other
    waybill push -q signed.wasm oci:layout.good:v1 >/dev/null
    cp -r layout.good layout.other
    waybill push -q args.wasm oci:layout.other:v1 >/dev/null
    cp -r layout.other/blobs layout.good/
    blob=$(sha256sum signed.wasm | cut -d' ' -f1)
    [ -e "layout.good/blobs/sha256/$blob" ]
    for swap in swap_layout_tag swap_layout_blob; do
        never_wins $swap restore_layout hello-or-refused "$WAYBILL" run --key alice.pub oci:layout:v1
    done
}

store() { echo "$HOME/.cache/waybill/store/blobs/sha256"; }
restore_blob() { rm -f "$(store)/$blob" && cp blob.good "$(store)/$blob" && chmod 600 "$(store)/$blob"; }
overwrite_blob() { cat args.wasm >"$(store)/$blob"; }
rename_blob() { cp args.wasm new && chmod 600 new && mv new "$(store)/$blob"; }
restore_tag() { waybill copy "$REGISTRY/good:v1" "$REGISTRY/swap:v1" >/dev/null 2>&1; }
swap_tag() { waybill copy "$REGISTRY/other:v1" "$REGISTRY/swap:v1" >/dev/null 2>&1; }

@test "a tag of a registry, and a blob of the store" {
    command -v docker-registry >/dev/null || skip "docker-registry is not installed"
    start_registry
    signed_and_other
    waybill push -q signed.wasm "$REGISTRY/good:v1" >/dev/null
    waybill push -q args.wasm "$REGISTRY/other:v1" >/dev/null
    restore_tag
    waybill run --key alice.pub "$REGISTRY/swap:v1" >/dev/null
    blob=$(sha256sum signed.wasm | cut -d' ' -f1)
    cp "$(store)/$blob" blob.good
    for swap in overwrite_blob rename_blob; do
        never_wins $swap restore_blob hello-or-refused "$WAYBILL" run --key alice.pub "$REGISTRY/swap:v1"
    done
    never_wins swap_tag restore_tag hello-or-refused "$WAYBILL" run --key alice.pub "$REGISTRY/swap:v1"
}
