#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Pulls from a registry that is slow for each connection: the rest comes in pieces, over several at once.
load lib

# slow [MIB [OPTION...]]: a registry with a module of that size.
slow() {
    faulty "${@:2}"
    big_pushed "${1:-72}"
}

# limit [TIMES]: so many requests are answered at 10 MB/s each. What is to befall some of them is said before.
limit() { fault bandwidth GET /blobs/ "\"rate\": 10000000, \"times\": ${1:-6}"; }

# spans [LISTENER]: "FIRST LAST STATUS CONNECTION SENT FAULT" of each request for the blob, LAST "-" where it has no end. SENT
# is what the registry has put on its way.
spans() {
    python3 - "$LOG" "$HEX" "${1:-main}" <<'PY'
import json, sys
asked, sent = [], {}
for line in open(sys.argv[1]):
    record = json.loads(line)
    if record.get("event") == "sent":
        sent[record["number"]] = record["bytes_out"]
    elif record["method"] == "GET" and "/blobs/sha256:" + sys.argv[2] in record["path"] and record["listener"] == sys.argv[3]:
        asked.append(record)
for record in asked:
    first, _, last = (record["range"] or "bytes=0-").removeprefix("bytes=").partition("-")
    print(first, last or "-", record["status"], record["connection"], sent.get(record["number"], record["bytes_out"]),
          record["fault"])
PY
}

# in_pieces [LISTENER]: requests with an end were answered on more than one connection, and each has at most 2 MiB.
in_pieces() {
    spans "${1:-main}" | awk '
        $2 != "-" { n++; if ($3 == 206 && !seen[$4]++) used++; if ($2 - $1 >= 2097152) bad = 1 }
        END { exit !(n > 1 && used > 1 && !bad) }' || fail "not in pieces" "$(spans "${1:-main}")"
}

# once: the pieces lie side by side to the end of the blob, and none is asked for twice.
once() {
    spans | awk -v size="$SIZE" '
        $2 != "-" { if (($1 in last)) bad = 1; last[$1] = $2; if (min == "" || $1 + 0 < min) min = $1 + 0 }
        END { for (at = min; at in last; at = last[at] + 1) n++
              exit !(!bad && at == size && n == length(last)) }' || fail "not once" "$(spans)"
}

# each_byte_once: what was sent in pieces is as much as was missing when they began.
each_byte_once() {
    spans | awk -v size="$SIZE" '
        $2 != "-" { sent += $5; if (min == "" || $1 + 0 < min) min = $1 + 0 }
        END { exit !(sent == size - min) }' || fail "not each byte once" "$(spans)"
}

# right TEXT...: the pull succeeds, and says so.
right() {
    expect 0 waybill pull --verbose -o out.wasm "$R/a/b:v1"
    cmp big.wasm out.wasm
    absent "$PARTIAL"
    tidy "$HOME" .
    local text
    for text; do err_has "$text"; done
}

several="one connection is slow; going on with several"
single="going on with one connection"

@test "a registry that is slow for each connection is asked for pieces by several, and for no byte twice" {
    slow 96
    limit 0
    right "$several"
    in_pieces
    once
    each_byte_once
    [ "$(spans | grep -c -e ' - 200 ')" -eq 1 ] # the first, which was left
    [ "$(spans | awk '$2 != "-" { print $4 }' | sort -u | wc -l)" -le 4 ]
    err_lacks "$single"
}

@test "a small module, and one that comes fast, take one connection" {
    slow 33
    limit
    right
    [ "$(spans | wc -l)" -eq 1 ]
}

@test "ranges that lead to another host are asked for without credentials there" {
    faulty --auth basic
    as user:password
    big_pushed 72
    fault redirect GET "/blobs/sha256:$HEX" '"times": 0'
    ask POST /_fault '{"action": "bandwidth", "match": {"listener": "alt"}, "rate": 10000000, "times": 6}'
    right "$several"
    in_pieces alt
    logged_is 0 '"listener": "alt"' '"has_authorization": true'
    [ "$(spans main | awk '$3 == 307' | wc -l)" -eq "$(spans alt | wc -l)" ]
}

@test "a registry that stops to send parts in the middle sends the rest over one connection" {
    slow
    fault ignore_range GET /blobs/ '"nth": 8'
    limit
    right "$several" "got all of it" "$single"
    in_pieces
    # whatever was under way, and nothing after that
    [ "$(spans | wc -l)" -le 16 ]
}

@test "a registry without ranges sends the whole once more" {
    slow
    limit 1
    fault ignore_range GET /blobs/ '"times": 0'
    right "$several" "$single" "the registry sent all of it again"
    [ "$(spans | wc -l)" -le 8 ]
}

