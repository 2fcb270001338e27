"""Run the suite on several backends, and draw them side by side.

The suite runs once per backend, each in its own process. One report shows all records.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from autoenc_bench import exit_codes
from autoenc_bench.cli import both_sides, output
from autoenc_bench.exceptions import NotFoundError, RunFailedError
from autoenc_bench.records.places import REPORTS, SAVED, expanded
from autoenc_bench.records.record import BACKENDS

EPILOG = f"Options after -- are pytest's, such as -- --scale smoke.\n\n{exit_codes.epilog(exit_codes.MATRIX)}"


def add(command: argparse.ArgumentParser) -> None:
    backends = f"run on the backend NAME: {', '.join(BACKENDS)} (repeatable; default: all that are installed)"
    command.add_argument("--backend", metavar="NAME", action="append", default=[], help=backends)
    out = "write the report to DIR (default: %(default)s/)"
    command.add_argument("--out", metavar="DIR", type=expanded, default=REPORTS, help=out)


def run(options: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.records import loading
    from autoenc_bench.report import page

    folder = Path.cwd()
    backends = choose(options.backend)
    selected = both_sides.select(options.pytest, folder, tests=both_sides.suite(folder))
    paths, status = [], 0
    output.write(f"the suite on {', '.join(backends)}, one after another", sys.stderr)
    for place, backend in enumerate(backends, start=1):
        try:
            path = measure(backend, selected, f"{backend} ({place} of {len(backends)})")
        except RunFailedError as problem:  # the other backends run all the same
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


def choose(names: Sequence[str]) -> list[str]:
    """Return these backends, each once, by default all that are installed; raise NotFoundError for one that is not."""
    from autoenc_bench.backends import selection

    for name in names:
        selection.check(name)
    return list(dict.fromkeys(names)) or [name for name in BACKENDS if selection.is_installed(name)]


def measure(backend: str, options: Sequence[str], label: str) -> Path:
    """Run the suite of this folder on a backend, with pytest's options; return its record, or raise RunFailedError.

    On a terminal the last line shows the label and the seconds since the start.
    """
    from autoenc_bench.live import processes

    began, is_terminal = monotonic(), sys.stderr.isatty()
    suite = processes.Suite(name=f"{backend} backend", description="in this folder", folder=Path.cwd())

    def tick() -> None:
        if is_terminal:
            print(f"\r\x1b[K{label}, {monotonic() - began:.0f} s", end="", file=sys.stderr, flush=True)

    try:
        chosen = [f"--benchmark-save={backend}", *options, f"--backend={backend}"]
        return processes.run(suite, chosen, SAVED, float("inf"), tick)
    finally:
        print("\r\x1b[K" if is_terminal else "", end="", file=sys.stderr, flush=True)
