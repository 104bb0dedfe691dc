# SPDX-License-Identifier: Apache-2.0
"""Tokens with one thing wrong, made by somebody who has the right key.

forge_tokens.py notation LAYOUT TAG KEY CHAIN WHAT   a Notary signature (JWS) as a referrer; KEY: P-256, CHAIN: PEM
forge_tokens.py claims IN OUT KEY WHAT               a module with claims at its end; KEY: Ed25519
forge_tokens.py module IN OUT OTHER WHAT             a signed module that was tampered with; OTHER: one that is not signed
"""
import base64
import hashlib
import hmac
import json
import re
import sys
import time

from forge import Layout, compact, der_numbers, public, sign

JWS = "application/jose+json"
NOTATION = "application/vnd.cncf.notary.signature"
SCHEME = "io.cncf.notary.signingScheme"
EXPIRY = "io.cncf.notary.expiry"


def url(data):
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def when(offset):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + offset))


def es256(key, message):
    r, s = der_numbers(sign(key, message))
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def protected_header(what):
    said = {"alg": "ES256", "crit": [SCHEME], "cty": "application/vnd.cncf.notary.payload.v1+json", SCHEME: "notary.x509",
            "io.cncf.notary.signingTime": when(-60)}
    said.update({
        "alg-none": {"alg": "none"}, "alg-None": {"alg": "None"}, "alg-hs256": {"alg": "HS256"},
        "alg-es384": {"alg": "ES384"}, "alg-rs256": {"alg": "RS256"}, "alg-ps256": {"alg": "PS256"},
        "crit-unknown": {"crit": [SCHEME, "unheard"], "unheard": 1}, "crit-empty": {"crit": []},
        "crit-twice": {"crit": [SCHEME, SCHEME]}, "b64-false": {"crit": [SCHEME, "b64"], "b64": False},
        "jwk": {"jwk": {"kty": "EC"}}, "jku": {"jku": "http://127.0.0.1:1/"}, "kid": {"kid": "me"},
        "other-scheme": {SCHEME: "notary.other"}, "other-contents": {"cty": "text/plain"},
        "expired": {"crit": [SCHEME, EXPIRY], EXPIRY: when(-30)}, "expiry-not-critical": {EXPIRY: when(3600)},
        "signed-tomorrow": {"io.cncf.notary.signingTime": when(86400)},
    }.get(what, {}))
    if what == "crit-missing":
        del said["crit"]
    text = compact(said)
    return text.replace(b'"alg":', b'"alg":"none","alg":') if what == "alg-twice" else text


def notation(folder, tag, key, chain, what):
    layout = Layout(folder, tag)
    target = dict(layout.subject)
    target.update({"other-digest": {"digest": "sha256:" + "7" * 64}, "other-size": {"size": 1},
                   "other-media-type": {"mediaType": "text/plain"}}.get(what, {}))
    payload, protected = url(compact({"targetArtifact": target})), url(protected_header(what))
    message = ("%s.%s" % (protected, payload)).encode()
    signature = es256(key, message)
    if what == "alg-hs256":
        signature = hmac.new(public(key), message, hashlib.sha256).digest()
    elif what in ("alg-none", "no-signature"):
        signature = b""
    with open(chain, encoding="ascii") as f:
        certificates = [c.replace("\n", "") for c in re.findall("-----BEGIN CERTIFICATE-----(.*?)-----END", f.read(), re.S)]
    header = {"x5c": certificates}
    header.update({"alg-outside": {"alg": "ES256"}, "x5u": {"x5u": "http://127.0.0.1:1/"},
                   "wrong-order": {"x5c": certificates[::-1]}, "no-chain": {"x5c": []},
                   "stray": {"x5c": certificates + certificates[-1:]}}.get(what, {}))
    blob = compact({"payload": payload, "protected": protected, "header": header, "signature": url(signature)})
    layout.manifest(layout.blob(blob, JWS), artifactType=NOTATION, subject=layout.subject)


def nkey(prefix, raw):
    body, crc = bytes([prefix]) + raw, 0
    for byte in body:
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ (0x1021 if crc & 0x8000 else 0)) & 0xffff
    return base64.b32encode(body + crc.to_bytes(2, "little")).decode().rstrip("=")


def leb(n):
    out = b""
    while True:
        low, n = n & 127, n >> 7
        out += bytes([low | (128 if n else 0)])
        if not n:
            return out


def custom(name, data):
    payload = leb(len(name)) + name + data
    return b"\0" + leb(len(payload)) + payload


