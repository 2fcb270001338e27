"""Find the commit, or the release of a package, since which a case is slower, less accurate or does something else.

GOOD and BAD are git revisions, or two releases of a package, such as keras==3.11.0 and keras==3.15.0. What lies between
them is compared with GOOD, as continuous does it, and half of the whole change tells which of the two it is like. What
cannot be told is measured again, and then skipped. Answers are kept, and the same command goes on from them, unless
the interpreter, a library, a variable or the machine is another one.
"""

import argparse
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from autoenc_bench import exit_codes
from autoenc_bench.cli import output
from autoenc_bench.cli.continuous import seconds, warn
from autoenc_bench.exceptions import InvalidInputError, NotFoundError, RunFailedError
from autoenc_bench.formatting import count, line
from autoenc_bench.records.names import without_seed
from autoenc_bench.records.places import LIVE, expanded
from autoenc_bench.records.record import BACKENDS
from autoenc_bench.verdicts.limits import COUNTS

if TYPE_CHECKING:
    from autoenc_bench.live.bisection import Found, Step
    from autoenc_bench.live.checkouts import Wanted

CASE = re.compile(r"(?P<phase>\w+)\[[^\]]+\]")
EPILOG = (
    "After -- stand the case, such as epoch[mnist-fused], and options of pytest's, such as --scale smoke. "
    f"{exit_codes.epilog(exit_codes.BISECT)}"
)


def add(command: argparse.ArgumentParser) -> None:
    command.add_argument("good", metavar="GOOD")
    command.add_argument("bad", metavar="BAD")
    follow = "what changed: time, error or counts, of which the latter two are told by one run (default: %(default)s)"
    command.add_argument("--follow", choices=("time", "error", COUNTS), default="time", help=follow)
    budget = "ask nothing more after that long, such as 90s or 1h (default: %(default)s)"
    command.add_argument("--budget", metavar="TIME", default="30m", help=budget)


