"""Why a case changed, beyond its counts: two programs' texts line by line, and where Python's time goes on both sides.

Both lie below ``why/`` in a comparison's folder, where the plugin keeps them (see plugin/explanations.py).
"""

from collections.abc import Iterator, Sequence
from difflib import unified_diff
from math import inf
from pathlib import Path

from autoenc_bench.formatting import seconds
from autoenc_bench.live import processes
from autoenc_bench.live.checkouts import Checkout
from autoenc_bench.records.record import SIDE_NAMES

FOLDER = "why"
SHOWN = 4  # functions
LEAST = 0.01  # of a call, by which the seconds of a function changed that is named


def option(store: Path, side: str) -> str:
    """Return the option by which a side keeps what explains its cases."""
    return f"--explain={(store / FOLDER / side).resolve()}"


def run(sides: Sequence[Checkout], options: Sequence[str], store: Path) -> list[Path]:
    """Run the suite once on each side, and keep texts and profiles; return the records, which a single run makes.

    Raises SideFailedError where a side leaves no record.
    """
    return [
        processes.run(
            side, [*options, "--no-roofs", option(store, side.name)], store / FOLDER / side.name, inf, lambda: None
        )
        for side in sides
    ]


def read(store: Path, case: str) -> Iterator[str]:
    """Return in lines what is known of a case beyond its counts, and where to read on."""
    base, head = (store / FOLDER / side / case for side in SIDE_NAMES)
    if differing := list(_differences(base, head)):
        path = store / FOLDER / f"{case}.diff"
        path.write_text("".join(differing))
        yield f"both programs, line by line: {path}"
    yield from _profiles(base / "profile.txt", head / "profile.txt")


def _differences(base: Path, head: Path) -> Iterator[str]:
    names = dict.fromkeys(path.name for folder in (base, head) for path in sorted(folder.glob("program-*.txt")))
    for name in names:
        one, other = (
            (folder / name).read_text().splitlines(keepends=True) if (folder / name).exists() else []
            for folder in (base, head)
        )
        yield from unified_diff(one, other, f"base/{name}", f"head/{name}")


def _profiles(base: Path, head: Path) -> Iterator[str]:
    """Return the functions whose own time in a call changed most."""
    if not (base.exists() and head.exists()):
        return
    before, after = map(_read_profile, (base, head))
    changes = {name: after.get(name, 0.0) - before.get(name, 0.0) for name in before | after}
    least = LEAST * max(sum(before.values()), sum(after.values()))
    named = sorted((name for name in changes if abs(changes[name]) > least), key=lambda name: -abs(changes[name]))
    listed = [f"{name} {seconds(before.get(name, 0.0))} → {seconds(after.get(name, 0.0))}" for name in named[:SHOWN]]
    if listed:
        yield f"sampled, a call's time by function: {', '.join(listed)}"


def _read_profile(path: Path) -> dict[str, float]:
    """Return a call's seconds by function."""
    lines = (line.split("\t") for line in path.read_text().splitlines())
    return {name: float(spent) for spent, name in lines}
