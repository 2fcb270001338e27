"""The interval of the difference of two samples, never narrower than the resolution of the clock."""

from collections.abc import Sequence
from itertools import pairwise
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
FINE = 1e-3  # share of a round: shorter steps of a clock do not matter


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

    The interval is Student's with pooled variance, or Welch's if the sides have different numbers of runs and it is
    wider. ``spread`` is the standard deviation that is assumed if ``shows_spread`` is false. The spread and the
    half-width are never smaller than ``resolution``, one step of the clock as a share of a round. Outliers are not
    clipped, because the error rate was then up to five times ``alpha``. Raises InvalidInputError if a side has no runs.
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


def clock_step(benchmarks: Sequence[Benchmark]) -> tuple[float, float]:
    """Return one step of the clock: in seconds, and as a share of the shortest round. Both are 0 for a fine clock.

    A record of plain pytest-benchmark does not state the step, so it is inferred from all runs of a case. Each reading
    is a whole number of steps. If most readings repeat others, the smallest difference of two is one step; if all are
    equal, a step may be as long as the round.
    """
    timings = [benchmark.stats for benchmark in benchmarks if benchmark.stats.rounds > 1]
    readings = sorted(seconds * own.iterations for own in timings for seconds in own.data or (own.min, own.median))
    distinct: list[float] = []
    for reading in readings:
        if not distinct or reading > distinct[-1] + SLACK:
            distinct.append(reading)
    typical = min((own.median * own.iterations for own in timings), default=0.0)
    step = min((after - before for before, after in pairwise(distinct)), default=typical)
    is_coarse = 2 * len(distinct) <= len(readings) and step > FINE * typical
    return (step, step / typical) if is_coarse else (0.0, 0.0)
