"""A history: the runs that can be read, their series and machines, and all changes."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autoenc_bench.history import runs
from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.machines import KnownMachine, recognise
from autoenc_bench.history.pairs import MachinePair, compare
from autoenc_bench.history.runs import PastRun
from autoenc_bench.history.series import Series, Timeline, gather
from autoenc_bench.records.record import NotRun


@dataclass(frozen=True)
class SeriesChange:
    """A change point of one timeline of a series."""

    series: Series
    timeline: Timeline
    point: ChangePoint

    @property
    def run(self) -> PastRun:
        return self.timeline.runs[self.point.index]


@dataclass(frozen=True)
class History:
    """The runs of a history, oldest first, and the files and parts of files that were left out."""

    runs: list[PastRun]
    unreadable: list[NotRun]  # files
    left_out: list[str]  # a line for each of these files, and for each part of the others

    @cached_property
    def series(self) -> list[Series]:
        return gather(self.runs, self.machines)

    @cached_property
    def machines(self) -> list[KnownMachine]:
        return recognise(self.runs)

    @cached_property
    def changes(self) -> list[SeriesChange]:
        """List the changes of all series, newest first."""
        timelines = [(series, timeline) for series in self.series for timeline in series.timelines]
        changes = [SeriesChange(*pair, point) for pair in timelines for point in pair[1].changes]
        return sorted(changes, key=lambda change: change.run.order, reverse=True)

    @cached_property
    def pairs(self) -> list[MachinePair]:
        return compare(self.machines, self.series)


def read_history(paths: Iterable[Path]) -> History:
    """Read the records in files and folders; raise NotFoundError or InvalidInputError if none can be read."""
    return History(*runs.read_runs(paths))
