#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Signatures with one thing wrong, made by somebody who has the right key, wherever it matters: what is refused, and with
# which exit status. The same with nothing wrong is taken, so that it is that thing which counts.
# shellcheck disable=SC2030,SC2031 # $output is set by run, in each test anew
load lib

setup_file() {
    local type
    mkdir "$BATS_FILE_TMPDIR/made"
    cd "$BATS_FILE_TMPDIR/made" || return 1
    for type in ed25519 p256 rsa; do "$WAYBILL" keygen --type $type -o $type >/dev/null; done
    "$WAYBILL" keygen -o other >/dev/null
    cp "$GUESTS/hello.wasm" "$GUESTS/args.wasm" .
    chmod u+w ./*.wasm
    "$WAYBILL" push -q hello.wasm oci:base:1 >/dev/null
    "$WAYBILL" sign --key ed25519.key -o signed.wasm hello.wasm >/dev/null
}

setup() {
    # shellcheck source=tests/cli/lib.bash
    source "$BATS_TEST_DIRNAME/lib.bash"
    eval "lib_$(declare -f setup)"
    lib_setup
    cp -r "$BATS_FILE_TMPDIR/made/." .
}

forge() { python3 -B "$BATS_TEST_DIRNAME/forge.py" "$@"; }
forge_token() { python3 -B "$BATS_TEST_DIRNAME/forge_tokens.py" "$@"; }
fresh() { rm -rf lay && cp -r base lay; }

# refused STATUS TARGET OPTION...: by verify with this status, by pull too, and not run.
refused() {
    local code=$1 target=$2
    shift 2
    expect "$code" waybill verify "$@" "$target"
    [ "${lines[-1]}" = "not verified: $target" ] || fail "$output"
    if [[ $target == oci:* ]]; then
        expect "$code" waybill pull "$@" -o out.wasm "$target"
        absent out.wasm
    fi
    expect 126 waybill run "$@" "$target"
    out_is ''
}

# beside KIND KEY STATUS WHAT...: signatures beside the artifact, of that kind and by that key.
beside() {
    local kind=$1 key=$2 code=$3 what
    shift 3
    fresh
    forge lay 1 "$key.key" "$kind" good
    expect 0 waybill verify --key "$key.pub" oci:lay:1
    for what; do
        echo "# $what"
        fresh
        forge lay 1 "$key.key" "$kind" "$what"
        refused "$code" oci:lay:1 --key "$key.pub"
    done
}

@test "cosign's payload: another digest, also in capitals: 17" { beside cosign ed25519 17 other-digest upper-case-digest; }

@test "cosign's payload: another type, none, more members, a digest twice: 16" {
    beside cosign ed25519 16 other-type no-type extra-member digest-twice
}

@test "cosign's payload: bytes behind the JSON, NUL, a byte order mark, no UTF-8, 70 levels, no JSON: 16" {
    beside cosign ed25519 16 trailing-bytes nul byte-order-mark no-utf8 deep no-json
}

@test "base64 with a newline, without padding, padding inside, another alphabet, bits that mean nothing: 16" {
    beside cosign ed25519 16 newline unpadded pad-inside no-alphabet url-alphabet last-bits
}

@test "ECDSA: long form, negative, leading zeros, bytes behind, zero, not below the order: 12" {
    beside cosign p256 12 ber-length negative leading-zero trailing-byte inner-trailing zero-r zero-s both-zero s-plus-n r-plus-n
}

@test "ECDSA: the other s is as good, and no second signer" {
    fresh
    forge lay 1 p256.key cosign other-s
    expect 0 waybill verify --key p256.pub oci:lay:1
    forge lay 1 p256.key bundle good
    printf '%s\n' 'version = 1' '[keys.a]' 'file = "p256.pub"' '[keys.b]' 'file = "ed25519.pub"' \
        '[scopes."oci:"]' 'keys = ["a", "b"]' 'threshold = 2' >policy.toml
    chmod go-w . policy.toml ./*.pub
    refused 15 oci:lay:1 --policy policy.toml
    forge lay 1 ed25519.key bundle good
    expect 0 waybill verify --policy policy.toml oci:lay:1
}

@test "Ed25519: S + L, short, long, empty: 12" { beside cosign ed25519 12 s-plus-l short long empty; }

@test "RSA: s + n, with a zero in front, short, empty: 12" { beside cosign rsa 12 plus-modulus zero-prefixed short empty; }

# spki HEX: an Ed25519 public key in PEM.
spki() {
    printf -- '-----BEGIN PUBLIC KEY-----\n%s\n-----END PUBLIC KEY-----\n' \
        "$(xxd -r -p <<<"302a300506032b6570032100$1" | base64 -w0)"
}

@test "keys that are none: Ed25519 of small order, with small y, not reduced, off the curve: 16" {
    local key zeros
    zeros=$(printf %048d 0)
    for key in "$(printf %064d 0)" "01$(printf %062d 0)" c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a \
        ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f \
        "${zeros:0:46}0500000000000000$(printf %010d 0)" 0200000000000000000000000000000000000000000000000000000000000000; do
        spki "$key" >weak.pub
        expect 16 waybill verify --key weak.pub signed.wasm
    done
}

@test "keys that are none: RSA with 1024 bits, with e = 3" {
    openssl genrsa -out small.key 1024 2>/dev/null
    openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3 -out three.key 2>/dev/null
    local name
    for name in small three; do
        openssl pkey -in $name.key -pubout -out $name.pub 2>/dev/null
        expect 1 waybill verify --key $name.pub oci:base:1
        err_has RSA
    done
}

@test "DSSE: lengths in characters, no such encoding at all, another type, other bytes than were signed: 12" {
    beside bundle ed25519 12 pae-characters no-pae payload-type payload-spaced s-plus-l
}

@test "DSSE: no signature, two, another key identifier, a payload twice, a newline in it: 16" {
    beside bundle ed25519 16 no-signature two-signatures other-keyid payload-twice payload-newline
}

@test "DSSE: a payload in the alphabet for URLs is one" {
    fresh
    forge lay 1 ed25519.key bundle payload-url
    expect 0 waybill verify --key ed25519.pub oci:lay:1
}

@test "an attestation is no signature: 10" { beside bundle ed25519 10 attestation; }

@test "statements: no subject, one without a digest, too many, twice, of another version: 16" {
    beside bundle ed25519 16 no-subject name-only many-subjects many-digests subject-twice other-statement-type
}

@test "statements: another subject, another one by SHA-512, in capitals: 17" {
    beside bundle ed25519 17 other-subject sha512-subject upper-case-subject
}

# certificate NAME [OPENSSL-OPTION...]: NAME.pem, of the key NAME.key, which names itself as its issuer.
certificate() {
    [ -e "$1.key" ] || openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1.key" 2>/dev/null
    openssl req -x509 -new -key "$1.key" -out "$1.pem" -days 30 -subj /C=US/ST=WA/O=acme "${@:2}" 2>/dev/null
}
leaf() { certificate "$1" -addext basicConstraints=critical,CA:FALSE -addext keyUsage=critical,digitalSignature "${@:2}"; }

# notary STATUS WHAT...: tokens of leaf.key, which the trust store has.
notary() {
    local code=$1 what
    shift
    [ -e leaf.pem ] || leaf leaf
    fresh
    forge_token notation lay 1 leaf.key leaf.pem good
    expect 0 waybill verify --trust-store leaf.pem oci:lay:1
    for what; do
        echo "# $what"
        fresh
        forge_token notation lay 1 leaf.key leaf.pem "$what"
        refused "$code" oci:lay:1 --trust-store leaf.pem
    done
}

@test "JWS: alg none, HMAC with the public key, of another key, in both headers, twice: 16" {
    notary 16 alg-none alg-None alg-hs256 alg-es384 alg-rs256 alg-ps256 alg-outside alg-twice
}

@test "JWS: crit with what is not known, empty, missing, twice; b64; jwk, jku, kid, x5u; other contents: 16" {
    notary 16 crit-unknown crit-empty crit-missing crit-twice b64-false jwk jku kid x5u other-contents expiry-not-critical no-chain
}

@test "JWS: for another digest, size or type: 17" { notary 17 other-digest other-size other-media-type; }

@test "JWS: no signature: 12; expired: 14; a stray certificate: 13; a scheme that is not known: 12" {
    notary 12 no-signature other-scheme
    notary 14 expired
    notary 13 stray
}

@test "JWS: a chain of somebody's own with a good signature: 13; the trusted chain with a signature by another key: 12" {
    leaf leaf
    leaf evil
    fresh
    forge_token notation lay 1 evil.key evil.pem good
    refused 13 oci:lay:1 --trust-store leaf.pem
    fresh
    forge_token notation lay 1 evil.key leaf.pem good
    refused 12 oci:lay:1 --trust-store leaf.pem
    cat evil.pem leaf.pem >both.pem
    fresh
    forge_token notation lay 1 evil.key both.pem good
    refused 13 oci:lay:1 --trust-store leaf.pem
}

# issued NAME CA EXTENSION...: NAME.pem, by CA.
issued() {
    local name=$1 ca=$2
    shift 2
    openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$name.key" 2>/dev/null
    openssl req -new -key "$name.key" -subj "/C=US/ST=WA/O=$name" -out "$name.csr" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA "$ca.pem" -CAkey "$ca.key" -days 30 -set_serial "$RANDOM" -out "$name.pem" \
        -extfile <(printf '%s\n' "$@") "${DIGEST:--sha256}" 2>/dev/null
}

# chained STATUS LEAF CA...: a token of the leaf with these above it; the last is in the store.
chained() {
    local code=$1 leaf=$2
    shift 2
    fresh
    cat "$leaf.pem" "${@/%/.pem}" >chain.pem
    forge_token notation lay 1 "$leaf.key" chain.pem "${WHAT:-good}"
    if [ "$code" -eq 0 ]; then
        expect 0 waybill verify --trust-store "${*: -1}.pem" oci:lay:1
    else
        refused "$code" oci:lay:1 --trust-store "${*: -1}.pem"
    fi
}

@test "certificates: no CA above, a path too long, no key usage, for servers, SHA-1, only the same name: 13; wrong order: 12" {
    local good='keyUsage=critical,digitalSignature' ca='basicConstraints=critical,CA:TRUE'
    certificate root -addext keyUsage=critical,keyCertSign -subj /C=US/ST=WA/O=root
    issued middle root "$ca,pathlen:0" keyUsage=critical,keyCertSign
    issued one middle "$good"
    chained 0 one middle root
    issued below one "$good"
    chained 13 below one middle root
    issued deeper middle "$ca" keyUsage=critical,keyCertSign
    issued deepest deeper "$good"
    chained 13 deepest deeper middle root
    issued nousage middle basicConstraints=CA:FALSE
    chained 13 nousage middle root
    issued server middle "$good" extendedKeyUsage=serverAuth
    chained 13 server middle root
    issued encipher middle keyUsage=critical,digitalSignature,keyEncipherment
    chained 13 encipher middle root
    DIGEST=-sha1 issued weak middle "$good"
    chained 13 weak middle root
    WHAT=wrong-order chained 12 one middle root
    # an anchor of the same name and another key
    rm root.key
    certificate root -addext keyUsage=critical,keyCertSign -subj /C=US/ST=WA/O=root
    fresh
    cat one.pem middle.pem >chain.pem
    forge_token notation lay 1 one.key chain.pem good
    refused 13 oci:lay:1 --trust-store root.pem
}

@test "certificates: expired and not yet valid by the clock: 14; a store of links: 2" {
    leaf leaf
    fresh
    forge_token notation lay 1 leaf.key leaf.pem good
    refused 14 oci:lay:1 --trust-store leaf.pem --now 2100-01-01T00:00:00Z
    refused 14 oci:lay:1 --trust-store leaf.pem --now 2000-01-01T00:00:00Z
    mkdir -p store
    ln -s ../leaf.pem store/leaf.pem
    expect 2 waybill verify --trust-store store oci:lay:1
    err_has 'symbolic links'
}

# claimed STATUS WHAT...: tokens in the module.
claimed() {
    local code=$1 what
    shift
    forge_token claims hello.wasm claimed.wasm ed25519.key good
    expect 0 waybill verify --key ed25519.pub claimed.wasm
    for what; do
        echo "# $what"
        forge_token claims hello.wasm claimed.wasm ed25519.key "$what"
        refused "$code" claimed.wasm --key ed25519.pub
    done
}

@test "claims: expired, at the beginning of 1970, not yet valid: 14" { claimed 14 expired expires-1970 not-yet; }

@test "claims: times that are no numbers, negative, huge; members twice; two sections; headers: 16" {
    claimed 16 expiry-float expiry-exponent expiry-negative expiry-huge expiry-text issuer-twice two-sections two-names \
        alg-none alg-eddsa jwk padded issuer-kind no-module
}

@test "claims: of revision 2, of none, for another module: 17; by another issuer, changed: 12" {
    claimed 17 revision-2 no-revision other-hash
    claimed 12 foreign-issuer changed
}

@test "claims inside a component's module are none of the component" {
    guest component-ok
    waybill sign --format claims --key ed25519.key -o inner.wasm hello.wasm >/dev/null
    python3 - <<'PY'
inner, size = open("inner.wasm", "rb").read(), b""
n = len(inner)
while True:
    n, low = n >> 7, n & 127
    size += bytes([low | (128 if n else 0)])
    if not n:
        break
open("outer.wasm", "wb").write(b"\0asm\x0d\0\1\0\1" + size + inner)
PY
    refused 10 outer.wasm --key ed25519.pub
}

# module STATUS WHAT...: the module that ed25519.key signed, after somebody had it.
module() {
    local code=$1 what
    shift
    forge_token module signed.wasm moved.wasm args.wasm good
    expect 0 waybill verify --key ed25519.pub moved.wasm
    for what; do
        echo "# $what"
        forge_token module signed.wasm moved.wasm args.wasm "$what"
        refused "$code" moved.wasm --key ed25519.pub
    done
}

@test "modules: a signature that is not first, two, lengths and numbers out of bounds, names: 16" {
    module 16 not-first second at-the-end component length-overflow length-high-bits length-six-bytes name-no-utf8 \
        many-sets many-hashes large-set version hash-function trailing-payload empty-section
}

@test "modules: sections and bytes behind, a splice, cut off, changed: 17; names that are nearly right: 10" {
    module 17 suffix-section suffix-bytes splice cut changed
    module 10 name-nul name-case
}

@test "a delimiter and all behind it cut away: 17" {
    { cat hello.wasm && printf '\0\5\4caps\0\6\5notes'; } >noted.wasm
    waybill sign --key ed25519.key --split '^caps$' -o split.wasm noted.wasm >/dev/null
    expect 0 waybill verify --key ed25519.pub split.wasm
    head -c $(($(size_of split.wasm) - 8)) split.wasm >cut.wasm
    refused 17 cut.wasm --key ed25519.pub
}

@test "long messages: a signature of the first bytes is none of 64 KiB more, and one of all is good" {
    command -v minisign >/dev/null || skip "minisign is not installed"
    minisign -G -W -p m.pub -s m.key >/dev/null
    minisign -S -l -W -s m.key -m hello.wasm >/dev/null
    expect 0 waybill verify --key m.pub --signature hello.wasm.minisig hello.wasm
    local head
    for head in '\4\4\0' '\0' '\4\4\4'; do
        # shellcheck disable=SC2059 # the format is the bytes
        { cat hello.wasm && printf "$head" && head -c 65533 /dev/zero; } | head -c $(($(size_of hello.wasm) + 65536)) >longer.wasm
        expect 12 waybill verify --key m.pub --signature hello.wasm.minisig longer.wasm
    done
    minisign -S -l -W -s m.key -m longer.wasm >/dev/null
    expect 0 waybill verify --key m.pub --signature longer.wasm.minisig longer.wasm
}

@test "long statements: what Ed25519 signs is what openssl verifies, beyond 64 KiB too" {
    printf '{"bomFormat":"CycloneDX","specVersion":"1.5","x":"%s"}' "$(head -c 90000 /dev/zero | tr '\0' x)" >bom.json
    expect 0 waybill attest --key ed25519.key --type cyclonedx --predicate bom.json oci:base:1
    expect 0 waybill verify --key ed25519.pub --attestation cyclonedx oci:base:1
    expect 12 waybill verify --key other.pub --attestation cyclonedx oci:base:1
    local blob
    blob=$(grep -l dsseEnvelope base/blobs/sha256/*)
    jq -j .dsseEnvelope.payload "$blob" | base64 -d >payload
    jq -j '.dsseEnvelope.signatures[0].sig' "$blob" | base64 -d >signature
    { printf 'DSSEv1 28 application/vnd.in-toto+json %d ' "$(size_of payload)" && cat payload; } >message
    expect 0 openssl pkeyutl -verify -rawin -pubin -inkey ed25519.pub -in message -sigfile signature
}

# shown COMMAND...: what it says holds nothing that a terminal obeys or hides.
shown() {
    run --separate-stderr "$@"
    # shellcheck disable=SC2154 # stderr is set by run
    if LC_ALL=C.UTF-8 grep -nP '[\x00-\x08\x0b-\x1f\x7f]|\x{9b}|\x{202e}' <<<"$output$stderr" | cat -v | grep .; then
        fail "$*"
    fi
}

@test "escape sequences, also of one character, and reversed text are shown as what they are, in JSON too" {
    local e=$'\e[31m\a\xc2\x9b31m\xe2\x80\xae\x7f' how
    cp ed25519.pub "k$e.pub"
    cp signed.wasm "s$e.wasm"
    waybill sign -q --key ed25519.key -a "n$e=v$e" oci:base:1 >/dev/null
    printf '{}' >p.json
    waybill attest -q --key ed25519.key --type "https://x.example/$e" --predicate p.json oci:base:1 >/dev/null
    waybill sign --format claims --key ed25519.key --name "n$e" --cap "c$e" --tag "t$e" -o claimed.wasm hello.wasm >/dev/null
    python3 - "$e" <<'PY'
import json, sys
q = lambda s: json.dumps(s + sys.argv[1])
with open("policy.toml", "w") as f:
    f.write('version = 1\n[keys.%s]\nfile = "ed25519.pub"\n[scopes."oci:"]\nkeys = [%s]\n' % (q("k"), q("k")))
    f.write('[[scopes."oci:".attestation]]\ntype = "spdx"\nname = %s\n' % q("a"))
PY
    chmod go-w . policy.toml ed25519.pub
    for how in '' --json --sarif; do
        # shellcheck disable=SC2086 # nothing, or one word
        {
            shown waybill verify $how --key "k$e.pub" "s$e.wasm" "none$e.wasm" claimed.wasm oci:base:1
            shown waybill verify $how --policy policy.toml oci:base:1
        }
    done
    for how in '' --json; do
        # shellcheck disable=SC2086
        {
            shown waybill tree $how --key "k$e.pub" oci:base:1
            shown waybill inspect $how --sections claimed.wasm
            shown waybill policy check $how policy.toml
            shown waybill policy explain $how --policy policy.toml "oci:base$e:1"
            shown waybill key show $how "k$e.pub"
            shown waybill pull $how --key "k$e.pub" -o "out$e.wasm" oci:base:1
        }
    done
    shown waybill verify --debug --key "k$e.pub" oci:base:1
    expect 0 waybill verify --json --key "k$e.pub" signed.wasm
    [ "$(jq -r '.checks[0].key' <<<"$output")" = "k$e.pub" ] || fail "$output"
}

@test "a key file, a policy and what it names: a FIFO, a folder, no end" {
    local kind file
    printf '%s\n' 'version = 1' '[keys.a]' 'file = "key.pub"' '[scopes."oci:"]' 'keys = ["a"]' >good.toml
    chmod go-w . good.toml
    for kind in fifo folder endless; do
        for file in policy.toml key.pub; do
            rm -rf key.pub policy.toml
            cp good.toml policy.toml
            cp ed25519.pub key.pub
            chmod go-w key.pub
            rm $file
            case $kind in
            fifo) mkfifo $file ;;
            folder) mkdir $file ;;
            endless) truncate -s 1T $file ;;
            esac
            run --separate-stderr timeout 20 "$WAYBILL" verify --policy policy.toml oci:base:1
            [ "$status" -eq 2 ] || [ "$status/$kind/$file" = 16/endless/policy.toml ] || fail "$kind $file: $status" "$stderr"
        done
        # a pipe that is named on the command line is waited for, and read as far as a key can be long
        # shellcheck disable=SC2016 # the shell below expands it
        case $kind in
        fifo) run --separate-stderr timeout 20 bash -c '"$WAYBILL" verify --key <(yes) oci:base:1' ;;
        *) run --separate-stderr timeout 20 "$WAYBILL" verify --key key.pub oci:base:1 ;;
        esac
        [[ $status == 1 || $status == 16 ]] || fail "$kind: $status" "$stderr"
    done
}

@test "a layout's files: FIFOs, folders, links, no end; they are not read" {
    waybill sign -q --key ed25519.key oci:base:1 >/dev/null
    local kind file
    for file in index.json oci-layout "blobs/sha256/$(sha256sum <hello.wasm | cut -d' ' -f1)" \
        blobs/sha256/"$(jq -r '.manifests[0].digest' base/index.json | cut -d: -f2)" \
        blobs/sha256/"$(jq -r '.manifests[1].digest' base/index.json | cut -d: -f2)"; do
        for kind in fifo folder link endless; do
            fresh
            rm "lay/$file"
            case $kind in
            fifo) mkfifo "lay/$file" ;;
            folder) mkdir "lay/$file" ;;
            link) ln -s "$PWD/base/$file" "lay/$file" ;;
            endless) truncate -s 1T "lay/$file" ;;
            esac
            run timeout 20 "$WAYBILL" pull --key ed25519.pub -o out.wasm oci:lay:1
            [[ $status == 1 || $status == 1[67] ]] || fail "$file $kind: $status" "$output"
            absent out.wasm
            run timeout 20 "$WAYBILL" run --key ed25519.pub oci:lay:1
            [[ $status == 12[56] && $output != *'hello from'* ]] || fail "$file $kind: $status" "$output"
        done
    done
}

@test "an ssh-agent that takes no connection is not waited for" {
    command -v ssh-keygen >/dev/null || skip "ssh-keygen is not there"
    ssh-keygen -q -t ed25519 -N '' -f mine
    python3 -B - agent 3>&- <<'PY' &
import socket, sys, time
s = socket.socket(socket.AF_UNIX)
s.bind(sys.argv[1])
s.listen(0)
full = []
try:
    for _ in range(10):
        c = socket.socket(socket.AF_UNIX)
        c.setblocking(False)
        c.connect(sys.argv[1])
        full.append(c)
except BlockingIOError:
    open("full", "w").close()
time.sleep(30)
PY
    local pid=$! try
    for ((try = 0; try < 100; try++)); do
        [ ! -e full ] || break
        sleep 0.05
    done
    SSH_AUTH_SOCK=$PWD/agent expect 124 timeout -k 1 20 "$WAYBILL" sign --key mine.pub oci:base:1
    err_has 'ssh-agent does not answer'
    kill "$pid"
    wait "$pid" || true
}
