"""Processes of a distributed run, all on this machine."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PROGRAM = ROOT / "tests" / "distributed" / "member.py"


def free_address():
    """Return a free address of this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def start(*arguments, **environment):
    """Start a Python process."""
    return subprocess.Popen(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def start_member(*options, **rest):
    """Start ``member.py`` with the four options of a distributed run, and with what else it takes."""
    return start(PROGRAM, json.dumps({"options": options, **rest}))


def finish(*processes):
    """Wait for processes; return the status and the output of each."""
    try:
        outs = [process.communicate(timeout=240)[0] for process in processes]
    finally:
        for process in processes:
            process.kill()
            process.wait()
            process.stdout.close()
    return [(process.returncode, out) for process, out in zip(processes, outs, strict=True)]


def read(out):
    """Return the values that ``member.py`` wrote as lines of JSON."""
    return [json.loads(line) for line in out.splitlines() if line.startswith(('"', "{"))]
