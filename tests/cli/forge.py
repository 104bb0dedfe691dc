# SPDX-License-Identifier: Apache-2.0
"""Signatures with one thing wrong, put beside an artifact of an image layout by somebody who has the right key.

forge.py LAYOUT TAG KEY cosign WHAT   cosign's payload, under the tag of its subject
forge.py LAYOUT TAG KEY bundle WHAT   a Sigstore bundle, as a referrer
openssl signs with KEY: Ed25519, P-256 or RSA, as a private PEM.
"""
import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile

NAME = "org.opencontainers.image.ref.name"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SIGN = "https://sigstore.dev/cosign/sign/v1"
# Orders of the groups: Ed25519 (RFC 8032), P-256 (SEC 2).
ED25519_L = 2**252 + 27742317777372353535851937790883648493
P256_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def b64(data):
    return base64.b64encode(data).decode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def openssl(*words):
    return subprocess.run(["openssl", *words], check=True, capture_output=True).stdout


def public(key):
    return openssl("pkey", "-in", key, "-pubout", "-outform", "DER")


def sign(key, message):
    ed25519 = len(public(key)) == 44
    with tempfile.NamedTemporaryFile() as file:
        file.write(message)
        file.flush()
        if ed25519:
            return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", file.name)
        return openssl("dgst", "-sha256", "-sign", key, file.name)


def tlv(tag, content):
    return bytes([tag, len(content)]) + content


