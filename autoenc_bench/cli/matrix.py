"""Run the suite on several backends, and draw them side by side.

'pytest benchmarks/' runs once per backend, each in a process of its own, and one report is written of all records.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from time import monotonic

from autoenc_bench.cli.continuous import names_tests
from autoenc_bench.exceptions import NotFoundError, RunFailedError
from autoenc_bench.records import REPORTS, SAVED
from autoenc_bench.records.record import BACKENDS

EPILOG = (
    "Options after -- are pytest's, such as -- --scale smoke. Exit status: 0 every backend has its record "
    "and no case failed; 1 a case failed; 2 a backend has no record; 70 a bug of autoenc-bench."
)


def add(command: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    backends = f"{', '.join(BACKENDS)} (repeatable; default: all that are installed)"
    command.add_argument("--backend", metavar="NAME", action="append", default=[], help=backends)
    out = "of the report; default: %(default)s/"
    command.add_argument("--out", metavar="DIR", type=Path, default=REPORTS, help=out)


def run(options: argparse.Namespace) -> tuple[str, int]:
    """Run the suite on each backend; return where the report is, and the exit status."""
    from autoenc_bench.records import record
    from autoenc_bench.report import page

    backends, given = choose(options.backend), options.pytest
    if not names_tests(given, Path.cwd()):
        given = ["benchmarks/", *given]
    paths, status = [], 0
    print(f"the suite on {', '.join(backends)}, one after another", file=sys.stderr)
    for backend, path in measure(backends, given):
        _replace_line("")
        if isinstance(path, RunFailedError):
            print(f"autoenc-bench: {path}", file=sys.stderr)
            status = 2
            continue
        content = record.read(path)
        failed = content.autoenc.failed if content.autoenc else []
        status = max(status, int(bool(failed)))
        print(f"{backend}: {len(content.benchmarks)} cases, {len(failed)} failed; record: {path}", file=sys.stderr)
        paths.append(path)
    if not paths:
        raise NotFoundError("no backend left a record, so there is no report")
    return f"report: {page.write(paths, options.out).page}", status


def choose(wanted: Sequence[str]) -> list[str]:
    """Return the backends to run: those asked for, each once, or all that are installed.

    Raises NotFoundError for one that is unknown or not installed.
    """
    from autoenc_bench.core import backends

    for backend in wanted:
        backends.check(backend)
    return list(dict.fromkeys(wanted)) or [backend for backend in BACKENDS if backends.is_installed(backend)]


def measure(backends: Sequence[str], options: Sequence[str]) -> Iterator[tuple[str, Path | RunFailedError]]:
    """Run the suite of this folder on each backend, with pytest's options; yield its record, or why there is none."""
    from autoenc_bench.gate.live import processes
    from autoenc_bench.gate.live.checkouts import Checkout

    for place, backend in enumerate(backends, start=1):
        began = monotonic()
        side = Checkout(
            name=f"{backend} backend",
            description="in this folder",
            folder=Path.cwd(),
            python=Path(sys.executable),
            environment={},
        )

        def tick(place: int = place, backend: str = backend, began: float = began) -> None:
            _replace_line(f"{backend} ({place} of {len(backends)}), {monotonic() - began:.0f} s")

        named = [f"--benchmark-save={backend}", *options, f"--backend={backend}"]
        try:
            yield backend, processes.run(side, named, SAVED, float("inf"), tick)
        except RunFailedError as problem:
            yield backend, problem


def _replace_line(text: str) -> None:
    """Replace the last line on a terminal; elsewhere write nothing until a backend is done."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
