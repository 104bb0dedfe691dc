#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Embedded signatures against wasmsign2: each verifies what the other signs, and waybill refuses what wasmsign2 lets
# pass. TAP. Uses $WAYBILL, $GUESTS, $PEERS (a folder outside the tree) and $INSTALL_PEERS; see run.sh.
set -u
WAYBILL=${WAYBILL:-$PWD/build/release/bin/waybill}
GUESTS=${GUESTS:-$PWD/build/guests}
PEERS=${PEERS:-${XDG_CACHE_HOME:-$HOME/.cache}/waybill-peers}
version=0.2.8
bad=0

skip() {
    echo "ok - wasmsign2 # SKIP $1"
    exit 0
}

peer=$PEERS/bin/wasmsign2
if [ ! -x "$peer" ] && [ "${INSTALL_PEERS:-0}" = 1 ]; then
    command -v cargo >/dev/null || skip "cargo is not there to install it"
    cargo install wasmsign2-cli --version "$version" --locked --root "$PEERS" >&2 || skip "cargo could not install it"
fi
[ -x "$peer" ] || skip "not in $PEERS: make interop installs it"
command -v openssl >/dev/null || skip "openssl is not there to convert keys"
command -v python3 >/dev/null || skip "python3 is not there to edit modules"
for guest in hello component-ok; do
    [ -f "$GUESTS/$guest.wasm" ] || skip "no $guest.wasm in $GUESTS"
done

dir=$(mktemp -d) || exit 2
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 2

# is NAME WANTED COMMAND...: the command's exit status.
is() {
    local name=$1 want=$2 got=0
    shift 2
    "$@" >out 2>&1 </dev/null || got=$?
    if [ "$got" -eq "$want" ]; then
        echo "ok - wasmsign2: $name"
    else
        echo "not ok - wasmsign2: $name: status $got instead of $want"
        sed 's/^/# /' out
        bad=1
    fi
}
# says NAME COMMAND...: only what wasmsign2 answers.
says() {
    local name=$1 answer=refuses
    shift
    "$peer" "$@" >out 2>&1 </dev/null && answer=ACCEPTS
    echo "# wasmsign2 $answer: $name"
}

# wasmsign2's command line takes raw keys: 01 and 32 bytes, or 81, the seed and the public key.
to_raw() { # NAME: NAME.key -> NAME.pk and NAME.sk
    { printf '\001' && openssl pkey -in "$1.key" -pubout -outform DER | tail -c 32; } >"$1.pk"
    { printf '\201' && openssl pkey -in "$1.key" -outform DER | tail -c 32 && tail -c 32 "$1.pk"; } >"$1.sk"
}
to_pem() { # NAME: NAME.sk and NAME.pk -> NAME.key and NAME.pub
    { printf '\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00' && tail -c 32 "$1.pk"; } |
        openssl pkey -pubin -inform DER -pubout -out "$1.pub"
    { printf '\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20' && tail -c +2 "$1.sk" | head -c 32; } |
        openssl pkey -inform DER -out "$1.key"
}

cat >edit.py <<'EOF'
import sys

def leb(n):
    out = b""
    while True:
        out += bytes([n & 0x7F | (0x80 if n > 0x7F else 0)])
        n >>= 7
        if not n:
            return out

