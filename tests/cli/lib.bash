# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What every test of the program shares: a private home and folder, and words to say what is expected.
# shellcheck disable=SC2154 # status, output, stderr and lines are set by bats' run
bats_require_minimum_version 1.5.0

root=$(cd "$BATS_TEST_DIRNAME/../.." && pwd)
: "${WAYBILL:=$root/build/release/bin/waybill}" "${GUESTS:=$root/build/guests}"
export WAYBILL GUESTS
# The tests have a home of their own; what is built for them once is in that of the user.
: "${PEERS:=${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}" "${USER_HOME:=$HOME}"
export PEERS USER_HOME

setup() {
    export HOME=$BATS_TEST_TMPDIR/home TMPDIR=$BATS_TEST_TMPDIR/tmp LC_ALL=C
    unset XDG_CACHE_HOME XDG_CONFIG_HOME XDG_RUNTIME_DIR DOCKER_CONFIG DOCKER_AUTH_CONFIG REGISTRY_AUTH_FILE
    unset WAYBILL_LOG WAYBILL_CACHE_SIZE WAYBILL_USERNAME WAYBILL_PASSWORD WAYBILL_IDENTITY_TOKEN COSIGN_PASSWORD
    unset CONTAINERS_REGISTRIES_CONF http_proxy https_proxy HTTPS_PROXY all_proxy ALL_PROXY no_proxy NO_PROXY
    mkdir -p "$HOME" "$TMPDIR" "$BATS_TEST_TMPDIR/work"
    cd "$BATS_TEST_TMPDIR/work" || return 1
}

waybill() { "$WAYBILL" "$@"; }

# A guest of the test data into the folder of the test.
guest() {
    local name
    for name; do cp "$GUESTS/$name.wasm" . && chmod u+w "$name.wasm"; done
}

# expect STATUS COMMAND...: runs it; then $output, $stderr and $lines hold what it said.
expect() {
    local want=$1
    shift
    # bats wants to be told when 127 is no accident.
    [ "$want" -ne 127 ] || set -- -127 "$@"
    run --separate-stderr "$@"
    if [ "$status" -ne "$want" ]; then
        printf 'expected status %s, got %s: %s\n' "$want" "$status" "$*"
        printf 'stdout: %s\nstderr: %s\n' "$output" "$stderr"
        return 1
    fi
}

fail() {
    printf '%s\n' "$@"
    return 1
}

out_is() { [ "$output" = "$1" ] || fail "expected on stdout: $1" "got: $output"; }
out_has() { [[ $output == *"$1"* ]] || fail "expected in stdout: $1" "got: $output"; }
out_lacks() { [[ $output != *"$1"* ]] || fail "not expected in stdout: $1" "got: $output"; }
err_is() { [ "$stderr" = "$1" ] || fail "expected on stderr: $1" "got: $stderr"; }
err_has() { [[ $stderr == *"$1"* ]] || fail "expected in stderr: $1" "got: $stderr"; }
absent() {
    local path
    for path; do
        if [ -e "$path" ] || [ -L "$path" ]; then fail "$path is there"; fi
    done
}
# No temporary file was left in the given folders.
tidy() {
    local left
    left=$(find "$@" -name '.waybill-*' -o -name '*.tmp')
    [ -z "$left" ] || fail "left behind: $left"
}
size_of() { stat -c %s "$1"; }

# flip FILE OFFSET: inverts the lowest bit of one byte.
flip() {
    local byte
    byte=$(od -An -tu1 -j "$2" -N 1 "$1")
    # shellcheck disable=SC2059 # the format is the byte
    printf "\\x$(printf %02x $((byte ^ 1)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# leb N: N as LEB128.
leb() {
    local n=$1 byte
    while :; do
        byte=$((n & 127))
        n=$((n >> 7))
        [ "$n" -eq 0 ] || byte=$((byte | 128))
        # shellcheck disable=SC2059
        printf "\\x$(printf %02x "$byte")"
        [ "$n" -ne 0 ] || break
    done
}

# big_guest FILE BYTES: the guest hello with a custom section of that size behind it.
big_guest() {
    {
        cat "$GUESTS/hello.wasm"
        printf '\0'
        leb $(($2 + 4))
        printf '\3pad'
        head -c "$2" /dev/zero
    } >"$1"
}

# signed_guests: alice and bob's keys; hello.wasm, signed.wasm (by alice), changed.wasm (signed, then a byte of it changed),
# spliced.wasm (alice's signature of hello.wasm in front of another module).
signed_guests() {
    guest hello args
    waybill keygen -o alice >/dev/null
    waybill keygen -o bob >/dev/null
    waybill sign --key alice.key -o signed.wasm hello.wasm >/dev/null
    cp signed.wasm changed.wasm
    flip changed.wasm $(($(size_of changed.wasm) - 20))
    local section=$(($(size_of signed.wasm) - $(size_of hello.wasm)))
    {
        head -c 8 args.wasm
        tail -c +9 signed.wasm | head -c $section
        tail -c +9 args.wasm
    } >spliced.wasm
}

# start_registry [OPTION...]: Debian's registry on a free port of the loopback interface; sets REGISTRY (host:port),
# REGISTRY_ROOT (its storage) and REGISTRY_LOG, for the one that was started last. Call it in setup_file.
#   --tls CERT KEY     it speaks TLS
#   --client-ca CA     and wants a client certificate that this authority signed
#   --htpasswd FILE    it wants a user and a password: see htpasswd_line
#   --relative         the locations it names are paths without a host
# stop_registry ends all that were started.
start_registry() {
    local tls='' clients='' auth='' relative='' n=0
    while [ $# -gt 0 ]; do
        case $1 in
        --tls) tls="tls: {certificate: $2, key: $3${clients:+, clientcas: [$clients]}}" && shift 3 ;;
        --client-ca) clients=$2 && shift 2 && tls=${tls:+${tls%\}}, clientcas: [$clients]\}} ;;
        --relative) relative=', relativeurls: true' && shift ;;
        --htpasswd) auth="auth: {htpasswd: {realm: test, path: $2}}" && shift 2 ;;
        *) fail "start_registry: $1?" || return 1 ;;
        esac
    done
    while [ -e "$BATS_FILE_TMPDIR/registry$n" ]; do n=$((n + 1)); done
    REGISTRY_ROOT=$BATS_FILE_TMPDIR/registry$n
    REGISTRY_LOG=$REGISTRY_ROOT.log
    mkdir -p "$REGISTRY_ROOT"
    : >"$REGISTRY_LOG"
    cat >"$REGISTRY_ROOT.yml" <<END