def run(options: argparse.Namespace) -> tuple[str, int]:
    from rich.live import Live
    from rich.text import Text

    from autoenc_bench.live.bisection import Bisection
    from autoenc_bench.live.display import console as standard_error

    project, budget = Path.cwd(), seconds(options.budget)
    case, given = chosen(options.pytest, project)
    if options.follow == "time" and case.startswith("experiment["):
        mend = "follow the time of its epoch[…], or --follow error"
        raise InvalidInputError(f"{case} runs once, for its error, so its time cannot be followed; {mend}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a cancelled job ends like a Ctrl-C
    console = standard_error()
    with points(options.good, options.bad, project) as known, Live(console=console, transient=True) as live:

        def tell(doing: str, elapsed: float) -> None:
            if console.is_terminal:
                live.update(Text(f"{doing}, {elapsed:.0f} s", style="dim"))

        def show(step: "Step") -> None:
            console.print(row(step, known.name), markup=False, soft_wrap=True)

        question = (*known.ends, known.code, case, *given, options.follow)
        store = LIVE / f"bisect-{sha256(repr((question, surroundings())).encode()).hexdigest()[:8]}"
        search = Bisection(
            project=project,
            repository=known.repository,
            wanted=known.wanted,
            harness=known.harness,
            case=case,
            options=given,
            follow=options.follow,
            budget=budget,
            store=store,
            tell=tell,
            show=show,
        )
        if options.follow == "time":
            warn()
        if store.exists():
            output.write(f"going on from what is in {store}; remove it to measure anew", sys.stderr)
        try:
            found = search.run(*known.ends)
        except KeyboardInterrupt:
            raise RunFailedError(f"interrupted; the same command goes on from the answers in {store}") from None
        return "\n".join(conclude(found, case, known)), status(found)


def chosen(given: Sequence[str], project: Path) -> tuple[str, list[str]]:
    """Read the case and pytest's options; return its name, and options that choose it alone.

    Raises InvalidInputError where there is none, NotFoundError where nothing in benchmarks/ measures it.
    """
    case = CASE.fullmatch(given[0]) if given else None
    if case is None:
        got = f"got {given[0]!r}" if given else "got none after --"
        raise InvalidInputError(f"{got}; give a case such as epoch[mnist-fused], as the suite's lines name it")
    name = case[0]
    if name.startswith("experiment[") and without_seed(name) == name:
        name = f"{name[:-1]}-seed0]"
    for path in sorted((project / "benchmarks").glob("test_*.py")):
        if f"def test_{case['phase']}(" in path.read_text():
            return without_seed(name), [f"{path.relative_to(project)}::test_{name}", *given[1:]]
    raise NotFoundError(f"{case[0]}: nothing in benchmarks/ measures {case['phase']}; give a case that the suite lists")


def surroundings() -> tuple[object, ...]:
    """Return what answers depend on besides the question: interpreter, libraries, variables and machine."""
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


class Points(NamedTuple):
    """What is searched: commits, as git bisects them, and what they stand for."""

    repository: Path
    ends: tuple[str, str]  # the commit that is good, the one that is bad
    wanted: "Callable[[str], Wanted]"
    harness: str | None  # the revision that measures all of them
    code: str  # the tree that all of them measure, where that is one
    name: Callable[[str], str]
    details: Callable[[str], Sequence[str]]  # what else is known of one


@contextmanager
def points(good: str, bad: str, project: Path) -> Iterator[Points]:
    """Read two revisions, or two releases of a package, and prepare a search between them.

    Raises InvalidInputError where one is a release and the other one is not of the same package.
    """
    from autoenc_bench.live import bisection, packages, revisions
    from autoenc_bench.live.checkouts import Wanted

    releases = packages.RELEASE.fullmatch(good), packages.RELEASE.fullmatch(bad)
    if releases[0] and releases[1] and releases[0]["name"].lower() == releases[1]["name"].lower():
        package = releases[0]["name"]
        versions = packages.releases(package, releases[0]["version"], releases[1]["version"], Path(sys.executable))
        top, _ = revisions.find(project)
        with TemporaryDirectory() as temporary:
            code = revisions.working_tree(top, revisions.make_store(top, Path(temporary) / "objects")).tree
        with bisection.line([f"{package}=={version}" for version in versions]) as (folder, named):
            first, *_, last = named
            yield Points(
                repository=folder,
                ends=(first, last),
                wanted=lambda commit: Wanted(packages=[named[commit]]),
                harness=None,
                code=code,
                name=named.__getitem__,
                details=lambda _: (),
            )
    elif any(releases):
        raise InvalidInputError(
            f"{good} and {bad}; give two git revisions, or two releases of one package, such as keras==3.11.0 "
            "keras==3.15.0"
        )
    else:
        top, _ = revisions.find(project)
        ends = revisions.at(top, good).commit, revisions.at(top, bad).commit
        with bisection.worktree(top, ends[1]) as folder:
            yield Points(
                repository=folder,
                ends=ends,
                wanted=lambda commit: Wanted(revision=commit),
                harness=ends[1],
                code="",
                name=lambda commit: line(revisions.git(top, "show", "--no-patch", "--format=%h %s", commit).strip()),
                details=lambda commit: _details(top, commit),
            )


def _details(top: Path, commit: str) -> list[str]:
    """Return who made a commit, and what it touches."""
    from autoenc_bench.live.revisions import git

    author, *touched = git(top, "show", "--no-color", "--stat", "--format=%an, %as", commit).splitlines()
    return [line(author), *filter(None, touched)]


def row(step: "Step", name: Callable[[str], str]) -> str:
    """Return an answer in a line."""
    return f"{step.answer:<8}{step.seconds:6.0f} s  {line(f'{name(step.head)}: {step.change}')}"


def conclude(found: "Found", case: str, known: Points) -> Iterator[str]:
    """Return in lines which commit or release it is, how sure that is, and why it changed."""
    from autoenc_bench.live.bisection import Answer

    good, bad = map(known.name, known.ends)
    yield f"{case}, from {good} to {bad}: {found.whole.change}"
    if found.whole.answer is not Answer.CHANGED:
        what = "there is nothing to find" if found.whole.answer is Answer.SAME else "nobody can tell; give more time"
        yield f"between them {what}"
        return
    if len(found.suspects) > 1:
        yield f"it is one of {count(len(found.suspects), 'candidate')}, which could not be told apart:"
        yield from (f"  {known.name(commit)}" for commit in found.suspects)
        return
    (culprit,) = found.suspects
    yield f"since {known.name(culprit)}"
    step = found.confirmed
    if step:
        how = "measured once more, against" if found.sure < 1 else "against"
        yield f"{how} the one before it: {step.change}"
    if step and step.answer is Answer.UNKNOWN:
        yield "so it is not confirmed; give more time"
        return
    if step and step.answer is Answer.SAME:
        yield "so it is not confirmed, and the change may be spread over several"
        return
    yield (
        f"sure by {100 * found.sure:.1f} % at least" if found.sure < 1 else "told exactly, by what repeats in each run"
    )
    if cause := (step or found.whole).cause:
        yield f"why: {cause}"
    yield from known.details(culprit)


def status(found: "Found") -> int:
    """Return the exit status of a search."""
    from autoenc_bench.live.bisection import Answer

    if found.whole.answer is Answer.SAME:
        return exit_codes.NOTHING_TO_FIND
    steps = (found.whole, found.confirmed or found.whole)
    is_told = len(found.suspects) == 1 and all(step.answer is Answer.CHANGED for step in steps)
    return 0 if is_told else exit_codes.UNDECIDED
