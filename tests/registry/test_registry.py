#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fault-injecting registry tested by itself, over its sockets."""

import base64
import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

sys.dont_write_bytecode = True
from case import BLOB, MANIFEST_TYPE, Case, manifest, sha256  # noqa: E402  (needs the path above)


class Conformance(Case):
    argv = ["--referrers", "--page-size", "2"]

    def test_manifest_round_trip(self):
        digest = self.push_all()
        self.assertEqual(digest, sha256(manifest()))
        for reference in ("v1", digest):
            status, headers, body = self.ask("GET", "/v2/a/b/manifests/" + reference)
            self.assertEqual((status, body), (200, manifest()))
            self.assertEqual(headers["Content-Type"], MANIFEST_TYPE)
            status, headers, body = self.ask("HEAD", "/v2/a/b/manifests/" + reference)
            self.assertEqual((status, body, headers["Docker-Content-Digest"]), (200, b"", digest))
        self.assertEqual(self.ask("GET", "/v2/a/b/manifests/v2")[0], 404)

    def test_manifest_refused(self):
        put = lambda ref, body: self.ask("PUT", "/v2/a/b/manifests/" + ref, body, {"Content-Type": MANIFEST_TYPE})
        self.assertEqual(put("v1", manifest())[0], 404)
        self.push_all()
        self.assertEqual(put("v1", b"not JSON")[0], 400)
        self.assertEqual(put("sha256:" + "0" * 64, manifest())[0], 400)
        self.assertEqual(put("v1", manifest(mediaType="application/x"))[0], 400)
        self.assertEqual(put("v1", b" " * ((4 << 20) + 1))[0], 413)

    def test_upload_post_put(self):
        status, headers, _ = self.ask("POST", "/v2/a/b/blobs/uploads/", b"")
        self.assertEqual(status, 202)
        self.assertTrue(headers["Location"].startswith("/v2/a/b/blobs/uploads/"))
        place = headers["Location"]
        self.assertEqual(self.ask("PUT", place.split("?")[0] + "?digest=" + sha256(BLOB), BLOB)[0], 404)
        self.assertEqual(self.ask("PUT", place + "&digest=" + sha256(BLOB), BLOB)[0], 201)
        self.assertEqual(self.ask("HEAD", self.blob_path())[0], 200)

    def test_upload_chunks(self):
        place = self.ask("POST", "/v2/a/b/blobs/uploads/", b"")[1]["Location"]
        half = len(BLOB) // 2
        ranges = {"Content-Range": "0-%d" % (half - 1)}
        self.assertEqual(self.ask("PATCH", place, BLOB[:half], ranges)[0], 202)
        self.assertEqual(self.ask("PATCH", place, BLOB[:half], ranges)[0], 416)
        status, headers, _ = self.ask("GET", place)
        self.assertEqual((status, headers["Range"]), (204, "0-%d" % (half - 1)))
        chunked = iter([BLOB[half : half + 10], BLOB[half + 10 :]])
        self.assertEqual(self.ask("PATCH", place, chunked)[0], 202)
        self.assertEqual(self.ask("PUT", place + "&digest=" + sha256(BLOB), b"")[0], 201)

    def test_upload_wrong_digest(self):
        place = self.ask("POST", "/v2/a/b/blobs/uploads/", b"")[1]["Location"]
        self.assertEqual(self.ask("PUT", place + "&digest=" + sha256(b"x"), BLOB)[0], 400)
        self.assertEqual(self.ask("HEAD", "/v2/a/b/blobs/" + sha256(b"x"))[0], 404)

    def test_ranges(self):
        self.push_all()
        status, headers, body = self.ask("GET", self.blob_path(), headers={"Range": "bytes=10-"})
        self.assertEqual((status, body), (206, BLOB[10:]))
        self.assertEqual(headers["Content-Range"], "bytes 10-%d/%d" % (len(BLOB) - 1, len(BLOB)))
        self.assertEqual(self.ask("GET", self.blob_path(), headers={"Range": "bytes=999999-"})[0], 416)

    def test_mount_and_delete(self):
        self.push_all()
        query = "/v2/c/blobs/uploads/?mount=%s&from=" % sha256(BLOB)
        self.assertEqual(self.ask("POST", query + "x", b"")[0], 202)
        self.assertEqual(self.ask("POST", query + "a/b", b"")[0], 201)
        self.assertEqual(self.ask("DELETE", "/v2/c/blobs/" + sha256(BLOB))[0], 202)
        self.assertEqual(self.ask("HEAD", "/v2/c/blobs/" + sha256(BLOB))[0], 404)
        self.assertEqual(self.ask("HEAD", self.blob_path())[0], 200)
        self.assertEqual(self.ask("DELETE", "/v2/a/b/manifests/v1")[0], 202)
        self.assertEqual(self.ask("GET", "/v2/a/b/manifests/v1")[0], 404)

    def test_tags_and_pages(self):
        digest = self.push_all()
        for tag in ("v2", "v3"):
            self.ask("PUT", "/v2/a/b/manifests/" + tag, manifest(), {"Content-Type": MANIFEST_TYPE})
        _, headers, body = self.ask("GET", "/v2/a/b/tags/list")
        self.assertEqual(json.loads(body)["tags"], ["v1", "v2"])
        place = headers["Link"].partition("<")[2].partition(">")[0]
        _, headers, body = self.ask("GET", place)
        self.assertEqual((json.loads(body)["tags"], headers["Link"]), (["v3"], None))
        self.assertEqual(self.ask("DELETE", "/v2/a/b/manifests/" + digest)[0], 202)
        self.assertEqual(json.loads(self.ask("GET", "/v2/a/b/tags/list")[2])["tags"], [])

    def test_referrers(self):
        digest = self.push_all()
        subject = {"mediaType": MANIFEST_TYPE, "digest": digest, "size": len(manifest())}
        body = manifest(subject=subject, artifactType="application/x")
        headers = self.ask("PUT", "/v2/a/b/manifests/" + sha256(body), body, {"Content-Type": MANIFEST_TYPE})[1]
        self.assertEqual(headers["OCI-Subject"], digest)
        index = json.loads(self.ask("GET", "/v2/a/b/referrers/" + digest)[2])
        self.assertEqual([m["digest"] for m in index["manifests"]], [sha256(body)])
        _, headers, reply = self.ask("GET", "/v2/a/b/referrers/%s?artifactType=other" % digest)
        self.assertEqual((json.loads(reply)["manifests"], headers["OCI-Filters-Applied"]), ([], "artifactType"))


