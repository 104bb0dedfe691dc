# SPDX-License-Identifier: Apache-2.0
"""Signatures that say what the test wants, made without waybill and pushed to the registry of the test.

signatures.py HOST:PORT/REPO DIGEST KEY WHAT [OPTION...]   prints the digest of the manifest that was pushed
WHAT  sig       cosign's simple signing, under the tag of DIGEST
      att       cosign's attestation, likewise
      bundle    a Sigstore bundle as a referrer of DIGEST
      other     a referrer that is no signature
openssl signs with KEY (Ed25519, PKCS#8).
"""

import argparse
import base64
import hashlib
import json
import subprocess
import sys
import tempfile
import urllib.error
import urllib.parse
import urllib.request

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
SIMPLE = "application/vnd.dev.cosign.simplesigning.v1+json"
ENVELOPE = "application/vnd.dsse.envelope.v1+json"
BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json"
IN_TOTO = "application/vnd.in-toto+json"
EMPTY = "application/vnd.oci.empty.v1+json"
SIGN = "https://sigstore.dev/cosign/sign/v1"
SLSA = "https://slsa.dev/provenance/v1"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def b64(data):
    return base64.b64encode(data).decode()


def sign(key, message):
    with tempfile.NamedTemporaryFile() as file:
        file.write(message)
        file.flush()
        return subprocess.run(["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", file.name],
                              check=True, capture_output=True).stdout


def hint(key):
    der = subprocess.run(["openssl", "pkey", "-in", key, "-pubout", "-outform", "DER"], check=True,
                         capture_output=True).stdout
    return b64(hashlib.sha256(der).digest())


class Repo:
    def __init__(self, name):
        host, _, self.path = name.partition("/")
        self.host = "http://" + host

    def ask(self, method, path, data=None, headers=None):
        url = path if path.startswith("http") else self.host + path
        request = urllib.request.Request(url, data, headers or {}, method=method)
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=30) as answer:
            return answer.headers, answer.read()

    def blob(self, data):
        digest = digest_of(data)
        headers, _ = self.ask("POST", "/v2/%s/blobs/uploads/" % self.path, b"")
        where = urllib.parse.urljoin(self.host, headers["Location"])
        where += ("&" if "?" in where else "?") + "digest=" + digest
        self.ask("PUT", where, data, {"Content-Type": "application/octet-stream"})
        return digest

    def manifest(self, body, reference, media_type=MANIFEST):
        self.ask("PUT", "/v2/%s/manifests/%s" % (self.path, reference), body, {"Content-Type": media_type})

    def size_of(self, digest):
        return len(self.ask("GET", "/v2/%s/manifests/%s" % (self.path, digest), None, {"Accept": MANIFEST})[1])

    def index(self, tag):
        try:
            return json.loads(self.ask("GET", "/v2/%s/manifests/%s" % (self.path, tag), None, {"Accept": INDEX})[1])
        except urllib.error.HTTPError:
            return {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}


def statement(o, said):
    predicate = {"_type": "https://in-toto.io/Statement/v1", "predicateType": SLSA if o.attest else SIGN,
                 "subject": [{"digest": {"sha256": said.split(":")[1]}}], "predicate": {}}
    if o.attest:
        predicate["predicate"] = {"buildDefinition": {"buildType": "t", "externalParameters": {}},
                                  "runDetails": {"builder": {"id": "https://builder.example"}}}
    return json.dumps(predicate).encode()


def envelope(o, said):
    body = statement(o, said)
    pae = b"DSSEv1 %d %s %d %s" % (len(IN_TOTO), IN_TOTO.encode(), len(body), body)
    return {"payload": b64(body), "payloadType": IN_TOTO, "signatures": [{"sig": b64(sign(o.key, pae))}]}


def payload(o, said):
    return json.dumps({"critical": {"identity": {"docker-reference": o.reference or o.repo},
                                    "image": {"docker-manifest-digest": said},
                                    "type": "cosign container image signature"}, "optional": None},
                      separators=(",", ":"), ensure_ascii=True).encode()


