"""The command line: what reads records, what the catalogue holds, and the gate."""

import argparse
import os
import sys
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

import msgspec
from tabulate import tabulate

from autoenc_bench import __version__
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.cli import gate, matrix
from autoenc_bench.records import record as records
from autoenc_bench.records import storage
from autoenc_bench.records.storage import BASELINES, REPORTS, SAVED
from autoenc_bench.report import devices, facts, summary


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0, or 2 when it could not do what was asked; the gate has more."""
    given, passed = gate.part(sys.argv[1:] if arguments is None else arguments)
    chosen = _parser().parse_args(given)
    chosen.pytest = passed
    try:
        said = chosen.command(chosen)
    except (LookupError, ValueError) as problem:
        print(f"autoenc-bench: {problem}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("autoenc-bench: interrupted", file=sys.stderr)
        return 2
    text, status = said if isinstance(said, tuple) else (said, 0)
    try:
        print(text, flush=True)
    except BrokenPipeError:  # who reads has read enough, as head does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nor does closing complain
    return int(status)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autoenc-bench",
        description="Read what 'pytest benchmarks/' recorded, and gate changes. The suite itself is run by pytest.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("experiments", help="list the catalogue of experiments")
    listing.set_defaults(command=_experiments)

    telling = commands.add_parser(
        "machine",
        help="say what runs here, and what it can do at most",
        description="Identify this machine, and measure its roofs on the threads that the suite would use.",
    )
    telling.add_argument("--threads", metavar="N|all", default="1", help="as for the suite (default: %(default)s)")
    telling.add_argument("--format", choices=("text", "json"), default="text", help="default: %(default)s")
    telling.set_defaults(command=_machine)

    summing = commands.add_parser("summary", help="print a record's headline table")
    summing.add_argument("record", nargs="?", type=Path, help=f"a record's JSON file (default: the newest in {SAVED}/)")
    summing.add_argument("--format", choices=("text", "markdown"), default="text", help="default: %(default)s")
    summing.set_defaults(command=_summary)

    reporting = commands.add_parser(
        "report",
        help="draw records as a page with figures",
        description="Draw records: one HTML page, one Markdown page, and every figure as SVG and PNG. Records that "
        "cannot be read are listed on the page; the exit status is 2 when none can.",
    )
    reporting.add_argument(
        "record", nargs="*", type=Path, help=f"records' JSON files (default: the newest in {SAVED}/)"
    )
    reporting.add_argument("--out", metavar="DIR", type=Path, default=REPORTS, help="default: %(default)s/")
    reporting.add_argument("--open", action="store_true", help="open the page in a browser")
    reporting.set_defaults(command=_report)

    looking = commands.add_parser(
        "history",
        help="show how results moved over time, and machines side by side",
        description="Read every record in folders, of any number of machines: change points of time, efficiency, error "
        "and memory, and the newest state of the machines side by side. Files that are no records are left out and "
        "named; the exit status is 2 when none can be read.",
    )
    looking.add_argument(
        "folder", nargs="*", type=Path, help=f"folders or record files (default: {SAVED}/, and {BASELINES}/)"
    )
    looking.add_argument(
        "--format", choices=("table", "markdown", "json"), default="table", help="default: %(default)s"
    )
    looking.add_argument("--out", metavar="DIR", type=Path, help="also write history.html and its figures there")
    looking.set_defaults(command=_history)

    gate.add(commands)
    matrix.add(commands)
    return parser


def _experiments(_: argparse.Namespace) -> str:
    body = [(row.name, f"{row.parameters:,}", row.describe()) for row in EXPERIMENTS.values()]
    return tabulate(body, ("experiment", "parameters", "what"), disable_numparse=True)


def _machine(chosen: argparse.Namespace) -> str:
    from autoenc_bench.machine import context  # here, for only this command measures, and loads Keras for it

    if sys.stderr.isatty():
        print("measuring, about ten seconds\r", end="", file=sys.stderr, flush=True)
    found = context.survey(chosen.threads)
    if chosen.format == "json":
        return msgspec.json.format(msgspec.json.encode(found)).decode()
    return tabulate(facts.facts(found), tablefmt="plain", disable_numparse=True)


def _summary(chosen: argparse.Namespace) -> str:
    path = chosen.record or storage.newest(SAVED)
    record = records.read(path)
    rows, scaled = summary.rows(record.timed()), devices.rows(record.timed())
    if not (rows or scaled) or record.autoenc is None:
        raise ValueError(f"{path}: written by plain pytest-benchmark, so it holds no experiments to sum up")
    style = "github" if chosen.format == "markdown" else "simple"
    lines = [devices.table(scaled, style) if scaled else summary.table(rows, style)]
    lines += summary.leftovers(record.autoenc.skipped, "skipped")
    lines += summary.leftovers(record.autoenc.failed, "failed")
    return "\n".join(lines)


def _report(chosen: argparse.Namespace) -> str:
    from autoenc_bench.report import page  # here, for Matplotlib takes longer to load than other commands to run

    with _Progress() as progress:
        written = page.write(chosen.record or [storage.newest(SAVED)], chosen.out, progress.tell)
    for entry in written.unreadable:
        print(f"autoenc-bench: left out {entry.case}: {entry.reason}", file=sys.stderr)
    if chosen.open:
        webbrowser.open(written.page.resolve().as_uri())
    return f"report: {written.page}"


def _history(chosen: argparse.Namespace) -> str:
    from autoenc_bench import history  # here, for other commands need none of it
    from autoenc_bench.history import document, tables

    found = history.read(chosen.folder or [SAVED, *filter(Path.exists, [BASELINES])])
    for entry in found.unreadable:
        print(f"autoenc-bench: left out {entry.case}: {entry.reason}", file=sys.stderr)
    if chosen.out:
        from autoenc_bench.history import page  # here, for Matplotlib takes longer to load than the table to print

        with _Progress() as progress:
            print(f"history: {page.write(found, chosen.out, progress.tell)}", file=sys.stderr)
    return {"table": tables.text, "markdown": tables.markdown, "json": document.text}[chosen.format](found)


class _Progress:
    """Say on standard error what is being done, once it has taken longer than a moment."""

    def __init__(self) -> None:
        self.spoke = monotonic()
        self.line = ""

    def __enter__(self) -> "_Progress":
        return self

    def __exit__(self, *_: object) -> None:
        if self.line and sys.stderr.isatty():
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)

    def tell(self, text: str) -> None:
        """Replace the last line on a terminal; elsewhere write one every few seconds."""
        alive = sys.stderr.isatty()
        if monotonic() - self.spoke < (0.5 if alive and not self.line else 0 if alive else 3):
            return
        self.line, self.spoke = f"drawing {text}", monotonic()
        print(f"\r\x1b[K{self.line}" if alive else self.line, end="" if alive else "\n", file=sys.stderr, flush=True)