class Faulty(Case):
    def test_status_then_success(self):
        self.push_all()
        self.fault(match={"method": "GET", "path": "/blobs/"}, times=2, action="status", status=503)
        self.assertEqual([self.ask("GET", self.blob_path())[0] for _ in range(3)], [503, 503, 200])
        self.fault(match={"path": "/blobs/"}, nth=2, action="retry_after", value=7)
        replies = [self.ask("GET", self.blob_path()) for _ in range(3)]
        self.assertEqual([r[0] for r in replies], [200, 429, 200])
        self.assertEqual(replies[1][1]["Retry-After"], "7")
        state = json.loads(self.ask("GET", "/_fault")[2])
        self.assertEqual([(r["seen"], r["fired"]) for r in state], [(6, 2), (3, 1)])

    def test_bodies(self):
        self.push_all()
        for action, check in (
            ("short_body", lambda b: b == BLOB[:-1]),
            ("long_body", lambda b: b == BLOB + b"x"),
            ("wrong_digest", lambda b: len(b) == len(BLOB) and b != BLOB),
            ("flip_byte", lambda b: b[1:] == BLOB[1:] and b[0] == BLOB[0] ^ 1),
        ):
            self.fault(match={"path": "/blobs/"}, action=action)
            status, headers, body = self.ask("GET", self.blob_path())
            self.assertEqual((status, int(headers["Content-Length"])), (200, len(body)), action)
            self.assertTrue(check(body), action)
        self.assertEqual(self.ask("GET", self.blob_path())[2], BLOB)

    def test_drop(self):
        self.push_all()
        self.fault(match={"path": "/blobs/"}, action="drop_after_bytes", bytes=100)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.ask("GET", self.blob_path())
        self.assertEqual(caught.exception.partial, BLOB[:100])
        self.fault(match={"path": "/blobs/"}, action="drop")
        with self.assertRaises((http.client.RemoteDisconnected, ConnectionResetError)):
            self.ask("GET", self.blob_path())

    def test_headers(self):
        self.push_all()
        self.fault(match={"path": "/manifests/"}, action="wrong_docker_digest")
        self.assertEqual(self.ask("GET", "/v2/a/b/manifests/v1")[1]["Docker-Content-Digest"], "sha256:" + "5" * 64)
        self.fault(match={"path": "/manifests/"}, action="wrong_content_type")
        self.assertEqual(self.ask("GET", "/v2/a/b/manifests/v1")[1]["Content-Type"], "text/html")
        self.fault(match={"path": "/manifests/"}, action="set_header", headers={"Docker-Content-Digest": None})
        self.assertIsNone(self.ask("GET", "/v2/a/b/manifests/v1")[1]["Docker-Content-Digest"])

    def test_redirect_refuses_credentials(self):
        self.push_all()
        self.fault(match={"path": "/blobs/"}, action="redirect")
        status, headers, _ = self.ask("GET", self.blob_path())
        place = "http://localhost:%d" % self.app.port("alt")
        self.assertEqual((status, headers["Location"]), (307, place + self.blob_path()))
        self.assertEqual(self.ask("GET", self.blob_path(), listener="alt")[2], BLOB)
        secret = {"Authorization": "Basic eA=="}
        self.assertEqual(self.ask("GET", self.blob_path(), headers=secret, listener="alt")[0], 400)
        last = self.log()[-1]
        self.assertEqual((last["listener"], last["has_authorization"]), ("alt", True))
        self.assertNotIn("eA==", json.dumps(self.log()))

    def test_bad_rule(self):
        self.assertEqual(self.ask("POST", "/_fault", '{"action": "explode"}')[0], 400)


