"""Series -> panels of timelines in per cent against where they began, a lane per machine: what timelines draw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.figures import looks
from autoenc_bench.history.machines import Machine
from autoenc_bench.history.series import Series, Timeline
from autoenc_bench.sources import bracketed

Values = NDArray[np.float64]

ALONE = ("efficiency", "memory")  # drawn where they changed: efficiency is mostly time upside down, memory a flat line
DAY = 86_400


@dataclass(frozen=True)
class Moved:
    """Hold a timeline in per cent against its first level above zero; ``when`` counts days."""

    line: Timeline
    when: Values
    values: Values
    levels: list[float]


@dataclass(frozen=True)
class Lane:
    """Hold what one machine did in a panel: a timeline for each of its contexts, oldest first."""

    letter: str
    colour: str
    moved: list[Moved]

    @property
    def ends(self) -> tuple[float, float]:
        """Give the lowest and the highest that must be seen: all levels, and all runs but outliers."""
        values = np.concatenate([moved.values for moved in self.moved])
        off = np.abs(values - np.median(values))
        seen = [*values[off <= 5 * np.quantile(off, 0.8)], *(level for moved in self.moved for level in moved.levels)]
        return float(min(seen)), float(max(seen))


@dataclass(frozen=True)
class Panel:
    """Hold what one panel shows: a case's timelines of one kind, each with its series."""

    title: str
    kind: str
    lines: list[tuple[Series, Timeline]]

    def lanes(self, machines: Iterable[Machine]) -> list[Lane]:
        """Sort the timelines by machine."""
        found = []
        for place, machine in enumerate(machines):
            held = [_moved(line) for one, line in self.lines if one.host.key == machine.host.key]
            if held:
                found.append(Lane(machine.letter, looks.OTHERS[place % len(looks.OTHERS)], held))
        return found


def _moved(line: Timeline) -> Moved:
    base = next((level for level in line.levels if level), 1.0)
    when = np.array([run.when.timestamp() / DAY for run in line.runs])
    return Moved(
        line, when, (np.array(line.values) / base - 1) * 100, [(level / base - 1) * 100 for level in line.levels]
    )


def panels(series: Iterable[Series]) -> Iterator[Panel]:
    """Make the panels of an experiment, of what has at least two runs: times, then errors, then what changed."""
    ordered = list(series)
    for kind in ("time", "error", *ALONE):
        for subject, held in groupby(ordered, key=lambda one: one.subject):
            known = [(one, line) for one in held for line in one.timelines if line.kind == kind and len(line.runs) > 1]
            if known and (kind not in ALONE or any(line.changes for _, line in known)):
                yield Panel(f"{_plain(subject.case)}: {kind}", kind, known)


def _plain(case: str) -> str:
    """Name a case within its experiment's figure."""
    phase, _, _ = case.partition("[")
    _, _, variant = bracketed(case).partition("-")
    return looks.plain(case if "[" not in case else f"{phase} {variant}".strip(), 34)
