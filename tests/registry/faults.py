# SPDX-License-Identifier: Apache-2.0
"""Faults by rule.

A rule is a JSON object:
  match     {"method": "GET", "path": regex, "listener": "main"|"alt"|"token"}; each part optional,
            listener is "main" unless said; the regex is searched in the path with its query
  nth       fire from the nth matching request on (default 1)
  times     how many requests it hits (default 1; 0 means all)
  action    one of ACTIONS below
and the action's own keys:
  status            status (required), headers {}, body "text"; early: true answers without reading the body
  retry_after       value: seconds, or date: seconds from now sent as an HTTP date; status (default 429)
  unauthorized      401 with the challenge of the registry's --auth mode, or of "challenge"
  redirect          to: URL prefix (default: the alt listener under the name localhost), status (default 307);
                    the path and query of the request are appended unless "to" holds a path
  delay             ms before the request is handled
  ignore_range      answer as if no Range had been asked for
  revoke            all tokens end, then the request is handled: 401 in the middle of things
  stall_request     read `bytes` bytes of the request body, then nothing for ms, then go on
  race              a second writer adds to the tag that this PUT writes; "when": "before" the PUT is handled (its entry
                    is lost by it), or "after" with what the tag held before (the PUT's entries are lost)
  drop              close the connection without any answer
  drop_request      close the connection after `bytes` bytes of the request body
  break_request     the same after the request's handler has had these bytes: an upload keeps what --broken-upload says
  drop_after_bytes  close after `bytes` bytes of the answer's body, under its full Content-Length
  stall             send `bytes` bytes of the body, then nothing for ms, then close
  pause             send `bytes` bytes of the body, nothing for ms, then the rest
  bandwidth         send the body at `rate` bytes per second
  content_length    the header says value, or the truth and `add` bytes more; the body is whole, then it is closed
  gzip              the body compressed, with Content-Encoding, as some proxies do unasked
  short_body        leave off the last `bytes` (default 1) bytes; Content-Length is honest
  long_body         add `bytes` (default 1) bytes; Content-Length is honest
  wrong_digest      other bytes of the same length
  flip_byte         flip the lowest bit of the byte at `offset` (default 0)
  replace_body      body: "text"; Content-Length is honest
  wrong_content_type  value (default text/html)
  wrong_docker_digest value (default: a well-formed digest of something else)
  set_header        headers {name: value, or null to remove it}
  set_status        status: what was done is answered with another status
The first rule that matches and is not used up is the one that fires.
"""

import email.utils
import gzip
import os
import re
import threading
import time

BEFORE = {
    "status", "retry_after", "unauthorized", "redirect", "delay", "drop", "drop_request", "ignore_range",
    "revoke", "stall_request", "break_request",
}
AFTER = {
    "drop_after_bytes", "stall", "pause", "bandwidth", "content_length", "gzip", "short_body", "long_body", "wrong_digest",
    "flip_byte", "replace_body", "wrong_content_type", "wrong_docker_digest", "set_header", "set_status",
}
ACTIONS = BEFORE | AFTER | {"race"}
OTHER_DIGEST = "sha256:" + "5" * 64


class Rule:
    def __init__(self, spec):
        if spec.get("action") not in ACTIONS:
            raise ValueError("unknown fault action: %r" % spec.get("action"))
        match = spec.get("match", {})
        self.spec = spec
        self.action = spec["action"]
        self.method = match.get("method")
        self.path = re.compile(match.get("path", ""))
        self.listener = match.get("listener", "main")
        self.nth = spec.get("nth", 1)
        self.times = spec.get("times", 1)
        self.seen = 0
        self.fired = 0

    def matches(self, listener, method, path):
        if self.listener != listener or self.method not in (None, method) or not self.path.search(path):
            return False
        self.seen += 1
        return self.seen >= self.nth and (self.times == 0 or self.fired < self.times)

    def get(self, key, default=None):
        return self.spec.get(key, default)


class Faults:
    def __init__(self, specs):
        self.lock = threading.Lock()
        self.rules = [Rule(spec) for spec in specs]

    def add(self, specs):
        rules = [Rule(spec) for spec in specs]
        with self.lock:
            self.rules += rules

    def clear(self):
        with self.lock:
            self.rules = []

    def state(self):
        return [dict(rule.spec, seen=rule.seen, fired=rule.fired) for rule in self.rules]

    def pick(self, listener, method, path):
        with self.lock:
            hit = [rule for rule in self.rules if rule.matches(listener, method, path)]
            if not hit:
                return None
            hit[0].fired += 1
            return hit[0]


def retry_after(rule):
    if rule.get("date") is not None:
        return email.utils.formatdate(time.time() + rule.get("date"), usegmt=True)
    return str(rule.get("value", 1))


def transform(rule, reply):
    """Apply an AFTER rule to a finished reply."""
    if rule.action in ("drop_after_bytes", "stall", "pause", "bandwidth"):
        change_flow(rule, reply)
    elif rule.action in ("set_header", "wrong_content_type", "wrong_docker_digest", "set_status", "content_length"):
        change_head(rule, reply)
    else:
        change_body(rule, reply)


def change_flow(rule, reply):
    reply.stall_ms = rule.get("ms", 0)
    if rule.action == "pause":
        reply.pause = rule.get("bytes", 0)
    elif rule.action == "bandwidth":
        reply.rate = rule.get("rate", 1)
    else:
        reply.cut = rule.get("bytes", 0)
        reply.stall_ms = rule.get("ms", 0) if rule.action == "stall" else 0


def change_head(rule, reply):
    if rule.action == "set_status":
        reply.status = rule.get("status")
    elif rule.action == "content_length":
        length = rule.get("value", reply.length() + rule.get("add", 0))
        reply.headers["Content-Length"] = str(length)
        reply.cut = reply.length()
    elif rule.action == "wrong_content_type":
        reply.headers["Content-Type"] = rule.get("value", "text/html")
    elif rule.action == "wrong_docker_digest":
        reply.headers["Docker-Content-Digest"] = rule.get("value", OTHER_DIGEST)
    for name, value in rule.get("headers", {}).items():
        reply.headers.pop(name, None)
        if value is not None:
            reply.headers[name] = value


def change_body(rule, reply):
    count = rule.get("bytes", 1)
    if rule.action == "short_body":
        reply.body = reply.all_bytes()[: max(0, reply.length() - count)]
    elif rule.action == "long_body":
        reply.body = reply.all_bytes() + b"x" * count
    elif rule.action == "wrong_digest":
        reply.body = os.urandom(reply.length())
    elif rule.action == "flip_byte":
        data = bytearray(reply.all_bytes())
        data[rule.get("offset", 0)] ^= 1
        reply.body = bytes(data)
    elif rule.action == "gzip":
        reply.body = gzip.compress(reply.all_bytes())
        reply.headers["Content-Encoding"] = "gzip"
    elif rule.action == "replace_body":
        reply.body = rule.get("body", "").encode()
    reply.path = None
