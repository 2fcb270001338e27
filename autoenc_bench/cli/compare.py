"""Say whether time, memory or error regressed between two sets of records.

A side is a file, a folder, a pattern in quotes, or a name that was given to --benchmark-save, looked up in .benchmarks/
and then in reports/baselines/.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from autoenc_bench import exit_codes
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.cli.output import tell
from autoenc_bench.records import BASELINES, SAVED, expanded

# What reads records is imported where it is used: the other commands need none of it.
if TYPE_CHECKING:
    from autoenc_bench.records.loading import Source
    from autoenc_bench.verdicts.comparison import Comparison
    from autoenc_bench.verdicts.status import Status

EPILOG = exit_codes.epilog(exit_codes.GATE)


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("base", metavar="BASE")
    command.add_argument("head", metavar="HEAD")
    across = "parts of the context that are under test and may differ: backend, keras, python, …; env: all variables"
    command.add_argument("--across", metavar="PART,…", default="", help=across)
    add_storage(command)
    add_limits(command)


def add_limits(command: argparse.ArgumentParser) -> None:
    """Add the options that every comparison has."""
    limit = (
        "another limit, such as time:5%%, memory:20%%, error:0.5%%, counts:0%% or, for one experiment, mnist:time:10%% "
        "(repeatable; defaults: time:3%%, memory:10%%, error:1%%)"
    )
    command.add_argument("--fail-on", metavar="EXPR", action="append", default=[], help=limit)
    missing = "let a side lack cases that the other has, or that it skipped or failed"
    command.add_argument("--allow-missing", action="store_true", help=missing)
    command.add_argument("--strict", action="store_true", help="end with status 3 when anything is undecided")
    add_format(command)


def add_format(command: argparse.ArgumentParser) -> None:
    """Add the option for whom a command writes."""
    formats = ("table", "markdown", "json")
    command.add_argument("--format", choices=formats, default="table", help="default: %(default)s")


def add_storage(command: argparse.ArgumentParser) -> None:
    """Add the option for where names are looked up."""
    storage = "where --benchmark-storage put the records (default: %(default)s)"
    command.add_argument("--storage", metavar="DIR", type=storage_folder, default=SAVED, help=storage)


def storage_folder(text: str) -> Path:
    """Read a folder, also as ``--benchmark-storage`` has it: ``file://DIR``."""
    return expanded(text.removeprefix("file://"))


def run(options: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.records import loading, storage
    from autoenc_bench.verdicts import limits, status
    from autoenc_bench.verdicts.comparison import compare

    overrides = limits.parse(options.fail_on, EXPERIMENTS)

    def side(name: str) -> "list[Source]":
        sources, unreadable = loading.read_all(storage.find(name, (options.storage, BASELINES)), pictured=False)
        for left_out in loading.left_out(sources, unreadable):
            tell(left_out)
        return sources

    across = [part for part in options.across.split(",") if part]
    comparison = compare(side(options.base), side(options.head), overrides, across)
    ended = status.of(comparison, allow_missing=options.allow_missing, strict=options.strict)
    return conclude(comparison, ended, options.format)


def conclude(comparison: "Comparison", ended: "Status", layout: str, measured: str = "") -> tuple[str, int]:
    """Show a comparison on a job's page, and say how it ends; return its text and the exit status."""
    from autoenc_bench.exceptions import InvalidInputError
    from autoenc_bench.report import github
    from autoenc_bench.verdicts import tables

    try:
        github.append_step_summary(tables.markdown(comparison, ended.reason, measured))
    except InvalidInputError as problem:  # the verdict stands, whoever shows it
        tell(problem)
    tell(ended.reason)
    layouts = {
        "table": lambda: tables.text(comparison, measured),
        "markdown": lambda: tables.markdown(comparison, ended.reason, measured),
        "json": lambda: tables.document(comparison, ended, measured),
    }
    return layouts[layout](), ended.code
