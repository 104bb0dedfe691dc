# SPDX-License-Identifier: Apache-2.0
"""The same artifact of an image layout under other digests, as somebody would write it who is on a deny list.

relayout.py DIR TAG index NEW    an index that names TAG's manifest
relayout.py DIR TAG sha512 NEW   TAG's manifest, named by its SHA-512 digest
relayout.py DIR TAG layer NEW    a manifest like TAG's that names its layers by their SHA-512 digests
"""
import hashlib
import json
import os
import sys

NAME = "org.opencontainers.image.ref.name"
INDEX = "application/vnd.oci.image.index.v1+json"


def path(folder, digest):
    return "%s/blobs/%s" % (folder, digest.replace(":", "/"))


def put(folder, content, alg="sha256"):
    digest = "%s:%s" % (alg, hashlib.new(alg, content).hexdigest())
    os.makedirs("%s/blobs/%s" % (folder, alg), exist_ok=True)
    with open(path(folder, digest), "wb") as f:
        f.write(content)
    return digest


def get(folder, digest):
    with open(path(folder, digest), "rb") as f:
        return f.read()


def main(folder, tag, what, new):
    with open(folder + "/index.json") as f:
        index = json.load(f)
    old = next(m for m in index["manifests"] if m.get("annotations", {}).get(NAME) == tag)
    content, media_type, alg = get(folder, old["digest"]), old["mediaType"], "sha256"
    if what == "index":
        media_type = INDEX
        entry = {"mediaType": old["mediaType"], "digest": old["digest"], "size": old["size"]}
        entry["platform"] = {"architecture": "wasm", "os": "wasip1"}
        content = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}).encode()
    elif what == "sha512":
        alg = "sha512"
    else:
        manifest = json.loads(content)
        for layer in manifest["layers"]:
            layer["digest"] = put(folder, get(folder, layer["digest"]), "sha512")
        content = json.dumps(manifest).encode()
    made = {"mediaType": media_type, "digest": put(folder, content, alg), "size": len(content)}
    made["annotations"] = {NAME: new}
    index["manifests"].append(made)
    with open(folder + "/index.json", "w") as f:
        json.dump(index, f)


main(*sys.argv[1:])
