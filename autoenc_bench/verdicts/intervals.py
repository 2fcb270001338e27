"""The interval of the difference of two samples, never narrower than the resolution of the clock."""

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri, stdtrit

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.record import Benchmark

Values = NDArray[np.float64]

ENOUGH = 3  # runs on each side that show the spread between runs
RECORDED = 8  # runs on one side alone that show it
SLACK = 1.5e-9  # seconds by which equal readings of a clock may differ: systems round its steps to whole nanoseconds


class Interval(NamedTuple):
    """The estimated difference of two means of logarithms, head minus base, and its interval."""

    estimate: float
    low: float
    high: float
    spread: float  # standard deviation between runs
    runs: tuple[int, int]  # of base and head

    @property
    def detectable(self) -> float:
        """Return the smallest difference whose interval would exclude zero."""
        return max(self.high - self.estimate, self.estimate - self.low)


def shows_spread(runs: tuple[int, int]) -> bool:
    """Return whether these numbers of runs, of base and head, are enough to measure the spread between runs."""
    return min(runs) >= ENOUGH or max(runs) >= RECORDED


def difference(
    base: Sequence[float], head: Sequence[float], alpha: float, spread: float = inf, resolution: float = 0.0
) -> Interval:
    """Estimate mean(head) - mean(base) with an interval of one-sided error rate ``alpha``; values are logarithms.

    The interval is Student's with pooled variance, which assumes an equal spread on both sides. If the sides have
    different numbers of runs, Welch's interval replaces it where it is wider. ``spread`` is the standard deviation that
    is assumed if ``shows_spread`` is false. The spread and the half-width are never smaller than ``resolution``, one
    step of the clock as a share of a round. Raises InvalidInputError if a side has no runs.

    Outliers widen the interval. They are not clipped: clipped values have too small a variance, and the error rate was
    then up to five times ``alpha``.
    """
    if not (base and head):
        raise InvalidInputError("no runs on one side; measure both")
    runs = len(base), len(head)
    samples = [np.asarray(side, np.float64) for side in (base, head)]
    squares = [float(np.square(sample - sample.mean()).sum()) for sample in samples]
    dof = 0  # degrees of freedom of Student's t; with none, the distribution is normal
    if min(runs) >= ENOUGH:
        dof = sum(runs) - 2
        spread = sqrt(sum(squares) / dof)
    elif max(runs) >= RECORDED:
        dof = max(runs) - 1
        spread = sqrt(squares[runs.index(max(runs))] / dof)
    spread = max(spread, resolution)
    critical_value = -float(stdtrit(dof, alpha) if dof else ndtri(alpha))
    estimate = float(samples[1].mean() - samples[0].mean())
    half_width = max(resolution, critical_value * spread * sqrt(1 / runs[0] + 1 / runs[1])) if alpha else inf
    if min(runs) >= ENOUGH and runs[0] != runs[1]:
        half_width = max(half_width, _welch(squares, runs, alpha))
    return Interval(estimate, estimate - half_width, estimate + half_width, spread, runs)


def _welch(squares: Sequence[float], runs: tuple[int, int], alpha: float) -> float:
    """Return the half-width of Welch (1947), which allows each side its own spread, from the sums of squares."""
    variances = [total / (number * (number - 1)) for total, number in zip(squares, runs, strict=True)]
    variance = sum(variances)
    if not (variance and alpha):
        return 0.0
    dof = 1 / sum((own / variance) ** 2 / (number - 1) for own, number in zip(variances, runs, strict=True))
    return -float(stdtrit(dof, alpha)) * sqrt(variance)


# The resolution of the clock. A record of plain pytest-benchmark does not state it, so it is inferred: a round lasts a
# whole number of steps. If most rounds of a run have an equal twin, the smallest difference of two rounds is one step.


class Readings(NamedTuple):
    """The clock's readings in one run of a case: a round's seconds times its iterations."""

    distinct: Values  # seconds, in ascending order
    is_coarse: bool | None  # most rounds have an equal one; None without rounds: a single run cannot show it then
    typical: float  # seconds


class Resolution(NamedTuple):
    """One step of the clock: in seconds, and as a share of a round."""

    seconds: float
    share: float


def readings(benchmark: Benchmark) -> Readings | None:
    """Return a benchmark's readings, ``None`` for a single round.

    If the record keeps no rounds, the readings are the smallest and the median round.
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
    """Return the first of each group of equal readings; a group is no wider than SLACK."""
    starts = [0]
    while (after := int(np.searchsorted(ordered, ordered[starts[-1]] + SLACK, side="right"))) < len(ordered):
        starts.append(after)
    return ordered[starts]


def resolutions(cases: Mapping[str, Sequence[Readings]]) -> dict[str, Resolution]:
    """Return the clock's resolution for each case whose runs, of both sides, show that the clock is coarse.

    All cases share one clock. A case whose rounds are all equal gets the smallest step of the other cases; without any,
    a step may be as long as its round.
    """
    coarse = {name: runs for name, runs in cases.items() if _is_coarse(runs)}
    steps = {name: step for name, runs in coarse.items() if (step := _step(runs))}
    found = {}
    for name, runs in coarse.items():
        typical = min(run.typical for run in runs)
        step = steps.get(name) or min(steps.values(), default=typical)
        found[name] = Resolution(step, step / typical)
    return found


def _is_coarse(runs: Sequence[Readings]) -> bool:
    """Return whether most runs show a coarse clock; the runs without rounds show it together."""
    summaries = [run.distinct for run in runs if run.is_coarse is None]
    together = bool(summaries) and _mostly_equal(np.sort(np.concatenate(summaries)))
    return 2 * sum(together if run.is_coarse is None else run.is_coarse for run in runs) > len(runs)


def _step(runs: Sequence[Readings]) -> float | None:
    """Return the smallest difference between two readings, ``None`` if all are equal."""
    steps = np.diff(np.unique(np.concatenate([run.distinct for run in runs])))
    return min((float(step) for step in steps if step > SLACK), default=None)
