# SPDX-License-Identifier: Apache-2.0
"""waybill for the runner of the WASI test suite, which loads this file as a module: wasi_test_runner.py -r adapter.py.

WAYBILL is the program, by default that of this tree; WAYBILL_RUN_OPTIONS is put in front of each test, as a shell splits it.
"""
import os
import shlex
import subprocess
from pathlib import Path

_TREE = Path(__file__).resolve().parent.parent.parent
_PROGRAM = os.environ.get("WAYBILL") or str(_TREE / "build/release/bin/waybill")


def get_name():
    return "waybill"


def get_version():
    answer = subprocess.run([_PROGRAM, "version"], capture_output=True, check=True, encoding="utf-8").stdout
    return answer.split("\n")[0].split()[-1]


def get_wasi_versions():
    return ["wasm32-wasip1"]


def get_wasi_worlds():
    return ["wasi:cli/command"]


def get_timeout_seconds():
    # for a machine that is busy with something else
    return 60.0


def compute_argv(test_path, args_env_root, proposals, wasi_world, wasi_version):
    """The tests write to their folder, which is to be the guest's root."""
    if proposals:
        raise ValueError(f"nothing of {', '.join(proposals)} is offered to preview 1")
    args, variables, folder = args_env_root
    argv = [_PROGRAM, "run"] + shlex.split(os.environ.get("WAYBILL_RUN_OPTIONS", ""))
    for name in variables:
        argv += ["--env", f"{name}={variables[name]}"]
    if folder:
        argv += ["--dir", f"{folder}::/:rw"]
    return argv + [str(test_path)] + list(args)