def der_uint(n):
    return tlv(2, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def der_numbers(der):
    r_len = der[3]
    return int.from_bytes(der[4:4 + r_len], "big"), int.from_bytes(der[6 + r_len:], "big")


def plus_modulus(key, signature):
    text = openssl("rsa", "-in", key, "-noout", "-modulus").decode().strip()
    n = int(text.split("=")[1], 16)
    return (int.from_bytes(signature, "big") + n).to_bytes(len(signature) + 1, "big").lstrip(b"\0")


def with_bits(text):
    """base64 whose last character has bits that mean nothing."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    body = text.rstrip("=")
    return body[:-1] + alphabet[alphabet.index(body[-1]) ^ 1] + text[len(body):]


def rewritten(der, make):
    r, s = der_numbers(der)
    return tlv(0x30, make(r, s))


# What happens to the payload before it is signed ...
PAYLOADS = {
    "other-digest": lambda p, d: p.replace(d.encode(), b"sha256:" + b"7" * 64),
    "upper-case-digest": lambda p, d: p.replace(d[7:].encode(), d[7:].upper().encode()),
    "other-type": lambda p, d: p.replace(b"cosign container image", b"atomic container"),
    "no-type": lambda p, d: p.replace(b',"type":"cosign container image signature"', b""),
    "extra-member": lambda p, d: p.replace(b'"critical":{', b'"critical":{"expires":1,'),
    "digest-twice": lambda p, d: p.replace(b'"image":{', b'"image":{"docker-manifest-digest":"sha256:00",'),
    "trailing-bytes": lambda p, d: p + b"x",
    "nul": lambda p, d: p + b"\0",
    "byte-order-mark": lambda p, d: b"\xef\xbb\xbf" + p,
    "no-utf8": lambda p, d: p.replace(b"null", b'{"a":"\xc0\xaf"}'),
    "deep": lambda p, d: p.replace(b"null", b'{"a":' * 70 + b"1" + b"}" * 70),
    "no-json": lambda p, d: b"docker-manifest-digest " + d.encode(),
}
# ... to the signature ...
SIGNATURES = {
    "ber-length": lambda s, k: b"\x30\x81" + s[1:],
    "negative": lambda s, k: rewritten(s, lambda r, t: der_uint(r) + tlv(2, b"\xff" + t.to_bytes(32, "big"))),
    "leading-zero": lambda s, k: rewritten(s, lambda r, t: tlv(2, b"\0\0" + r.to_bytes(32, "big")) + der_uint(t)),
    "trailing-byte": lambda s, k: s + b"\0",
    "inner-trailing": lambda s, k: rewritten(s, lambda r, t: der_uint(r) + der_uint(t) + b"\5\0"),
    "zero-r": lambda s, k: rewritten(s, lambda r, t: der_uint(0) + der_uint(t)),
    "zero-s": lambda s, k: rewritten(s, lambda r, t: der_uint(r) + der_uint(0)),
    "both-zero": lambda s, k: rewritten(s, lambda r, t: der_uint(0) + der_uint(0)),
    "s-plus-n": lambda s, k: rewritten(s, lambda r, t: der_uint(r) + der_uint(t + P256_N)),
    "r-plus-n": lambda s, k: rewritten(s, lambda r, t: der_uint(r + P256_N) + der_uint(t)),
    "other-s": lambda s, k: rewritten(s, lambda r, t: der_uint(r) + der_uint(P256_N - t)),
    "s-plus-l": lambda s, k: s[:32] + (int.from_bytes(s[32:], "little") + ED25519_L).to_bytes(32, "little"),
    "short": lambda s, k: s[:-1],
    "long": lambda s, k: s + b"\0",
    "plus-modulus": lambda s, k: plus_modulus(k, s),
    "zero-prefixed": lambda s, k: b"\0" + s,
    "empty": lambda s, k: b"",
}
# ... and to its text.
TEXTS = {
    "newline": lambda t: t[:10] + "\n" + t[10:],
    "unpadded": lambda t: t.rstrip("="),
    "pad-inside": lambda t: t[:8] + "==" + t[8:],
    "no-alphabet": lambda t: t[:8] + "*" + t[9:],
    "url-alphabet": lambda t: t.replace("+", "-").replace("/", "_"),
    "last-bits": with_bits,
}


class Layout:
    def __init__(self, folder, tag):
        self.folder = folder
        with open(folder + "/index.json", encoding="utf-8") as f:
            self.index = json.load(f)
        named = [m for m in self.index["manifests"] if m.get("annotations", {}).get(NAME) == tag]
        self.subject = {k: named[0][k] for k in ("mediaType", "digest", "size")}
        self.digest = self.subject["digest"]

    def blob(self, data, media_type, **more):
        hexes = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.folder, "blobs/sha256", hexes), "wb") as f:
            f.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + hexes, "size": len(data), **more}

    def manifest(self, layer, tag=None, **more):
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "config": self.blob(b"{}", EMPTY), "layers": [layer], **more}
        entry = self.blob(compact(body), MANIFEST)
        if tag:
            entry["annotations"] = {NAME: tag}
        old = [m for m in self.index["manifests"] if m.get("annotations", {}).get(NAME, "") != tag]
        self.index["manifests"] = old + [entry]
        with open(self.folder + "/index.json", "w", encoding="utf-8") as f:
            json.dump(self.index, f)


def cosign(layout, key, what):
    body = compact({"critical": {"identity": {"docker-reference": "example.com/hello"},
                                 "image": {"docker-manifest-digest": layout.digest},
                                 "type": "cosign container image signature"}, "optional": None})
    body = PAYLOADS.get(what, lambda p, d: p)(body, layout.digest)
    signature = SIGNATURES.get(what, lambda s, k: s)(sign(key, body), key)
    text = TEXTS.get(what, lambda t: t)(b64(signature))
    layer = layout.blob(body, SIMPLE, annotations={"dev.cosignproject.cosign/signature": text})
    layout.manifest(layer, layout.digest.replace(":", "-") + ".sig")


def statement(layout, what):
    subject = {"digest": {"sha256": layout.digest[7:]}}
    said = {"_type": "https://in-toto.io/Statement/v1", "subject": [subject], "predicateType": SIGN, "predicate": {}}
    if what == "no-subject":
        said["subject"] = []
    elif what == "other-subject":
        subject["digest"] = {"sha256": "7" * 64}
    elif what == "sha512-subject":
        with open(os.path.join(layout.folder, "blobs/sha256", layout.digest[7:]), "rb") as f:
            subject["digest"] = {"sha512": "7" * 128 if not f else hashlib.sha512(f.read() + b"x").hexdigest()}
    elif what == "upper-case-subject":
        subject["digest"] = {"sha256": layout.digest[7:].upper()}
    elif what == "name-only":
        said["subject"] = [{"name": "hello", "digest": {}}]
    elif what == "many-subjects":
        said["subject"] = [{"digest": {"sha256": "%064x" % i}} for i in range(2000)] + [subject]
    elif what == "many-digests":
        subject["digest"].update({"alg%d" % i: "00" for i in range(40)})
    elif what == "attestation":
        said["predicateType"] = "https://cosign.sigstore.dev/attestation/vuln/v1"
    elif what == "other-statement-type":
        said["_type"] = "https://in-toto.io/Statement/v2"
    elif what == "pae-characters":
        subject["name"] = "Stra\u00dfe"
    body = compact(said)
    if what == "subject-twice":
        body = body.replace(b'"subject":', b'"subject":[],"subject":')
    return body


def bundle(layout, key, what):
    body, kind = statement(layout, what), IN_TOTO
    n = len(body.decode()) if what == "pae-characters" else len(body)
    signature = sign(key, b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), n, body))
    if what == "no-pae":
        signature = sign(key, body)
    elif what == "payload-spaced":
        body = json.dumps(json.loads(body)).encode()
    elif what == "payload-type":
        kind = "application/json"
    one = {"sig": b64(SIGNATURES.get(what, lambda s, k: s)(signature, key))}
    if what == "other-keyid":
        one["keyid"] = "somebody else"
    signatures = {"no-signature": [], "two-signatures": [one, one]}.get(what, [one])
    payload = b64(body)
    if what == "payload-url":
        payload = payload.replace("+", "-").replace("/", "_")
    elif what == "payload-newline":
        payload = payload[:60] + "\n" + payload[60:]
    hint = {"hint": b64(hashlib.sha256(public(key)).digest())}
    layer = compact({"mediaType": BUNDLE, "verificationMaterial": {"publicKey": hint},
                     "dsseEnvelope": {"payload": payload, "payloadType": kind, "signatures": signatures}})
    if what == "payload-twice":
        layer = layer.replace(b'"payload":', b'"payload":"e30=","payload":')
    layout.manifest(layout.blob(layer, BUNDLE), artifactType=BUNDLE, subject=layout.subject)


def main(folder, tag, key, kind, what):
    {"cosign": cosign, "bundle": bundle}[kind](Layout(folder, tag), key, what)


if __name__ == "__main__":
    main(*sys.argv[1:])
