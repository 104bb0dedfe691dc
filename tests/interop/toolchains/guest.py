# SPDX-License-Identifier: Apache-2.0
"""The program of guest.c in Python, as a component: what it fails with is a status of 1, whatever it is."""
import sys

from componentize_py_types import Err
from wit_world import exports
from wit_world.imports import environment


class Run(exports.Run):
    def run(self):
        try:
            with open("/data/list", encoding="utf-8") as file:
                line = file.readline().strip()
        except OSError as error:
            print("no file", flush=True)
            raise Err(None) from error
        # the interpreter's own were taken when the component was built
        for arg in environment.get_arguments()[1:]:
            print("arg", arg)
        print("env", dict(environment.get_environment()).get("CUP", ""))
        print("file", line)
        print("input", sys.stdin.readline().strip(), flush=True)
        try:
            with open("/data/out", "w", encoding="utf-8") as file:
                file.write("written\n")
        except OSError as error:
            raise Err(None) from error
        raise Err(None)
