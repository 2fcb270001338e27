"""Series -> panels of timelines in per cent against where they began, a lane per machine: what timelines draw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.history.machines import Machine
from autoenc_bench.history.runs import Subject
from autoenc_bench.history.series import Series, Timeline
from autoenc_bench.records.loading import bracketed
from autoenc_bench.report.figures import style

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
                found.append(Lane(machine.letter, style.other(place), held))
        return found


def _moved(line: Timeline) -> Moved:
    base = next((level for level in line.levels if level), 1.0)
    when = np.array([run.when.timestamp() / DAY for run in line.runs])
    return Moved(
        line, when, (np.array(line.values) / base - 1) * 100, [(level / base - 1) * 100 for level in line.levels]
    )


def panels(series: Iterable[Series]) -> Iterator[Panel]:
    """Make the panels of an experiment, of what has at least two runs: times, then errors, then what changed."""
    found: dict[tuple[str, Subject], Panel] = {}
    for one in series:
        for line in one.timelines:
            if len(line.runs) > 1:
                title = f"{_plain(one.subject)}: {line.kind}"
                found.setdefault((line.kind, one.subject), Panel(title, line.kind, [])).lines.append((one, line))
    for kind in ("time", "error", *ALONE):
        for panel in found.values():
            if panel.kind == kind and (kind not in ALONE or any(line.changes for _, line in panel.lines)):
                yield panel


def _plain(subject: Subject) -> str:
    """Name a case within its experiment's figure: what it does, and how."""
    phase, _, _ = subject.case.partition("[")
    variant = bracketed(subject.case).removeprefix(subject.experiment or "").removeprefix("-")
    return style.plain(f"{phase} {variant}".strip() if subject.experiment and "[" in subject.case else subject.case, 34)