class Basic(Case):
    argv = ["--auth", "basic", "--user", "u", "--password", "p:w"]

    def test_basic(self):
        status, headers, _ = self.ask("GET", "/v2/")
        self.assertEqual(status, 401)
        self.assertTrue(headers["WWW-Authenticate"].startswith("Basic "))
        for secret, wanted in (("u:p:w", 200), ("u:p", 401)):
            value = "Basic " + base64.b64encode(secret.encode()).decode()
            self.assertEqual(self.ask("GET", "/v2/", headers={"Authorization": value})[0], wanted)


class Token(Case):
    argv = ["--auth", "token", "--token-listener", "--identity-token", "idt", "--anonymous-pull"]

    def token(self, scope, secret=None):
        headers = {"Authorization": "Basic " + base64.b64encode(secret).decode()} if secret else {}
        path = "/token?service=fault-registry&scope=" + scope
        status, _, body = self.ask("GET", path, headers=headers, listener="token")
        return status, {"Authorization": "Bearer " + json.loads(body).get("token", "")}

    def test_flow(self):
        status, headers, _ = self.push_blob(BLOB)
        self.assertEqual(status, 401)
        self.assertIn('scope="repository:a/b:pull,push"', headers["WWW-Authenticate"])
        self.assertIn(":%d/token" % self.app.port("token"), headers["WWW-Authenticate"])
        _, anonymous = self.token("repository:a/b:pull,push")
        status, headers, _ = self.push_blob(BLOB, headers=anonymous)
        self.assertEqual(status, 401)
        self.assertIn("insufficient_scope", headers["WWW-Authenticate"])
        self.assertEqual(self.token("repository:a/b:pull", b"user:wrong")[0], 401)
        _, good = self.token("repository:a/b:pull,push", b"user:password")
        self.assertEqual(self.push_blob(BLOB, headers=good)[0], 201)
        self.assertEqual(self.ask("GET", self.blob_path(), headers=anonymous)[0], 200)
        self.assertEqual(self.push_blob(BLOB, name="other", headers=good)[0], 401)
        self.assertEqual(self.ask("POST", "/_revoke")[0], 204)
        self.assertEqual(self.ask("GET", self.blob_path(), headers=good)[0], 401)

    def test_identity_token(self):
        form = "grant_type=refresh_token&service=fault-registry&scope=repository:a/b:pull&refresh_token="
        self.assertEqual(self.ask("POST", "/token", form + "idt", listener="token")[0], 200)
        self.assertEqual(self.ask("POST", "/token", form + "no", listener="token")[0], 401)


class Program(unittest.TestCase):
    def test_starts_and_ends_by_itself(self):
        program = os.path.join(os.path.dirname(os.path.abspath(__file__)), "registry.py")
        with tempfile.TemporaryDirectory() as folder:
            port_file = os.path.join(folder, "ports")
            argv = [sys.executable, program, "--port-file", port_file, "--max-seconds", "0.6"]
            with subprocess.Popen(argv) as child:
                deadline = time.monotonic() + 10
                while not os.path.exists(port_file) and time.monotonic() < deadline:
                    time.sleep(0.02)
                with open(port_file, encoding="utf-8") as file:
                    self.assertEqual(set(json.load(file)), {"main", "alt", "token"})
                self.assertEqual(child.wait(10), 0)


if __name__ == "__main__":
    unittest.main()
