"""Say whether time, memory or error regressed between two sets of records.

A side is a file, a folder, a pattern in quotes, or a name that was given to --benchmark-save, looked up in .benchmarks/
and then in reports/baselines/.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.records import BASELINES, SAVED

# What reads records is imported where it is used: the other commands need none of it.
if TYPE_CHECKING:
    from autoenc_bench.gate.verdicts import Comparison
    from autoenc_bench.gate.verdicts.status import Status

EPILOG = (
    "exit status: 0 nothing regressed; 1 something did; 2 could not compare, or a case is missing from the head; "
    "3 something is undecided, with --strict; 70 a bug of autoenc-bench"
)


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("base", metavar="BASE")
    command.add_argument("head", metavar="HEAD")
    across = "parts of the context that are under test and may differ: backend, keras, python, …; env: all variables"
    command.add_argument("--across", metavar="PART,…", default="", help=across)
    add_limits(command)


def add_limits(command: argparse.ArgumentParser) -> None:
    """Add the options that every comparison has."""
    limit = (
        "another limit, such as time:5%%, memory:20%%, error:0.5%% or, for one experiment, mnist:time:10%% "
        "(repeatable; defaults: time:3%%, memory:10%%, error:1%%)"
    )
    command.add_argument("--fail-on", metavar="EXPR", action="append", default=[], help=limit)
    command.add_argument("--allow-missing", action="store_true", help="let the head lack cases that the base has")
    command.add_argument("--strict", action="store_true", help="end with status 3 when something is undecided")
    add_format(command)


def add_format(command: argparse.ArgumentParser) -> None:
    """Add the option for whom a command writes."""
    formats = ("table", "markdown", "json")
    command.add_argument("--format", choices=formats, default="table", help="default: %(default)s")


def run(options: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.catalogue import limits
    from autoenc_bench.gate import verdicts
    from autoenc_bench.gate.verdicts import status
    from autoenc_bench.records import loading, storage

    overrides = limits.parse(options.fail_on, EXPERIMENTS)
    base, head = (
        [loading.read(path, pictured=False) for path in storage.find(name, (SAVED, BASELINES))]
        for name in (options.base, options.head)
    )
    across = [part for part in options.across.split(",") if part]
    comparison = verdicts.compare(base, head, overrides, across)
    ended = status.of(comparison, allow_missing=options.allow_missing, strict=options.strict)
    return conclude(comparison, ended, options.format)


def conclude(comparison: "Comparison", ended: "Status", layout: str, measured: str = "") -> tuple[str, int]:
    """Show a comparison on a job's page, and why it ends as it does; return its text and the exit status."""
    from autoenc_bench.exceptions import InvalidInputError
    from autoenc_bench.gate.verdicts import document, tables
    from autoenc_bench.report import github

    try:
        github.append_step_summary(tables.markdown(comparison, measured))
    except InvalidInputError as problem:  # the verdict stands, whoever shows it
        print(f"autoenc-bench: {problem}", file=sys.stderr)
    if ended.reason:
        print(f"autoenc-bench: {ended.reason}", file=sys.stderr)
    layouts = {"table": tables.text, "markdown": tables.markdown, "json": document.text}
    return layouts[layout](comparison, measured), ended.code
