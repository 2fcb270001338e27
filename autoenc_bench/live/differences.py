"""How a case differs between both sides beside its counts: program texts by line, and Python's time by function.

The plugin writes these files below ``why/`` in a comparison's folder (see ``plugin/artifacts.py``).
"""

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from math import inf
from pathlib import Path

from autoenc_bench.formatting import seconds
from autoenc_bench.live import processes
from autoenc_bench.live.processes import Suite
from autoenc_bench.records.record import SIDE_NAMES

FOLDER = "why"
SHOWN = 4  # functions
LEAST = 0.01  # share of a call by which a function's own time must change for a line


def option(store: Path, side: str) -> str:
    """Return the option of the plugin that names the folder for a side's files."""
    return f"--explain={(store / FOLDER / side).resolve()}"


def run_once(both: Sequence[Suite], options: Sequence[str], store: Path) -> list[Path]:
    """Run the suite once on each side, with the files for ``describe``; return both records.

    Raises SuiteFailedError where a side leaves no record.
    """
    return [
        processes.run(suite, [*options, "--no-roofs", option(store, suite.name)], store / FOLDER / suite.name, inf)
        for suite in both
    ]


def describe(store: Path, case: str) -> Iterator[str]:
    """Return lines that say how a case's programs and profiles differ, and where to read the programs' diff."""
    base, head = (store / FOLDER / side / case for side in SIDE_NAMES)
    if lines := list(_program_diff(base, head)):
        path = store / FOLDER / f"{case}.diff"
        path.write_text("".join(lines))
        yield f"diff of both programs: {path}"
    yield from _profile_changes(base / "profile.txt", head / "profile.txt")


def _program_diff(base: Path, head: Path) -> Iterator[str]:
    names = sorted({path.name for folder in (base, head) for path in folder.glob("program-*.txt")})
    for name in names:
        paths = base / name, head / name
        before, after = (path.read_text().splitlines(keepends=True) if path.exists() else [] for path in paths)
        yield from unified_diff(before, after, f"base/{name}", f"head/{name}")


def _profile_changes(base: Path, head: Path) -> Iterator[str]:
    """Return a line with the functions whose own time in a call changed most, where both sides have a profile."""
    if not (base.exists() and head.exists()):
        return
    before, after = map(_read_profile, (base, head))
    changes = {name: abs(after.get(name, 0.0) - before.get(name, 0.0)) for name in before | after}
    least = LEAST * max(sum(before.values()), sum(after.values()))
    largest = sorted((name for name in changes if changes[name] > least), key=changes.__getitem__, reverse=True)
    shown = [f"{name} {seconds(before.get(name, 0.0))} → {seconds(after.get(name, 0.0))}" for name in largest[:SHOWN]]
    if shown:
        yield f"sampled, a call's time by function: {', '.join(shown)}"


def _read_profile(path: Path) -> dict[str, float]:
    """Return a call's seconds by function."""
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return {name: float(spent) for spent, name in lines}
