#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The ways in which registries differ, and those in which they lie: options.py and the rules about time, bytes and writers."""

import base64
import gzip
import http.client
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

sys.dont_write_bytecode = True
import trips  # noqa: E402  (needs the path above)
from case import BLOB, MANIFEST_TYPE, Case, manifest, sha256  # noqa: E402
from referrers import INDEX_TYPE  # noqa: E402

UPLOADS = "/v2/a/b/blobs/uploads/"
HALF = len(BLOB) // 2


def link_of(headers):
    return (headers["Link"] or "").partition("<")[2].partition(">")[0]


class Uploading(Case):
    def begin(self):
        status, headers, _ = self.ask("POST", UPLOADS, b"")
        self.assertEqual(status, 202)
        return headers["Location"], headers

    def patch(self, place, data, start=None):
        headers = {"Content-Range": "%d-%d" % (start, start + len(data) - 1)} if start is not None else {}
        status, headers, _ = self.ask("PATCH", place, data, headers)
        return status, headers

    def put(self, place, data=b""):
        return self.ask("PUT", place + "&digest=" + sha256(BLOB), data)[0]

    def die_in_patch(self, place, sent):
        """A client that is killed when `sent` bytes of a PATCH have left it."""
        with socket.create_connection(("127.0.0.1", self.app.port("main"))) as client:
            head = "PATCH %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (place, len(BLOB))
            client.sendall(head.encode() + BLOB[:sent])

    def held(self, place):
        """Bytes that the registry says it has."""
        status, headers, _ = self.ask("GET", place)
        self.assertEqual(status, 204)
        return int(headers["Range"].partition("-")[2]) + 1


class Resume(Uploading):
    def test_partial_body_is_kept(self):
        place, _ = self.begin()
        self.die_in_patch(place, 1000)
        self.assertEqual(self.held(place), 1000)
        self.assertEqual(self.patch(place, BLOB[:10], 0)[0], 416)
        self.assertEqual(self.patch(place, BLOB[1000:], 1000)[0], 202)
        self.assertEqual(self.put(place), 201)
        died = [line for line in self.log() if line["status"] == 0]
        self.assertEqual([(line["method"], line["bytes_in"]) for line in died], [("PATCH", 1000)])

    def test_wrong_offset_of_put(self):
        place, _ = self.begin()
        self.patch(place, BLOB[:HALF])
        status = self.ask("PUT", place + "&digest=" + sha256(BLOB), BLOB, {"Content-Range": "0-%d" % (len(BLOB) - 1)})[0]
        self.assertEqual(status, 416)
        self.assertEqual(self.put(place, BLOB[HALF:]), 201)


class ResumeReverted(Uploading):
    argv = ["--broken-upload", "revert"]

    def test_request_is_undone(self):
        place, _ = self.begin()
        self.patch(place, BLOB[:HALF])
        self.die_in_patch(place, 1000)
        self.assertEqual(self.held(place), HALF)
        self.assertEqual(self.put(place, BLOB[HALF:]), 201)


class ResumeGone(Uploading):
    argv = ["--broken-upload", "gone"]

    def test_session_is_over(self):
        place, _ = self.begin()
        self.die_in_patch(place, 1000)
        for _ in range(100):
            if self.ask("GET", place)[0] == 404:
                return
            time.sleep(0.02)
        self.fail("the session is still there")


class Ecr(Uploading):
    argv = ["--range", "stale", "--patch", "201"]

    def test_stale_range_and_201(self):
        place, _ = self.begin()
        status, headers = self.patch(place, BLOB[:HALF], 0)
        self.assertEqual((status, headers["Range"]), (201, "0-0"))
        status, headers = self.patch(place, BLOB[HALF:], HALF)
        self.assertEqual((status, headers["Range"]), (201, "0-%d" % (HALF - 1)))
        self.assertEqual(self.put(place), 201)


class Aliyun(Uploading):
    argv = ["--range", "chunk"]

    def test_range_of_the_chunk(self):
        place, _ = self.begin()
        self.patch(place, BLOB[:HALF], 0)
        self.assertEqual(self.patch(place, BLOB[HALF : HALF + 10], HALF)[1]["Range"], "0-9")
        self.assertEqual(self.held(place), HALF + 10)


class Gitea(Uploading):
    argv = ["--range", "minus"]
    post_digest = False

    def test_minus_one_and_no_post_with_digest(self):
        self.assertEqual(self.begin()[1]["Range"], "0--1")
        self.assertEqual(self.push_blob(BLOB)[0], 202)


