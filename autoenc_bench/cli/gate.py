"""The gate's commands: compare what was recorded, or measure two sides live."""

import argparse
import re
import signal
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.records.storage import BASELINES, LIVE, SAVED

# What reads records or starts processes is imported where it is used: the other commands need none of it.
if TYPE_CHECKING:
    from autoenc_bench.gate.live.continuous import Look
    from autoenc_bench.gate.verdicts import Comparison

STATUSES = (
    "exit status: 0 nothing regressed; 1 something did; 2 could not compare, or a case is missing from the head; "
    "3 something is undecided, with --strict"
)
UNITS = {"s": 1, "m": 60, "h": 3600}


def add(commands: Any) -> None:
    """Add the gate's commands to the parser's."""
    comparing = commands.add_parser(
        "compare",
        help="say whether time, memory or error regressed between two sets of records",
        description="Compare records of a base and of a head. A side is a file, a folder, a pattern in quotes, or a "
        f"name that was given to --benchmark-save, looked up in {SAVED}/ and then in {BASELINES}/.",
        epilog=STATUSES,
    )
    comparing.add_argument("base", metavar="BASE")
    comparing.add_argument("head", metavar="HEAD")
    comparing.add_argument(
        "--across",
        metavar="PART,…",
        default="",
        help="parts of the context that are under test and may differ: backend, keras, python, …; env: all variables",
    )
    _add_common(comparing)
    comparing.set_defaults(command=_compare)

    measuring = commands.add_parser(
        "continuous",
        help="measure two revisions, interpreters or environments by turns, until the verdict is clear",
        description="Run the suite in fresh processes, base and head by turns, and stop as soon as every case is "
        "decided. The head's benchmarks/ and conftest.py measure both sides.",
        epilog=f"Options after -- are pytest's, such as -- --experiment mnist -k epoch. {STATUSES}",
    )
    measuring.add_argument(
        "base", metavar="BASE", nargs="?", help="a git revision (default: where the head left the main branch)"
    )
    measuring.add_argument(
        "head",
        metavar="HEAD",
        nargs="?",
        help="a git revision (default: the working tree, uncommitted changes included)",
    )
    measuring.add_argument(
        "--budget", metavar="TIME", default="10m", help="stop after that long, such as 90s or 1h (default: %(default)s)"
    )
    for side in ("base", "head"):
        measuring.add_argument(
            f"--{side}-python", metavar="PATH", type=Path, help=f"run the {side} by this interpreter"
        )
        measuring.add_argument(
            f"--{side}-env",
            metavar="NAME=VALUE",
            action="append",
            default=[],
            help=f"set a variable for the {side} (repeatable)",
        )
        measuring.add_argument(
            f"--{side}-with",
            metavar="REQUIREMENT",
            action="append",
            default=[],
            help=f"let pip install a package for the {side} alone, such as keras==3.12.0 (repeatable)",
        )
    _add_common(measuring)
    measuring.set_defaults(command=_continuous)


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--fail-on",
        metavar="EXPR",
        action="append",
        default=[],
        help="another limit, such as time:5%%, memory:20%%, error:0.5%% or, for one experiment, mnist:time:10%% "
        "(repeatable; defaults: time:3%%, memory:10%%, error:1%%)",
    )
    parser.add_argument("--allow-missing", action="store_true", help="let the head lack cases that the base has")
    parser.add_argument("--strict", action="store_true", help="end with status 3 when something is undecided")
    parser.add_argument("--format", choices=("table", "markdown", "json"), default="table", help="default: %(default)s")


