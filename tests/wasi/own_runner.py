#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the preview 1 cases of the WASI test suite with nothing but Python's own library: own_runner.py FOLDER...

A case is NAME.wasm, with NAME.json beside it where something but status 0 is expected: args, env, root (a folder), exit_code,
stdout, stderr. What else a file asks for fails the case. TAP.
"""
import json
import shutil
import subprocess
import sys
from pathlib import Path

import adapter

KNOWN = {"args", "env", "root", "exit_code", "stdout", "stderr"}


def clean(folder):
    """What a test leaves behind is called *.cleanup."""
    for path in sorted(folder.glob("**/*.cleanup")):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def differences(case):
    """What was not as expected, as lines."""
    file = case.with_suffix(".json")
    wanted = json.loads(file.read_text("utf-8")) if file.exists() else {}
    if set(wanted) - KNOWN:
        return [f"{file.name} asks for what is not known here: {', '.join(sorted(set(wanted) - KNOWN))}"]
    root = case.parent / wanted["root"] if wanted.get("root") else None
    argv = adapter.compute_argv(str(case), (wanted.get("args", []), wanted.get("env", {}), root and str(root)), [],
                                "wasi:cli/command", "wasm32-wasip1")
    try:
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False,
                              timeout=adapter.get_timeout_seconds())
    except subprocess.TimeoutExpired:
        return ["no end"]
    answer = {"exit_code": done.returncode, "stdout": done.stdout.decode("utf-8", "replace"),
              "stderr": done.stderr.decode("utf-8", "replace")}
    wrong = [f"{what}: {answer[what]!r} instead of {wanted[what]!r}" for what in ("stdout", "stderr")
             if wanted.get(what) is not None and answer[what] != wanted[what]]
    if answer["exit_code"] != wanted.get("exit_code", 0):
        wrong += [f"status {answer['exit_code']}: {' '.join(argv)}"] + answer["stdout"].split("\n") + answer["stderr"].split("\n")
    return wrong


def main():
    bad = 0
    for folder in map(Path, sys.argv[1:]):
        for case in sorted(folder.glob("*.wasm")):
            clean(folder)
            wrong = differences(case)
            print(f"{'not ok' if wrong else 'ok'} - {folder.parent.parent.name}: {case.stem}")
            for line in wrong:
                print(f"# {line}")
            bad += bool(wrong)
        clean(folder)
    return min(bad, 1)


if __name__ == "__main__":
    sys.exit(main())
