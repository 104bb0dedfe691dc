#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A proxy for tests: HTTP (forwarding and CONNECT) and SOCKS 5 on one port of 127.0.0.1.

Whatever host is asked for, it connects to that port of 127.0.0.1: so names need no DNS. Each request is one line of
JSON in --log: kind, target, and the names of the headers that the proxy itself saw.
"""

import argparse
import base64
import json
import socket
import struct
import sys
import threading
import time

HEAD_MAX = 1 << 16


def pump(source, target):
    try:
        while data := source.recv(1 << 16):
            target.sendall(data)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def join(client, server):
    threading.Thread(target=pump, args=(client, server), daemon=True).start()
    pump(server, client)


def read_head(client, head):
    while b"\r\n\r\n" not in head:
        data = client.recv(4096)
        if not data or len(head) > HEAD_MAX:
            raise OSError("no request")
        head += data
    head, _, rest = head.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    return lines[0].split(" "), lines[1:], rest


def read_exactly(client, count):
    data = b""
    while len(data) < count:
        piece = client.recv(count - len(data))
        if not piece:
            raise OSError("no request")
        data += piece
    return data


def listen(port_file, seconds, serve):
    """Connections to a free port of 127.0.0.1, whose number goes into a file: each is served in a thread of its own."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    with open(port_file, "w", encoding="utf-8") as file:
        file.write("%d\n" % listener.getsockname()[1])
    end = time.monotonic() + seconds
    listener.settimeout(1)
    while time.monotonic() < end:
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        client.settimeout(30)
        threading.Thread(target=serve, args=(client,), daemon=True).start()


class Proxy:
    def __init__(self, options):
        self.options = options
        self.lock = threading.Lock()
        self.expected = None
        if options.user:
            self.expected = "Basic " + base64.b64encode(options.user.encode()).decode()

    def write(self, kind, target, fields):
        with self.lock, open(self.options.log, "a", encoding="utf-8") as log:
            names = sorted(line.partition(":")[0].lower() for line in fields)
            log.write(json.dumps({"kind": kind, "target": target, "fields": names}) + "\n")

    def http(self, client, first):
        (method, target, *_), fields, rest = read_head(client, first)
        self.write(method, target, fields)
        given = [f.partition(":")[2].strip() for f in fields if f.lower().startswith("proxy-authorization:")]
        if self.expected and given != [self.expected]:
            client.sendall(b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Basic realm=\"p\"\r\nContent-Length: 0\r\n\r\n")
            return
        if self.options.refuse:
            client.sendall(b"HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n" % self.options.refuse)
            return
        if method == "CONNECT":
            server = socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])))
            client.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
            server.sendall(rest)
        else:
            host, _, path = target.partition("://")[2].partition("/")
            server = socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])))
            kept = [f for f in fields if not f.lower().startswith(("proxy-", "connection:"))]
            head = [f"{method} /{path} HTTP/1.1", *kept, "Connection: close"]
            server.sendall("\r\n".join(head).encode("latin-1") + b"\r\n\r\n" + rest)
        join(client, server)

    def socks(self, client):
        read_exactly(client, read_exactly(client, 1)[0])
        client.sendall(b"\x05\x00")
        _, command, _, kind = read_exactly(client, 4)
        if kind == 3:
            host = read_exactly(client, read_exactly(client, 1)[0]).decode()
        else:
            host = socket.inet_ntop(*((socket.AF_INET, read_exactly(client, 4)) if kind == 1
                                      else (socket.AF_INET6, read_exactly(client, 16))))
        (port,) = struct.unpack(">H", read_exactly(client, 2))
        self.write("SOCKS%d" % command, f"{host}:{port}", [])
        server = socket.create_connection(("127.0.0.1", port))
        client.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")
        join(client, server)

    def serve(self, client):
        try:
            first = read_exactly(client, 1)
            if first == b"\x05":
                self.socks(client)
            else:
                self.http(client, first)
        except (OSError, ValueError):
            pass
        finally:
            client.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--user", help="USER:PASSWORD that it wants")
    parser.add_argument("--refuse", type=int, default=0, help="answer all requests with this status")
    parser.add_argument("--max-seconds", type=float, default=120)
    options = parser.parse_args()
    listen(options.port_file, options.max_seconds, Proxy(options).serve)
    return 0


if __name__ == "__main__":
    sys.exit(main())