class NoRange(Uploading):
    argv = ["--range", "absent"]

    def test_no_range(self):
        self.assertIsNone(self.begin()[1]["Range"])


class NoPatch(Uploading):
    argv = ["--patch", "405"]

    def test_patch_is_refused(self):
        place, _ = self.begin()
        self.assertEqual(self.patch(place, BLOB)[0], 405)
        self.assertEqual(self.put(place, BLOB), 201)


class Chunks(Uploading):
    argv = ["--min-chunk", "1000"]

    def test_least_length(self):
        place, headers = self.begin()
        self.assertEqual(headers["OCI-Chunk-Min-Length"], "1000")
        self.assertEqual(self.patch(place, BLOB[:1000], 0)[0], 202)
        self.assertEqual(self.patch(place, BLOB[1000:1010], 1000)[0], 202)
        self.assertEqual(self.patch(place, BLOB[1010:], 1010)[0], 400)
        place, _ = self.begin()
        self.patch(place, BLOB[:-5])
        self.patch(place, BLOB[-5:])
        self.assertEqual(self.put(place), 201)


class Limited(Uploading):
    argv = ["--max-body", "5000"]

    def test_413_above_a_size(self):
        self.assertEqual(self.push_blob(BLOB)[0], 413)
        place, _ = self.begin()
        self.assertEqual(self.patch(place, iter([BLOB[:4000], BLOB[4000:]]))[0], 413)
        self.assertEqual(self.held(place), 1)  # nothing: 0-0 says one byte or none
        self.assertEqual(self.patch(place, BLOB[:4500])[0], 202)
        self.assertEqual(self.put(place, BLOB[4500:]), 201)


class Locations(unittest.TestCase):
    def test_every_form(self):
        def begin(form):
            class Once(Uploading):
                argv = ["--location", form]

                def runTest(self):
                    self.place, _ = self.begin()
                    self.port = self.app.port("main")

            case = Once()
            self.assertTrue(case.run().wasSuccessful())
            return case.place, case.port

        for form, start in (("relative", UPLOADS), ("absolute", "http://127.0.0.1:%d" + UPLOADS),
                            ("alt", "http://localhost:"), ("portless", "http://127.0.0.1" + UPLOADS),
                            ("schemeless", "//127.0.0.1:%d" + UPLOADS)):
            place, port = begin(form)
            self.assertTrue(place.startswith(start % port if "%" in start else start), place)
        self.assertNotIn("/", begin("folder")[0])


class Mounts(Case):
    def mount(self, source):
        query = "?mount=" + sha256(BLOB) + ("&from=" + source if source else "")
        return self.ask("POST", "/v2/c/blobs/uploads/" + query, b"")[0]

    def test_mounts(self):
        self.push_all()
        self.assertEqual(self.mount("a/b"), 201)
        self.assertEqual(self.mount("nowhere"), 202)
        self.assertEqual(self.mount(None), 201)


class NoMounts(Mounts):
    argv = ["--mount", "no", "--anonymous-mount", "400"]

    def test_mounts(self):
        self.push_all()
        self.assertEqual(self.mount("a/b"), 202)
        self.assertEqual(self.mount(None), 400)


class Deleting(Case):
    argv = ["--delete", "digests", "--warning", "soon over"]

    def test_no_tag_is_deleted(self):
        digest = self.push_all()
        status, headers, _ = self.ask("DELETE", "/v2/a/b/manifests/v1")
        self.assertEqual((status, headers["Warning"]), (405, '299 - "soon over"'))
        self.assertEqual(self.ask("DELETE", "/v2/a/b/manifests/" + digest)[0], 202)
        self.fault(match={"method": "DELETE"}, action="set_status", status=204)
        self.assertEqual(self.ask("DELETE", self.blob_path())[0], 204)
        self.assertEqual(self.ask("HEAD", self.blob_path())[0], 404)


class Referring(Case):
    def subject(self):
        return {"mediaType": MANIFEST_TYPE, "digest": self.push_all(), "size": len(manifest())}

    def put(self, reference, body, media_type=MANIFEST_TYPE):
        return self.ask("PUT", "/v2/a/b/manifests/" + reference, body, {"Content-Type": media_type})

    def refer(self, subject):
        body = manifest(subject=subject)
        return sha256(body), self.put(sha256(body), body)[1]["OCI-Subject"]


