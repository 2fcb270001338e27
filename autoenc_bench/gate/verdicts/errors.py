"""Errors of both sides, seed by seed -> intervals of how their mean, their spread and their upper quantiles moved."""

from collections.abc import Sequence
from math import inf, log, sqrt
from statistics import fmean, stdev

from scipy.special import ndtri

from autoenc_bench.gate.verdicts.intervals import Interval
from autoenc_bench.records.case import Statistics

MEAN = "mean"
ROUNDING = 0.0005  # as in experiments.Experiment
Pair = tuple[Statistics, Statistics]  # base and head, of one seed


def judge(pairs: Sequence[Pair], level: float, rounding: float) -> dict[str, Interval]:
    """Estimate how far each statistic moved, as logarithms; seeds are the samples.

    Equal arithmetic gives exactly 0, with an interval of no width. Else a seed's difference spreads by ``rounding`` at
    least. ``level`` is the one-sided error level that the statistics share.
    """
    told = [(_told(base), _told(head)) for base, head in pairs]
    return {
        which: _interval([(base[which], head[which]) for base, head in told], level / len(told[0][0]), rounding)
        for which in told[0][0]
    }


def _told(found: Statistics) -> dict[str, float | None]:
    return {
        MEAN: found.mean,
        "σ": found.std,
        "95 % quantile": found.quantiles.get("0.95"),
        "99 % quantile": found.quantiles.get("0.99"),
    }


def _interval(values: Sequence[tuple[float | None, float | None]], level: float, rounding: float) -> Interval:
    moved = [_moved(*pair) for pair in values]
    runs = len(moved), len(moved)
    if not any(moved):
        return Interval(0.0, 0.0, 0.0, 0.0, runs)
    if any(abs(value) == inf for value in moved):
        most = max(moved, key=abs)
        return Interval(most, most, most, 0.0, runs)
    spread = max(rounding, stdev(moved) if len(moved) > 1 else 0.0)
    reach = -float(ndtri(level)) * spread / sqrt(len(moved))
    estimate = fmean(moved)
    return Interval(estimate, estimate - reach, estimate + reach, spread, runs)


def _moved(base: float | None, head: float | None) -> float:
    """Give the logarithm of head over base; an error that is not finite is infinitely larger."""
    if base == head:
        return 0.0
    if base is None or head is None:
        return inf if head is None else -inf
    if base <= 0 or head <= 0:
        return inf if base <= 0 else -inf
    return log(head) - log(base)  # the exact opposite when the sides are swapped
