# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every test against the fault-injecting registry shares. See tests/registry/faults.py for the rules.
# shellcheck source=tests/cli/lib.bash
. "$BATS_TEST_DIRNAME/../cli/lib.bash"

# faulty OPTION...: starts the registry of this test; sets R (host:port), ALT and TOKEN (the other ports) and LOG.
faulty() {
    LOG=$BATS_TEST_TMPDIR/requests
    rm -f "$LOG" "$BATS_TEST_TMPDIR/ports"
    python3 -B "$root/tests/registry/registry.py" --max-seconds 120 --log "$LOG" \
        --port-file "$BATS_TEST_TMPDIR/ports" "$@" 3>&- &
    FAULTY_PID=$!
    local try
    for ((try = 0; try < 200; try++)); do
        [ ! -e "$BATS_TEST_TMPDIR/ports" ] || break
        sleep 0.05
    done
    local ports
    ports=$(tr -dc '0-9,' <"$BATS_TEST_TMPDIR/ports")
    IFS=, read -r main ALT TOKEN <<<"$ports"
    R=127.0.0.1:$main
    export R ALT TOKEN LOG
}

teardown() {
    [ -n "${FAULTY_PID:-}" ] || return 0
    kill "$FAULTY_PID" 2>/dev/null || true
    wait "$FAULTY_PID" 2>/dev/null || true
}

# ask METHOD PATH [BODY]: one request to the registry itself, which must answer with 2xx.
ask() {
    local answer host=${R%:*} port=${R##*:}
    exec 9<>"/dev/tcp/$host/$port"
    printf '%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s' \
        "$1" "$2" "$R" "${#3}" "${3:-}" >&9
    IFS= read -r answer <&9
    exec 9>&-
    [[ $answer == *" 2"* ]] || fail "$1 $2: $answer"
}

# fault ACTION METHOD PATH [MORE]: adds a rule; MORE is further JSON members, as '"times": 0'.
fault() {
    ask POST /_fault "{\"action\": \"$1\", \"match\": {\"method\": \"$2\", \"path\": \"$3\"}${4:+, $4}}"
}

# logged TEXT...: how many requests have a log line with all of the texts.
logged() {
    local lines text
    lines=$(cat "$LOG")
    for text; do lines=$(grep -F -- "$text" <<<"$lines" || true); done
    [ -n "$lines" ] && wc -l <<<"$lines" || echo 0
}

logged_is() {
    local want=$1 got
    shift
    got=$(logged "$@")
    [ "$got" -eq "$want" ] || fail "expected $want requests with: $*, got $got" "$(cat "$LOG")"
}

# trips_are N COMMAND...: the command succeeds, and waits for at most N answers one after the other. The registry needs some
# --delay-ms, so that what is asked at the same time overlaps.
trips_are() {
    local most=$1 before chain
    shift
    before=$(wc -l <"$LOG")
    expect 0 "$@"
    chain=$(python3 -B "$root/tests/registry/trips.py" "$LOG" "$before")
    [ "${chain%% *}" -le "$most" ] || fail "at most $most round trips expected: $*" "$chain"
}

# shellcheck disable=SC2154 # stderr is set by run
err_lacks() { [[ $stderr != *"$1"* ]] || fail "not expected in stderr: $1" "got: $stderr"; }

# credentials TEXT: writes docker's configuration with the given JSON for $R.
credentials() {
    mkdir -p "$HOME/.docker"
    printf '{"auths": {"%s": %s}}\n' "$R" "$1" >"$HOME/.docker/config.json"
}

# as USER:PASSWORD
as() { credentials "{\"auth\": \"$(printf %s "$1" | base64 -w0)\"}"; }

# pushed: hello.wasm is in the registry as $R/a/b:v1.
pushed() {
    guest hello
    waybill push -q hello.wasm "$R/a/b:v1" >/dev/null || return 1
}

# refused STATUS MESSAGE: a pull ends with it, and leaves nothing.
refused() {
    expect "$1" waybill pull -o out.wasm "$R/a/b:v1"
    err_has "$2"
    out_is ""
    absent out.wasm
    tidy "$HOME" .
}

# good: a pull gives the bytes that were pushed.
good() {
    expect 0 waybill pull -o out.wasm "$R/a/b:v1"
    cmp hello.wasm out.wasm
    tidy "$HOME" .
}

# big MIB [SEED]: big.wasm, a module with a custom section of so many MiB of noise.
big() {
    python3 - "$@" <<'PY'
import random, sys
payload = b"\x05noise" + random.Random(int((sys.argv + [7])[2])).randbytes((int(sys.argv[1]) << 20) - 6)
size, length = len(payload), b""
while True:
    size, low = size >> 7, size & 0x7f
    length += bytes([low | (0x80 if size else 0)])
    if not size:
        break
open("big.wasm", "wb").write(b"\0asm\1\0\0\0" + b"\0" + length + payload)
PY
    # shellcheck disable=SC2034 # the tests use them
    SIZE=$(size_of big.wasm)
    HEX=$(sha256sum big.wasm | cut -d ' ' -f 1)
    # shellcheck disable=SC2034
    PARTIAL=$HOME/.cache/waybill/store/partial/sha256-$HEX
    # shellcheck disable=SC2034
    BLOB=$HOME/.cache/waybill/store/blobs/sha256/$HEX
}

# big_pushed MIB: the same as $R/a/b:v1.
big_pushed() {
    big "$1"
    waybill push -q big.wasm "$R/a/b:v1" >/dev/null || return 1
    : >"$LOG"
}