class ManyReferrers(Referring):
    argv = ["--referrers", "--generate-referrers", "100000", "--referrers-page", "40000", "--oci-subject", "never"]

    def test_pages_of_many(self):
        subject = self.subject()
        pushed, said = self.refer(subject)
        self.assertIsNone(said)
        place, found = "/v2/a/b/referrers/" + subject["digest"], []
        while place:
            _, headers, body = self.ask("GET", place)
            self.assertEqual(headers["Content-Type"], INDEX_TYPE)
            found += json.loads(body)["manifests"]
            place = link_of(headers)
        digests = {m["digest"] for m in found}
        self.assertEqual((len(found), len(digests), found[0]["digest"]), (100001, 100001, pushed))
        status, _, body = self.ask("GET", "/v2/a/b/manifests/" + found[-1]["digest"])
        self.assertEqual((status, sha256(body), json.loads(body)["subject"]), (200, found[-1]["digest"], subject))
        kind = found[-1]["artifactType"]
        _, headers, body = self.ask("GET", "/v2/a/b/referrers/%s?artifactType=%s" % (subject["digest"], kind))
        self.assertEqual({m["artifactType"] for m in json.loads(body)["manifests"]}, {kind})
        self.assertIn("artifactType=", link_of(headers))


class SubjectLie(Referring):
    argv = ["--oci-subject", "always"]

    def test_header_without_the_api(self):
        subject = self.subject()
        self.assertEqual(self.refer(subject)[1], subject["digest"])
        self.assertEqual(self.ask("GET", "/v2/a/b/referrers/" + subject["digest"])[0], 404)

    def race(self, when):
        subject = self.subject()
        tag = subject["digest"].replace(":", "-")
        ours = {"mediaType": MANIFEST_TYPE, "digest": self.refer(subject)[0], "size": len(manifest(subject=subject))}
        index = {"schemaVersion": 2, "mediaType": INDEX_TYPE, "manifests": [ours]}
        self.fault(match={"method": "PUT", "path": tag}, action="race", when=when)
        self.assertEqual(self.put(tag, json.dumps(index).encode(), INDEX_TYPE)[0], 201)
        listed = json.loads(self.ask("GET", "/v2/a/b/manifests/" + tag)[2])["manifests"]
        return ours["digest"], [m["digest"] for m in listed]

    def test_second_writer_before(self):
        ours, listed = self.race("before")
        self.assertEqual(listed, [ours])

    def test_second_writer_after(self):
        ours, listed = self.race("after")
        self.assertEqual(len(listed), 1)
        self.assertNotIn(ours, listed)
        self.assertEqual(self.ask("HEAD", "/v2/a/b/manifests/" + listed[0])[0], 200)


class Links(Case):
    argv = ["--link", "loop", "--page-size", "1"]

    def links(self, mode, count):
        """The Links of `count` pages, each taken from the one before."""
        self.app.options.link = mode
        place, seen = "/v2/a/b/tags/list", []
        for _ in range(count):
            place = link_of(self.ask("GET", place)[1])
            seen.append(place)
        return seen

    def test_links(self):
        self.push_all()
        self.assertEqual(self.links("normal", 1), [""])
        self.assertEqual(self.links("loop", 2), ["/v2/a/b/tags/list"] * 2)
        self.assertEqual(len(set(self.links("endless", 20))), 20)
        for tag in ("v2", "v3"):
            self.ask("PUT", "/v2/a/b/manifests/" + tag, manifest(), {"Content-Type": MANIFEST_TYPE})
        page = "/v2/a/b/tags/list?n=1&last=v1"
        self.assertEqual(self.links("absolute", 1), [self.app.url("main") + page])
        self.assertEqual(self.links("foreign", 1), [self.app.url("alt", "localhost") + page])
        self.assertEqual(self.links("metadata", 1), ["http://169.254.169.254" + page])


