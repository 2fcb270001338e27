"""Errors of both sides, seed by seed -> intervals of how their mean, their spread and their upper quantiles moved."""

from collections.abc import Callable, Iterable, Sequence
from math import inf, log, sqrt
from statistics import fmean, stdev

from scipy.special import ndtri

from autoenc_bench.gate.verdicts.intervals import Interval
from autoenc_bench.records.case import Statistics

MEAN = "mean"
STATISTICS: dict[str, Callable[[Statistics], float | None]] = {
    MEAN: lambda error: error.mean,
    "σ": lambda error: error.std,
    "95 % quantile": lambda error: error.quantiles.get("0.95"),
    "99 % quantile": lambda error: error.quantiles.get("0.99"),
}


def intervals(pairs: Sequence[tuple[Statistics, Statistics]], alpha: float, rounding: float) -> dict[str, Interval]:
    """Estimate how far each statistic moved, as logarithms, from pairs of base and head; seeds are the samples.

    Equal arithmetic gives exactly 0, with an interval of no width. Else a seed's difference spreads by ``rounding`` at
    least. ``alpha`` is the one-sided error rate that the statistics share.
    """
    return {
        name: _interval([_moved(read(base), read(head)) for base, head in pairs], alpha / len(STATISTICS), rounding)
        for name, read in STATISTICS.items()
    }


def _interval(moved: Sequence[float], alpha: float, rounding: float) -> Interval:
    runs = len(moved), len(moved)
    most = max(moved, key=abs)
    if abs(most) in (0, inf):
        return Interval(most, most, most, 0.0, runs)
    spread = max(rounding, stdev(moved) if len(moved) > 1 else 0.0)
    half_width = -float(ndtri(alpha)) * spread / sqrt(len(moved))
    estimate = fmean(moved)
    return Interval(estimate, estimate - half_width, estimate + half_width, spread, runs)


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
