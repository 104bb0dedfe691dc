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

@test "where a blob may come with the POST, a first push takes four, the next one three" {
    faulty --auth token --delay-ms 60 --post-digest
    as user:password
    guest hello
    trips_are 4 waybill push -q hello.wasm "$R/a/b:v1"
    trips_are 3 waybill push -q hello.wasm "$R/c/d:v1"
    expect 0 waybill pull -q -o got.wasm "$R/c/d:v1"
    cmp hello.wasm got.wasm
}

@test "a registry that takes no blob with the POST is not offered one again" {
    faulty
    guest hello args
    waybill push -q hello.wasm "$R/a/b:v1" >/dev/null
    logged_is 2 'uploads/?digest='
    waybill push -q args.wasm "$R/a/b:v2" >/dev/null
    logged_is 2 'uploads/?digest='
}

@test "a registry that refuses a blob with the POST gets it as it likes" {
    faulty --post-digest
    fault status POST '[?]digest=' '"status": 405, "times": 0'
    guest hello
    expect 0 waybill push -q hello.wasm "$R/a/b:v1"
    logged_is 2 '"PUT"' /uploads/
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
