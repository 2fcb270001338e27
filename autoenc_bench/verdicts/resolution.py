"""Rounds in, the resolution of the clock out: a clock that ticks coarsely hides how far times spread.

A record of plain pytest-benchmark does not state the resolution of its clock. A round lasts a whole number of ticks. So
where most rounds of a run are equally long, the smallest difference between two rounds is a tick. Where records keep no
rounds, the smallest and the median of all runs stand for them.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from autoenc_bench.records.record import Benchmark
from autoenc_bench.verdicts.intervals import Values

SLACK = 1.5e-9  # seconds by which readings of one number of ticks differ: systems round ticks to whole nanoseconds


class Readings(NamedTuple):
    """The clock's readings in one run of a case: a round's seconds times its iterations."""

    distinct: Values  # seconds, in ascending order
    is_coarse: bool | None  # most rounds took as long as another one; None without rounds: one run alone cannot show it
    typical: float  # seconds


class Resolution(NamedTuple):
    """One tick of the clock: in seconds, and as a share of a round."""

    seconds: float
    share: float


def readings(benchmark: Benchmark) -> Readings | None:
    """Return a benchmark's readings, or its smallest and its median if the record keeps no rounds.

    A single round tells nothing: it is its own smallest and median.
    """
    stats = benchmark.stats
    if stats.rounds < 2:
        return None
    ordered = np.sort(np.asarray(stats.data or [stats.min, stats.median], np.float64) * stats.iterations)
    typical = stats.median * stats.iterations
    if not stats.data:
        return Readings(ordered, None, typical)
    is_coarse = _mostly_equal(ordered)
    return Readings(_distinct(ordered) if is_coarse else ordered[:0], is_coarse, typical)


def _mostly_equal(ordered: Values) -> bool:
    """Return whether most readings equal another one."""
    is_equal = np.concatenate([[False], np.diff(ordered) <= SLACK, [False]])  # to the reading before
    return bool(2 * (is_equal[:-1] | is_equal[1:]).sum() > len(ordered))


def _distinct(ordered: Values) -> Values:
    """Return the first of each group of equal readings; a group is no wider than the slack."""
    starts = [0]
    while (after := int(np.searchsorted(ordered, ordered[starts[-1]] + SLACK, side="right"))) < len(ordered):
        starts.append(after)
    return ordered[starts]


def resolutions(cases: Mapping[str, Sequence[Readings]]) -> dict[str, Resolution]:
    """Return the resolution of the clock for each case whose runs, of both sides, show that it is coarse.

    All cases of a record share a clock. So a case whose rounds are all equal gets the smallest tick of the others; if
    there is none, a tick may be as long as its whole round.
    """
    coarse = {name: runs for name, runs in cases.items() if _is_coarse(runs)}
    ticks = {name: tick for name, runs in coarse.items() if (tick := _tick(runs))}
    least = min(ticks.values(), default=None)
    found = {}
    for name, runs in coarse.items():
        typical = min(run.typical for run in runs)
        tick = ticks.get(name) or least or typical
        found[name] = Resolution(tick, tick / typical)
    return found


def _is_coarse(runs: Sequence[Readings]) -> bool:
    """Return whether most runs show a coarse clock; those without rounds show it together."""
    summed_up = [run.distinct for run in runs if run.is_coarse is None]
    together = bool(summed_up) and _mostly_equal(np.sort(np.concatenate(summed_up)))
    return 2 * sum(together if run.is_coarse is None else run.is_coarse for run in runs) > len(runs)


def _tick(runs: Sequence[Readings]) -> float | None:
    """Return the smallest difference between two readings, ``None`` where all are equal."""
    steps = np.diff(np.unique(np.concatenate([run.distinct for run in runs])))
    steps = steps[steps > SLACK]
    return float(steps.min()) if len(steps) else None
