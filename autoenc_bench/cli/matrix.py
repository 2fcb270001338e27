"""The matrix command: the suite on each backend, and one report of them all."""

import argparse
import sys
from pathlib import Path
from typing import Any

from autoenc_bench.cli import gate
from autoenc_bench.records.record import BACKENDS
from autoenc_bench.records.storage import REPORTS, SAVED


def add(commands: Any) -> None:
    """Add the command to the parser's."""
    running = commands.add_parser(
        "matrix",
        help="run the suite on several backends, and draw them side by side",
        description="Run 'pytest benchmarks/' once per backend, each in a process of its own, and write one report of "
        "all records.",
        epilog="Options after -- are pytest's, such as -- --scale smoke. Exit status: 0 every backend has its record "
        "and no case failed; 1 a case failed; 2 a backend has no record.",
    )
    running.add_argument(
        "--backend",
        metavar="NAME",
        action="append",
        default=[],
        help=f"{', '.join(BACKENDS)} (repeatable; default: all that are installed)",
    )
    running.add_argument(
        "--out", metavar="DIR", type=Path, default=REPORTS, help="of the report; default: %(default)s/"
    )
    running.set_defaults(command=_matrix)


def _matrix(chosen: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.gate.live import matrix
    from autoenc_bench.records import loading
    from autoenc_bench.report import page

    names, options = matrix.choose(chosen.backend), chosen.pytest
    if not gate.names_tests(options, Path.cwd()):
        options = ["benchmarks/", *options]
    paths, status = [], 0
    print(f"the suite on {', '.join(names)}, one after another", file=sys.stderr)
    for backend, found in matrix.run(names, options, Path.cwd(), SAVED, _tell):
        _tell("")
        if isinstance(found, ValueError):
            print(f"autoenc-bench: {found}", file=sys.stderr)
            status = 2
            continue
        record = loading.read(found, pictured=False).record
        failed = record.autoenc.failed if record.autoenc else []
        status = max(status, int(bool(failed)))
        print(f"{backend}: {len(record.benchmarks)} cases, {len(failed)} failed; record: {found}", file=sys.stderr)
        paths.append(found)
    if not paths:
        raise ValueError("no backend left a record, so there is no report")
    return f"report: {page.write(paths, chosen.out).page}", status


def _tell(text: str) -> None:
    """Replace the last line on a terminal; elsewhere say nothing until a backend is done."""
    if sys.stderr.isatty():
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
