"""Runs in, series out: one case at one scale on one machine in one context, as timelines with their changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from autoenc_bench.history import change_points
from autoenc_bench.history.change_points import Change
from autoenc_bench.history.runs import Host, Point, Run, Subject
from autoenc_bench.records.record import Fact

# A change must be so large to matter, whatever the noise: errors repeat to the bit, so less of them counts.
SMALLEST = {"time": 0.01, "efficiency": 0.01, "error": 0.001, "memory": 0.01}


@dataclass(frozen=True)
class Timeline:
    """Hold one figure over time: ``values[i]`` is that of ``runs[i]``, and ``changes`` count from 0 in both.

    ``kind`` is time (seconds), efficiency (share of the roof), error or memory (bytes).
    """

    kind: str
    runs: list[Run]
    values: list[float]

    @cached_property
    def changes(self) -> list[Change]:
        """Find its change points."""
        return change_points.find(self.values, SMALLEST[self.kind])

    @property
    def segments(self) -> list[tuple[int, int]]:
        """Give where each level begins and ends."""
        cuts = [0, *(change.index for change in self.changes), len(self.values)]
        return list(pairwise(cuts))

    @property
    def levels(self) -> list[float]:
        """Give the median of each level."""
        return [median(self.values[begin:end]) for begin, end in self.segments]

    @property
    def latest(self) -> float:
        """Give the newest state: the median of the newest level's newest runs."""
        return change_points.level(self.values[self.segments[-1][0] :])

    @property
    def growth(self) -> float | None:
        """Give the newest level over the first, ``None`` where nothing changed."""
        first, *_, last = [*self.levels, self.levels[-1]]
        return last / first if self.changes and first else None


@dataclass(frozen=True)
class Series:
    """Hold what one case did, run by run, oldest first. ``context`` counts the contexts of a machine from 1."""

    subject: Subject
    scale: str | None
    host: Host
    context: int
    runs: list[Run]
    points: list[Point]

    @property
    def facts(self) -> dict[str, Fact]:
        """Give the facts of its context."""
        return self.runs[0].context

    @cached_property
    def referenced(self) -> bool:
        """Tell whether its times are in units of the reference workload beside them: when all of them can be."""
        return all(point.referenced is not None for point in self.points)

    @cached_property
    def unit(self) -> float:
        """Give the seconds that times in units of the reference workload are shown with: its median over the runs."""
        return median(point.reference or 1.0 for point in self.points) if self.referenced else 1.0

    @cached_property
    def time(self) -> Timeline:
        """Give its times: seconds as measured, or at this machine's usual speed where they are referenced."""
        return Timeline(
            "time",
            self.runs,
            [(point.referenced or 0.0) * self.unit if self.referenced else point.time for point in self.points],
        )

    @cached_property
    def efficiency(self) -> Timeline | None:
        """Give its efficiencies by the newest definition of the roofs, at the speed that the times are shown with."""
        values = [
            None if point.efficiency is None else point.efficiency * point.time / time
            for point, time in zip(self.points, self.time.values, strict=True)
        ]
        return self._known("efficiency", values, [run.roofs for run in self.runs])

    @cached_property
    def error(self) -> Timeline | None:
        """Give its mean absolute errors."""
        return self._known("error", [point.error for point in self.points])

    @cached_property
    def memory(self) -> Timeline | None:
        """Give its peaks of resident memory in runs of the newest selection of cases: others leave other things."""
        return self._known("memory", [point.memory for point in self.points], [run.selection for run in self.runs])

    @cached_property
    def timelines(self) -> list[Timeline]:
        """List what there is."""
        return [self.time, *(line for line in (self.efficiency, self.error, self.memory) if line)]

    @cached_property
    def roof(self) -> str | None:
        """Name the roof that bound the case last."""
        return next((point.roof for point in reversed(self.points) if point.roof), None)

    def _known(self, kind: str, values: Sequence[float | None], alike: Sequence[object] = ()) -> Timeline | None:
        """Keep the values that are known, of the runs that are ``alike`` the newest of them."""
        rows = zip(self.runs, values, alike or [None] * len(values), strict=True)
        found = [(run, value, like) for run, value, like in rows if value is not None]
        kept = [(run, value) for run, value, like in found if like == found[-1][2]]
        return Timeline(kind, [run for run, _ in kept], [value for _, value in kept]) if kept else None


def gather(runs: Iterable[Run]) -> list[Series]:
    """Sort points into series, in the order in which cases and machines first came; ``runs`` are oldest first."""
    contexts: dict[str, dict[bytes, int]] = {}
    found: dict[tuple[Subject, str | None, str, int], Series] = {}
    for run in runs:
        known = contexts.setdefault(run.host.key, {})
        context = known.setdefault(run.surroundings, len(known) + 1)
        for subject, point in run.points.items():
            key = subject, run.scale, run.host.key, context
            series = found.setdefault(key, Series(subject, run.scale, run.host, context, [], []))
            series.runs.append(run)
            series.points.append(point)
    return list(found.values())
