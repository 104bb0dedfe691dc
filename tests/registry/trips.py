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


def trips_of(line):
    """A client that waits for 100 Continue before it sends its body waits for one answer more."""
    return 2 if line.get("continued") else 1


def longest_chain(lines):
    """The requests that follow on one another and cost the most round trips."""
    best = []  # (end, round trips, chain up to there), ends ascending
    for line in sorted(lines, key=lambda line: line["end"]):
        before = max((entry for entry in best if entry[0] <= line["start"]), key=lambda entry: entry[1], default=(0, 0, []))
        best.append((line["end"], before[1] + trips_of(line), before[2] + [line]))
    return max(best, key=lambda entry: entry[1], default=(0, 0, []))[2]


def main(argv):
    lines = read(argv[0], int(argv[1]) if len(argv) > 1 else 0)
    chain = longest_chain(lines)
    print(sum(map(trips_of, chain)), len(lines), len({line["connection"] for line in lines}))
    for line in chain:
        print(line["method"], line["path"].partition("?")[0], line["status"],
              "after 100 Continue" if line.get("continued") else "")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
