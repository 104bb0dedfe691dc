#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A conformant OCI registry for tests that misbehaves on request.

It listens on three free ports of 127.0.0.1: `main` (the registry), `alt` (the same content without authentication,
which refuses a request that carries credentials, as object stores do) and `token` (a token service on an origin of
its own). --port-file gets one JSON object with the ports once they are open. POST /_fault on main adds fault rules
(see faults.py), DELETE /_fault removes all, GET /_fault shows them with their counts; POST /_revoke ends all tokens.
options.py has the ways in which whole registries differ; http_io.py says what a line of the log holds.
"""

import json
import signal
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True  # the tree stays as it is

import faults as fault_rules
from api import ROUTE, Api, actions_of, first_values, route_of
from auth import Auth
from faults import Faults
from http_io import Gone, Reply, RequestLog, Server, error, json_reply, write_atomically
from options import parse_options
from referrers import ForeignWriter
from storage import Storage

CONTROL_MAX = 1 << 20


class App:
    def __init__(self, options, folder):
        self.options = options
        self.log = RequestLog(options.log)
        self.faults = Faults([json.loads(text) for text in options.fault])
        self.auth = Auth(options)
        self.api = Api(Storage(folder), options)
        self.servers = {name: Server(name, self, options) for name in ("main", "alt", "token")}
        self.api.urls.update(main=self.url("main"), alt=self.url("alt", "localhost"))
        if options.token_listener:
            self.auth.realm = self.url("token") + "/token"

    def port(self, name):
        return self.servers[name].server_address[1]

    def url(self, name, host="127.0.0.1"):
        return "%s://%s:%d" % ("https" if self.options.tls_cert else "http", host, self.port(name))

    def start(self):
        for server in self.servers.values():
            threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        for server in self.servers.values():
            server.shutdown()
            server.server_close()
        self.api.storage.close()
        self.log.close()

    # one request

    def answer(self, request):
        path, _, query = request.path.partition("?")
        if path.startswith("/_"):
            return self.control(request, path)
        time.sleep(self.options.delay_ms / 1000)
        listener = request.server.listener
        rule = self.faults.pick(listener, request.command, request.path)
        reply = None
        if rule is not None:
            request.fault = rule.action
            if rule.action in fault_rules.BEFORE:
                reply = self.fault_before(request, rule, path)
            elif rule.action == "race":
                reply = self.race(request, rule, listener, path, query)
        if reply is None:
            reply = self.normal(request, listener, path, query)
        if rule is not None and rule.action in fault_rules.AFTER:
            fault_rules.transform(rule, reply)
        if self.options.warning and listener == "main":
            reply.headers["Warning"] = '299 - "%s"' % self.options.warning
        return reply

    def race(self, request, rule, listener, path, query):
        """Handle the request with a second writer of the same tag beside it."""
        match = ROUTE.match(path)
        other = ForeignWriter(self.api.storage, match["name"], match["rest"])
        if rule.get("when") == "after":
            reply = self.normal(request, listener, path, query)
            other.write(rule.fired)
            return reply
        other.write(rule.fired)
        return self.normal(request, listener, path, query)

    def normal(self, request, listener, path, query):
        header = request.headers.get("Authorization")
        if path == "/token":
            body = request.read_all(CONTROL_MAX) or b""
            return json_reply(*self.auth.token_reply(request.command, query, header, body))
        if listener == "alt":
            if header:
                return error(400, "UNSUPPORTED", "credentials do not belong here")
        else:
            challenge = self.auth.check(header, route_of(path), actions_of(request.command), request.headers.get("Host"))
            if challenge:
                return self.unauthorized(challenge)
        return self.api.answer(request, path, first_values(query))

    def unauthorized(self, challenge):
        reply = error(401, "UNAUTHORIZED", "authentication required")
        reply.headers["WWW-Authenticate"] = challenge
        return reply

    def fault_before(self, request, rule, path):
        """The reply of a rule that acts before the request is handled, or None to go on with it."""
        if rule.action == "delay":
            time.sleep(rule.get("ms", 100) / 1000)
            return None
        if rule.action == "ignore_range":
            del request.headers["Range"]
            return None
        if rule.action == "revoke":
            self.auth.revoke_all()
            return None
        if rule.action == "stall_request":
            request.pause_in = (rule.get("bytes", 0), rule.get("ms", 0))
            return None
        if rule.action == "break_request":
            request.break_in = rule.get("bytes", 0)
            return None
        if rule.action in ("drop", "drop_request"):
            for _ in request.read_body() if rule.action == "drop_request" else ():
                if request.bytes_in >= rule.get("bytes", 0):
                    break
            raise Gone
        return self.refusal(request, rule, path)

    def refusal(self, request, rule, path):
        if rule.action == "unauthorized":
            default = self.auth.challenge(route_of(path), actions_of(request.command), "invalid_token",
                                          request.headers.get("Host"))
            return self.unauthorized(rule.get("challenge", default))
        if rule.action == "redirect":
            return self.redirect(request, rule)
        if rule.action == "retry_after":
            reply = error(rule.get("status", 429), "TOOMANYREQUESTS", "slow down")
            reply.headers["Retry-After"] = fault_rules.retry_after(rule)
            return reply
        if rule.get("early"):
            request.body_done = request.close_connection = True
        return Reply(rule.get("status"), rule.get("body", "").encode(), rule.get("headers"))

    def redirect(self, request, rule):
        target = rule.get("to", self.url("alt", "localhost"))
        if target.count("/") == 2:
            target += request.path
        return Reply(rule.get("status", 307), headers={"Location": target})

    def control(self, request, path):
        body = request.read_all(CONTROL_MAX) or b""
        if path == "/_revoke" and request.command == "POST":
            self.auth.revoke_all()
            return Reply(204)
        if path != "/_fault":
            return error(404, "UNSUPPORTED", "no such control")
        if request.command == "POST":
            try:
                specs = json.loads(body)
                self.faults.add(specs if isinstance(specs, list) else [specs])
            except (ValueError, AttributeError) as problem:
                return error(400, "UNSUPPORTED", str(problem))
        elif request.command == "DELETE":
            self.faults.clear()
        return json_reply(200, self.faults.state())


def main(argv):
    options = parse_options(argv, __doc__.split("\n", maxsplit=1)[0])
    with tempfile.TemporaryDirectory(prefix="registry-") as temporary:
        app = App(options, options.dir or temporary)
        app.start()
        ports = {name: app.port(name) for name in app.servers}
        if options.port_file:
            write_atomically(options.port_file, json.dumps(ports) + "\n")
        else:
            print(json.dumps(ports), flush=True)
        try:
            time.sleep(options.max_seconds)
        except KeyboardInterrupt:
            pass
        app.stop()
    return 0


def end_on_signal():
    """SIGTERM ends it like SIGINT, so that the temporary folder goes."""
    def interrupt(number, frame):
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


if __name__ == "__main__":
    end_on_signal()
    sys.exit(main(sys.argv[1:]))
