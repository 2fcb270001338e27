"""Many records of many machines -> how results moved over time, and how machines stand side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autoenc_bench.history import runs
from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.machines import KnownMachine, MachinePair, compare, recognise
from autoenc_bench.history.runs import PastRun
from autoenc_bench.history.series import Series, Timeline, gather
from autoenc_bench.records.record import NotRun


@dataclass(frozen=True)
class SeriesChange:
    """One change point of one timeline of a series."""

    series: Series
    timeline: Timeline
    point: ChangePoint

    @property
    def run(self) -> PastRun:
        return self.timeline.runs[self.point.index]


@dataclass(frozen=True)
class History:
    """What the records of a history hold, with what could not be read."""

    runs: list[PastRun]
    unreadable: list[NotRun]
    left_out: list[str]  # a line for each of these, and for what was not read of others

    @cached_property
    def series(self) -> list[Series]:
        return gather(self.runs)

    @cached_property
    def machines(self) -> list[KnownMachine]:
        return recognise(self.runs)

    @cached_property
    def changes(self) -> list[SeriesChange]:
        """List the changes of all series, newest first."""
        timelines = [(series, timeline) for series in self.series for timeline in series.timelines]
        changes = [SeriesChange(*pair, point) for pair in timelines for point in pair[1].changes]
        places = {id(run): place for place, run in enumerate(self.runs)}
        return sorted(changes, key=lambda change: -places[id(change.run)])

    @cached_property
    def pairs(self) -> list[MachinePair]:
        return compare(self.machines, self.series)

    def machine(self, run: PastRun) -> KnownMachine:
        return next(machine for machine in self.machines if machine.identity.key == run.machine.key)

    def label(self, series: Series) -> str:
        """Return the name of the machine and the context of a series: A, or A2."""
        return self.machine(series.runs[0]).label(series.context)


def read(named: Iterable[Path]) -> History:
    """Read the records among files and folders; raise NotFoundError or InvalidInputError when none can be read."""
    return History(*runs.read(named))