def part(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part what is ours from what stands after ``--`` and is pytest's, for the commands that run it."""
    given = list(arguments)
    if given[:1] not in (["continuous"], ["matrix"]) or "--" not in given:
        return given, []
    place = given.index("--")
    return given[:place], given[place + 1 :]


def _compare(chosen: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.catalogue import limits
    from autoenc_bench.gate import verdicts
    from autoenc_bench.records import loading, lookup

    overrides = limits.parse(chosen.fail_on, EXPERIMENTS)
    base, head = (
        [loading.read(path, pictured=False) for path in lookup.find(name, (SAVED, BASELINES))]
        for name in (chosen.base, chosen.head)
    )
    return _conclude(
        verdicts.compare(base, head, overrides, [part for part in chosen.across.split(",") if part]), chosen
    )


def _continuous(chosen: argparse.Namespace) -> tuple[str, int]:
    from autoenc_bench.catalogue import limits
    from autoenc_bench.gate.live import checkouts, continuous
    from autoenc_bench.gate.live.display import Display

    overrides, budget = limits.parse(chosen.fail_on, EXPERIMENTS), seconds(chosen.budget)
    base, head = (
        checkouts.Wanted(
            revision=getattr(chosen, side),
            python=getattr(chosen, f"{side}_python"),
            environment=variables(getattr(chosen, f"{side}_env")),
            packages=getattr(chosen, f"{side}_with"),
        )
        for side in ("base", "head")
    )
    store = LIVE / f"{datetime.now(UTC):%Y%m%d-%H%M%S}"
    for wanted in (base, head):
        if wanted.packages:  # takes a while, before anything is measured
            print(f"installing {' '.join(wanted.packages)}", file=sys.stderr)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job ends like a Ctrl-C
    with checkouts.both(base, head, Path.cwd()) as sides, Display(budget) as display:
        options = pytest_options(chosen.pytest, sides[1].folder)
        look = continuous.Continuous(sides, options, store, budget, overrides, display.tell).measure(display.show)
    text, status = _conclude(look.comparison, chosen, look)
    for side in sides:
        print(f"{side.name}: {side.words}; records: {store / side.name}", file=sys.stderr)
    return text, status


def _conclude(found: "Comparison", chosen: argparse.Namespace, look: "Look | None" = None) -> tuple[str, int]:
    """Lay a comparison out, show it on a job's page as well, and say how it ends."""
    from autoenc_bench.gate.live import continuous
    from autoenc_bench.gate.verdicts import document, status, tables
    from autoenc_bench.report import github

    measured = f"{look.runs} runs in {look.seconds:.0f} s, until {look.ended}" if look else ""
    try:
        github.append_step_summary(tables.markdown(found, measured))
    except ValueError as problem:  # the verdict stands, whoever shows it
        print(f"autoenc-bench: {problem}", file=sys.stderr)
    ended = status.of(found, allow_missing=chosen.allow_missing, strict=chosen.strict)
    if look and look.ended == continuous.INTERRUPTED and ended.code != status.REGRESSED:
        ended = status.Status(status.NOT_COMPARED, "interrupted before every case was decided")
    if ended.reason:
        print(f"autoenc-bench: {ended.reason}", file=sys.stderr)
    layouts = {"table": tables.text, "markdown": tables.markdown, "json": document.text}
    return layouts[chosen.format](found, measured), ended.code


def seconds(text: str) -> float:
    """Read a time such as ``90s``, ``10m`` or ``1.5h``; raise ValueError for anything else."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not found or not float(found[1]):
        raise ValueError(f"budget {text!r}; give a time above 0 with its unit, such as 90s, 10m or 1h")
    return float(found[1]) * UNITS[found[2]]


def variables(assignments: Sequence[str]) -> dict[str, str]:
    """Read assignments such as ``KERAS_BACKEND=jax``; raise ValueError for what is none."""
    for assignment in assignments:
        if not re.match(r"[A-Za-z_]\w*=", assignment):
            raise ValueError(f"variable {assignment!r}; give a name and a value, such as KERAS_BACKEND=tensorflow")
    return dict(assignment.split("=", 1) for assignment in assignments)


def pytest_options(given: Sequence[str], folder: Path) -> list[str]:
    """Put before pytest's options what runs where they name no tests: the suite's training cases."""
    from autoenc_bench.gate.live.continuous import CASES

    return list(given) if names_tests(given, folder) else ["benchmarks/", "-k", CASES, *given]


def names_tests(given: Sequence[str], folder: Path) -> bool:
    """Tell whether pytest's options name tests of a project."""
    return any(not option.startswith("-") and (folder / option.split("::")[0]).exists() for option in given)
