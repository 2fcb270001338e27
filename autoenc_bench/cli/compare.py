"""Compare two sets of records, and report whether time, memory, error or counts regressed.

BASE and HEAD are each a file, a folder, a quoted pattern, or a name that was given to --benchmark-save. Names are
looked up in .benchmarks/ and then in reports/baselines/.
"""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from autoenc_bench import exit_codes
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.cli.output import tell
from autoenc_bench.records.places import BASELINES, SAVED, expanded

if TYPE_CHECKING:
    from autoenc_bench.records.loading import Source
    from autoenc_bench.verdicts.comparison import Comparison
    from autoenc_bench.verdicts.status import Status

EPILOG = exit_codes.epilog(exit_codes.GATE)


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("base", metavar="BASE", help="records from before the change")
    command.add_argument("head", metavar="HEAD", help="records from after the change")
    across = (
        "let these parts of the context differ between BASE and HEAD, because they are under test; PART is backend, "
        "keras, python, …, or env for all environment variables"
    )
    command.add_argument("--across", metavar="PART,…", default="", help=across)
    add_storage(command)
    add_limits(command)


def add_limits(command: argparse.ArgumentParser) -> None:
    """Add the options that every comparison has."""
    limit = (
        "set the largest allowed change; EXPR is for example time:5%%, memory:20%%, error:0.5%%, counts:0%% or, for "
        "one experiment, mnist:time:10%% (repeatable; defaults: time:3%%, memory:10%%, error:1%%)"
    )
    command.add_argument("--fail-on", metavar="EXPR", action="append", default=[], help=limit)
    missing = "accept cases that are missing, skipped or failed on one side"
    command.add_argument("--allow-missing", action="store_true", help=missing)
    command.add_argument("--strict", action="store_true", help="end with exit code 3 if any case is undecided")
    add_format(command, "table", "markdown", "json")


def add_format(command: argparse.ArgumentParser, *formats: str) -> None:
    """Add the option that chooses between output formats, the first by default."""
    command.add_argument("--format", choices=formats, default=formats[0], help="output format (default: %(default)s)")


def add_storage(command: argparse.ArgumentParser) -> None:
    """Add the option for the folder in which names are looked up."""

    def folder(text: str) -> Path:
        return expanded(text.removeprefix("file://"))

    storage = "the folder of saved records, as given to --benchmark-storage (default: %(default)s)"
    command.add_argument("--storage", metavar="DIR", type=folder, default=SAVED, help=storage)


def run(options: argparse.Namespace) -> tuple[str, int]:
    # Imported here because the other commands that import this module read no records.
    from autoenc_bench.records import loading, storage
    from autoenc_bench.verdicts import limits, status
    from autoenc_bench.verdicts.comparison import compare

    overrides = limits.parse(options.fail_on, EXPERIMENTS)

    def side(name: str) -> "list[Source]":
        sources, unreadable = loading.read_records(storage.find(name, (options.storage, BASELINES)), pictured=False)
        for left_out in loading.left_out(sources, unreadable):
            tell(left_out)
        return sources

    across = [part for part in options.across.split(",") if part]
    comparison = compare(side(options.base), side(options.head), overrides, across)
    ended = status.of(comparison, allow_missing=options.allow_missing, strict=options.strict)
    return conclude(comparison, ended, options.format)


def conclude(comparison: "Comparison", ended: "Status", layout: str, measured: str = "") -> tuple[str, int]:
    """Report a comparison on the page of a GitHub Actions job, and why it passed or failed on standard error.

    Return the text to print, in the chosen layout, and the exit status. ``measured`` says how it was measured.
    """
    from autoenc_bench.exceptions import InvalidInputError
    from autoenc_bench.report import github
    from autoenc_bench.verdicts import tables

    markdown = tables.markdown(comparison, ended.reason, measured)
    try:
        github.append_step_summary(markdown)
    except InvalidInputError as problem:  # the verdict holds without the page
        tell(problem)
    tell(ended.reason)
    layouts = {
        "table": lambda: tables.text(comparison, measured),
        "markdown": lambda: tables.markdown(comparison, ended.reason, measured),
        "json": lambda: tables.document(comparison, ended, measured),
    }
    return layouts[layout](), ended.code
