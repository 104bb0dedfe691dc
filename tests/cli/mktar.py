#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tars that no archiver would: mktar.py OUT MEMBER...

file:NAME=PATH      a regular file            text:NAME=TEXT       the same, from the command line
symlink:NAME=TO     hardlink:NAME=TO          fifo:NAME            device:NAME
huge:NAME=SIZE      a file of zeros, with holes on disk where the tar is one
sparse:NAME=SIZE    a file with holes as GNU tar writes them
pax:SIZE            an extended header of that many bytes, for the member behind it
many:N              N files without bytes
raw:PATH            bytes as they are
"""
import sys


def octal(value, width):
    if value < 8 ** (width - 1):
        return b"%0*o\0" % (width - 1, value)
    return b"\x80" + value.to_bytes(width - 1, "big")


def header(name, kind=b"0", size=0, target="", gnu=b""):
    name = name.encode()
    assert len(name) <= 100
    head = bytearray(512)
    head[0 : len(name)] = name
    head[100:108] = b"0000644\0"
    head[108:116] = head[116:124] = b"0000000\0"
    head[124:136] = octal(size, 12)
    head[136:148] = octal(0, 12)
    head[148:156] = b" " * 8
    head[156:157] = kind
    head[157 : 157 + len(target)] = target.encode()
    head[257:265] = b"ustar  \0" if gnu else b"ustar\x0000"
    head[386 : 386 + len(gnu)] = gnu
    head[148:156] = b"%06o\0 " % sum(head)
    return bytes(head)


def body(data):
    return data + bytes(-len(data) % 512)


def write(out, spec):
    kind, _, rest = spec.partition(":")
    name, _, value = rest.partition("=")
    if kind in ("file", "text"):
        data = open(value, "rb").read() if kind == "file" else value.encode()
        out.write(header(name, size=len(data)) + body(data))
    elif kind == "symlink":
        out.write(header(name, b"2", target=value))
    elif kind == "hardlink":
        out.write(header(name, b"1", target=value))
    elif kind == "fifo":
        out.write(header(name, b"6"))
    elif kind == "device":
        out.write(header(name, b"3"))
    elif kind == "huge":
        size = int(value)
        out.write(header(name, size=size))
        out.seek(size + -size % 512, 1)
    elif kind == "sparse":
        size = int(value)
        last = octal(size - 512, 12) + octal(512, 12) + bytes(24 * 3) + b"\0" + octal(size, 12)
        out.write(header(name, b"S", size=512, gnu=last) + body(b"x" * 512))
    elif kind == "pax":
        size = int(rest)
        out.write(header("pax", b"x", size=size))
        out.write(b"%d comment=" % size)
        out.seek(size - len(b"%d comment=" % size) + -size % 512, 1)
    elif kind == "many":
        for i in range(int(rest)):
            out.write(header("m%d" % i))
    elif kind == "raw":
        out.write(open(rest, "rb").read())
    else:
        sys.exit(__doc__)


with open(sys.argv[1], "wb") as archive:
    for argument in sys.argv[2:]:
        write(archive, argument)
    archive.write(bytes(1024))
