"""Options of the commands that run the suite, and what they become for both sides and for pytest."""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from autoenc_bench.cli import output
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records.names import without_seed
from autoenc_bench.records.places import expanded
from autoenc_bench.records.record import SIDE_NAMES

if TYPE_CHECKING:
    from autoenc_bench.live.checkouts import Wanted

BENCHMARKS = "benchmarks/"
CASE = re.compile(r"(?P<phase>\w+)\[[^\]]+\]")
UNITS = {"s": 1, "m": 60, "h": 3600}


def add_budget(command: argparse.ArgumentParser, effect: str, default: str) -> None:
    """Add the option for the seconds that a command may measure."""
    budget = f"{effect} after TIME, such as 90s or 1h (default: %(default)s)"
    command.add_argument("--budget", metavar="TIME", default=default, help=budget)


def add_sides(command: argparse.ArgumentParser) -> None:
    """Add the options for the interpreter, the environment variables and the packages of each side."""
    for side in SIDE_NAMES:
        python, variable = f"run the {side} with the interpreter PATH", f"set a variable for the {side} (repeatable)"
        package = f"install a package for the {side} alone; REQUIREMENT is for example keras==3.12.0 (repeatable)"
        command.add_argument(f"--{side}-python", metavar="PATH", type=expanded, help=python)
        command.add_argument(f"--{side}-env", metavar="NAME=VALUE", action="append", default=[], help=variable)
        command.add_argument(f"--{side}-with", metavar="REQUIREMENT", action="append", default=[], help=package)


def wanted(options: argparse.Namespace) -> "tuple[Wanted, Wanted]":
    """Return what the options say of both sides; raise InvalidInputError for a variable without a value."""
    from autoenc_bench.live.checkouts import Wanted

    base, head = (
        Wanted(
            revision=getattr(options, side),
            python=getattr(options, f"{side}_python"),
            environment=variables(getattr(options, f"{side}_env")),
            packages=getattr(options, f"{side}_with"),
        )
        for side in SIDE_NAMES
    )
    for packages in filter(None, (base.packages, head.packages)):  # takes a while, before anything is measured
        output.write(f"installing {' '.join(packages)}", sys.stderr)
    return base, head


def variables(assignments: Sequence[str]) -> dict[str, str]:
    """Read assignments such as ``KERAS_BACKEND=jax``; raise InvalidInputError for anything else."""
    for assignment in assignments:
        if not re.match(r"[A-Za-z_]\w*=", assignment):
            raise InvalidInputError(f"variable {assignment!r}; give a name and a value, such as KERAS_BACKEND=jax")
    return dict(assignment.split("=", 1) for assignment in assignments)


def seconds(text: str) -> float:
    """Read a time such as ``90s``, ``10m`` or ``1.5h``; raise InvalidInputError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if not match or not float(match[1]):
        raise InvalidInputError(f"budget {text!r}; give a time above 0 with its unit, such as 90s, 10m or 1h")
    return float(match[1]) * UNITS[match[2]]


def choose_case(arguments: Sequence[str], project: Path) -> tuple[str, list[str]]:
    """Read a case and pytest's options; return the case's name, and options that select this case alone.

    Raises InvalidInputError where the first argument is no case, NotFoundError where no file in benchmarks/ has it.
    """
    case = CASE.fullmatch(arguments[0]) if arguments else None
    if case is None:
        got = f"got {arguments[0]!r}" if arguments else "got none after --"
        raise InvalidInputError(f"{got}; give a case such as epoch[mnist-fused], as the suite's lines name it")
    name = case[0]
    if name.startswith("experiment[") and without_seed(name) == name:
        name = f"{name[:-1]}-seed0]"
    for path in sorted((project / "benchmarks").glob("test_*.py")):
        if f"def test_{case['phase']}(" in path.read_text():
            return without_seed(name), [f"{path.relative_to(project)}::test_{name}", *arguments[1:]]
    raise NotFoundError(f"{case[0]}: nothing in benchmarks/ measures {case['phase']}; give a case that the suite lists")


def suite(project: Path) -> list[str]:
    """Return pytest's options for the suite of a project; if it has none, for that of the installed package.

    A project has one if its conftest.py names the plugin. Case ids are the same in both.
    """
    conftest = project / "conftest.py"
    if (project / BENCHMARKS).is_dir() and conftest.is_file() and b"autoenc_bench.plugin" in conftest.read_bytes():
        return [BENCHMARKS]
    package = Path(__file__).parents[1]  # in a wheel, the benchmarks lie in the package; in a clone, beside it
    folder = package if (package / BENCHMARKS).is_dir() else package.parent
    # No settings of a project around the installation; no cache in the installation.
    options = [f"--rootdir={folder}", f"--confcutdir={folder}", f"--override-ini=cache_dir={project / '.pytest_cache'}"]
    options += ["-c", os.devnull, "-p", "autoenc_bench.plugin", "--import-mode=importlib"]
    return [*options, str(folder / BENCHMARKS)]


def select(arguments: Sequence[str], project: Path, *defaults: str, tests: Sequence[str] = (BENCHMARKS,)) -> list[str]:
    """Return pytest's options; where they name no tests of the project, ``tests`` with ``defaults``."""
    paths = (option.split("::")[0] for option in arguments if not option.startswith("-"))
    if any((project / path).exists() for path in paths):
        return list(arguments)
    return [*tests, *defaults, *arguments]


def warn_of_noise() -> None:
    """Print what makes times on this machine unsteady."""
    from autoenc_bench.machine import conditions, threads

    for warning in conditions.preflight(threads.choose(1, threads.usable_cores())).warnings():
        output.write(f"warning: {warning}", sys.stderr)
