# SPDX-License-Identifier: Apache-2.0
"""Blobs and uploads of the OCI distribution API, with the ways that registries differ in them."""

import re

from http_io import Gone, Reply, error
from storage import DIGEST

SPAN = re.compile(r"bytes=(\d*)-(\d*)\Z")
LOCK_SECONDS = 5


def span_of(header, size):
    """(first, last) of a Range header over `size` bytes; None without a usable one; first > last: not satisfiable."""
    wanted = SPAN.match(header or "")
    if not wanted or not (wanted[1] or wanted[2]):
        return None
    if not wanted[1]:
        return max(0, size - int(wanted[2])), size - 1
    return int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)


class Blobs:
    def __init__(self, storage, options, urls):
        self.storage = storage
        self.options = options
        self.urls = urls  # listener -> URL, filled when the ports are known

    def blob(self, request, name, digest, query):
        if not DIGEST.match(digest):
            return error(400, "DIGEST_INVALID", "not a digest")
        if request.command not in ("GET", "HEAD", "DELETE"):
            return error(405, "UNSUPPORTED", "method not allowed")
        size = self.storage.blob_size(name, digest)
        if size is None:
            return error(404, "BLOB_UNKNOWN", "blob unknown")
        if request.command == "DELETE":
            self.storage.blob_delete(name, digest)
            return Reply(202)
        headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest,
                   "Accept-Ranges": "bytes"}
        span = span_of(request.headers.get("Range"), size)
        if span is None:
            return Reply(200, b"", headers, self.storage.blob_path(digest), 0, size)
        first, last = span
        if first > last:
            return Reply(416, headers={"Content-Range": "bytes */%d" % size})
        headers["Content-Range"] = "bytes %d-%d/%d" % (first, last, size)
        return Reply(206, b"", headers, self.storage.blob_path(digest), first, last - first + 1)

    # uploads

    def upload(self, request, name, upload_id, query):
        if self.too_big(request):
            return self.refuse_big(request)
        if upload_id == "":
            return self.start(request, name, query)
        upload = self.storage.uploads.get(upload_id)
        if upload is None or query.get("state") != upload.state:
            return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown, or its state was not given back")
        # A client that died is still being read from when the next asks how far it came.
        held = upload.lock.acquire(timeout=LOCK_SECONDS)
        try:
            return self.session(request, name, upload, query, held)
        finally:
            if held:
                upload.lock.release()

    def session(self, request, name, upload, query, held):
        if request.command in ("PATCH", "PUT") and not held:
            return Reply(416, headers=self.headers(name, upload))
        if request.command == "PATCH":
            return self.append(request, name, upload)
        if request.command == "PUT":
            return self.finish(request, name, upload, query.get("digest", ""))
        if request.command == "DELETE":
            self.storage.upload_cancel(upload)
            return Reply(204)
        if request.command not in ("GET", "HEAD"):
            return error(405, "UNSUPPORTED", "method not allowed")
        return Reply(204, headers=self.headers(name, upload))

    def location(self, name, upload):
        path = "/v2/%s/blobs/uploads/%s?state=%s" % (name, upload.id, upload.state)
        main = self.urls["main"]
        return {
            "relative": path, "absolute": main + path, "alt": self.urls["alt"] + path,
            "portless": main.rpartition(":")[0] + path, "schemeless": main.partition(":")[2] + path,
            "folder": path.rpartition("/")[2],
        }[self.options.location]

    def headers(self, name, upload, before=None):
        """Headers of an answer about an upload; `before`: its size before the PATCH that is answered."""
        headers = {"Location": self.location(name, upload), "Docker-Upload-UUID": upload.id}
        size, mode = upload.size, self.options.range
        if before is not None and mode in ("stale", "chunk"):
            size = before if mode == "stale" else size - before
        if mode != "absent":
            headers["Range"] = "0--1" if size == 0 and mode == "minus" else "0-%d" % max(0, size - 1)
        return headers

    def start(self, request, name, query):
        if request.command != "POST":
            return error(405, "UNSUPPORTED", "method not allowed")
        if "mount" in query:
            reply = self.mount(request, name, query["mount"], query.get("from"))
            if reply:
                return reply
        upload = self.storage.upload_start(name)
        if "digest" in query and self.options.post_digest:
            return self.finish(request, name, upload, query["digest"])
        headers = self.headers(name, upload)
        if self.options.min_chunk:
            headers["OCI-Chunk-Min-Length"] = str(self.options.min_chunk)
        return Reply(202, headers=headers)

    def mount(self, request, name, digest, source):
        """The answer to a mount, or None when an upload is to begin instead."""
        mode = self.options.mount if source else self.options.anonymous_mount
        if mode.isdigit():
            return error(int(mode), "UNSUPPORTED", "no mounts here")
        if mode == "no" or not DIGEST.match(digest) or (source and not request.may_pull(source)):
            return None
        if not self.storage.blob_mount(name, digest, source):
            return None
        return Reply(201, headers={"Location": "/v2/%s/blobs/%s" % (name, digest), "Docker-Content-Digest": digest})

    # bodies

    def too_big(self, request):
        return self.options.max_body and not request.chunked and request.left > self.options.max_body

    def refuse_big(self, request):
        """A proxy answers before it has read the body, and reads on for a while so that the answer is seen."""
        request.body_done = request.close_connection = request.linger = True
        return Reply(413, b"<html>413 Request Entity Too Large</html>", {"Content-Type": "text/html"})

    def receive(self, request, upload):
        """Append the body; None, or the answer when it is refused. A client that dies in it is dealt with here."""
        before = upload.mark()
        try:
            for data in request.read_body():
                upload.write(data)
                if self.options.max_body and request.bytes_in > self.options.max_body:
                    upload.revert(before)
                    return self.refuse_big(request)
        except (Gone, OSError, ValueError):
            if self.options.broken_upload == "revert":
                upload.revert(before)
            elif self.options.broken_upload == "gone":
                self.storage.upload_cancel(upload)
            raise
        return None

    def wrong_place(self, request, name, upload):
        """416 to a Content-Range that does not begin where the upload ends, or is no range; 400 after a short chunk."""
        header = request.headers.get("Content-Range")
        wanted = re.match(r"(\d+)-(\d+)\Z", header or "")
        if header is not None and (not wanted or int(wanted[1]) != upload.size):
            return Reply(416, headers=self.headers(name, upload))
        if upload.short and not request.body_done:
            return error(400, "SIZE_INVALID", "the chunk before was below the least length")
        return None

    def append(self, request, name, upload):
        mode = self.options.patch
        if mode.isdigit() and int(mode) >= 300:
            return error(int(mode), "UNSUPPORTED", "no PATCH here")
        before = upload.size
        problem = self.wrong_place(request, name, upload) or self.receive(request, upload)
        if problem:
            return problem
        upload.short = upload.size - before < self.options.min_chunk
        return Reply(int(mode) if mode.isdigit() else 202, headers=self.headers(name, upload, before))

    def finish(self, request, name, upload, digest):
        if not DIGEST.match(digest):
            return error(400, "DIGEST_INVALID", "no digest, or not one")
        problem = self.wrong_place(request, name, upload) or self.receive(request, upload)
        if problem:
            return problem
        if not self.storage.upload_finish(name, upload, digest):
            return error(400, "DIGEST_INVALID", "the content's digest is another")
        return Reply(201, headers={"Location": "/v2/%s/blobs/%s" % (name, digest), "Docker-Content-Digest": digest})
