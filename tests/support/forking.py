"""Runs of pytest without their loading: a process imports Keras and plugins once, and forks for each run.

A run is pytest's own from its options to its status, in a process of its own. Only what is imported is there before.
Its numerical libraries have one thread each, because on a busy machine more threads would spin.
"""

import atexit
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest

ALONE = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


class Forks:
    """The process that forks, for one backend; it ends with the one that made it."""

    def __init__(self, backend: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__],
            env={**os.environ, **ALONE, "KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        atexit.register(self._process.communicate)  # its input ends, and so does it

    def run(self, folder: Path, arguments: Sequence[str], environment: dict[str, str], output: Path) -> int:
        """Run pytest in a folder, with its output in a file; return its status."""
        asked = {"folder": str(folder), "arguments": arguments, "environment": environment, "output": str(output)}
        assert self._process.stdin
        assert self._process.stdout
        print(json.dumps(asked), file=self._process.stdin, flush=True)
        return int(self._process.stdout.readline())


@cache
def forks(backend: str) -> Forks:
    """Return the process of a backend; the first call starts it."""
    return Forks(backend)


def _serve() -> None:
    import keras  # noqa: F401 - a fork finds it loaded

    with tempfile.TemporaryDirectory() as empty, contextlib.redirect_stdout(sys.stderr):
        pytest.main([empty, f"--rootdir={empty}", "-qq", "-p", "autoenc_bench.plugin", "-p", "no:cacheprovider"])
    warnings.simplefilter("ignore")  # JAX warns of forks once it has threads, and it has none before it computes
    while line := sys.stdin.readline():
        child = os.fork()
        if not child:
            warnings.resetwarnings()
            sys.exit(_run(**json.loads(line)))
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        sys.stdout.write(f"{status}\n")
        sys.stdout.flush()


def _run(folder: str, arguments: list[str], environment: dict[str, str], output: str) -> Any:
    """Become what ``python -m pytest`` is in that folder, with that environment."""
    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for standard in (1, 2):
        os.dup2(descriptor, standard)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:1] = [folder, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
    return pytest.main(arguments)


if __name__ == "__main__":
    _serve()
