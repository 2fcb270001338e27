"""Errors of both sides, seed by seed -> intervals of how their mean, their spread and their upper quantiles moved."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from math import inf, log, log1p, sqrt
from statistics import fmean, stdev
from typing import NamedTuple

from scipy.special import ndtri, stdtrit

from autoenc_bench.formatting import few
from autoenc_bench.records.case import Statistics
from autoenc_bench.verdicts.intervals import Interval
from autoenc_bench.verdicts.judgements import CHANGES, DIFFER, Judgement, Outcome, decide

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


class Seed(NamedTuple):
    """One seed's errors in every run of both sides."""

    name: str
    base: Sequence[Statistics]
    head: Sequence[Statistics]


def judge(seeds: Sequence[Seed], limit: float, alpha: float, rounding: float) -> Judgement:
    """Judge how far errors moved, in every run: the head at its best beside the base at its worst, and the reverse.

    Where runs of one side differ by more than the limit, or so much that the verdict depends on the run, the errors are
    incomparable, unless all runs of the head changed alike against all runs of the base.
    """
    best = _judge([(_most(one.base), _least(one.head)) for one in seeds], limit, alpha, rounding)
    worst = _judge([(_least(one.base), _most(one.head)) for one in seeds], limit, alpha, rounding)
    differing = [one.name for one in seeds if max(_range(one.base), _range(one.head)) >= log1p(limit)]
    outcomes = {best.outcome, worst.outcome}
    if len(outcomes) == 1 and (best.outcome in CHANGES or not differing):
        least, most = sorted((best, worst), key=lambda one: abs(one.interval.estimate) if one.interval else inf)
        return least if best.outcome in CHANGES else most
    if differing or outcomes & {*CHANGES}:
        which = few(differing or [one.name for one in seeds])
        return Judgement(Outcome.INCOMPARABLE, limit, reason=f"{DIFFER} in the error of {which}")
    return worst if worst.outcome is Outcome.UNDECIDED else best


def _judge(pairs: Sequence[tuple[Statistics, Statistics]], limit: float, alpha: float, rounding: float) -> Judgement:
    """Judge how far errors moved, given one pair of base and head for each seed."""
    judged = {name: decide(one, limit) for name, one in intervals(pairs, alpha, rounding).items()}
    return combine({name: _with_seeds(one, alpha, rounding) for name, one in judged.items()})


def combine(judgements: dict[str, Judgement]) -> Judgement:
    """Join what mean and distribution of the errors show; where they contradict each other, nothing is decided."""
    changed = {name: one for name, one in judgements.items() if one.outcome in CHANGES}
    if len({one.outcome for one in changed.values()}) > 1:
        reason = ", ".join(f"{name} {one.outcome}" for name, one in changed.items())
        return replace(judgements[MEAN], outcome=Outcome.UNDECIDED, reason=reason)
    undecided = {name: one for name, one in judgements.items() if one.outcome is Outcome.UNDECIDED}
    name, judgement = next(iter({**changed, **undecided, **judgements}.items()))
    reasons = ("" if name == MEAN else name, judgement.reason)
    return replace(judgement, reason="; ".join(filter(None, reasons)))


def _with_seeds(judgement: Judgement, alpha: float, rounding: float) -> Judgement:
    """Add to an undecided error how many seeds would decide."""
    if judgement.outcome is not Outcome.UNDECIDED or judgement.interval is None:
        return judgement
    seeds = seeds_needed(judgement.interval, judgement.limit, alpha, rounding)
    return replace(judgement, reason=f"{seeds} seeds would decide" if seeds else "")


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


def _least(runs: Sequence[Statistics]) -> Statistics:
    """Return the smallest of each statistic over the runs of a seed."""
    return _fold(min, runs)


def _most(runs: Sequence[Statistics]) -> Statistics:
    """Return the largest of each statistic over the runs of a seed."""
    return _fold(max, runs)


def _range(runs: Sequence[Statistics]) -> float:
    """Return by how much the runs of a seed differ in any statistic, as a logarithm."""
    low, high = _least(runs), _most(runs)
    return max(_moved(read(low), read(high)) for read in STATISTICS.values())


def _fold(choose: Callable[[Iterable[float]], float], runs: Sequence[Statistics]) -> Statistics:
    """Choose each statistic among the runs; one that is not finite counts as infinitely large."""

    def chosen(values: Iterable[float | None]) -> float | None:
        value = choose(inf if one is None else one for one in values)
        return None if value == inf else value

    shares = {name: None for run in runs for name in run.quantiles}
    quantiles = {name: chosen(run.quantiles.get(name) for run in runs) for name in shares}
    return Statistics(chosen(run.mean for run in runs), chosen(run.std for run in runs), quantiles, [])