version: 0.1
log: {level: info}
storage:
  filesystem: {rootdirectory: $REGISTRY_ROOT}
  delete: {enabled: true}
$auth
http: {addr: "127.0.0.1:0"$relative${tls:+, $tls}}
END
    # It reads its configuration from variables of these names, too.
    env -u REGISTRY -u REGISTRY_LOG -u REGISTRY_ROOT -u REGISTRY_PIDS OTEL_TRACES_EXPORTER=none \
        docker-registry serve "$REGISTRY_ROOT.yml" >>"$REGISTRY_LOG" 2>&1 3>&- &
    REGISTRY_PIDS="${REGISTRY_PIDS:-} $!"
    local try port=
    for ((try = 0; try < 100; try++)); do
        port=$(sed -n 's/.*listening on 127\.0\.0\.1:\([0-9]*\).*/\1/p' "$REGISTRY_LOG")
        [ -z "$port" ] || break
        kill -0 $! 2>/dev/null || break
        sleep 0.1
    done
    [ -n "$port" ] || fail "the registry did not start" "$(cat "$REGISTRY_LOG")"
    REGISTRY=127.0.0.1:$port
    export REGISTRY REGISTRY_ROOT REGISTRY_LOG REGISTRY_PIDS
}

need_registry() { command -v docker-registry >/dev/null || skip "docker-registry is not installed"; }

stop_registry() {
    local pid
    for pid in ${REGISTRY_PIDS:-}; do
        kill "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    REGISTRY_PIDS=
}

# htpasswd_line USER PASSWORD: a line for --htpasswd.
htpasswd_line() {
    python3 -W ignore -c 'import crypt, sys
print(sys.argv[1] + ":" + crypt.crypt(sys.argv[2], crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=16)))' "$1" "$2"
}

# make_ca NAME: a private authority, NAME.pem and NAME.key, in the working folder.
make_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.pem" -days 2 \
        -subj "/CN=$1" -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign 2>/dev/null
}

# make_cert NAME CA SAN [DAYS]: NAME.pem and NAME.key, signed by the authority. SAN: "IP:127.0.0.1,DNS:localhost".
make_cert() {
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.csr" \
        -subj "/CN=$1" 2>/dev/null
    openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days "${4:-2}" -out "$1.pem" \
        -extfile <(echo "subjectAltName=$3") 2>/dev/null
}

# start_ggcr: go-containerregistry's registry, which has the referrers API, on a free port of the loopback interface; sets GGCR
# (host:port). Call it in setup_file, and need_ggcr in every test, which skips, saying why, where it cannot be built.
# stop_ggcr ends it.
start_ggcr() {
    local program port=$BATS_FILE_TMPDIR/ggcr.port
    program=$(HOME=$USER_HOME "$root/tests/interop/ggcr/build.sh" 2>"$BATS_FILE_TMPDIR/ggcr.why") || return 0
    mkdir -p "$BATS_FILE_TMPDIR/ggcr"
    "$program" "$port" "$BATS_FILE_TMPDIR/ggcr" >"$BATS_FILE_TMPDIR/ggcr.log" 2>&1 3>&- &
    GGCR_PID=$!
    local try
    for ((try = 0; try < 100; try++)); do
        [ ! -s "$port" ] || break
        kill -0 "$GGCR_PID" 2>/dev/null || break
        sleep 0.05
    done
    [ -s "$port" ] || fail "the registry did not start" "$(cat "$BATS_FILE_TMPDIR/ggcr.log")"
    GGCR=127.0.0.1:$(cat "$port")
    export GGCR GGCR_PID
}

need_ggcr() { [ -n "${GGCR:-}" ] || skip "$(cat "$BATS_FILE_TMPDIR/ggcr.why")"; }

stop_ggcr() {
    [ -n "${GGCR_PID:-}" ] || return 0
    kill "$GGCR_PID" 2>/dev/null || true
    wait "$GGCR_PID" 2>/dev/null || true
}

# requests: how many the registry has answered so far; it writes its log after the answer.
requests() {
    sleep 0.2
    grep -cE '"(GET|HEAD|POST|PUT|PATCH|DELETE) /' "$REGISTRY_LOG" || true
}
