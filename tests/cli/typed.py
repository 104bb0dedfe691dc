#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""typed.py ANSWER... -- COMMAND...: runs it on a terminal, types one answer for each question (a text that ends in
": "), prints what is on the terminal, and ends as it does; 99 when nothing happens for ten seconds."""
import os
import pty
import select
import signal
import sys

cut = sys.argv.index("--")
answers, command = sys.argv[1:cut], sys.argv[cut + 1 :]
pid, fd = pty.fork()
if pid == 0:
    os.execvp(command[0], command)
seen = b""
while True:
    if not select.select([fd], [], [], 10)[0]:
        os.kill(pid, signal.SIGKILL)
        sys.exit(99)
    try:
        got = os.read(fd, 4096)
    except OSError:  # the other end is closed
        break
    if not got:
        break
    seen += got
    if seen.endswith(b": ") and answers:
        os.write(fd, answers.pop(0).encode() + b"\n")
sys.stdout.write(seen.decode().replace("\r\n", "\n"))
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
