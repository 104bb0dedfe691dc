#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What a guest's clocks and random numbers say: --clock, --deterministic, --seed.
load lib

# number LABEL: the first number behind it in the output.
number() { sed -n "s/^$1 \([0-9]*\).*/\1/p" <<<"$output"; }
# component_numbers: the first N numbers of 8 bytes that the component writes.
component_numbers() { od -An -v -t u8 -w8 -N 112 "$1" | tr -d ' '; }

@test "clocks tell multiples of the resolution: 1us, and what --clock says" {
    guest clocks
    local each ns
    for each in 1000: 1000:1us 1000000:1ms 1000000000:1s 250000:250us; do
        ns=${each%%:*}
        # shellcheck disable=SC2086
        set -- ${each#*:}
        expect 0 waybill run ${1:+--clock "$1"} clocks.wasm wall monotonic resolution
        [ $(($(number wall) % ns)) -eq 0 ] && [ $(($(number monotonic) % ns)) -eq 0 ]
        out_has "resolution $ns $ns"
    done
    expect 0 waybill run --clock 1ns clocks.wasm resolution
    out_is 'resolution 1 1'
    [ "$(waybill run clocks.wasm wall | cut -d' ' -f2 | cut -c-5)" -ge "$(date +%s | cut -c-5)" ]
}

@test "components: the same for wasi:clocks 0.2" {
    guest component-clocks
    waybill run --clock 1ms component-clocks.wasm >out
    mapfile -t numbers < <(component_numbers out)
    [ $((numbers[0] % 1000000)) -eq 0 ] && [ $((numbers[1] % 1000000)) -eq 0 ]
    [ "${numbers[2]}" -eq 1000000 ]
    [ $((numbers[4] % 1000000)) -eq 0 ] && [ "${numbers[8]}" -eq 1000000 ]
    [ "${numbers[3]}" -ge 1700000000 ]
}

@test "a wrong --clock or --seed: 125" {
    guest clocks
    for value in 0ns 1 1m us -1us 1.5us; do
        expect 125 waybill run --clock "$value" clocks.wasm
        err_has "'$value' is no resolution"
    done
    expect 125 waybill run --seed 1 clocks.wasm
    err_has '--seed goes with --deterministic'
    expect 125 waybill run --deterministic --seed x clocks.wasm
    SOURCE_DATE_EPOCH=soon expect 125 waybill run --deterministic clocks.wasm
    err_has SOURCE_DATE_EPOCH
}

@test "clocks that are not offered and addresses outside of the memory are answered with an error" {
    guest clocks
    expect 0 waybill run clocks.wasm refusals
    out_is $'outside 21 21\nnone 8 8 28'
    expect 0 waybill run --deterministic clocks.wasm refusals more-refusals
    out_has $'random 21\npoll 28 21 21 21\npoll 28 28 28'
}

@test "waits last as long as the guest asks, by its own clocks" {
    guest clocks
    for option in '' '--clock 1ms' '--clock 1ns' --deterministic '--deterministic --clock 3ns'; do
        # shellcheck disable=SC2086
        expect 0 waybill run $option clocks.wasm waits poll </dev/null
        out_is $'waits 0 0 enough enough\npoll 1 1'
    done
}

@test "--deterministic: two runs give the same, byte for byte; without it they do not" {
    guest clocks component-clocks
    local all='wall monotonic random waits poll nan resolution wall'
    # shellcheck disable=SC2086
    for run in 1 2; do
        waybill run --deterministic clocks.wasm $all </dev/null >fixed$run
        waybill run --deterministic component-clocks.wasm >component-fixed$run
        waybill run clocks.wasm $all </dev/null >real$run
        waybill run component-clocks.wasm >component-real$run
    done
    cmp fixed1 fixed2 && cmp component-fixed1 component-fixed2
    ! cmp -s real1 real2 && ! cmp -s component-real1 component-real2
    grep -qx 'nan 7ff8000000000000' fixed1
}

@test "--deterministic: time starts at SOURCE_DATE_EPOCH or 0 and moves by the resolution" {
    guest clocks component-clocks
    expect 0 waybill run --deterministic clocks.wasm wall monotonic wall
    out_is $'wall 0\nmonotonic 1000\nwall 2000'
    SOURCE_DATE_EPOCH=1700000000 expect 0 waybill run --deterministic --clock 1s clocks.wasm wall monotonic wall
    out_is $'wall 1700000000000000000\nmonotonic 1000000000\nwall 1700000002000000000'
    SOURCE_DATE_EPOCH=1700000000 waybill run --deterministic component-clocks.wasm >out
    mapfile -t numbers < <(component_numbers out)
    [ "${numbers[*]:0:6}" = '0 1000 1000 1700000000 2000 1700000000' ]
}

@test "--seed: other random numbers, the same ones again, in modules and components alike" {
    guest clocks component-clocks
    expect 0 waybill run --deterministic clocks.wasm random
    local none=$output
    [[ $none == 'random 76b8e0ada0f13d90'* ]]
    expect 0 waybill run --deterministic --seed 0 clocks.wasm random
    out_is "$none"
    expect 0 waybill run --deterministic --seed 18446744073709551615 clocks.wasm random
    [ "$output" != "$none" ]
    waybill run --deterministic component-clocks.wasm >out
    [ "$(od -An -v -t x1 -j 72 -N 8 out | tr -d ' ')" = 76b8e0ada0f13d90 ]
}

@test "code that is kept for one mode is not run in the other" {
    guest clocks
    waybill run --deterministic clocks.wasm nan >first
    waybill run clocks.wasm nan >second
    waybill run --deterministic clocks.wasm nan >third
    cmp first third
    [ "$(find "$HOME/.cache/waybill/modules" -type f ! -name key ! -name '*.lock' | wc -l)" -eq 2 ]
}

@test "components: sockets and names are denied, and each denied use is a line in the log" {
    guest component-clocks
    waybill run component-clocks.wasm >out 2>err
    # access-denied is the second code.
    [ "$(od -An -v -t x1 -j 112 -N 3 out)" = ' 02 02 02' ]
    [ "$(cat err)" = 'waybill: warning: denied capability=wasi:sockets use=create-tcp-socket error=access-denied
waybill: warning: denied capability=wasi:sockets use=create-udp-socket error=access-denied
waybill: warning: denied capability=wasi:sockets use=resolve-addresses what=example.com error=access-denied' ]
}
