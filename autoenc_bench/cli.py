"""The command line: what reads records, and what the catalogue holds."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tabulate import tabulate

from autoenc_bench import __version__, records, storage, summary
from autoenc_bench.experiments import EXPERIMENTS

STORAGE = Path(".benchmarks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status: 0, or 2 when it could not do what was asked."""
    chosen = _parser().parse_args(arguments)
    try:
        print(chosen.command(chosen))
    except (LookupError, ValueError) as problem:
        print(f"autoenc-bench: {problem}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="autoenc-bench",
        description="Read what 'pytest benchmarks/' recorded. The suite itself is run by pytest.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    listing = commands.add_parser("experiments", help="list the catalogue of experiments")
    listing.set_defaults(command=_experiments)

    summing = commands.add_parser("summary", help="print a record's headline table")
    summing.add_argument(
        "record", nargs="?", type=Path, help=f"a record's JSON file (default: the newest in {STORAGE}/)"
    )
    summing.add_argument("--format", choices=("text", "markdown"), default="text", help="default: %(default)s")
    summing.set_defaults(command=_summary)
    return parser


def _experiments(_: argparse.Namespace) -> str:
    body = [(row.name, f"{row.parameters:,}", row.describe()) for row in EXPERIMENTS.values()]
    return tabulate(body, ("experiment", "parameters", "what"), disable_numparse=True)


def _summary(chosen: argparse.Namespace) -> str:
    path = chosen.record or storage.newest(STORAGE)
    record = records.read(path)
    rows = summary.rows(record.timed())
    if not rows or record.autoenc is None:
        raise ValueError(f"{path}: written by plain pytest-benchmark, so it holds no experiments to sum up")
    lines = [summary.table(rows, "github" if chosen.format == "markdown" else "simple")]
    lines += summary.leftovers(record.autoenc.skipped, "skipped")
    lines += summary.leftovers(record.autoenc.failed, "failed")
    return "\n".join(lines)
