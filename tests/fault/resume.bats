#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pulls of big modules that end in the middle: what has arrived is not fetched again.
load lib

# killed_at BYTES: a pull that is killed when that much of what it asks for has arrived.
killed_at() {
    local pid try want=$1
    [ ! -e "$PARTIAL" ] || want=$((want + $(size_of "$PARTIAL")))
    fault stall GET /blobs/ "\"bytes\": $1, \"ms\": 20000"
    "$WAYBILL" pull -o out.wasm "$R/a/b:v1" 3>&- &
    pid=$!
    for ((try = 0; try < 400; try++)); do
        [ ! -e "$PARTIAL" ] || [ "$(size_of "$PARTIAL")" -lt "$want" ] || break
        sleep 0.02
    done
    kill -9 "$pid"
    wait "$pid" || true
    [ "$(size_of "$PARTIAL")" -eq "$want" ] || fail "$(size_of "$PARTIAL") bytes arrived, not $want"
    absent out.wasm
    ask DELETE /_fault
}

# sent: how many bytes of blobs the registry has sent.
sent() { sed -n 's/.*"GET".*\/blobs\/.*"bytes_out": \([0-9]*\).*/\1/p' "$LOG" | awk '{ n += $1 } END { print n + 0 }'; }

big_good() {
    expect 0 waybill pull --verbose -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
    absent "$PARTIAL"
    tidy "$HOME" .
}

@test "a pull killed at ten points sends no byte twice" {
    faulty
    big_pushed 32
    local at
    for at in 1 3 1000 65536 262144 1048576 1048577 5000000 9999999 3; do killed_at "$at"; done
    big_good
    [ "$(sent)" -eq "$SIZE" ] || fail "$(sent) bytes were sent for $SIZE" "$(cat "$LOG")"
    err_has "17425839 of $SIZE bytes are here already"
    err_has "17425839 bytes were not fetched again"
    [ "$(stat -c %a "$BLOB")" = 600 ]
}

@test "a transfer that fails for good is taken up by the next pull" {
    faulty
    big_pushed 4
    fault drop_after_bytes GET /blobs/ '"bytes": 2000000'
    fault status GET /blobs/ '"status": 404'
    expect 4 waybill pull -o out.wasm "$R/a/b:v1"
    absent out.wasm
    [ "$(size_of "$PARTIAL")" -eq 2000000 ]
    [ "$(stat -c %a "$PARTIAL")" = 600 ]
    ask DELETE /_fault
    big_good
    [ "$(sent)" -le "$((SIZE + 1000))" ]
}

@test "a failure before the first byte leaves no partial" {
    faulty
    big_pushed 2
    fault status GET /blobs/ '"status": 404'
    expect 4 waybill pull -o out.wasm "$R/a/b:v1"
    absent "$PARTIAL"
    big_good
}

@test "a partial with a flipped bit: the whole is fetched once" {
    faulty
    big_pushed 4
    killed_at 3000000
    flip "$PARTIAL" 1234567
    : >"$LOG"
    big_good
    err_has "fetching the whole blob again"
    [ "$(sent)" -eq $((2 * SIZE - 3000000)) ]
}

@test "a partial that is longer than the blob is begun anew" {
    faulty
    big_pushed 2
    killed_at 1000000
    head -c 3000000 /dev/zero >>"$PARTIAL"
    : >"$LOG"
    big_good
    [ "$(sent)" -eq "$SIZE" ]
}

@test "a partial of the blob's own length: right it needs no request, wrong it is fetched anew" {
    faulty
    big_pushed 2
    killed_at 1000000
    cp big.wasm "$PARTIAL"
    : >"$LOG"
    big_good
    [ "$(sent)" -eq 0 ]
    rm "$BLOB" out.wasm
    cp big.wasm "$PARTIAL" && chmod 600 "$PARTIAL" && flip "$PARTIAL" 99999
    big_good
    [ "$(sent)" -eq "$SIZE" ]
}

@test "a link, a hard link or a file open to others in the place of a partial is not written to" {
    faulty
    big_pushed 2
    killed_at 1000000
    local trick
    head -c 1000 big.wasm >victim
    cp victim untouched
    for trick in "ln -s $PWD/victim" "ln $PWD/victim" "cp $PWD/victim" "ln -s $PWD/nowhere" mkfifo; do
        rm -f "$PARTIAL" "$BLOB" out.wasm
        $trick "$PARTIAL"
        [ "${trick#cp}" = "$trick" ] || chmod 666 "$PARTIAL"
        : >"$LOG"
        big_good
        cmp victim untouched
        absent nowhere
        [ "$(sent)" -eq "$SIZE" ] || fail "$trick: $(sent)"
    done
}

