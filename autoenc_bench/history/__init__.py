"""Many records of many machines -> how results moved over time, and how machines stand side by side."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from autoenc_bench.history import runs
from autoenc_bench.history.change_points import Change
from autoenc_bench.history.machines import Comparison, Machine, compare, recognise
from autoenc_bench.history.runs import Run
from autoenc_bench.history.series import Series, Timeline, gather
from autoenc_bench.records.record import NotRun


@dataclass(frozen=True)
class Found:
    """Hold one change of one series."""

    series: Series
    timeline: Timeline
    change: Change

    @property
    def run(self) -> Run:
        """Give the first run that shows it."""
        return self.timeline.runs[self.change.index]


@dataclass(frozen=True)
class History:
    """Hold what the records of a history say, with the files that could not be read."""

    runs: list[Run]
    unreadable: list[NotRun]

    @cached_property
    def series(self) -> list[Series]:
        """List the series."""
        return gather(self.runs)

    @cached_property
    def machines(self) -> list[Machine]:
        """List the machines, first come first."""
        return recognise(self.runs)

    @cached_property
    def changes(self) -> list[Found]:
        """List the changes of all series, newest first."""
        found = [
            Found(series, timeline, change)
            for series in self.series
            for timeline in series.timelines
            for change in timeline.changes
        ]
        order = {id(run): place for place, run in enumerate(self.runs)}
        return sorted(found, key=lambda one: -order[id(one.run)])

    @cached_property
    def comparisons(self) -> list[Comparison]:
        """Hold the machines side by side."""
        return compare(self.machines, self.series)

    def machine(self, run: Run) -> Machine:
        """Give the machine of a run."""
        return next(machine for machine in self.machines if machine.host.key == run.host.key)


def read(named: Iterable[Path]) -> History:
    """Read the records among files and folders.

    Raises LookupError or ValueError, in one sentence, when there is none that can be read.
    """
    return History(*runs.read(named))
