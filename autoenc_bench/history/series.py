"""Runs -> series: one case at one scale on one machine in one context, as timelines with their changes."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from statistics import median

from autoenc_bench.history import change_points
from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.runs import CaseName, CaseResult, PastRun

# The smallest relative change that matters. Errors repeat to the bit, so a smaller change of them counts.
SMALLEST = {"time": 0.01, "efficiency": 0.01, "error": 0.001, "memory": 0.01}


@dataclass(frozen=True)
class Timeline:
    """One figure over time: ``values[i]`` belongs to ``runs[i]``, and so do the indices of ``changes``.

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
        """List begin and end of each level."""
        return list(pairwise([0, *(change.index for change in self.changes), len(self.values)]))

    @property
    def levels(self) -> list[float]:
        return [median(self.values[begin:end]) for begin, end in self.segments]

    @property
    def growth(self) -> float | None:
        """Return the newest level over the first, ``None`` if nothing changed."""
        levels = self.levels
        return levels[-1] / levels[0] if self.changes and levels[0] else None


@dataclass(frozen=True)
class Series:
    """The results of one case, run by run, oldest first. ``context`` is the number of the machine's context, from 1."""

    case: CaseName
    scale: str | None
    machine: KnownMachine
    context: int
    runs: list[PastRun]
    results: list[CaseResult]

    @property
    def label(self) -> str:
        """Return the label of the machine and the context: A, or A2."""
        return self.machine.label(self.context)

    @cached_property
    def referenced(self) -> bool:
        """Return whether the times are referenced: only if each run measured the reference workload."""
        return all(result.referenced is not None for result in self.results)

    @cached_property
    def unit(self) -> float:
        """Return the factor from referenced times to seconds: the median of the reference workload over the runs."""
        return median(result.reference or 1.0 for result in self.results) if self.referenced else 1.0

    @cached_property
    def time(self) -> Timeline:
        """Return the seconds at this machine's usual speed if the times are referenced, else as measured."""
        times = [(result.referenced or 0.0) * self.unit if self.referenced else result.time for result in self.results]
        return Timeline("time", self.runs, times)

    @property
    def raw(self) -> float:
        """Return the newest level of the times as measured: the median of the newest runs since the last change."""
        begin, end = self.time.segments[-1]
        return change_points.level([result.time for result in self.results[begin:end]])

    @cached_property
    def efficiency(self) -> Timeline | None:
        """Return the efficiencies by the newest definition of the roofs, at the same speed as ``time``."""
        values = [
            None if result.efficiency is None else result.efficiency * result.time / time
            for result, time in zip(self.results, self.time.values, strict=True)
        ]
        return self._timeline("efficiency", values, lambda run: run.roofs)

    @cached_property
    def error(self) -> Timeline | None:
        return self._timeline("error", [result.error for result in self.results])

    @cached_property
    def memory(self) -> Timeline | None:
        """Return the peak memory in runs of the newest selection of cases; it depends on the cases before."""
        return self._timeline("memory", [result.memory for result in self.results], lambda run: run.selection)

    @cached_property
    def timelines(self) -> list[Timeline]:
        return [self.time, *filter(None, (self.efficiency, self.error, self.memory))]

    @cached_property
    def roof(self) -> str | None:
        return next((result.roof for result in reversed(self.results) if result.roof), None)

    def _timeline(
        self, kind: str, values: Iterable[float | None], key: Callable[[PastRun], object] = lambda _: None
    ) -> Timeline | None:
        """Return the known values of the runs whose key equals that of the newest known value."""
        known = [(run, value) for run, value in zip(self.runs, values, strict=True) if value is not None]
        kept = [(run, value) for run, value in known if key(run) == key(known[-1][0])]
        return Timeline(kind, [run for run, _ in kept], [value for _, value in kept]) if kept else None


def latest(timeline: Timeline | None) -> float | None:
    """Return the median of the newest runs of the newest level, ``None`` without a timeline."""
    return change_points.level(timeline.values[timeline.segments[-1][0] :]) if timeline else None


def gather(runs: Iterable[PastRun], machines: Iterable[KnownMachine]) -> list[Series]:
    """Group results into series, in the order of the first runs of cases and machines. ``runs`` are oldest first."""
    by_key = {machine.identity.key: machine for machine in machines}
    gathered: dict[tuple[CaseName, str | None, str], Series] = {}
    for run in runs:
        machine = by_key[run.machine.key]
        context = machine.number(run)
        for case, result in run.results.items():
            key = case, run.scale, machine.label(context)
            series = gathered.setdefault(key, Series(case, run.scale, machine, context, [], []))
            series.runs.append(run)
            series.results.append(result)
    return list(gathered.values())
