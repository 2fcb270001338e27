"""The suite run in a process of its own, as its users run it."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from autoenc_bench.records import storage

ROOT = Path(__file__).parents[1]
SMOKE = ("crude-simple", "crude-simple-streamed", "features-2", "mnist", "digits")  # one of each kind


@dataclass(frozen=True)
class SuiteRun:
    """One run of the suite in a process of its own: where, how it ended and what it printed."""

    folder: Path
    status: int
    out: str

    @property
    def record(self) -> Path:
        """The record that it saved."""
        return storage.newest(self.folder / ".benchmarks")


def run_suite(folder: Path, *arguments: object, **environment: str) -> SuiteRun:
    """Run pytest on the suite from a folder, in which record and report then lie."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", ROOT / "benchmarks", "-p", "no:cacheprovider", *map(str, arguments)],
        cwd=folder,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return SuiteRun(folder, done.returncode, done.stdout)
