#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Registries that mean to keep us for ever, or to fill the memory.
load lib

# hostile MODE: sets R and LOG.
hostile() {
    LOG=$BATS_TEST_TMPDIR/requests
    python3 -B "$root/tests/registry/hostile.py" "$1" "$BATS_TEST_TMPDIR/port" "$LOG" 3>&- &
    FAULTY_PID=$!
    local try
    for ((try = 0; try < 200; try++)); do
        [ ! -s "$BATS_TEST_TMPDIR/port" ] || break
        sleep 0.05
    done
    R=127.0.0.1:$(cat "$BATS_TEST_TMPDIR/port")
}

@test "headers without an end, interim answers without an end: 16" {
    local mode
    for mode in headers interim; do
        rm -f "$BATS_TEST_TMPDIR/port"
        hostile "$mode"
        refused 16 "response headers of more than"
        [ "$(wc -l <"$LOG")" -eq 1 ]
        teardown
        rm -f "$LOG"
    done
}

@test "a registry that takes the parts of an upload and takes them back: 3, after a while" {
    hostile disown
    big 17
    expect 3 waybill push big.wasm "$R/a/b:v1"
    err_has "upload"
    [ "$(grep -c PATCH "$LOG")" -le 100 ] || fail "$(grep -c PATCH "$LOG") PATCHes"
}
