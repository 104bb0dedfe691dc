#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bomb.py FILE FUNCTIONS INSTRUCTIONS: a valid module whose code takes long to compile, for its size."""
import sys


def leb(n):
    out = b""
    while True:
        n, low = n >> 7, n & 127
        out += bytes([low | (128 if n else 0)])
        if not n:
            return out


def section(kind, content):
    return bytes([kind]) + leb(len(content)) + content


functions, instructions = int(sys.argv[2]), int(sys.argv[3])
# Each is `drop (i32.load (i32.const 0))`; all functions are of the type func() and the first one is _start.
body = b"\0" + b"\x41\0\x28\0\0\x1a" * instructions + b"\x0b"
with open(sys.argv[1], "wb") as out:
    out.write(b"\0asm\1\0\0\0")
    out.write(section(1, b"\1\x60\0\0"))
    out.write(section(3, leb(functions) + b"\0" * functions))
    out.write(section(5, b"\1\0\1"))
    out.write(section(7, b"\2\6_start\0\0\6memory\2\0"))
    out.write(section(10, leb(functions) + (leb(len(body)) + body) * functions))
