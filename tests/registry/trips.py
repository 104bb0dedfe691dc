#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Round trips on the critical path, from the registry's request log: the longest chain of requests none of which began
before the one ahead of it was answered. Give the registry some --delay-ms, so that what is sent at the same time overlaps.

Usage: trips.py LOG [FIRST-LINE]; prints the length of the chain, the number of requests and of connections, and the chain.
"""

import json
import sys


def read(path, first=0):
    """The requests in a log from that line on, each with the end of its answer."""
    requests = {}
    with open(path, encoding="utf-8") as file:
        for line in map(json.loads, list(file)[first:]):
            if line.get("event") is None:
                requests[line["number"]] = line
            elif line["number"] in requests:
                requests[line["number"]].update(end=line["end"], bytes_out=line["bytes_out"])
    return list(requests.values())


def longest_chain(lines):
    """Most intervals that do not overlap: always the one that ends first of those that begin after the last."""
    chain, free = [], float("-inf")
    for line in sorted(lines, key=lambda line: line["end"]):
        if line["start"] >= free:
            chain.append(line)
            free = line["end"]
    return chain


def main(argv):
    lines = read(argv[0], int(argv[1]) if len(argv) > 1 else 0)
    chain = longest_chain(lines)
    print(len(chain), len(lines), len({line["connection"] for line in lines}))
    for line in chain:
        print(line["method"], line["path"].partition("?")[0], line["status"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
