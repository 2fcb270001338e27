"""Runs of the suite in processes of their own, as users run it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from forking import forks

from autoenc_bench.records import storage

ROOT = Path(__file__).parents[2]
SMOKE = ("crude-simple", "crude-simple-streamed", "digits")  # one of each kind

# Variables that make a run start faster, for tests that are not about its start.
LEAN = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}  # pytest's other plugins take a second to load
QUICK = LEAN | {"XLA_FLAGS": "--xla_backend_optimization_level=0"}  # compiles faster, and changes no counts
TIMING = ("-p", "pytest_benchmark.plugin")  # the one plugin that such a run needs


@dataclass(frozen=True)
class SuiteRun:
    """One run of the suite: its folder, exit status and output."""

    folder: Path
    status: int
    out: str

    @property
    def record(self) -> Path:
        """Return the path of the record that it saved."""
        return storage.newest(self.folder / ".benchmarks")


def run_suite(folder: Path, *arguments: object, **environment: str) -> SuiteRun:
    """Run pytest on the suite from a folder, to which it writes record and report."""
    return run_pytest(folder, ROOT / "benchmarks", *arguments, **environment)


def run_pytest(folder: Path, *arguments: object, **environment: str) -> SuiteRun:
    """Run pytest from a folder."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *_options(arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return SuiteRun(folder, done.returncode, done.stdout)


def fork_suite(folder: Path, *arguments: object, **environment: str) -> SuiteRun:
    """Run pytest on the suite with JAX, like ``run_suite``, in a forked process, which starts faster."""
    return fork_pytest(folder, ROOT / "benchmarks", *arguments, **environment)


def fork_pytest(folder: Path, *arguments: object, **environment: str) -> SuiteRun:
    """Run pytest with JAX from a folder, like ``run_pytest``, in a forked process, which starts faster.

    It is not pinned, so that parallel tests do not share one core; ``arguments`` may override that.
    """
    arguments = ("--backend=jax", "--threads=all", *arguments)
    if sys.platform != "linux":  # elsewhere libraries may not work in a forked process
        return run_pytest(folder, *arguments, **environment)
    output = folder / "output"
    status = forks("jax").run(folder, _options(arguments), {**os.environ, **environment}, output)
    return SuiteRun(folder, status, output.read_text())


def _options(arguments: tuple[object, ...]) -> list[str]:
    return [*map(str, arguments), "-p", "no:cacheprovider"]