@test "a folder in the place of a partial, and no folder for partials: the pull succeeds without" {
    faulty
    big_pushed 2
    mkdir -p "$PARTIAL"
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
    rm -r "$(dirname "$PARTIAL")" "$BLOB" out.wasm
    ln -s "$PWD" "$(dirname "$PARTIAL")"
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
}

@test "a registry without ranges sends the whole, and it is right" {
    faulty
    big_pushed 4
    killed_at 2000000
    fault ignore_range GET /blobs/
    big_good
    err_has "the registry sent all of it again"
}

@test "416, and a part that was not asked for: the whole is fetched" {
    faulty
    big_pushed 4
    killed_at 2000000
    fault status GET /blobs/ '"status": 416'
    : >"$LOG"
    big_good
    logged_is 1 '"status": 200' /blobs/
    rm "$BLOB" out.wasm
    killed_at 2000000
    fault set_header GET /blobs/ '"headers": {"Content-Range": "bytes 7-100/4194304"}'
    : >"$LOG"
    big_good
    logged_is 1 '"status": 200' /blobs/
}

@test "two pulls at once: each is right, and neither waits for the other" {
    faulty
    big_pushed 4
    fault stall GET /blobs/ '"bytes": 1000000, "ms": 20000'
    local pid try
    "$WAYBILL" pull -o first.wasm "$R/a/b:v1" 3>&- &
    pid=$!
    for ((try = 0; try < 200; try++)); do
        [ ! -e "$PARTIAL" ] || [ "$(size_of "$PARTIAL")" -lt 1000000 ] || break
        sleep 0.02
    done
    expect 0 waybill pull --verbose -o out.wasm "$R/a/b:v1"
    err_has "another process is at it"
    cmp big.wasm out.wasm
    kill -9 "$pid"
    wait "$pid" || true
    absent first.wasm
    [ "$(size_of "$PARTIAL")" -eq 1000000 ]
}

@test "ten pulls at once are all right" {
    faulty
    big_pushed 4
    local n pids=()
    for n in 0 1 2 3 4 5 6 7 8 9; do
        "$WAYBILL" pull -q -o "out$n.wasm" "$R/a/b:v1" 3>&- >/dev/null &
        pids+=($!)
    done
    for n in "${pids[@]}"; do wait "$n"; done
    for n in 0 1 2 3 4 5 6 7 8 9; do cmp big.wasm "out$n.wasm"; done
    absent "$PARTIAL"
    tidy "$HOME" .
}

@test "a module of 64 MiB or more becomes its file without a second copy" {
    faulty
    big_pushed 65
    umask 027
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
    [ "$(stat -c '%a %h' out.wasm)" = "640 1" ]
    absent "$PARTIAL"
    # where the file system shares blocks between files, the store has them too
    [ ! -e "$BLOB" ] || cmp big.wasm "$BLOB"
    tidy "$HOME" .
    # over a file, a link, and not over what is no file
    chmod 600 out.wasm
    mkdir folder && ln -s nowhere link && mkfifo pipe
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    expect 0 waybill pull -o link "$R/a/b:v1"
    [ ! -L link ] && cmp link out.wasm
    : >"$LOG"
    expect 1 waybill pull -o pipe "$R/a/b:v1"
    logged_is 0 '"GET"'
    rm -f link
    # unsigned: not given out, but kept
    waybill keygen -o key
    expect 10 waybill pull --key key.pub -o unsigned.wasm "$R/a/b:v1"
    absent unsigned.wasm "$PARTIAL"
    cmp big.wasm "$BLOB"
}

@test "an output that cannot be written shows before anything is asked for" {
    faulty
    big_pushed 1
    mkdir folder
    local place
    for place in folder folder/ nowhere/out.wasm /proc/out.wasm; do
        run --separate-stderr waybill pull -o "$place" "$R/a/b:v1"
        [ "$status" -ne 0 ]
        logged_is 0 '"GET"'
    done
}

@test "without a store nothing is kept, and the work is done in TMPDIR" {
    faulty
    big_pushed 2
    expect 0 env -u HOME "$WAYBILL" pull -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
    rm -r "$TMPDIR"
    expect 4 env -u HOME "$WAYBILL" pull -o other.wasm "$R/a/b:v1"
    err_has "$TMPDIR"
    absent other.wasm
}