class Flow(Case):
    def test_lying_lengths(self):
        self.push_all()
        self.fault(match={"path": "/blobs/"}, action="content_length", add=5)
        with self.assertRaises(http.client.IncompleteRead) as caught:
            self.ask("GET", self.blob_path())
        self.assertEqual(caught.exception.partial, BLOB)
        self.fault(match={"path": "/blobs/"}, action="content_length", add=-5)
        self.assertEqual(self.ask("GET", self.blob_path())[2], BLOB[:-5])

    def test_head_that_lies(self):
        self.push_all()
        head = {"method": "HEAD"}
        self.fault(match=head, action="content_length", value=3)
        self.assertEqual(self.ask("HEAD", self.blob_path())[1]["Content-Length"], "3")
        self.fault(match=head, action="wrong_docker_digest")
        self.assertEqual(self.ask("HEAD", "/v2/a/b/manifests/v1")[1]["Docker-Content-Digest"], "sha256:" + "5" * 64)
        self.fault(match=head, action="set_status", status=404)
        self.assertEqual(self.ask("HEAD", self.blob_path())[0], 404)
        self.assertEqual(self.ask("GET", self.blob_path())[0], 200)
        self.fault(match=head, action="set_status", status=200)
        self.assertEqual(self.ask("HEAD", "/v2/a/b/blobs/" + sha256(b"not there"))[0], 200)

    def test_gzip(self):
        self.push_all()
        self.fault(match={"path": "/manifests/"}, action="gzip")
        _, headers, body = self.ask("GET", "/v2/a/b/manifests/v1")
        self.assertEqual((headers["Content-Encoding"], int(headers["Content-Length"])), ("gzip", len(body)))
        self.assertEqual(gzip.decompress(body), manifest())

    def took(self, *args):
        start = time.monotonic()
        reply = self.ask(*args)
        return time.monotonic() - start, reply

    def test_pauses(self):
        self.push_all()
        self.fault(match={"path": "/blobs/"}, action="pause", bytes=100, ms=300)
        seconds, reply = self.took("GET", self.blob_path())
        self.assertEqual(reply[2], BLOB)
        self.assertGreater(seconds, 0.28)
        self.fault(match={"path": "/uploads/"}, action="stall_request", bytes=100, ms=300)
        path = "%s?digest=%s" % (UPLOADS, sha256(BLOB))
        seconds, reply = self.took("POST", path, BLOB)
        self.assertEqual(reply[0], 201)
        self.assertGreater(seconds, 0.28)
        self.fault(match={"path": "/blobs/"}, action="bandwidth", rate=len(BLOB) * 5)
        self.assertGreater(self.took("GET", self.blob_path())[0], 0.15)

    def test_cut_is_logged(self):
        self.push_all()
        self.fault(match={"path": "/blobs/"}, action="stall", bytes=7, ms=10)
        with self.assertRaises(http.client.IncompleteRead):
            self.ask("GET", self.blob_path())
        last = self.log()[-1]
        self.assertEqual((last["status"], last["bytes_out"], last["fault"]), (200, 7, "stall"))