@test "416, and parts that were not asked for: the rest comes over one connection" {
    slow
    local lie
    for lie in 'status "status": 416' \
        'set_header "headers": {"Content-Range": "bytes 0-75497471/75497472"}' \
        'long_body "bytes": 5'; do
        rm -f "$BLOB" out.wasm
        ask DELETE /_fault
        : >"$LOG"
        fault "${lie%% *}" GET /blobs/ "${lie#* }, \"nth\": 6"
        limit 5
        right "$several"
        in_pieces
        [ "$(spans | wc -l)" -le 16 ] || fail "too many" "$(spans)"
    done
}

@test "a piece whose connection breaks is taken up where it broke" {
    slow
    fault drop_after_bytes GET /blobs/ '"nth": 5, "bytes": 700000'
    fault drop GET /blobs/ '"nth": 9'
    limit
    right "$several"
    err_lacks "$single"
    in_pieces
    each_byte_once
    # the requests after the break begin within a piece, and ask up to its end
    [ "$(spans | awk '$2 != "-" && $2 - $1 == 2097151 - 700000' | wc -l)" -ge 1 ] || fail "not taken up" "$(spans)"
}

@test "a piece that is shorter than it should be: the rest comes over one connection" {
    slow
    fault short_body GET /blobs/ '"nth": 7, "bytes": 1000'
    limit
    right "$several" "$single"
    in_pieces
}

@test "a piece of wrong bytes: the whole is fetched once more over one connection, and wrong again it is refused" {
    slow
    fault flip_byte GET /blobs/ '"nth": 7, "offset": 1000'
    limit
    right "$several" "fetching the whole blob again"
    in_pieces
    [ "$(spans | grep -c -e ' - 200 ')" -eq 2 ]
    rm -f "$BLOB" out.wasm
    ask DELETE /_fault
    : >"$LOG"
    limit 1
    fault flip_byte GET /blobs/ '"times": 0'
    expect 17 waybill pull -o out.wasm "$R/a/b:v1"
    absent out.wasm "$PARTIAL"
    [ "$(spans | grep -c -e ' - 200 ')" -eq 2 ]
    tidy "$HOME" .
}

@test "a registry that refuses one of several is asked by one" {
    slow
    fault status GET /blobs/ '"nth": 4, "status": 400'
    limit 4
    right "$several" "$single"
}

# begun: waits for the pull $1, in the background, to be in the middle of its pieces.
begun() {
    local try
    for ((try = 0; try < 1000; try++)); do
        [ "$(spans | awk '$2 != "-"' | wc -l)" -lt 10 ] || return 0
        kill -0 "$1" 2>/dev/null || break
        sleep 0.02
    done
    fail "no pieces" "$(spans)"
}

@test "a pull killed in the middle of its pieces is taken up, and fetches again no more than was on its way" {
    slow
    limit 0
    "$WAYBILL" pull -o out.wasm "$R/a/b:v1" 3>&- &
    local pid=$! have
    begun $pid
    kill -9 $pid
    wait $pid || true
    absent out.wasm
    have=$(size_of "$PARTIAL")
    [ "$have" -gt 0 ]
    cmp -n "$have" big.wasm "$PARTIAL"
    : >"$LOG"
    right "$have of $SIZE bytes are here already"
    # all that was asked for begins behind what was there
    [ "$(spans | awk -v have="$have" '$1 + 0 < have' | wc -l)" -eq 0 ] || fail "asked again" "$(spans)"
}

@test "a registry that dies in the middle of the pieces: the same command goes on when it is back" {
    slow
    fault drop GET /blobs/ '"nth": 8, "times": 0'
    limit
    expect 3 waybill pull --verbose -o out.wasm "$R/a/b:v1"
    err_has "$several"
    absent out.wasm
    local have
    have=$(size_of "$PARTIAL")
    [ "$have" -gt 0 ]
    cmp -n "$have" big.wasm "$PARTIAL"
    ask DELETE /_fault
    : >"$LOG"
    right "$have of $SIZE bytes are here already"
    [ "$(spans | awk -v have="$have" '$1 + 0 < have' | wc -l)" -eq 0 ] || fail "asked again" "$(spans)"
}

@test "what is asked for in pieces takes no more memory" {
    command -v time >/dev/null || skip "no time"
    slow
    limit
    expect 0 "$(command -v time)" -f 'peak %M' "$WAYBILL" pull --verbose -o out.wasm "$R/a/b:v1"
    err_has "$several"
    local peak
    # shellcheck disable=SC2154
    peak=$(sed -n 's/^peak //p' <<<"$stderr")
    [ "$peak" -lt 24576 ] || fail "$peak KiB"
}

@test "a mirror that is slow for each connection is asked for pieces, too" {
    slow
    limit
    mkdir -p "$HOME/.config/containers"
    printf '[[registry]]\nprefix = "nowhere.invalid"\n[[registry.mirror]]\nlocation = "%s"\n' "$R" \
        >"$HOME/.config/containers/registries.conf"
    expect 0 waybill pull --verbose -o out.wasm nowhere.invalid/a/b:v1
    cmp big.wasm out.wasm
    err_has "$several"
    err_lacks "$single"
    in_pieces
    once
}
