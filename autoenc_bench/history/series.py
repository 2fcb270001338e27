"""Runs in, series out: one case at one scale on one machine in one context, as timelines with their changes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from autoenc_bench.history import change_points
from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.runs import CaseName, CaseResult, MachineIdentity, PastRun

# A change must be so large to matter, whatever the noise: errors repeat to the bit, so less of them counts.
SMALLEST = {"time": 0.01, "efficiency": 0.01, "error": 0.001, "memory": 0.01}


@dataclass(frozen=True)
class Timeline:
    """One figure over time: ``values[i]`` is that of ``runs[i]``, and ``changes`` count from 0 in both.

    ``kind`` is time (seconds), efficiency (share of the roof), error or memory (bytes).
    """

    kind: str
    runs: list[PastRun]
    values: list[float]

    @cached_property
    def changes(self) -> list[ChangePoint]:
        return change_points.find(self.values, SMALLEST[self.kind])

    @property
    def segments(self) -> list[tuple[int, int]]:
        return list(pairwise([0, *(change.index for change in self.changes), len(self.values)]))

    @property
    def levels(self) -> list[float]:
        return [median(self.values[begin:end]) for begin, end in self.segments]

    @property
    def growth(self) -> float | None:
        """Return the newest level over the first, ``None`` where nothing changed."""
        levels = self.levels
        return levels[-1] / levels[0] if self.changes and levels[0] else None


@dataclass(frozen=True)
class Series:
    """What one case did, run by run, oldest first. ``context`` counts the contexts of a machine from 1."""

    case: CaseName
    scale: str | None
    machine: MachineIdentity
    context: int
    runs: list[PastRun]
    results: list[CaseResult]

    @cached_property
    def referenced(self) -> bool:
        """Return whether its times are in units of the reference workload beside them: when all of them can be."""
        return all(result.referenced is not None for result in self.results)

    @cached_property
    def unit(self) -> float:
        """Return the seconds that times in units of the reference workload are shown with: its median over the runs."""
        return median(result.reference or 1.0 for result in self.results) if self.referenced else 1.0

    @cached_property
    def time(self) -> Timeline:
        """Return its times: seconds as measured, or at this machine's usual speed where they are referenced."""
        usual = [(one.referenced or 0.0) * self.unit if self.referenced else one.time for one in self.results]
        return Timeline("time", self.runs, usual)

    @property
    def raw(self) -> float:
        """Return the newest level of the times as measured: the median of the newest runs since the last change."""
        begin, end = self.time.segments[-1]
        return change_points.level([result.time for result in self.results[begin:end]])

    @cached_property
    def efficiency(self) -> Timeline | None:
        """Return its efficiencies by the newest definition of the roofs, at the speed that the times are shown with."""
        rows = zip(self.results, self.time.values, strict=True)
        values = [None if one.efficiency is None else one.efficiency * one.time / time for one, time in rows]
        return self._known("efficiency", values, [run.roofs for run in self.runs])

    @cached_property
    def error(self) -> Timeline | None:
        return self._known("error", [result.error for result in self.results], [None] * len(self.runs))

    @cached_property
    def memory(self) -> Timeline | None:
        """Return its peaks of resident memory in runs of the newest selection of cases: others leave other things."""
        return self._known("memory", [result.memory for result in self.results], [run.selection for run in self.runs])

    @cached_property
    def timelines(self) -> list[Timeline]:
        return [self.time, *filter(None, (self.efficiency, self.error, self.memory))]

    @cached_property
    def roof(self) -> str | None:
        return next((result.roof for result in reversed(self.results) if result.roof), None)

    def _known(self, kind: str, values: Sequence[float | None], keys: Sequence[object]) -> Timeline | None:
        """Keep the values that are known, of the runs whose key is that of the newest of them."""
        rows = zip(self.runs, values, keys, strict=True)
        known = [(run, value, key) for run, value, key in rows if value is not None]
        kept = [(run, value) for run, value, key in known if key == known[-1][2]]
        return Timeline(kind, [run for run, _ in kept], [value for _, value in kept]) if kept else None


def latest(timeline: Timeline | None) -> float | None:
    """Return the newest state: the median of the newest level's newest runs; ``None`` of no timeline."""
    return change_points.level(timeline.values[timeline.segments[-1][0] :]) if timeline else None


def gather(runs: Iterable[PastRun]) -> list[Series]:
    """Sort results into series, in the order in which cases and machines first came; ``runs`` are oldest first."""
    contexts: dict[str, dict[bytes, int]] = {}
    found: dict[tuple[CaseName, str | None, str, int], Series] = {}
    for run in runs:
        known = contexts.setdefault(run.machine.key, {})
        context = known.setdefault(run.context_key, len(known) + 1)
        for case, result in run.results.items():
            key = case, run.scale, run.machine.key, context
            series = found.setdefault(key, Series(case, run.scale, run.machine, context, [], []))
            series.runs.append(run)
            series.results.append(result)
    return list(found.values())
