"""Measure two revisions, interpreters or environments by turns, until the verdict is clear.

Processes of base and head live side by side and take turns round by round, until every case is decided. The head's
benchmarks/, conftest.py and autoenc_bench/plugin/ measure both sides.
"""

import argparse
import re
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from autoenc_bench import exit_codes
from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.cli import compare, output
from autoenc_bench.cli.compare import add_limits, conclude
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.formatting import line
from autoenc_bench.records.places import LIVE, expanded

if TYPE_CHECKING:
    from autoenc_bench.live.checkouts import Wanted
    from autoenc_bench.live.continuous import Look

UNITS = {"s": 1, "m": 60, "h": 3600}

EPILOG = f"Options after -- are pytest's, such as -- --experiment mnist -k epoch. {compare.EPILOG}"


def add(command: argparse.ArgumentParser) -> None:
    base = "a git revision (default: where the head left the main branch)"
    command.add_argument("base", metavar="BASE", nargs="?", help=base)
    head = "a git revision (default: the working tree, uncommitted changes included)"
    command.add_argument("head", metavar="HEAD", nargs="?", help=head)
    budget = "stop after that long, such as 90s or 1h (default: %(default)s)"
    command.add_argument("--budget", metavar="TIME", default="10m", help=budget)
    add_sides(command)
    everything = "measure all cases, as many as the time holds, the most telling first"
    command.add_argument("--all", dest="everything", action="store_true", help=everything)
    add_limits(command)


def add_sides(command: argparse.ArgumentParser) -> None:
    """Add the options that tell what the sides run in."""
    for side in ("base", "head"):
        python, variable = f"run the {side} by this interpreter", f"set a variable for the {side} (repeatable)"
        package = f"let pip install a package for the {side} alone, such as keras==3.12.0 (repeatable)"
        command.add_argument(f"--{side}-python", metavar="PATH", type=expanded, help=python)
        command.add_argument(f"--{side}-env", metavar="NAME=VALUE", action="append", default=[], help=variable)
        command.add_argument(f"--{side}-with", metavar="REQUIREMENT", action="append", default=[], help=package)


def wanted(options: argparse.Namespace, side: str) -> "Wanted":
    """Return what is asked for on a side."""
    from autoenc_bench.live.checkouts import Wanted

    asked = Wanted(
        revision=getattr(options, side),
        python=getattr(options, f"{side}_python"),
        environment=variables(getattr(options, f"{side}_env")),
        packages=getattr(options, f"{side}_with"),
    )
    if asked.packages:  # takes a while, before anything is measured
        output.write(f"installing {' '.join(asked.packages)}", sys.stderr)
    return asked


def run(options: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.live import checkouts, continuous
    from autoenc_bench.live.display import Display
    from autoenc_bench.verdicts import limits, status

    overrides, budget = limits.parse(options.fail_on, EXPERIMENTS), seconds(options.budget)
    base, head = (wanted(options, side) for side in ("base", "head"))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job ends like a Ctrl-C
    with checkouts.both(base, head, Path.cwd()) as sides, Display(budget) as display, new_store() as store:
        given = pytest_options(options.pytest, sides[1].folder, everything=options.everything)
        warn()
        measuring = continuous.Continuous(sides, given, store, budget, overrides, display.tell)
        look = explain(measuring.measure(display.show), store)
    limits.save_options(store, options.fail_on, allow_missing=options.allow_missing, strict=options.strict)
    ended = status.of(look.comparison, allow_missing=options.allow_missing, strict=options.strict)
    if look.ended == continuous.INTERRUPTED and ended.code != exit_codes.REGRESSED:
        ended = status.Status(exit_codes.NOT_COMPARED, "interrupted before every case was decided")
    result = conclude(look.comparison, ended, options.format, look.measured)
    for side in sides:
        output.write(f"{side.name}: {side.description}; records: {store / side.name}", sys.stderr)
    if following := next_step(look, store):
        output.write(line(f"next: {following}"), sys.stderr)
    return result


@contextmanager
def new_store() -> Iterator[Path]:
    """Make the folder for the records of one comparison; where none is saved, it does not stay."""
    from autoenc_bench.records import storage

    store = storage.new_folder(LIVE / f"{datetime.now(UTC):%Y%m%d-%H%M%S}")
    try:
        yield store
    finally:
        with suppress(OSError):  # it is not empty
            store.rmdir()


def warn() -> None:
    """Say what makes times on this machine unsteady."""
    from autoenc_bench.machine import conditions, threads

    for warning in conditions.preflight(threads.choose(1, threads.usable_cores())).warnings():
        output.write(f"warning: {warning}", sys.stderr)


def explain(look: "Look", store: Path) -> "Look":
    """Add to causes what programs' texts tell or else samples."""
    from autoenc_bench.live import explanations

    explained = [
        replace(one, cause="; ".join((one.cause, *explanations.read(store, one.case)))) if one.explained else one
        for one in look.comparison.verdicts
    ]
    return replace(look, comparison=replace(look.comparison, verdicts=explained))


def next_step(look: "Look", store: Path) -> str:
    """Return what tells more: pictures of what changed, or the time in which one more case is decided."""
    from autoenc_bench.live.display import minutes_needed
    from autoenc_bench.verdicts.judgements import CHANGES, Outcome

    times = {one.case: one.time for one in look.comparison.verdicts if one.time}
    if any(time.outcome in CHANGES for time in times.values()):
        return f"autoenc-bench report {store}"
    undecided = {case: time for case, time in times.items() if time.outcome is Outcome.UNDECIDED}
    minutes = {case: more for case, time in undecided.items() if (more := minutes_needed(time, look))}
    if not minutes:
        return ""
    case, more = min(minutes.items(), key=lambda one: one[1])
    return f"about {more} min more decide {case}: --budget {ceil(look.seconds / 60) + more}m"


def seconds(text: str) -> float:
    """Read a time such as ``90s``, ``10m`` or ``1.5h``; raise InvalidInputError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not match or not float(match[1]):
        raise InvalidInputError(f"budget {text!r}; give a time above 0 with its unit, such as 90s, 10m or 1h")
    return float(match[1]) * UNITS[match[2]]


def variables(assignments: Sequence[str]) -> dict[str, str]:
    """Read assignments such as ``KERAS_BACKEND=jax``; raise InvalidInputError for what is none."""
    for assignment in assignments:
        if not re.match(r"[A-Za-z_]\w*=", assignment):
            raise InvalidInputError(f"variable {assignment!r}; give a name and a value, such as KERAS_BACKEND=jax")
    return dict(assignment.split("=", 1) for assignment in assignments)


def pytest_options(given: Sequence[str], folder: Path, *, everything: bool = False) -> list[str]:
    """Put before pytest's options what runs where they name no tests: the suite's training cases, or ``everything``."""
    from autoenc_bench.live.continuous import CASES

    if names_tests(given, folder):
        return list(given)
    return ["benchmarks/", *(() if everything else ("-k", CASES)), *given]


def names_tests(given: Sequence[str], folder: Path) -> bool:
    """Return whether pytest's options name tests of a project."""
    return any(not option.startswith("-") and (folder / option.split("::")[0]).exists() for option in given)
