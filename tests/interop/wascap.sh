#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Claims in a module as wascap has them. wascap is a library and has no program that could be asked, so what it would answer is
# stated here, from its code, and not shown; the tokens are made by openssl and Python, without waybill. TAP. Uses $WAYBILL and
# $GUESTS; see run.sh.
# shellcheck disable=SC2317 # most functions are called by name
set -u
suite=wascap
# shellcheck source=tests/interop/say.bash
. "$(dirname "$0")/say.bash"
# shellcheck source=tests/interop/servers.bash
. "$(dirname "$0")/servers.bash"
for tool in openssl python3; do
    command -v $tool >/dev/null || skip_all "no $tool"
done
[ -f "$GUESTS/hello.wasm" ] || skip_all "no hello.wasm in $GUESTS"
own_home
skip "the peer's own answers" "it is a library without a program"

for key in issuer module foreign; do
    openssl genpkey -algorithm ed25519 -out $key.key 2>/dev/null && openssl pkey -in $key.key -pubout -out $key.pub
    chmod 600 $key.key
done
cat >token.py <<'PYTHON'
"""token.py IN OUT [KEY=VALUE...]: appends a section with claims; key, issuer: NAME; revision, hash: other values; expires."""
import base64, hashlib, json, subprocess, sys, tempfile, time

def public(name):
    der = subprocess.run(["openssl", "pkey", "-in", name + ".key", "-pubout", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    return der[-32:]

def nkey(prefix, raw):
    data, crc = bytes([prefix]) + raw, 0
    for byte in data:
        crc ^= byte << 8
        for _ in range(8):
            crc = crc << 1 & 0xFFFF ^ (0x1021 if crc & 0x8000 else 0)
    return base64.b32encode(data + crc.to_bytes(2, "little")).decode().rstrip("=")

def b64(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")

def leb(n):
    out = b""
    while True:
        out += bytes([n & 127 | (128 if n > 127 else 0)])
        n >>= 7
        if not n:
            return out

def sign(name, message):
    with tempfile.NamedTemporaryFile() as file:
        file.write(message)
        file.flush()
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", name + ".key", "-in", file.name],
                              check=True, capture_output=True).stdout

source, target = sys.argv[1:3]
o = dict(a.split("=") for a in sys.argv[3:])
wasm = open(source, "rb").read()
bare = open(o.get("of", source), "rb").read()
claims = {"jti": "SB6vDPWyDwPd0YUwGYCbWP", "iat": int(time.time()), "iss": nkey(0x00, public(o.get("issuer", "issuer"))),
          "sub": nkey(0x60, public("module")),
          "wascap": {"name": "hello", "hash": hashlib.sha256(bare).hexdigest().upper(), "tags": [], "rev": 1, "ver": "1.0",
                     "prov": False}, "wascap_revision": int(o.get("revision", 3))}
if "revision" in o and o["revision"] == "0":
    del claims["wascap_revision"]
if "expires" in o:
    claims["exp"] = int(time.time()) + int(o["expires"])
text = b64(b'{"typ":"jwt","alg":"Ed25519"}') + "." + b64(json.dumps(claims, separators=(",", ":")).encode())
text += "." + b64(sign(o.get("key", o.get("issuer", "issuer")), text.encode()))
name = o.get("section", "wasmcloud_jwt").encode()
body = leb(len(name)) + name + text.encode()
open(target, "wb").write(wasm + b"\0" + leb(len(body)) + body)
PYTHON
token() { python3 -B token.py "$@"; }
verify() { "$WAYBILL" verify --key issuer.pub "$@"; }
would() { echo "# wascap would ACCEPT, by its code: $1"; }

cp "$GUESTS/hello.wasm" module.wasm
{ cat module.wasm && printf '\0\5\4evil'; } >changed.wasm
is "a token of theirs" 0 token module.wasm good.wasm
is "we verify it" 0 verify good.wasm
is "a token in the older section" 0 token module.wasm old.wasm section=jwt
is "we verify it" 0 verify old.wasm
is "changed afterwards" 0 token changed.wasm changed-after.wasm of=module.wasm
is "changed afterwards: we refuse" 17 verify changed-after.wasm

is "a revision whose hash is not checked, another module" 0 token changed.wasm downgraded.wasm of=module.wasm revision=2
would "a token of revision 2 in any module, the hash is passed over"
is "a revision whose hash is not checked: we refuse" 17 verify downgraded.wasm
is "no revision at all" 0 token changed.wasm none.wasm of=module.wasm revision=0
would "a token without a revision in any module, likewise"
is "no revision at all: we refuse" 17 verify none.wasm

is "an issuer that nobody knows" 0 token module.wasm foreign.wasm issuer=foreign
would "whoever the token itself names as issuer"
is "an issuer that nobody knows: we refuse" 12 verify foreign.wasm
is "signed by another than its issuer" 0 token module.wasm posing.wasm key=foreign
is "signed by another than its issuer: we refuse" 12 verify posing.wasm

is "two tokens" 0 token good.wasm two.wasm issuer=foreign of=module.wasm
is "two tokens: we refuse" 16 verify two.wasm
is "two tokens under both names" 0 token good.wasm names.wasm section=jwt of=module.wasm
is "two tokens under both names: we refuse" 16 verify names.wasm
is "a token that expired" 0 token module.wasm expired.wasm expires=-60
is "a token that expired: we refuse" 14 verify expired.wasm
exit $bad
