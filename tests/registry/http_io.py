# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 under the registry: request bodies as streams, replies that can be cut short or slowed, TLS, the request log."""

import http.server
import itertools
import json
import os
import socket
import ssl
import threading
import time

CHUNK = 1 << 20
DRAIN_MAX = 64 << 20
LINGER_SECONDS = 2
LONG_BODY = 64 << 10
NO_BODY = (204, 304)


class Gone(Exception):
    """The connection is to be closed now, without another byte."""


class Reply:
    """A status, headers, and a body: bytes, or `length` bytes of the file at `path` from `offset`."""

    def __init__(self, status, body=b"", headers=None, path=None, offset=0, size=0):
        self.status = status
        self.headers = dict(headers or {})
        self.body = body
        self.path = path
        self.offset = offset
        self.size = size
        self.cut = None  # close after so many bytes of the body
        self.pause = None  # wait for stall_ms after so many bytes of the body
        self.stall_ms = 0
        self.rate = 0  # bytes per second

    def length(self):
        return len(self.body) if self.body or self.path is None else self.size

    def all_bytes(self):
        if self.body or self.path is None:
            return self.body
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


def error(status, code, message):
    body = json.dumps({"errors": [{"code": code, "message": message, "detail": None}]}).encode()
    return Reply(status, body, {"Content-Type": "application/json"})


def json_reply(status, value, headers=None):
    return Reply(status, json.dumps(value).encode(), {"Content-Type": "application/json", **(headers or {})})


