# SPDX-License-Identifier: Apache-2.0
"""What the registry keeps: blobs and uploads as files, manifests and tags in memory.

Blob bytes always pass through fixed-size buffers, so a blob of any size costs little memory.
"""

import hashlib
import json
import os
import re
import secrets
import threading

CHUNK = 1 << 20
DIGEST = re.compile(r"(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})\Z")
TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}\Z")
NAME = re.compile(r"[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*\Z")


class Upload:
    """One upload session: a growing file, its hash so far, and the opaque state the client must give back."""

    def __init__(self, folder):
        self.id = secrets.token_hex(8)
        self.state = secrets.token_urlsafe(12)
        self.path = os.path.join(folder, self.id)
        self.file = open(self.path, "wb")
        self.size = 0
        self.sha256 = hashlib.sha256()
        self.short = False  # the last chunk was below the least length
        self.lock = threading.Lock()  # held by the request that adds to it

    def mark(self):
        return self.size, self.sha256.copy()

    def revert(self, mark):
        """Forget what was written since `mark`."""
        self.size, self.sha256 = mark
        self.file.seek(self.size)
        self.file.truncate()

    def write(self, data):
        self.file.write(data)
        self.sha256.update(data)
        self.size += len(data)

    def digest(self, algorithm):
        self.file.flush()
        if algorithm == "sha256":
            return "sha256:" + self.sha256.hexdigest()
        return algorithm + ":" + hash_file(self.path, algorithm)


class Repo:
    def __init__(self):
        self.blobs = set()
        self.manifests = {}  # digest -> (media type, bytes)
        self.tags = {}  # tag -> digest
        self.subjects = {}  # digest of a manifest -> its subject's digest, or None

    def with_subject(self, digest):
        """(digest, parsed) of every manifest with that subject."""
        for key, (_, body) in list(self.manifests.items()):
            if key not in self.subjects:
                self.subjects[key] = (json.loads(body).get("subject") or {}).get("digest")
            if self.subjects[key] == digest:
                yield key, json.loads(body)


class Storage:
    def __init__(self, folder):
        self.blob_dir = os.path.join(folder, "blobs")
        self.upload_dir = os.path.join(folder, "uploads")
        for path in (self.blob_dir, self.upload_dir):
            os.makedirs(path, exist_ok=True)
        self.repos = {}
        self.uploads = {}
        self.lock = threading.Lock()

    def repo(self, name):
        with self.lock:
            return self.repos.setdefault(name, Repo())

    def known_repo(self, name):
        return self.repos.get(name)

    # blobs

    def blob_path(self, digest):
        return os.path.join(self.blob_dir, digest.replace(":", "-"))

    def blob_size(self, name, digest):
        """Size in bytes of a blob that the repository has, else None."""
        repo = self.known_repo(name)
        if repo is None or digest not in repo.blobs:
            return None
        return os.path.getsize(self.blob_path(digest))

    def blob_mount(self, name, digest, source):
        """Share a blob with `name`; without a source any repository will do."""
        with self.lock:
            sources = [source] if source else list(self.repos)
            if not any(s in self.repos and digest in self.repos[s].blobs for s in sources):
                return False
        self.repo(name).blobs.add(digest)
        return True

    def blob_delete(self, name, digest):
        repo = self.known_repo(name)
        if repo is None or digest not in repo.blobs:
            return False
        repo.blobs.discard(digest)
        return True

    # uploads

    def upload_start(self, name):
        self.repo(name)
        upload = Upload(self.upload_dir)
        self.uploads[upload.id] = upload
        return upload

    def upload_cancel(self, upload):
        self.uploads.pop(upload.id, None)
        upload.file.close()
        if os.path.exists(upload.path):
            os.unlink(upload.path)

    def close(self):
        for upload in list(self.uploads.values()):
            upload.file.close()

    def upload_finish(self, name, upload, digest):
        """Turn an upload into a blob; False (and the upload is gone) if its bytes do not hash to `digest`."""
        if upload.digest(digest.split(":")[0]) != digest:
            self.upload_cancel(upload)
            return False
        upload.file.close()
        os.replace(upload.path, self.blob_path(digest))
        self.uploads.pop(upload.id, None)
        self.repo(name).blobs.add(digest)
        return True

    # manifests

    def manifest_digest(self, name, reference):
        repo = self.known_repo(name)
        if repo is None:
            return None
        digest = repo.tags.get(reference, reference)
        return digest if digest in repo.manifests else None

    def manifest_put(self, name, tag, digest, media_type, body):
        repo = self.repo(name)
        with self.lock:
            repo.manifests[digest] = (media_type, body)
            if tag is not None:
                repo.tags[tag] = digest

    def manifest_delete(self, name, reference):
        """A tag goes alone; a digest goes with all its tags."""
        repo = self.known_repo(name)
        if repo is None:
            return False
        with self.lock:
            if repo.tags.pop(reference, None) is not None:
                return True
            if repo.manifests.pop(reference, None) is None:
                return False
            for tag in [t for t, d in repo.tags.items() if d == reference]:
                del repo.tags[tag]
        return True


def hash_file(path, algorithm):
    digest = hashlib.new(algorithm)
    with open(path, "rb") as file:
        while chunk := file.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def digest_of(body, algorithm="sha256"):
    return algorithm + ":" + hashlib.new(algorithm, body).hexdigest()
