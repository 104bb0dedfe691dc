# SPDX-License-Identifier: Apache-2.0
"""HTTP/1.1 under the registry: request bodies as streams, replies that can be cut short, the request log."""

import http.server
import json
import os
import socket
import threading
import time

CHUNK = 1 << 20
DRAIN_MAX = 64 << 20
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
        self.cut = None
        self.stall_ms = 0

    def length(self):
        return len(self.body) if self.body or self.path is None else self.size

    def all_bytes(self):
        if self.body or self.path is None:
            return self.body
        with open(self.path, "rb") as file:
            file.seek(self.offset)
            return file.read(self.size)


class RequestLog:
    """JSON lines; a line is written before the last byte of its answer, so a client that has ended is in the log."""

    def __init__(self, path):
        self.file = open(path, "a", encoding="utf-8") if path else None
        self.lock = threading.Lock()

    def write(self, record):
        if self.file:
            with self.lock:
                self.file.write(json.dumps(record) + "\n")
                self.file.flush()

    def close(self):
        if self.file:
            self.file.close()
            self.file = None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, name, app):
        self.listener = name
        self.app = app
        self.connections = 0
        super().__init__(("127.0.0.1", 0), Handler)

    def handle_error(self, request, client_address):
        """A client that goes away is part of the game."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "fault-registry"
    rbufsize = CHUNK
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.server.connections += 1
        self.connection_id = "%s-%d" % (self.server.listener, self.server.connections)

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
        self.fault = None
        self.bytes_in = 0
        self.chunked = self.headers.get("Transfer-Encoding", "").lower() == "chunked"
        self.left = 0 if self.chunked else int(self.headers.get("Content-Length") or 0)
        self.body_done = not self.chunked and self.left == 0

    def read_body(self):
        """Yield the request body in pieces; announces 100 Continue when it is first asked for."""
        if self.body_done:
            return
        if self.expects:
            self.expects = False
            self.send_response_only(100)
            self.end_headers()
        while not self.body_done:
            if self.chunked and self.left == 0 and not self.next_chunk():
                break
            data = self.rfile.read1(min(self.left, CHUNK))
            if not data:
                raise Gone
            self.left -= len(data)
            self.bytes_in += len(data)
            self.body_done = not self.chunked and self.left == 0
            if self.chunked and self.left == 0:
                self.rfile.readline()
            yield data

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
        if has_body:
            self.send_body(reply, planned)
        if reply.cut is not None:
            time.sleep(reply.stall_ms / 1000)
            raise Gone

    def send_body(self, reply, count):
        if reply.body or reply.path is None:
            self.wfile.write(reply.body[:count])
            return
        with open(reply.path, "rb") as file:
            if count:
                self.connection.sendfile(file, reply.offset, count)

    def log_reply(self, status, bytes_out):
        if self.path.startswith("/_"):
            return  # the test's own requests
        self.server.app.log.write({
            "listener": self.server.listener, "connection": self.connection_id,
            "method": self.command, "path": self.path, "status": status,
            "bytes_in": self.bytes_in, "bytes_out": bytes_out,
            "has_authorization": "Authorization" in self.headers,
            "auth_scheme": self.headers.get("Authorization", "").partition(" ")[0].lower(),
            "host": self.headers.get("Host"), "range": self.headers.get("Range"),
            "user_agent": self.headers.get("User-Agent"),
            "accept_encoding": self.headers.get("Accept-Encoding"),
            "fault": self.fault, "ms": round((time.monotonic() - self.started) * 1000, 1),
        })

    def hang_up(self):
        """Close at once; unread input makes the kernel send a reset, as a crashing server would."""
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def serve(self):
        self.start_request()
        try:
            reply = self.server.app.answer(self)
            self.drain()
            self.send_reply(reply)
        except Gone:
            self.hang_up()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = serve


def write_atomically(path, text):
    temporary = path + ".tmp"
    with open(temporary, "w", encoding="utf-8") as file:
        file.write(text)
    os.replace(temporary, path)
