#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""coredump.py FILE [ADDRESS LENGTH]: what a core dump says, as JSON; with the bytes at an address of its first memory. It
goes by WebAssembly's tool conventions (Coredump.md) alone, and takes nothing that is not as they have it."""
import json
import sys


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, n):
        assert self.at + n <= len(self.data), "truncated"
        self.at += n
        return self.data[self.at - n : self.at]

    def byte(self):
        return self.take(1)[0]

    def leb(self, signed=False):
        value = shift = 0
        while True:
            byte = self.byte()
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value - (1 << shift) if signed and byte & 0x40 else value

    def name(self):
        return self.take(self.leb()).decode()

    def vector(self, item):
        return [item() for _ in range(self.leb())]

    def done(self):
        return self.at == len(self.data)


def zero(r):
    assert r.byte() == 0, "another form than 0"


def process(r):
    zero(r)
    return r.name()


def instance(r):
    zero(r)
    return {"module": r.leb(), "memories": r.vector(r.leb), "globals": r.vector(r.leb)}


def frame(r):
    zero(r)
    ret = {"instance": r.leb(), "func": r.leb(), "offset": r.leb()}
    assert r.vector(r.byte) == [] and r.vector(r.byte) == []
    return ret


def memory(r):
    flags = r.byte()
    return {"pages": r.leb(), "max": r.leb() if flags & 1 else None}


def constant(r):
    op = r.byte()
    value = r.leb(signed=True) if op in (0x41, 0x42) else r.take({0x43: 4, 0x44: 8}[op]).hex()
    assert r.byte() == 0x0B, "not the end of the expression"
    return value


def global_(r):
    kind = r.byte()
    zero(r)
    return [kind, constant(r)]


def segment(r):
    index = r.leb() if r.leb() == 2 else 0
    return index, constant(r), r.take(r.leb())


def names(r):
    ret = {}
    while not r.done():
        kind, part = r.byte(), Reader(r.take(r.leb()))
        ret[kind] = dict(part.vector(lambda: (part.leb(), part.name())))
    return ret


def main():
    r = Reader(open(sys.argv[1], "rb").read())
    assert r.take(8) == b"\0asm\1\0\0\0"
    out, segments = {}, []
    while not r.done():
        kind, s = r.byte(), Reader(r.take(r.leb()))
        key = s.name() if kind == 0 else {5: "memories", 6: "globals", 11: "data"}[kind]
        assert key not in out, "twice: " + key
        read = {
            "core": lambda: process(s),
            "coremodules": lambda: s.vector(lambda: process(s)),
            "coreinstances": lambda: s.vector(lambda: instance(s)),
            "corestack": lambda: [process(s), s.vector(lambda: frame(s))],
            "memories": lambda: s.vector(lambda: memory(s)),
            "globals": lambda: s.vector(lambda: global_(s)),
            "data": lambda: segments.extend(s.vector(lambda: segment(s))) or len(segments),
            "name": lambda: names(s),
        }
        out[key] = read[key]()
        assert s.done(), "more than there should be: " + key
    if len(sys.argv) > 2:
        image = bytearray(out["memories"][0]["pages"] << 16)
        for index, at, data in segments:
            if index == 0:
                image[at : at + len(data)] = data
        at, n = int(sys.argv[2]), int(sys.argv[3])
        out["bytes"] = image[at : at + n].decode("latin-1")
    json.dump(out, sys.stdout)


main()
