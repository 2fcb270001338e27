"""Measure two revisions, interpreters or environments with interleaved rounds, until the verdict is clear.

Processes of base and head run at the same time, and their rounds alternate, until every case is decided. The head's
benchmarks/, conftest.py and autoenc_bench/plugin/ measure both sides.
"""

import argparse
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from autoenc_bench import exit_codes
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.cli import both_sides, compare, output
from autoenc_bench.cli.compare import add_limits, conclude
from autoenc_bench.formatting import line
from autoenc_bench.records.places import LIVE

if TYPE_CHECKING:
    from autoenc_bench.live.continuous import Analysis

EPILOG = f"Options after -- are pytest's, such as -- --experiment mnist -k epoch.\n\n{compare.EPILOG}"


def add(command: argparse.ArgumentParser) -> None:
    base = "a git revision (default: where the head left the main branch)"
    command.add_argument("base", metavar="BASE", nargs="?", help=base)
    head = "a git revision (default: the working tree, uncommitted changes included)"
    command.add_argument("head", metavar="HEAD", nargs="?", help=head)
    both_sides.add_budget(command, "stop", "10m")
    both_sides.add_sides(command)
    everything = (
        "measure all cases, steady epochs first; give a longer --budget (default: only steady epochs, and whole "
        "experiments of fused for their errors)"
    )
    command.add_argument("--all", dest="everything", action="store_true", help=everything)
    add_limits(command)


def run(options: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.live import checkouts
    from autoenc_bench.live.continuous import CASES, INTERRUPTED, Continuous
    from autoenc_bench.live.display import Display
    from autoenc_bench.verdicts import limits, status

    overrides, budget = limits.parse(options.fail_on, EXPERIMENTS), both_sides.seconds(options.budget)
    base, head = both_sides.wanted(options)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job ends like a Ctrl-C
    with checkouts.both(base, head, Path.cwd()) as both, Display(budget) as display, new_store() as store:
        defaults = () if options.everything else ("-k", CASES)
        selected = both_sides.select(options.pytest, both[1].folder, *defaults)
        both_sides.warn_of_noise()
        measuring = Continuous(both, selected, store, budget, overrides, display.progress)
        analysis = explain(measuring.measure(display.show), store)
    limits.save_options(store, options.fail_on, allow_missing=options.allow_missing, strict=options.strict)
    ended = status.of(analysis.comparison, allow_missing=options.allow_missing, strict=options.strict)
    if analysis.ended == INTERRUPTED and ended.code != exit_codes.REGRESSED:
        ended = status.Status(exit_codes.NOT_COMPARED, "interrupted before every case was decided")
    result = conclude(analysis.comparison, ended, options.format, analysis.measured)
    for suite in both:
        output.write(f"{suite.name}: {suite.description}; records: {store / suite.name}", sys.stderr)
    if suggestion := next_step(analysis, store):
        output.write(line(f"next: {suggestion}"), sys.stderr)
    return result


@contextmanager
def new_store() -> Iterator[Path]:
    """Make the folder for the records of one comparison; remove it at the end if it is empty."""
    from autoenc_bench.records import storage

    store = storage.new_folder(LIVE / f"{datetime.now(UTC):%Y%m%d-%H%M%S}")
    try:
        yield store
    finally:
        with suppress(OSError):  # it is not empty
            store.rmdir()


def explain(analysis: "Analysis", store: Path) -> "Analysis":
    """Add to the causes of changed times how programs or profiles differ."""
    from autoenc_bench.live import differences

    verdicts = [
        replace(verdict, cause="; ".join((verdict.cause, *differences.describe(store, verdict.case))))
        if verdict.explained
        else verdict
        for verdict in analysis.comparison.verdicts
    ]
    return replace(analysis, comparison=replace(analysis.comparison, verdicts=verdicts))


def next_step(analysis: "Analysis", store: Path) -> str:
    """Return a command that shows what changed, or a budget that decides one more case; empty where there is none."""
    from autoenc_bench.live.display import minutes_needed
    from autoenc_bench.verdicts.judgements import CHANGES, Outcome

    times = {verdict.case: verdict.time for verdict in analysis.comparison.verdicts if verdict.time}
    if any(time.outcome in CHANGES for time in times.values()):
        return f"autoenc-bench report {store}"
    undecided = {case: time for case, time in times.items() if time.outcome is Outcome.UNDECIDED}
    minutes = {case: more for case, time in undecided.items() if (more := minutes_needed(time, analysis))}
    if not minutes:
        return ""
    case, more = min(minutes.items(), key=lambda item: item[1])
    return f"about {more} min more decide {case}: --budget {ceil(analysis.seconds / 60) + more}m"
