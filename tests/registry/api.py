# SPDX-License-Identifier: Apache-2.0
"""The OCI distribution API (specification 1.1), one method per endpoint; blobs and uploads are in blobs.py."""

import json
import re
import urllib.parse

from blobs import Blobs
from http_io import Reply, error, json_reply
from referrers import INDEX_TYPE, MANIFEST_TYPE, Generated, referrer
from storage import DIGEST, NAME, TAG, digest_of

MANIFEST_MAX = 4 << 20
MEDIA_TYPES = {
    MANIFEST_TYPE, INDEX_TYPE,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
}
NOT_DISTRIBUTED = ("application/vnd.oci.image.layer.nondistributable.", "application/vnd.docker.image.rootfs.foreign.")
ROUTE = re.compile(r"/v2/(?P<name>.+?)/(?P<kind>manifests|blobs/uploads|blobs|tags|referrers)/(?P<rest>[^/]*)\Z")
METADATA = "http://169.254.169.254"
TAG_PARAMS_MAX = 10


def actions_of(method):
    if method in ("GET", "HEAD"):
        return ["pull"]
    return ["delete"] if method == "DELETE" else ["pull", "push"]


class Api:
    def __init__(self, storage, options):
        self.storage = storage
        self.options = options
        self.urls = {}  # listener -> URL, set when the ports are known
        self.blobs = Blobs(storage, options, self.urls)
        self.generated = Generated(options.generate_referrers)

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
        if kind == "blobs" and rest == "uploads":
            kind, rest = "blobs/uploads", ""
        method = {
            "manifests": self.manifest, "blobs": self.blobs.blob, "blobs/uploads": self.blobs.upload,
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
            return self.manifest_delete(name, reference)
        if request.command not in ("GET", "HEAD"):
            return error(405, "UNSUPPORTED", "method not allowed")
        digest = self.storage.manifest_digest(name, reference)
        found = self.storage.known_repo(name).manifests[digest] if digest else self.generated.manifest(reference)
        if found is None:
            return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        media_type, body = found
        return Reply(200, body, {"Content-Type": media_type, "Docker-Content-Digest": digest or reference})

    def manifest_delete(self, name, reference):
        allowed = self.options.delete == "all" or (self.options.delete == "digests" and DIGEST.match(reference))
        if not allowed:
            return error(405, "UNSUPPORTED", "not deleted here")
        gone = self.storage.manifest_delete(name, reference)
        return Reply(202) if gone else error(404, "MANIFEST_UNKNOWN", "manifest unknown")

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
        tags = tag_params(request.path) if by_digest else [reference]
        if tags is None:
            return error(414, "TAG_INVALID", "too many tags, or not tags")
        self.storage.manifest_put(name, None, digest, media_type, body)
        for tag in tags:
            self.storage.manifest_put(name, tag, digest, media_type, body)
        headers = {"Location": "/v2/%s/manifests/%s" % (name, digest), "Docker-Content-Digest": digest}
        if by_digest and tags:
            headers["OCI-Tag"] = ", ".join(tags)
        subject, mode = json.loads(body).get("subject"), self.options.oci_subject
        if subject and (mode == "always" or (mode == "honest" and self.options.referrers)):
            headers["OCI-Subject"] = subject["digest"]
        return Reply(201, headers=headers)

    def manifest_problem(self, name, media_type, body):
        try:
            manifest = json.loads(body)
        except ValueError:
            return error(400, "MANIFEST_INVALID", "not JSON")
        if media_type not in MEDIA_TYPES or manifest.get("mediaType", media_type) != media_type:
            return error(400, "MANIFEST_INVALID", "media type of header and body disagree or are unknown")
        if self.options.sparse:
            return None
        blobs = manifest.get("layers", []) + ([manifest["config"]] if "config" in manifest else [])
        for descriptor in blobs:
            if descriptor.get("mediaType", "").startswith(NOT_DISTRIBUTED):
                continue
            size = self.storage.blob_size(name, descriptor.get("digest"))
            if size is None:
                return error(404, "MANIFEST_BLOB_UNKNOWN", "blob unknown: %s" % descriptor.get("digest"))
            if size != descriptor.get("size"):
                return error(400, "SIZE_INVALID", "size of %s is %d" % (descriptor["digest"], size))
        for descriptor in manifest.get("manifests", []):
            if self.storage.manifest_digest(name, descriptor.get("digest")) is None:
                return error(404, "MANIFEST_UNKNOWN", "manifest unknown: %s" % descriptor.get("digest"))
        return None

    # lists

    def next_link(self, request, next_path):
        """The headers of a page after which `next_path` (or none) comes, in the way that --link wants."""
        mode = self.options.link
        if mode == "loop":
            next_path = request.path
        if next_path is None:
            return {}
        prefix = {"absolute": self.urls["main"], "foreign": self.urls["alt"], "metadata": METADATA}.get(mode, "")
        return {"Link": '<%s%s>; rel="next"' % (prefix, next_path)}

    def tags(self, request, name, rest, query):
        repo = self.storage.known_repo(name)
        if rest != "list" or repo is None:
            return error(404, "NAME_UNKNOWN", "repository unknown")
        if not query.get("n", "0").isdigit():
            return error(400, "PAGINATION_NUMBER_INVALID", "n is no number")
        count = min(int(query.get("n", self.options.page_size)), self.options.page_size)
        last = query.get("last", "")
        if self.options.link == "endless":
            start = int(last.rpartition("-")[2] or 0) if last else 0
            tags = ["made-%d" % n for n in range(start + 1, start + count + 2)]
        else:
            tags = sorted(tag for tag in list(repo.tags) if tag > last)
        path = None
        if len(tags) > count:
            path = "/v2/%s/tags/list?n=%d&last=%s" % (name, count, tags[count - 1] if count else "")
        return json_reply(200, {"name": name, "tags": tags[:count]}, self.next_link(request, path))

    def list_referrers(self, request, name, digest, query):
        if not self.options.referrers:
            return error(404, "UNSUPPORTED", "no referrers API")
        if not DIGEST.match(digest):
            return error(400, "DIGEST_INVALID", "not a digest")
        found, more, headers = self.referrers_of(name, digest), "", {}
        if "artifactType" in query:
            found = [f for f in found if f.get("artifactType") == query["artifactType"]]
            headers["OCI-Filters-Applied"] = "artifactType"
            more = "&artifactType=" + urllib.parse.quote(query["artifactType"])
        start = int(query["from"]) if query.get("from", "").isdigit() else 0
        end, path = start + self.options.referrers_page, None
        if len(found) > end or self.options.link == "endless":
            path = "/v2/%s/referrers/%s?from=%d%s" % (name, digest, end, more)
        headers.update(self.next_link(request, path))
        page = found[start % len(found) :][: self.options.referrers_page] if found else []
        reply = json_reply(200, {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": page}, headers)
        reply.headers["Content-Type"] = INDEX_TYPE
        return reply

    def referrers_of(self, name, digest):
        """All descriptors of what has that subject: what was pushed, then what is generated."""
        repo = self.storage.known_repo(name)
        found = [referrer(key, *repo.manifests[key], manifest) for key, manifest in repo.with_subject(digest)] if repo else []
        if not self.options.generate_referrers:
            return found
        media_type, body = (repo.manifests.get(digest) if repo else None) or (MANIFEST_TYPE, b"")
        return found + self.generated.list({"mediaType": media_type, "digest": digest, "size": len(body)})


def tag_params(path):
    """The values of `tag` in a query; None when they are too many or no tags."""
    tags = urllib.parse.parse_qs(path.partition("?")[2]).get("tag", [])
    return tags if len(tags) <= TAG_PARAMS_MAX and all(TAG.match(tag) for tag in tags) else None


def route_of(path):
    """The repository name in a path, or None; for the authorisation check."""
    match = ROUTE.match(path)
    return match["name"] if match else None


def first_values(query):
    return {key: values[0] for key, values in urllib.parse.parse_qs(query, keep_blank_values=True).items()}
