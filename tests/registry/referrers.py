# SPDX-License-Identifier: Apache-2.0
"""Lists of referrers: those that were pushed, as many generated ones as wanted, and a second writer of the fallback tag."""

import json
import threading

from storage import digest_of

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
EMPTY = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": digest_of(b"{}"), "size": 2}


def made_manifest(subject, number, artifact_type):
    return json.dumps({
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE, "artifactType": artifact_type, "config": EMPTY, "layers": [EMPTY],
        "subject": subject, "annotations": {"number": str(number)},
    }).encode()


def referrer(digest, media_type, body, manifest):
    """The descriptor by which a list names the manifest."""
    descriptor = {"mediaType": media_type, "digest": digest, "size": len(body)}
    artifact_type = manifest.get("artifactType") or (manifest.get("config") or {}).get("mediaType")
    if artifact_type:
        descriptor["artifactType"] = artifact_type
    if manifest.get("annotations"):
        descriptor["annotations"] = manifest["annotations"]
    return descriptor


class Generated:
    """`count` referrers of every subject that is asked about; made at the first question."""

    TYPES = ("application/vnd.example.made.even", "application/vnd.example.made.odd")

    def __init__(self, count):
        self.count = count
        self.lists = {}  # subject's digest -> descriptors
        self.bodies = {}  # digest -> (subject, number)
        self.lock = threading.Lock()

    def list(self, subject):
        with self.lock:
            if subject["digest"] not in self.lists:
                self.lists[subject["digest"]] = [self.make(subject, n) for n in range(self.count)]
            return self.lists[subject["digest"]]

    def make(self, subject, number):
        kind = self.TYPES[number % 2]
        body = made_manifest(subject, number, kind)
        digest = digest_of(body)
        self.bodies[digest] = (subject, number)
        return {"mediaType": MANIFEST_TYPE, "digest": digest, "size": len(body), "artifactType": kind,
                "annotations": {"number": str(number)}}

    def manifest(self, digest):
        """(media type, body) or None."""
        if digest not in self.bodies:
            return None
        subject, number = self.bodies[digest]
        return MANIFEST_TYPE, made_manifest(subject, number, self.TYPES[number % 2])


class ForeignWriter:
    """Another client that adds to a fallback tag; what it read may be old by the time it writes."""

    def __init__(self, storage, name, tag):
        self.storage, self.name, self.tag = storage, name, tag
        self.digest = storage.manifest_digest(name, tag)

    def write(self, number):
        repo = self.storage.repo(self.name)
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": []}
        if self.digest in repo.manifests:
            index = json.loads(repo.manifests[self.digest][1])
        subject = {"mediaType": MANIFEST_TYPE, "digest": self.tag.replace("-", ":", 1), "size": 2}
        body = made_manifest(subject, number, "application/vnd.example.foreign")
        self.storage.manifest_put(self.name, None, digest_of(body), MANIFEST_TYPE, body)
        index["manifests"].append(referrer(digest_of(body), MANIFEST_TYPE, body, json.loads(body)))
        body = json.dumps(index).encode()
        self.storage.manifest_put(self.name, self.tag, digest_of(body), INDEX_TYPE, body)
