#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A TLS front for tests whose HTTP/2 is broken: it offers h2, and answers the first request of such a connection with a
fault. HTTP/1.1 is passed on to --to, a port of 127.0.0.1. Each connection is one line in --log: its protocol.
"""

import argparse
import socket
import ssl
import struct
import sys
import threading
import time

from proxy import join, listen, read_exactly

PREFACE = 24
DATA, HEADERS, RST_STREAM, SETTINGS, GOAWAY = 0, 1, 3, 4, 7


def frame(kind, stream, payload=b"", flags=0):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def cut(stream):
    """A response of 1,000 bytes that ends after 10. The header block: RFC 7541, static table."""
    block = b"\x88\x0f\x0d\x041000"
    return frame(HEADERS, stream, block, 4) + frame(DATA, stream, b"{" * 10) + frame(RST_STREAM, stream, struct.pack(">I", 2))


FAULTS = {
    "cut": cut,
    "goaway": lambda stream: frame(GOAWAY, 0, struct.pack(">II", 0, 1)),
    "reset": lambda stream: frame(RST_STREAM, stream, struct.pack(">I", 1)),
    "garbage": lambda stream: frame(HEADERS, stream, b"\xff" * 40, 4),
    "http1": lambda stream: b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n",
    "close": lambda stream: b"",
}


class Front:
    def __init__(self, options):
        self.options = options
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(options.cert, options.key)
        self.context.set_alpn_protocols(["h2", "http/1.1"])
        self.lock = threading.Lock()

    def write(self, text):
        with self.lock, open(self.options.log, "a", encoding="utf-8") as log:
            log.write(text + "\n")

    def break_http2(self, client):
        read_exactly(client, PREFACE)
        client.sendall(frame(SETTINGS, 0))
        while True:
            head = read_exactly(client, 9)
            (length,) = struct.unpack(">I", b"\0" + head[:3])
            (stream,) = struct.unpack(">I", head[5:])
            read_exactly(client, length)
            if head[3] == HEADERS:
                client.sendall(FAULTS[self.options.fault](stream))
                return

    def serve(self, plain):
        try:
            client = self.context.wrap_socket(plain, server_side=True)
            protocol = client.selected_alpn_protocol() or "http/1.1"
            self.write(protocol)
            if protocol == "h2":
                self.break_http2(client)
                time.sleep(0.2)
                client.close()
            else:
                join(client, socket.create_connection(("127.0.0.1", self.options.to)))
        except OSError:
            plain.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--to", type=int, required=True)
    parser.add_argument("--cert", required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--fault", choices=sorted(FAULTS), required=True)
    parser.add_argument("--max-seconds", type=float, default=120)
    options = parser.parse_args()
    listen(options.port_file, options.max_seconds, Front(options).serve)
    return 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(main())
