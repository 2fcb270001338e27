"""Run the suite on several backends, and draw them side by side.

'pytest benchmarks/' runs once per backend, each in a process of its own, and one report is written of all records.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from autoenc_bench import exit_codes
from autoenc_bench.cli import output
from autoenc_bench.cli.continuous import names_tests
from autoenc_bench.exceptions import NotFoundError, RunFailedError
from autoenc_bench.records.places import REPORTS, SAVED, expanded
from autoenc_bench.records.record import BACKENDS

EPILOG = f"Options after -- are pytest's, such as -- --scale smoke. {exit_codes.epilog(exit_codes.MATRIX)}"


def add(command: argparse.ArgumentParser) -> None:
    backends = f"{', '.join(BACKENDS)} (repeatable; default: all that are installed)"
    command.add_argument("--backend", metavar="NAME", action="append", default=[], help=backends)
    out = "of the report; default: %(default)s/"
    command.add_argument("--out", metavar="DIR", type=expanded, default=REPORTS, help=out)


def run(options: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.records import loading
    from autoenc_bench.report import page

    backends, given = choose(options.backend), options.pytest
    if not names_tests(given, Path.cwd()):
        given = ["benchmarks/", *given]
    paths, status = [], 0
    output.write(f"the suite on {', '.join(backends)}, one after another", sys.stderr)
    for place, backend in enumerate(backends, start=1):
        try:
            path = measure(backend, given, f"{backend} ({place} of {len(backends)})")
        except RunFailedError as problem:  # does not keep the others from their records
            output.tell(problem)
            status = 2
            continue
        content = loading.read_record(path, pictured=False).record
        failed = content.autoenc.failed if content.autoenc else []
        status = max(status, int(bool(failed)))
        counted = f"{len(content.benchmarks)} cases, {len(failed)} failed"
        output.write(f"{backend}: {counted}; record: {path}", sys.stderr)
        paths.append(path)
    if not paths:
        raise NotFoundError("no backend left a record, so there is no report")
    return f"report: {page.write(paths, options.out, processes=os.cpu_count() or 1).page}", status


def choose(wanted: Sequence[str]) -> list[str]:
    """Return the backends asked for, each once, or all that are installed; raise NotFoundError for one that is not."""
    from autoenc_bench.backends import selection

    for backend in wanted:
        selection.check(backend)
    return list(dict.fromkeys(wanted)) or [backend for backend in BACKENDS if selection.is_installed(backend)]


def measure(backend: str, options: Sequence[str], label: str) -> Path:
    """Run the suite of this folder on a backend, with pytest's options; return its record, or raise RunFailedError.

    On a terminal the last line shows how long it has been going on.
    """
    from autoenc_bench.live import processes
    from autoenc_bench.live.checkouts import Checkout

    began, alive = monotonic(), sys.stderr.isatty()
    name, python = f"{backend} backend", Path(sys.executable)
    side = Checkout(name=name, description="in this folder", folder=Path.cwd(), python=python)

    def tick() -> None:
        if alive:
            print(f"\r\x1b[K{label}, {monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)

    try:
        named = [f"--benchmark-save={backend}", *options, f"--backend={backend}"]
        return processes.run(side, named, SAVED, float("inf"), tick)
    finally:
        print("\r\x1b[K" if alive else "", end="", file=sys.stderr, flush=True)
