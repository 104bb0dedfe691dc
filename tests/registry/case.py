# SPDX-License-Identifier: Apache-2.0
"""What the tests of the fault-injecting registry share: one in this process, and requests to it over its sockets."""

import hashlib
import http.client
import json
import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
import registry  # noqa: E402  (writes nothing into the tree)
from options import parse_options  # noqa: E402

MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
BLOB = b"some wasm" * 1000
CONFIG = b"{}"


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def manifest(**more):
    value = {
        "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": sha256(CONFIG), "size": 2},
        "layers": [{"mediaType": "application/wasm", "digest": sha256(BLOB), "size": len(BLOB)}],
    }
    value.update(more)
    return json.dumps(value).encode()


class Case(unittest.TestCase):
    argv = []
    post_digest = True

    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.log_path = os.path.join(self.folder.name, "log")
        self.app = registry.App(parse_options(["--log", self.log_path] + ["--post-digest"] * self.post_digest + self.argv), self.folder.name)
        self.app.start()

    def tearDown(self):
        self.app.stop()
        self.folder.cleanup()

    def ask(self, method, path, body=None, headers=None, listener="main"):
        """(status, headers, body) of one request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.app.port(listener), timeout=10)
        try:
            connection.request(method, path, body, headers or {})
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def fault(self, **rule):
        self.assertEqual(self.ask("POST", "/_fault", json.dumps(rule))[0], 200)

    def push_blob(self, data, name="a/b", headers=None):
        path = "/v2/%s/blobs/uploads/?digest=%s" % (name, sha256(data))
        return self.ask("POST", path, data, headers)

    def push_all(self):
        self.assertEqual(self.push_blob(BLOB)[0], 201)
        self.assertEqual(self.push_blob(CONFIG)[0], 201)
        status, headers, _ = self.ask("PUT", "/v2/a/b/manifests/v1", manifest(), {"Content-Type": MANIFEST_TYPE})
        self.assertEqual(status, 201)
        return headers["Docker-Content-Digest"]

    def log(self, event=None):
        """The lines of requests, or those of an event."""
        with open(self.log_path, encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line.get("event") == event]

    def blob_path(self):
        return "/v2/a/b/blobs/" + sha256(BLOB)