class Broken(Case):
    def test_what_really_left_is_logged(self):
        big = bytes(32 << 20)
        self.push_blob(big)
        path = "/v2/a/b/blobs/" + sha256(big)
        self.ask("GET", path)
        with socket.create_connection(("127.0.0.1", self.app.port("main"))) as client:
            client.sendall(("GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path).encode())
            client.recv(1000)
            plan = self.log()[-1]
        self.assertEqual((plan["status"], plan["bytes_out"]), (200, len(big)))
        for _ in range(100):
            if len(self.log("sent")) == 2:
                break
            time.sleep(0.02)
        whole, broken = self.log("sent")
        self.assertEqual(whole["bytes_out"], len(big))
        self.assertEqual(broken["number"], plan["number"])
        self.assertLess(broken["bytes_out"], len(big))
        joined = trips.read(self.log_path)
        self.assertEqual([line["bytes_out"] for line in joined[-2:]], [whole["bytes_out"], broken["bytes_out"]])


class Slow(Case):
    argv = ["--delay-ms", "80", "--bandwidth", "50000"]

    def test_bandwidth(self):
        start = time.monotonic()
        self.push_all()
        self.assertGreater(time.monotonic() - start, 0.24 + 0.15)
        start = time.monotonic()
        self.assertEqual(self.ask("GET", self.blob_path())[2], BLOB)
        self.assertGreater(time.monotonic() - start, 0.08 + 0.14)

    def test_trips(self):
        # what is asked at the same time is one round trip
        self.ask("GET", "/v2/")
        both = [threading.Thread(target=self.ask, args=("GET", "/v2/")) for _ in range(2)]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        lines = self.log()
        self.assertEqual(len({line["connection"] for line in lines}), 3)
        self.assertTrue(all(line["end"] - line["start"] >= 79 for line in lines))
        chain = trips.longest_chain(lines)
        self.assertEqual((len(lines), len(chain)), (3, 2))


class Continued(Uploading):
    def test_waiting_for_100_is_a_round_trip(self):
        place, _ = self.begin()
        head = "PATCH %s HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n" % place
        with socket.create_connection(("127.0.0.1", self.app.port("main"))) as client:
            client.sendall(head.encode())
            self.assertIn(b" 100 ", client.recv(1000))
            client.sendall(b"12345")
            self.assertIn(b" 202 ", client.recv(1000))
        lines = trips.read(self.log_path)
        self.assertEqual([line["continued"] for line in lines], [False, True])
        self.assertEqual([trips.trips_of(line) for line in trips.longest_chain(lines)], [1, 2])


class TokenUses(Case):
    argv = ["--auth", "token", "--token-uses", "2"]

    def bearer(self, scope):
        secret = "Basic " + base64.b64encode(b"user:password").decode()
        path = "/token?service=fault-registry&scope=" + scope
        body = self.ask("GET", path, headers={"Authorization": secret})[2]
        return {"Authorization": "Bearer " + json.loads(body)["token"]}

    def test_token_is_used_up(self):
        good = self.bearer("repository:a/b:pull,push")
        place = self.ask("POST", UPLOADS, b"", good)[1]["Location"]
        self.assertEqual(self.ask("PATCH", place, BLOB[:HALF], good)[0], 202)
        self.assertEqual(self.ask("PATCH", place, BLOB[HALF:], good)[0], 401)
        again = self.bearer("repository:a/b:pull,push")
        self.assertEqual(self.ask("PATCH", place, BLOB[HALF:], again)[0], 202)
        self.fault(match={"method": "PUT"}, action="revoke")
        self.assertEqual(self.ask("PUT", place + "&digest=" + sha256(BLOB), b"", again)[0], 401)
        again = self.bearer("repository:a/b:pull,push")
        self.assertEqual(self.ask("PUT", place + "&digest=" + sha256(BLOB), b"", again)[0], 201)

    def test_mount_wants_pull_of_the_source(self):
        both = "repository:a/b:pull,push&scope=repository:c:pull,push"
        self.assertEqual(self.push_blob(BLOB, headers=self.bearer(both))[0], 201)
        query = "/v2/c/blobs/uploads/?mount=%s&from=a/b" % sha256(BLOB)
        self.assertEqual(self.ask("POST", query, b"", self.bearer("repository:c:pull,push"))[0], 202)
        self.assertEqual(self.ask("POST", query, b"", self.bearer(both))[0], 201)


class Tls(unittest.TestCase):
    def make(self, folder, name, *more):
        path = os.path.join(folder, name)
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-days", "2", "-subj", "/CN=" + name, "-keyout", path + ".key", "-out", path + ".pem", *more],
                       check=True, capture_output=True)
        return path + ".pem", path + ".key"

    def ask(self, app, listener, context):
        connection = http.client.HTTPSConnection("127.0.0.1", app.port(listener), timeout=10, context=context)
        try:
            connection.request("GET", "/v2/")
            with connection.getresponse() as reply:
                return reply.status
        finally:
            connection.close()

    def test_tls_and_client_certificates(self):
        import registry
        import ssl
        from options import parse_options
        with tempfile.TemporaryDirectory() as folder:
            cert, key = self.make(folder, "server", "-addext", "subjectAltName=IP:127.0.0.1")
            client, client_key = self.make(folder, "client")
            log = os.path.join(folder, "log")
            app = registry.App(parse_options(["--tls-cert", cert, "--tls-key", key, "--tls-client-ca", client,
                                              "--log", log]), folder)
            app.start()
            try:
                self.assertTrue(app.api.urls["main"].startswith("https://"))
                bare = ssl.create_default_context(cafile=cert)
                self.assertEqual(self.ask(app, "alt", bare), 200)
                with self.assertRaises((ssl.SSLError, OSError)):
                    self.ask(app, "main", bare)
                bare.load_cert_chain(client, client_key)
                self.assertEqual(self.ask(app, "main", bare), 200)
            finally:
                app.stop()
            with open(log, encoding="utf-8") as file:
                names = [json.loads(line)["client_cert"] for line in file]
            self.assertEqual(names, [None, "client"])


if __name__ == "__main__":
    unittest.main()