def token(module, key, what):
    own = public(key)[-32:]
    stated = hashlib.sha256(module).hexdigest().upper()
    claims = {"jti": "x", "iat": 1, "iss": nkey(0, own), "sub": nkey(0x60, b"\7" * 32), "wascap_revision": 3,
              "wascap": {"name": "n", "hash": stated, "tags": [], "caps": []}}
    claims.update({
        "expired": {"exp": 1000000000}, "expires-1970": {"exp": 0}, "expiry-float": {"exp": 4e9 + 0.5},
        "expiry-exponent": {"exp": 4e9}, "expiry-negative": {"exp": -1}, "expiry-huge": {"exp": 10**30},
        "expiry-text": {"exp": "4000000000"}, "not-yet": {"nbf": 4000000000}, "revision-2": {"wascap_revision": 2},
        "foreign-issuer": {"iss": nkey(0, b"\x51" + own[1:])}, "issuer-kind": {"iss": nkey(0x60, own)},
        "no-module": {"wascap": None},
    }.get(what, {}))
    if what == "no-revision":
        del claims["wascap_revision"]
    elif what == "other-hash":
        claims["wascap"]["hash"] = "7" * 64
    elif what == "long":
        claims["wascap"]["tags"] = ["x" * 100] * 900
    head = {"alg-none": {"typ": "jwt", "alg": "none"}, "alg-eddsa": {"typ": "jwt", "alg": "EdDSA"},
            "jwk": {"typ": "jwt", "alg": "Ed25519", "jwk": {}}}.get(what, {"typ": "jwt", "alg": "Ed25519"})
    body = compact(claims)
    if what == "issuer-twice":
        body = body.replace(b'"iss":', b'"iss":"A","iss":')
    message = (url(compact(head)) + "." + url(body)).encode()
    signature = sign(key, message)
    if what == "changed":
        signature = signature[:40] + bytes([signature[40] ^ 1]) + signature[41:]
    return message + b"." + (base64.b64encode(signature) if what == "padded" else url(signature).encode())


def claims(source, out, key, what):
    with open(source, "rb") as f:
        module = f.read()
    made = custom(b"jwt" if what == "old-name" else b"wasmcloud_jwt", token(module, key, what))
    if what == "two-sections":
        made = made * 2
    elif what == "two-names":
        made = custom(b"jwt", token(module, key, "changed")) + made
    with open(out, "wb") as f:
        f.write(module + made)


def varu32(data, at):
    n = shift = 0
    while True:
        n |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 128:
            return n, at


def module(source, out, other, what):
    with open(source, "rb") as f:
        good = f.read()
    with open(other, "rb") as f:
        foreign = f.read()
    size, at = varu32(good, 9)
    head, section, rest = good[:8], good[8:at + size], good[at + size:]
    payload = section[at - 8:]  # "signature" and its contents
    big = b"\xff\xff\xff\xff\x0f"
    made = {
        "good": good,
        "not-first": head + custom(b"x", b"") + section + rest,
        "second": head + section + section + rest,
        "at-the-end": head + rest + section,
        "suffix-section": good + custom(b"caps", b"all"),
        "suffix-bytes": good + b"\0\0",
        "splice": head + section + foreign[8:],
        "component": good[:4] + b"\x0d\0\1\0" + good[8:],
        "length-overflow": head + b"\0" + big + payload + rest,
        "length-high-bits": head + b"\0" + b"\xff\xff\xff\xff\x7f" + payload + rest,
        "length-six-bytes": head + b"\0" + b"\x80\x80\x80\x80\x80\0" + payload + rest,
        "name-nul": head + custom(b"signature\0", payload[10:]) + rest,
        "name-case": head + custom(b"Signature", payload[10:]) + rest,
        "name-no-utf8": head + custom(b"\xff\xfe", b"") + good[8:],
        "many-sets": head + custom(b"signature", payload[10:13] + big + payload[14:]) + rest,
        "many-hashes": head + custom(b"signature", payload[10:15] + big + payload[16:]) + rest,
        "large-set": head + custom(b"signature", payload[10:14] + big + payload[15:]) + rest,
        "version": head + custom(b"signature", b"\2" + payload[11:]) + rest,
        "hash-function": head + custom(b"signature", payload[10:12] + b"\2" + payload[13:]) + rest,
        "trailing-payload": head + custom(b"signature", payload[10:] + b"\0") + rest,
        "cut": good[:-1],
        "changed": good[:-9] + bytes([good[-9] ^ 1]) + good[-8:],
        "empty-section": head + custom(b"signature", b"") + rest,
    }[what]
    with open(out, "wb") as f:
        f.write(made)


if __name__ == "__main__":
    {"notation": notation, "claims": claims, "module": module}[sys.argv[1]](*sys.argv[2:])