class RequestLog:
    """JSON lines. One per request, written before the first byte of its answer, so a client that has ended is in the log;
    status 0 when there was no answer. After a body of any length worth the name, or one that was broken off, a second line
    with event "sent", the same number, how many bytes really left, and when: what the first line says is the plan."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.lock = threading.Lock()
        self.born = time.monotonic()
        self.numbers = itertools.count(1)

    def ms(self, moment):
        return round((moment - self.born) * 1000, 2)

    def write(self, record):
        if self.file:
            with self.lock:
                self.file.write(json.dumps(record) + "\n")
                self.file.flush()

    def close(self):
        if self.file:
            self.file.close()
            self.file = None


class Pace:
    """Keeps one direction of a connection at `rate` bytes per second; 0: as fast as it goes."""

    def __init__(self, rate):
        self.rate = rate
        self.free_at = 0.0

    def step(self):
        """The most bytes to move at once."""
        return max(1, min(CHUNK, int(self.rate / 20))) if self.rate else CHUNK

    def moved(self, count):
        if self.rate:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + count / self.rate
            time.sleep(self.free_at - now)


def tls_context(options, listener):
    """None without TLS. `main` alone insists on a client certificate, the others may be shown one."""
    if not options.tls_cert:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.tls_cert, options.tls_key)
    if options.tls_client_ca:
        context.load_verify_locations(options.tls_client_ca)
        context.verify_mode = ssl.CERT_REQUIRED if listener == "main" else ssl.CERT_OPTIONAL
    return context


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, name, app, options):
        self.listener = name
        self.app = app
        self.options = options
        self.connections = itertools.count(1)
        self.tls = tls_context(options, name)
        super().__init__(("127.0.0.1", 0), Handler)

    def finish_request(self, request, client_address):
        """In the thread of the connection, so that a slow handshake holds nobody up."""
        if self.tls:
            request.settimeout(30)
            request = self.tls.wrap_socket(request, server_side=True)
            request.settimeout(None)
        try:
            super().finish_request(request, client_address)
        finally:
            if self.tls:
                request.close()

    def handle_error(self, request, client_address):
        """A client that goes away is part of the game."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fault-registry"
    rbufsize = CHUNK
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.connection_id = "%s-%d" % (self.server.listener, next(self.server.connections))
        self.pace_in, self.pace_out = (Pace(self.server.options.bandwidth) for _ in range(2))
        self.client_cert = None
        if self.server.tls:
            names = (self.connection.getpeercert() or {}).get("subject", ())
            self.client_cert = dict(pair for name in names for pair in name).get("commonName")

    def log_message(self, format, *args):
        """The request log is the only log."""

    def handle_expect_100(self):
        self.expects = True
        return True

    def parse_request(self):
        self.expects = False
        return super().parse_request()

    # request body

    def start_request(self):
        self.started = time.monotonic()
        self.number = next(self.server.app.log.numbers)
        self.fault = None
        self.logged = self.linger = self.continued = False
        self.pause_in = None  # (bytes, ms): stop reading the body there for a while
        self.break_in = None  # bytes: end the connection there
        self.bytes_in = self.bytes_out = 0
        self.chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.left = 0 if self.chunked else int(self.headers.get("Content-Length") or 0)
        self.body_done = not self.chunked and self.left == 0

    def read_body(self):
        """Yield the request body in pieces; announces 100 Continue when it is first asked for."""
        if self.body_done:
            return
        if self.expects:
            self.expects = False
            self.continued = True
            self.send_response_only(100)
            self.end_headers()
        while not self.body_done:
            if self.chunked and self.left == 0 and not self.next_chunk():
                break
            data = self.rfile.read1(min(self.left, self.step_in()))
            if not data:
                raise Gone
            self.left -= len(data)
            self.bytes_in += len(data)
            self.body_done = not self.chunked and self.left == 0
            if self.chunked and self.left == 0:
                self.rfile.readline()
            yield data
            self.pace_in.moved(len(data))

    def step_in(self):
        """How many bytes to read at once; waits when the place of a pause is reached."""
        if self.pause_in and self.bytes_in >= self.pause_in[0]:
            time.sleep(self.pause_in[1] / 1000)
            self.pause_in = None
        step = self.pace_in.step()
        if self.break_in is not None:
            if self.bytes_in >= self.break_in:
                raise Gone
            step = min(step, self.break_in - self.bytes_in)
        return min(step, self.pause_in[0] - self.bytes_in) if self.pause_in else step

    def next_chunk(self):
        self.left = int(self.rfile.readline().split(b";")[0], 16)
        if self.left == 0:
            self.body_done = True
            while self.rfile.readline() not in (b"\r\n", b"\n", b""):
                pass
        return self.left > 0

    def read_all(self, limit):
        """The whole body, or None when it is over `limit` bytes."""
        data = bytearray()
        for piece in self.read_body():
            data += piece
            if len(data) > limit:
                return None
        return bytes(data)

    def drain(self):
        """Read what is left of the body, so that the connection can be used again; else it is closed."""
        if self.body_done:
            return
        if self.expects:
            self.close_connection = True
            return
        for _ in self.read_body():
            if self.bytes_in > DRAIN_MAX:
                self.close_connection = True
                return

    # reply

    def send_reply(self, reply):
        length = reply.length()
        has_body = self.command != "HEAD" and reply.status not in NO_BODY
        planned = (length if reply.cut is None else min(reply.cut, length)) if has_body else 0
        self.log_reply(reply.status, planned)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in NO_BODY and "Content-Length" not in reply.headers:
            self.send_header("Content-Length", str(length))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if planned:
            self.send_body(reply, planned)
        if reply.cut is not None:
            if reply.pause is None:
                time.sleep(reply.stall_ms / 1000)
            raise Gone
        if self.linger:
            self.wait_for_end()

    def send_body(self, reply, count):
        pace = Pace(reply.rate) if reply.rate else self.pace_out
        file = open(reply.path, "rb") if reply.path is not None and not reply.body else None
        try:
            while self.bytes_out < count:
                step = min(self.step_out(reply, pace), count - self.bytes_out)
                if file:
                    self.connection.sendfile(file, reply.offset + self.bytes_out, step)
                else:
                    self.wfile.write(reply.body[self.bytes_out : self.bytes_out + step])
                self.bytes_out += step
                pace.moved(step)
        finally:
            if file:
                file.close()
            if self.bytes_out < count or count >= LONG_BODY:
                self.log_sent()

    def step_out(self, reply, pace):
        """How many bytes to send at once; waits when the place of a pause is reached."""
        if reply.pause is not None and self.bytes_out == reply.pause:
            time.sleep(reply.stall_ms / 1000)
        step = pace.step() if pace.rate else 16 * CHUNK
        return min(step, reply.pause - self.bytes_out) if reply.pause is not None and self.bytes_out < reply.pause else step

    def wait_for_end(self):
        """After an early answer: let the client send on for a while, so that no reset overtakes the answer."""
        deadline = time.monotonic() + LINGER_SECONDS
        self.connection.settimeout(LINGER_SECONDS)
        if not self.server.tls:
            self.connection.shutdown(socket.SHUT_WR)
        while time.monotonic() < deadline and self.rfile.read1(CHUNK):
            pass

    def log_reply(self, status, bytes_out=0):
        if self.logged or self.path.startswith("/_"):
            return  # the test's own requests are not in it
        self.logged = True
        log, now = self.server.app.log, time.monotonic()
        log.write({
            "number": self.number, "listener": self.server.listener, "connection": self.connection_id,
            "method": self.command, "path": self.path, "status": status,
            "bytes_in": self.bytes_in, "bytes_out": bytes_out,
            "has_authorization": "Authorization" in self.headers,
            "auth_scheme": self.headers.get("Authorization", "").partition(" ")[0].lower(),
            "host": self.headers.get("Host"), "range": self.headers.get("Range"),
            "content_range": self.headers.get("Content-Range"),
            "user_agent": self.headers.get("User-Agent"),
            "accept_encoding": self.headers.get("Accept-Encoding"), "client_cert": self.client_cert,
            "fault": self.fault, "continued": self.continued, "start": log.ms(self.started), "end": log.ms(now),
            "ms": round((now - self.started) * 1000, 1),
        })

    def log_sent(self):
        log = self.server.app.log
        log.write({"event": "sent", "number": self.number, "bytes_out": self.bytes_out, "end": log.ms(time.monotonic())})

    def hang_up(self):
        """Close at once; unread input makes the kernel send a reset, as a crashing server would."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def may_pull(self, repo):
        """Whether this request's credentials are good for reading from another repository."""
        return self.server.app.auth.may_pull(self.headers.get("Authorization"), repo)

    def serve(self):
        self.start_request()
        try:
            reply = self.server.app.answer(self)
            self.drain()
            self.send_reply(reply)
        except Gone:
            self.log_reply(0)
            self.hang_up()
        except (OSError, ValueError):  # ValueError: a chunk's length that was cut off
            self.close_connection = True
        self.log_reply(0)  # a client that was left, or that left: status 0

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


def write_atomically(path, text):
    temporary = path + ".tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
