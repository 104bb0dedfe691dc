# SPDX-License-Identifier: Apache-2.0
"""A server that means harm: hostile.py MODE PORT_FILE LOG. One line of the log for each request.

MODE  headers   an answer of headers without an end
      interim   interim answers without an end
      disown    an upload that takes every part and then takes it back
"""

import http.server
import sys
import threading
import time

MODE, PORT_FILE, LOG = sys.argv[1:4]
LIFE = 100


class Hostile(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    patches = 0

    def answer(self, status, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def endless(self, start, piece):
        end = time.monotonic() + LIFE
        self.wfile.write(start)
        while time.monotonic() < end:
            self.wfile.write(piece * 20)

    def patch(self):
        Hostile.patches += 1
        length = int(self.headers["Content-Length"])
        if Hostile.patches == 1 and length > 1 << 20:
            self.close_connection = True
            return self.answer(413)
        self.rfile.read(length)
        if Hostile.patches % 2:
            return self.answer(416, [("Range", "0-5"), ("Location", "/up")])
        return self.answer(202, [("Location", "/up")])

    def handle_one(self):
        with open(LOG, "a", encoding="ascii") as log:
            print(self.command, self.path, file=log)
        if MODE == "disown" and self.command == "PATCH":
            return self.patch()
        if MODE == "disown" and self.command == "POST":
            return self.answer(202, [("Location", "/up")])
        if MODE == "disown":
            return self.answer(200 if self.path == "/up" and self.command == "GET" else 404)
        if MODE == "headers":
            return self.endless(b"HTTP/1.1 200 OK\r\n", b"X-Filler: %s\r\n" % (b"x" * 50))
        if MODE == "interim":
            return self.endless(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
        raise ValueError(MODE)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one

    def handle(self):
        try:
            super().handle()
        except OSError:
            pass

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
server.daemon_threads = True
threading.Timer(LIFE, server.shutdown).start()
with open(PORT_FILE, "w", encoding="ascii") as out:
    out.write(str(server.server_port))
server.serve_forever()
