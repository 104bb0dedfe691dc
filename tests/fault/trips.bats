#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Round trips: how often a command waits for the registry before it can go on, with tokens and nothing else known.
load lib

timed() {
    faulty --auth token --delay-ms 60
    as user:password
    guest hello
}

@test "a first push takes five" {
    timed
    trips_are 5 waybill push -q hello.wasm "$R/a/b:v1"
}

@test "a push to a registry that was met before takes four" {
    timed
    waybill push -q hello.wasm "$R/a/b:v1" >/dev/null
    trips_are 4 waybill push -q hello.wasm "$R/c/d:v1"
}

@test "a first pull takes four, the next of the tag one, of the digest none" {
    timed
    local pinned
    pinned=$(waybill push -q hello.wasm "$R/a/b:v1")
    rm -rf "$HOME/.cache"
    trips_are 4 waybill pull -q -o one.wasm "$R/a/b:v1"
    trips_are 1 waybill pull -q -o two.wasm "$R/a/b:v1"
    trips_are 0 waybill pull -q -o three.wasm "$pinned"
    cmp hello.wasm three.wasm
}

@test "a pull from a registry that was met before takes three" {
    timed
    waybill push -q hello.wasm "$R/a/b:v1" >/dev/null
    rm -rf "$HOME"/.cache/waybill/{store,memo/token}
    trips_are 3 waybill pull -q -o one.wasm "$R/a/b:v1"
}

@test "a module over a megabyte is sent after asking whether it may" {
    timed
    big_guest big.wasm 2000000
    waybill push -q big.wasm "$R/a/b:v1" >/dev/null
    logged_is 1 '"continued": true'
}