def read_leb(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
        if not data[at - 1] & 0x80:
            return value, at

def sections(data):
    at, out = 8, []
    while at < len(data):
        size, body = read_leb(data, at + 1)
        out.append(data[at:body + size])
        at = body + size
    return out

def custom(name, payload):
    body = leb(len(name)) + name + payload
    return b"\0" + leb(len(body)) + body

DELIMITER = custom(b"signature_delimiter", bytes(16))
how, source, target = sys.argv[1:4]
data = open(source, "rb").read()
head, parts = data[:8], sections(data)
if how == "delimit":  # one in the middle and one at the end
    parts = parts[:2] + [DELIMITER] + parts[2:] + [custom(b"caps", b"few"), DELIMITER]
elif how == "cut":  # everything behind the first delimiter
    parts = parts[:[p[:22] for p in parts].index(DELIMITER[:22]) + 1]
elif how == "cut-last":  # the last part
    parts = parts[:-2]
elif how == "append":
    parts.append(custom(b"caps", b"all"))
elif how == "annotate":
    parts += [custom(b"caps", b"few"), custom(b"notes", b"old")]
elif how == "splice":  # the signature of argv[4] in front
    parts.insert(0, sections(open(sys.argv[4], "rb").read())[0])
elif how == "swap":
    head = bytes.fromhex("0061736d0d000100" if head[4] == 1 else "0061736d01000000")
elif how == "pad":  # lengths in five bytes
    parts = [p[:1] + bytes([n & 0x7F | 0x80, n >> 7 & 0x7F | 0x80, n >> 14 & 0x7F | 0x80, n >> 21 & 0x7F | 0x80, n >> 28])
             + p[at:] for p in parts for n, at in [read_leb(p, 1)]]
open(target, "wb").write(head + b"".join(parts))
EOF
edit() { python3 edit.py "$@"; }

is "keygen" 0 "$WAYBILL" keygen -o ours
to_raw ours
is "their keygen" 0 "$peer" keygen -k theirs.sk -K theirs.pk
to_pem theirs
is "another keygen" 0 "$WAYBILL" keygen -o foreign
to_raw foreign

cp "$GUESTS/hello.wasm" module.wasm
cp "$GUESTS/component-ok.wasm" component.wasm
edit delimit module.wasm parts.wasm
edit pad module.wasm padded.wasm
for kind in module component parts padded; do
    is "$kind: we sign" 0 "$WAYBILL" sign --key ours.key "$kind.wasm" -o "$kind.ours"
    is "$kind: they verify it" 0 "$peer" verify -K ours.pk -i "$kind.ours"
    is "$kind: they refuse a foreign key" 1 "$peer" verify -K foreign.pk -i "$kind.ours"
    is "$kind: they sign" 0 "$peer" sign -k theirs.sk -K theirs.pk -i "$kind.wasm" -o "$kind.theirs"
    is "$kind: we verify it" 0 "$WAYBILL" verify --key theirs.pub "$kind.theirs"
    is "$kind: we refuse a foreign key" 12 "$WAYBILL" verify --key foreign.pub "$kind.theirs"
    is "$kind: they sign without a key identifier" 0 "$peer" sign -k theirs.sk -i "$kind.wasm" -o "$kind.anonymous"
    is "$kind: we verify it" 0 "$WAYBILL" verify --key theirs.pub "$kind.anonymous"
    is "$kind: we sign what they signed" 0 "$WAYBILL" sign --key ours.key "$kind.theirs" -o "$kind.both"
    is "$kind: they verify theirs in it" 0 "$peer" verify -K theirs.pk -i "$kind.both"
    is "$kind: they verify ours in it" 0 "$peer" verify -K ours.pk -i "$kind.both"
    is "$kind: we verify theirs in it" 0 "$WAYBILL" verify --key theirs.pub "$kind.both"
    # They write the lengths of sections anew, which is another file where those were padded.
    [ "$kind" = padded ] && continue
    is "$kind: they sign what we signed" 0 "$peer" sign -k theirs.sk -K theirs.pk -i "$kind.ours" -o "$kind.both"
    is "$kind: we verify theirs in it" 0 "$WAYBILL" verify --key theirs.pub "$kind.both"
    is "$kind: we verify ours in it" 0 "$WAYBILL" verify --key ours.pub "$kind.both"
done

edit cut parts.theirs cut.wasm
says "sections cut off at a delimiter" verify -K theirs.pk -i cut.wasm
is "cut off at a delimiter: we refuse" 17 "$WAYBILL" verify --key theirs.pub cut.wasm

edit append parts.theirs appended.wasm
says "a section appended behind the last delimiter" verify -K theirs.pk -i appended.wasm
says "the same, checked section by section" verify -K theirs.pk -i appended.wasm -s '.*'
is "appended behind the last delimiter: we refuse" 17 "$WAYBILL" verify --key theirs.pub appended.wasm

edit splice "$GUESTS/exit.wasm" spliced.wasm module.theirs
says "the signature of another module, no delimiters" verify -K theirs.pk -i spliced.wasm
says "the same, checked section by section" verify -K theirs.pk -i spliced.wasm -s '.*'
is "the signature of another module: we refuse" 17 "$WAYBILL" verify --key theirs.pub spliced.wasm

for kind in module component; do
    edit swap "$kind.theirs" swapped.wasm
    says "a $kind with the other kind's header" verify -K theirs.pk -i swapped.wasm
    is "a $kind with the other kind's header: we refuse" 16 "$WAYBILL" verify --key theirs.pub swapped.wasm
done

# Delimited parts: a name section that must be signed, and notes that need not be.
edit annotate module.wasm notes.wasm
is "parts: we split and sign" 0 "$WAYBILL" sign --key ours.key --split '^caps$' notes.wasm -o split.ours
is "parts: they verify the whole" 0 "$peer" verify -K ours.pk -i split.ours
is "parts: they verify some" 0 "$peer" verify -K ours.pk -i split.ours -s '^caps$'
is "parts: they split" 0 "$peer" split -i notes.wasm -o split.wasm -s '^caps$'
is "parts: they sign" 0 "$peer" sign -k theirs.sk -K theirs.pk -i split.wasm -o split.theirs
is "parts: we verify the whole" 0 "$WAYBILL" verify --key theirs.pub split.theirs
for who in ours theirs; do
    is "parts: we verify some of $who" 0 "$WAYBILL" verify --key $who.pub --sections '^caps$' split.$who
    sed 's/old/new/' split.$who >notes.$who
    is "notes changed in $who: they verify some" 0 "$peer" verify -K $who.pk -i notes.$who -s '^caps$'
    is "notes changed in $who: we verify some" 0 "$WAYBILL" verify --key $who.pub --sections '^caps$' notes.$who
    is "notes changed in $who: we refuse the whole" 17 "$WAYBILL" verify --key $who.pub notes.$who
    is "notes changed in $who: we refuse the notes" 17 "$WAYBILL" verify --key $who.pub --sections notes notes.$who
    sed 's/few/all/' split.$who >caps.$who
    is "caps changed in $who: they refuse" 1 "$peer" verify -K $who.pk -i caps.$who -s '^caps$'
    is "caps changed in $who: we refuse" 17 "$WAYBILL" verify --key $who.pub --sections '^caps$' caps.$who
    edit append split.$who appended.wasm
    says "appended behind the last delimiter of $who, some parts asked for" verify -K $who.pk -i appended.wasm -s '^caps$'
    is "appended behind the last delimiter of $who: we refuse" 17 "$WAYBILL" verify --key $who.pub --sections '^caps$' appended.wasm
    edit cut-last split.$who cut.wasm
    is "the notes cut off from $who: we verify the rest" 0 "$WAYBILL" verify --key $who.pub --sections '^caps$' cut.wasm
    edit cut split.$who cut.wasm
    says "the caps cut off from $who, and asked for" verify -K $who.pk -i cut.wasm -s '^caps$'
    is "the caps cut off from $who, and asked for: we refuse" 17 "$WAYBILL" verify --key $who.pub --sections '^caps$' cut.wasm
done

# Detached signatures.
for kind in module component parts; do
    is "$kind: we sign detached" 0 "$WAYBILL" sign --key ours.key --detached "$kind.sig" "$kind.wasm"
    is "$kind: they verify it" 0 "$peer" verify -K ours.pk -i "$kind.wasm" -S "$kind.sig"
    is "$kind: they refuse a foreign key" 1 "$peer" verify -K foreign.pk -i "$kind.wasm" -S "$kind.sig"
    is "$kind: they attach it" 0 "$peer" attach -i "$kind.wasm" -S "$kind.sig" -o "$kind.attached"
    is "$kind: we verify it attached" 0 "$WAYBILL" verify --key ours.pub "$kind.attached"
    is "$kind: they sign detached" 0 "$peer" sign -k theirs.sk -K theirs.pk -i "$kind.wasm" -o "$kind.same" -S "$kind.their-sig"
    is "$kind: we verify it" 0 "$WAYBILL" verify --key theirs.pub --signature "$kind.their-sig" "$kind.wasm"
    is "$kind: we attach it" 0 "$WAYBILL" attach --signature "$kind.their-sig" "$kind.wasm" -o "$kind.put"
    is "$kind: they verify it attached" 0 "$peer" verify -K theirs.pk -i "$kind.put"
    is "$kind: we add ours to it" 0 "$WAYBILL" sign --key ours.key --detached "$kind.their-sig" "$kind.wasm"
    is "$kind: they verify theirs in it" 0 "$peer" verify -K theirs.pk -i "$kind.wasm" -S "$kind.their-sig"
    is "$kind: they verify ours in it" 0 "$peer" verify -K ours.pk -i "$kind.wasm" -S "$kind.their-sig"
    is "$kind: they detach" 0 "$peer" detach -i "$kind.ours" -o "$kind.bare" -S "$kind.out"
    is "$kind: we verify what they detached" 0 "$WAYBILL" verify --key ours.pub --signature "$kind.out" "$kind.bare"
    is "$kind: we detach" 0 "$WAYBILL" detach "$kind.theirs" -o "$kind.bare" --signature "$kind.out"
    is "$kind: they verify what we detached" 0 "$peer" verify -K theirs.pk -i "$kind.bare" -S "$kind.out"
done
exit $bad
