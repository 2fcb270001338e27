"""Series -> panels of timelines in per cent against where they began, a lane per machine: what timelines draw."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.runs import CaseName
from autoenc_bench.history.series import Series, Timeline
from autoenc_bench.records.loading import bracketed
from autoenc_bench.report.figures import style

Values = NDArray[np.float64]

ALONE = ("efficiency", "memory")  # drawn where they changed: efficiency is mostly time upside down, memory a flat line
DAY = 86_400


@dataclass(frozen=True)
class RelativeTimeline:
    """A timeline, its dates in days, and its values and levels in per cent against its first level above zero."""

    timeline: Timeline
    days: Values
    values: Values
    levels: Values


@dataclass(frozen=True)
class Lane:
    """What one machine did in a panel: a timeline for each of its contexts, oldest first."""

    letter: str
    colour: str
    timelines: list[RelativeTimeline]

    @property
    def limits(self) -> tuple[float, float]:
        """Return the lowest and the highest that must be seen: all levels, and all runs but outliers."""
        values = np.concatenate([relative.values for relative in self.timelines])
        distances = np.abs(values - np.median(values))
        usual = values[distances <= 5 * np.quantile(distances, 0.8)]
        seen = np.concatenate([usual, *(relative.levels for relative in self.timelines)])
        return float(seen.min()), float(seen.max())


@dataclass(frozen=True)
class Panel:
    """A case's timelines of one kind, each with its series."""

    title: str
    kind: str
    timelines: list[tuple[Series, Timeline]]

    def lanes(self, machines: Iterable[KnownMachine]) -> list[Lane]:
        """Sort the timelines by machine."""
        lanes = []
        for place, machine in enumerate(machines):
            own = [_relative(line) for one, line in self.timelines if one.machine.key == machine.identity.key]
            lanes += [Lane(machine.letter, style.other(place), own)] if own else []
        return lanes


def _relative(timeline: Timeline) -> RelativeTimeline:
    base = next((level for level in timeline.levels if level), 1.0)
    days = np.array([run.when.timestamp() / DAY for run in timeline.runs])
    values, levels = ((np.array(part) / base - 1) * 100 for part in (timeline.values, timeline.levels))
    return RelativeTimeline(timeline, days, values, levels)


def panels(series: Iterable[Series]) -> Iterator[Panel]:
    """Make the panels of an experiment, of what has at least two runs: times, then errors, then what changed."""
    by_kind: dict[tuple[str, CaseName], Panel] = {}
    for one in series:
        for timeline in one.timelines:
            if len(timeline.runs) > 1:
                panel = Panel(f"{_short_name(one.case)}: {timeline.kind}", timeline.kind, [])
                by_kind.setdefault((timeline.kind, one.case), panel).timelines.append((one, timeline))
    for kind in ("time", "error", *ALONE):
        for panel in by_kind.values():
            if panel.kind == kind and (kind not in ALONE or any(timeline.changes for _, timeline in panel.timelines)):
                yield panel


def _short_name(case: CaseName) -> str:
    """Name a case within its experiment's figure: its phase, trainer and seed."""
    variant = bracketed(case.name).removeprefix(case.experiment or "").removeprefix("-")
    named = case.experiment and "[" in case.name
    return style.plain(f"{case.name.partition('[')[0]} {variant}".strip() if named else case.name, 34)