def layers(o, repo):
    """The blob, pushed, and its descriptors."""
    said, annotations = o.says or o.digest, {}
    if o.what == "sig":
        data, media_type = payload(o, said), SIMPLE
        annotations = {"dev.cosignproject.cosign/signature": b64(sign(o.key, data))}
    elif o.what == "att":
        data, media_type = json.dumps(envelope(o, said)).encode(), ENVELOPE
        annotations = {"dev.cosignproject.cosign/signature": "", "predicateType": SLSA}
    elif o.what == "bundle":
        data, media_type = b"{}" if o.broken else json.dumps({"mediaType": BUNDLE, "verificationMaterial": {"publicKey": {"hint": hint(o.key)}},
                                       "dsseEnvelope": envelope(o, said)}).encode(), BUNDLE
    else:
        data, media_type = b"no signature\n", "text/plain"
    descriptor = {"mediaType": media_type, "digest": repo.blob(data), "size": o.size or len(data)}
    if annotations:
        descriptor["annotations"] = annotations
    return [descriptor] * o.count


def config(repo):
    return {"mediaType": EMPTY, "digest": repo.blob(b"{}"), "size": 2}


def push_tag(o, repo):
    image = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config(repo), "layers": layers(o, repo)}
    image["config"]["mediaType"] = "application/vnd.oci.image.config.v1+json"
    body = json.dumps(image).encode()
    repo.manifest(body, o.digest.replace(":", "-") + "." + o.what)
    return digest_of(body)


def push_referrer(o, repo):
    subject = o.subject or o.digest
    kind = BUNDLE if o.what == "bundle" else "application/vnd.example.other"
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": kind, "config": config(repo),
                "layers": layers(o, repo),
                "subject": {"mediaType": MANIFEST, "digest": subject, "size": repo.size_of(o.digest)}}
    if o.attest:
        manifest["annotations"] = {"dev.sigstore.bundle.predicateType": SLSA}
    entries = []
    for copy in range(o.copies):
        if o.copies > 1:
            manifest["annotations"] = dict(manifest.get("annotations", {}), copy=str(copy))
        body = json.dumps(manifest).encode()
        repo.manifest(body, digest_of(body))
        entries.append({"mediaType": MANIFEST, "digest": digest_of(body), "size": o.listed_size or len(body),
                        "artifactType": o.listed_type or kind, "annotations": manifest.get("annotations", {})})
    if o.list:
        tag = o.digest.replace(":", "-")
        index = repo.index(tag)
        index["manifests"] += entries
        repo.manifest(json.dumps(index).encode(), tag, INDEX)
    return digest_of(body)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("repo")
    parser.add_argument("digest", help="of the manifest that it is to hang on")
    parser.add_argument("key")
    parser.add_argument("what", choices=("sig", "att", "bundle", "other"))
    parser.add_argument("--says", metavar="DIGEST", help="what it signs (default: the same)")
    parser.add_argument("--subject", metavar="DIGEST", help="the subject of a referrer (default: the same)")
    parser.add_argument("--reference", help="what cosign's payload calls the artifact")
    parser.add_argument("--attest", action="store_true", help="a bundle with an attestation")
    parser.add_argument("--size", type=int, help="what the descriptor says of the blob's size")
    parser.add_argument("--count", type=int, default=1, help="so many layers, all the same")
    parser.add_argument("--copies", type=int, default=1, help="so many referrers, each with another annotation")
    parser.add_argument("--broken", action="store_true", help="a bundle that is none")
    parser.add_argument("--list", action="store_true", help="write the list of referrers under the tag as well")
    parser.add_argument("--listed-type", help="the artifact type there")
    parser.add_argument("--listed-size", type=int, help="the size there")
    o = parser.parse_args()
    o.attest = o.attest or o.what == "att"
    repo = Repo(o.repo)
    print((push_tag if o.what in ("sig", "att") else push_referrer)(o, repo))


if __name__ == "__main__":
    sys.exit(main())
