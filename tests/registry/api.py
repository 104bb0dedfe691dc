# SPDX-License-Identifier: Apache-2.0
"""The OCI distribution API (specification 1.1), one method per endpoint."""

import json
import re
import urllib.parse

from auth import error_body
from http_io import Reply
from storage import DIGEST, NAME, TAG, digest_of

MANIFEST_MAX = 4 << 20
INDEX_TYPE = "application/vnd.oci.image.index.v1+json"
MEDIA_TYPES = {
    "application/vnd.oci.image.manifest.v1+json", INDEX_TYPE,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
ROUTE = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs/uploads|blobs|tags|referrers)/(?P<rest>[^/]*)\Z")


def error(status, code, message):
    return Reply(status, error_body(code, message), {"Content-Type": "application/json"})


def json_reply(status, value, headers=None):
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


def actions_of(method):
    if method in ("GET", "HEAD"):
        return ["pull"]
    return ["delete"] if method == "DELETE" else ["pull", "push"]


class Api:
    def __init__(self, storage, options):
        self.storage = storage
        self.referrers = options.referrers
        self.location = options.location
        self.page = options.page_size
        self.main_url = self.alt_url = None  # set when the ports are known

    def answer(self, request, path, query):
        """The reply to one authorised request; `query` is a dict of the first value of each key."""
        if path in ("/v2", "/v2/"):
            return json_reply(200, {}, {"Docker-Distribution-Api-Version": "registry/2.0"})
        match = ROUTE.match(path)
        if match is None:
            return error(404, "UNSUPPORTED", "no such endpoint")
        name, kind, rest = match["name"], match["kind"], match["rest"]
        if not NAME.match(name):
            return error(400, "NAME_INVALID", "invalid repository name")
        method = {
            "manifests": self.manifest, "blobs": self.blob, "blobs/uploads": self.upload,
            "tags": self.tags, "referrers": self.list_referrers,
        }[kind]
        return method(request, name, rest, query)

    # manifests

    def manifest(self, request, name, reference, query):
        if not DIGEST.match(reference) and not TAG.match(reference):
            return error(400, "TAG_INVALID", "neither a tag nor a digest")
        if request.command == "PUT":
            return self.manifest_put(request, name, reference)
        if request.command == "DELETE":
            gone = self.storage.manifest_delete(name, reference)
            return Reply(202) if gone else error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        if request.command not in ("GET", "HEAD"):
            return error(405, "UNSUPPORTED", "method not allowed")
        digest = self.storage.manifest_digest(name, reference)
        if digest is None:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        media_type, body = self.storage.known_repo(name).manifests[digest]
        return Reply(200, body, {"Content-Type": media_type, "Docker-Content-Digest": digest})

    def manifest_put(self, request, name, reference):
        body = request.read_all(MANIFEST_MAX)
        if body is None:
            return error(413, "MANIFEST_INVALID", "manifest over %d bytes" % MANIFEST_MAX)
        by_digest = bool(DIGEST.match(reference))
        digest = digest_of(body, reference.split(":")[0] if by_digest else "sha256")
        if by_digest and digest != reference:
            return error(400, "DIGEST_INVALID", "the manifest's digest is another")
        media_type = request.headers.get("Content-Type", "").split(";")[0].strip()
        problem = self.manifest_problem(name, media_type, body)
        if problem:
            return problem
        self.storage.manifest_put(name, None if by_digest else reference, digest, media_type, body)
        headers = {"Location": "/v2/%s/manifests/%s" % (name, digest), "Docker-Content-Digest": digest}
        subject = json.loads(body).get("subject")
        if subject and self.referrers:
            headers["OCI-Subject"] = subject["digest"]
        return Reply(201, headers=headers)

    def manifest_problem(self, name, media_type, body):
        try:
            manifest = json.loads(body)
        except ValueError:
            return error(400, "MANIFEST_INVALID", "not JSON")
        if media_type not in MEDIA_TYPES or manifest.get("mediaType", media_type) != media_type:
            return error(400, "MANIFEST_INVALID", "media type of header and body disagree or are unknown")
        blobs = manifest.get("layers", []) + ([manifest["config"]] if "config" in manifest else [])
        for descriptor in blobs:
            size = self.storage.blob_size(name, descriptor.get("digest"))
            if size is None:
                return error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown: %s" % descriptor.get("digest"))
            if size != descriptor.get("size"):
                return error(400, "SIZE_INVALID", "size of %s is %d" % (descriptor["digest"], size))
        for descriptor in manifest.get("manifests", []):
            if self.storage.manifest_digest(name, descriptor.get("digest")) is None:
                return error(404, "MANIFEST_UNKNOWN", "manifest unknown: %s" % descriptor.get("digest"))
        return None

    def tags(self, request, name, rest, query):
        repo = self.storage.known_repo(name)
        if rest != "list" or repo is None:
            return error(404, "NAME_UNKNOWN", "repository unknown")
        tags = sorted(tag for tag in repo.tags if tag > query.get("last", ""))
        count = min(int(query.get("n", self.page)), self.page)
        headers = {}
        if len(tags) > count:
            last = tags[count - 1] if count else ""
            headers["Link"] = '</v2/%s/tags/list?n=%d&last=%s>; rel="next"' % (name, count, last)
        return json_reply(200, {"name": name, "tags": tags[:count]}, headers)

    def list_referrers(self, request, name, digest, query):
        if not self.referrers:
            return error(404, "UNSUPPORTED", "no referrers API")
        if not DIGEST.match(digest):
            return error(400, "DIGEST_INVALID", "not a digest")
        repo = self.storage.known_repo(name)
        found = []
        for key, (media_type, body) in (list(repo.manifests.items()) if repo else []):
            manifest = json.loads(body)
            if (manifest.get("subject") or {}).get("digest") == digest:
                found.append(referrer(key, media_type, body, manifest))
        headers = {}
        if "artifactType" in query:
            found = [f for f in found if f.get("artifactType") == query["artifactType"]]
            headers["OCI-Filters-Applied"] = "artifactType"
        reply = json_reply(200, {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": found}, headers)
        reply.headers["Content-Type"] = INDEX_TYPE
        return reply

    # blobs

    def blob(self, request, name, digest, query):
        if request.command == "POST" and digest == "uploads":
            return self.upload(request, name, "", query)
        if not DIGEST.match(digest):
            return error(400, "DIGEST_INVALID", "not a digest")
        size = self.storage.blob_size(name, digest)
        if size is None:
            return error(404, "BLOB_UNKNOWN", "blob unknown")
        if request.command == "DELETE":
            self.storage.blob_delete(name, digest)
            return Reply(202)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest,
                   "Accept-Ranges": "bytes"}
        first, last = 0, size - 1
        wanted = re.match(r"bytes=(\d+)-(\d*)\Z", request.headers.get("Range", ""))
        if wanted:
            first = int(wanted[1])
            last = min(int(wanted[2] or last), last)
            if first > last:
                return Reply(416, headers={"Content-Range": "bytes */%d" % size})
            headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, size)
        return Reply(206 if wanted else 200, b"", headers, self.storage.blob_path(digest), first, last - first + 1)

    def upload(self, request, name, upload_id, query):
        if upload_id == "":
            return self.upload_start(request, name, query)
        upload = self.storage.uploads.get(upload_id)
        if upload is None or query.get("_state") != upload.state:
            return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown, or its state was not given back")
        if request.command == "PATCH":
            return self.upload_append(request, name, upload)
        if request.command == "PUT":
            return self.upload_finish(request, name, upload, query.get("digest", ""))
        if request.command == "DELETE":
            self.storage.upload_cancel(upload)
            return Reply(204)
        return Reply(204, headers=self.upload_headers(name, upload))

    def upload_headers(self, name, upload):
        path = "/v2/%s/blobs/uploads/%s?_state=%s" % (name, upload.id, upload.state)
        prefix = {"relative": "", "absolute": self.main_url, "alt": self.alt_url}[self.location]
        return {"Location": prefix + path, "Range": "0-%d" % max(0, upload.size - 1),
                "Docker-Upload-UUID": upload.id}

    def upload_start(self, request, name, query):
        if request.command != "POST":
            return error(405, "UNSUPPORTED", "method not allowed")
        mount = query.get("mount", "")
        if DIGEST.match(mount) and self.storage.blob_mount(name, mount, query.get("from")):
            return Reply(201, headers={"Location": "/v2/%s/blobs/%s" % (name, mount),
                                       "Docker-Content-Digest": mount})
        upload = self.storage.upload_start(name)
        if "digest" in query:
            return self.upload_finish(request, name, upload, query["digest"])
        return Reply(202, headers=self.upload_headers(name, upload))

    def upload_append(self, request, name, upload):
        wanted = re.match(r"(\d+)-(\d+)\Z", request.headers.get("Content-Range", ""))
        if wanted and int(wanted[1]) != upload.size:
            return Reply(416, headers=self.upload_headers(name, upload))
        for data in request.read_body():
            upload.write(data)
        return Reply(202, headers=self.upload_headers(name, upload))

    def upload_finish(self, request, name, upload, digest):
        if not DIGEST.match(digest):
            return error(400, "DIGEST_INVALID", "no digest, or not one")
        for data in request.read_body():
            upload.write(data)
        if not self.storage.upload_finish(name, upload, digest):
            return error(400, "DIGEST_INVALID", "the content's digest is another")
        return Reply(201, headers={"Location": "/v2/%s/blobs/%s" % (name, digest),
                                   "Docker-Content-Digest": digest})


def referrer(digest, media_type, body, manifest):
    descriptor = {"mediaType": media_type, "digest": digest, "size": len(body)}
    artifact_type = manifest.get("artifactType") or (manifest.get("config") or {}).get("mediaType")
    if artifact_type:
        descriptor["artifactType"] = artifact_type
    if manifest.get("annotations"):
        descriptor["annotations"] = manifest["annotations"]
    return descriptor


def route_of(path):
    """The repository name in a path, or None; for the authorisation check."""
    match = ROUTE.match(path)
    return match["name"] if match else None


def first_values(query):
    return {key: values[0] for key, values in urllib.parse.parse_qs(query, keep_blank_values=True).items()}
