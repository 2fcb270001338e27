"""Errors of both sides, seed by seed -> intervals of how their mean, their spread and their upper quantiles moved."""

from collections.abc import Callable, Iterable, Sequence
from math import inf, log, log1p, sqrt
from statistics import fmean, stdev

from scipy.special import ndtri, stdtrit

from autoenc_bench.gate.verdicts.intervals import Interval
from autoenc_bench.records.case import Statistics

MEAN = "mean"
# The largest standard deviation of seeds' moves that is assumed. A change of arithmetic is taken to move a seed no
# further than seeds lie from each other: they spread by up to 6.5 % (docs/studies/error_rates.md).
APART = 0.1
MOST = 20  # seeds that a user would train
STATISTICS: dict[str, Callable[[Statistics], float | None]] = {
    MEAN: lambda error: error.mean,
    "σ": lambda error: error.std,
    "95 % quantile": lambda error: error.quantiles.get("0.95"),
    "99 % quantile": lambda error: error.quantiles.get("0.99"),
}


def intervals(pairs: Sequence[tuple[Statistics, Statistics]], alpha: float, rounding: float) -> dict[str, Interval]:
    """Estimate how far each statistic moved, as logarithms, from pairs of base and head; seeds are the samples.

    Equal arithmetic gives exactly 0, with an interval of no width. A single seed is assumed to spread by ``rounding``,
    and so are seeds that all moved by no more than that. Otherwise Student's t of the seeds' own spread gives the
    interval, which is never narrower than with ``rounding`` and never wider than with APART, so that two or three seeds
    show a gross loss. ``alpha`` is the one-sided error rate that the statistics share.
    """
    return {
        name: _interval([_moved(read(base), read(head)) for base, head in pairs], alpha / len(STATISTICS), rounding)
        for name, read in STATISTICS.items()
    }


def seeds_needed(interval: Interval, limit: float, alpha: float, rounding: float) -> int | None:
    """Return how many seeds would decide if they moved as far and spread as much, ``None`` for more than MOST."""
    size, most = abs(interval.estimate), log1p(limit)
    target = size if size >= most else most - size
    own = 0.0 if size <= rounding == interval.spread else interval.spread
    share = alpha / len(STATISTICS)
    numbers = range(interval.runs[0] + 1, MOST + 1)
    return next((seeds for seeds in numbers if _half_width(own, seeds, share, rounding) < target), None)


def _interval(moved: Sequence[float], alpha: float, rounding: float) -> Interval:
    seeds = len(moved)
    most = max(moved, key=abs)
    if abs(most) in (0, inf):
        return Interval(most, most, most, 0.0, (seeds, seeds))
    is_measured = seeds > 1 and abs(most) > rounding
    own = stdev(moved) if is_measured else 0.0
    half_width = _half_width(own, seeds, alpha, rounding)
    estimate = fmean(moved)
    spread = own if is_measured else rounding
    return Interval(estimate, estimate - half_width, estimate + half_width, spread, (seeds, seeds))


def _half_width(spread: float, seeds: int, alpha: float, rounding: float) -> float:
    """Return Student's half-width for ``spread``, within the normal ones for ``rounding`` and APART."""
    normal = -float(ndtri(alpha))
    own = -float(stdtrit(seeds - 1, alpha)) * spread if seeds > 1 and spread else 0.0
    return max(min(own, normal * APART), normal * rounding) / sqrt(seeds)


def _moved(base: float | None, head: float | None) -> float:
    """Return the logarithm of head over base; an error that is not finite is infinitely larger."""
    if base == head:
        return 0.0
    logs = [inf if value is None else log(value) if value > 0 else -inf for value in (base, head)]
    return logs[1] - logs[0]  # the exact opposite when the sides are swapped


def least(runs: Sequence[Statistics]) -> Statistics:
    """Return the smallest of each statistic over the runs of a seed."""
    return _fold(min, runs)


def most(runs: Sequence[Statistics]) -> Statistics:
    """Return the largest of each statistic over the runs of a seed."""
    return _fold(max, runs)


def spread(runs: Sequence[Statistics]) -> float:
    """Return by how much the runs of a seed differ in any statistic, as a logarithm."""
    low, high = least(runs), most(runs)
    return max(_moved(read(low), read(high)) for read in STATISTICS.values())


def _fold(choose: Callable[[Iterable[float]], float], runs: Sequence[Statistics]) -> Statistics:
    """Choose each statistic among the runs; one that is not finite counts as infinitely large."""

    def chosen(values: Iterable[float | None]) -> float | None:
        value = choose(inf if one is None else one for one in values)
        return None if value == inf else value

    shares = {name: None for run in runs for name in run.quantiles}
    quantiles = {name: chosen(run.quantiles.get(name) for run in runs) for name in shares}
    return Statistics(chosen(run.mean for run in runs), chosen(run.std for run in runs), quantiles, [])
