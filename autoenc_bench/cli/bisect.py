"""Find the commit or release that made a case slower or less accurate, or changed what it executes.

GOOD and BAD are git revisions, or two releases of a package, such as keras==3.11.0 and keras==3.15.0. The command
compares points between them with GOOD, as continuous does. A point counts as bad if it has more than half of the total
change, and as good if it has less. An undecided point is measured again, and then skipped. Answers are kept, and the
same command continues from them, unless the interpreter, a library, a variable or the machine differs.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from autoenc_bench import exit_codes
from autoenc_bench.cli import both_sides, output
from autoenc_bench.exceptions import InvalidInputError, RunFailedError
from autoenc_bench.formatting import count, line
from autoenc_bench.records.places import LIVE, expanded
from autoenc_bench.records.record import BACKENDS
from autoenc_bench.verdicts.limits import COUNTS

if TYPE_CHECKING:
    from autoenc_bench.live.bisection import Finding, Step
    from autoenc_bench.live.points import Points

EPILOG = (
    "After -- comes the case, such as epoch[mnist-fused], then options of pytest's, such as --scale smoke.\n\n"
    f"{exit_codes.epilog(exit_codes.BISECT)}"
)


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("good", metavar="GOOD", help="a git revision, or a release such as keras==3.11.0")
    command.add_argument("bad", metavar="BAD", help="a later revision, or a later release of the same package")
    follow = "find the change of this figure; counts and error need only one run per commit (default: %(default)s)"
    command.add_argument("--follow", choices=("time", "error", COUNTS), default="time", help=follow)
    both_sides.add_budget(command, "start no new comparison", "30m")


def run(options: argparse.Namespace) -> tuple[str, int]:
    from rich.live import Live
    from rich.text import Text

    from autoenc_bench.live import points
    from autoenc_bench.live.bisection import Bisection
    from autoenc_bench.live.display import console as standard_error

    project, budget = Path.cwd(), both_sides.seconds(options.budget)
    case, selected = both_sides.choose_case(options.pytest, project)
    if options.follow == "time" and case.startswith("experiment["):
        mend = "follow the time of its epoch[…], or --follow error"
        raise InvalidInputError(f"{case} runs once, for its error, so its time cannot be followed; {mend}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job ends like a Ctrl-C
    console = standard_error()
    with points.find(options.good, options.bad, project) as searched, Live(console=console, transient=True) as live:

        def progress(activity: str, elapsed: float) -> None:
            if console.is_terminal:
                live.update(Text(f"{activity}, {elapsed:.0f} s", style="dim"))

        def show(step: "Step") -> None:
            console.print(row(step, searched.name), markup=False, soft_wrap=True)

        question = (*searched.ends, searched.code, case, *selected, options.follow)
        store = LIVE / f"bisect-{sha256(repr((question, surroundings())).encode()).hexdigest()[:8]}"
        search = Bisection(
            project=project,
            repository=searched.repository,
            wanted=searched.wanted,
            harness=searched.harness,
            case=case,
            options=selected,
            follow=options.follow,
            budget=budget,
            store=store,
            progress=progress,
            show=show,
        )
        if options.follow == "time":
            both_sides.warn_of_noise()
        if store.exists():
            output.write(f"continuing from {store}; remove it to start again", sys.stderr)
        try:
            finding = search.run(*searched.ends)
        except KeyboardInterrupt:
            raise RunFailedError(f"interrupted; the same command continues from the answers in {store}") from None
        return "\n".join(conclude(finding, case, searched)), status(finding)


def surroundings() -> tuple[object, ...]:
    """Return what answers depend on beside the question: interpreter, libraries, variables and machine."""
    from autoenc_bench.backends import selection
    from autoenc_bench.machine import fingerprint, threads, variables

    libraries = [
        fingerprint.or_none(partial(fingerprint.libraries, name)) for name in filter(selection.is_installed, BACKENDS)
    ]
    names = {name for name in os.environ if name.startswith(("KERAS_", "PIP_"))} | {"PYTHONPATH", "PYTEST_ADDOPTS"}
    tuned = {name: os.environ.get(name, "") for name in sorted(names | variables.tuning(os.environ).keys())}
    machine = fingerprint.identify(fingerprint.cpu_model(), ()).id
    cores = len(threads.usable_cores()), fingerprint.or_none(fingerprint.cpu_limit)
    keras = expanded(os.environ.get("KERAS_HOME") or "~/.keras") / "keras.json"
    return sys.executable, sys.version, libraries, tuned, machine, cores, fingerprint.or_none(keras.read_text)


def row(step: "Step", name: Callable[[str], str]) -> str:
    """Return an answer in a line."""
    return f"{step.answer:<8}{step.seconds:6.0f} s  {line(f'{name(step.head)}: {step.change}')}"


def conclude(finding: "Finding", case: str, points: "Points") -> Iterator[str]:
    """Return in lines which commit or release it is, with what confidence, and why the case changed."""
    from autoenc_bench.live.bisection import Answer

    good, bad = map(points.name, points.ends)
    yield f"{case}, from {good} to {bad}: {finding.total.change}"
    if finding.total.answer is Answer.SAME:
        yield "nothing changed between them"
        return
    if finding.total.answer is Answer.UNKNOWN:
        yield "the change between them is undecided; give more time with --budget"
        return
    if len(finding.suspects) > 1:
        yield f"it is one of {count(len(finding.suspects), 'candidate')}; comparisons could not separate them:"
        yield from (f"  {points.name(commit)}" for commit in finding.suspects)
        return
    (culprit,) = finding.suspects
    yield f"since {points.name(culprit)}"
    confirmation = finding.confirmation or finding.total
    if finding.confirmation:
        how = "measured again, against" if finding.confidence < 1 else "against"
        yield f"{how} the one before it: {confirmation.change}"
    if confirmation.answer is Answer.UNKNOWN:
        yield "so it is not confirmed; give more time with --budget"
        return
    if confirmation.answer is Answer.SAME:
        yield "so it is not confirmed, and the change may be spread over several"
        return
    share = f"at least {100 * finding.confidence:.1f} %"
    confidence = share if finding.confidence < 1 else "exact: the values repeat in every run"
    yield f"confidence: {confidence}"
    if confirmation.cause:
        yield f"why: {confirmation.cause}"
    yield from points.details(culprit)


def status(finding: "Finding") -> int:
    """Return the exit code of a search."""
    from autoenc_bench.live.bisection import Answer

    if finding.total.answer is Answer.SAME:
        return exit_codes.NOTHING_TO_FIND
    steps = (finding.total, finding.confirmation or finding.total)
    is_found = len(finding.suspects) == 1 and all(step.answer is Answer.CHANGED for step in steps)
    return 0 if is_found else exit_codes.UNDECIDED
