"""The errors of both sides, seed by seed: how far their mean, spread and upper quantiles moved."""

from collections.abc import Callable, Iterable, Mapping, Sequence
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
# The largest standard deviation of the seeds' moves that is assumed. A change of arithmetic is assumed to move a seed
# no further than seeds lie apart: they spread by up to 6.5 % (docs/studies/error_rates.md).
LARGEST_SPREAD = 0.1
STATISTICS: dict[str, Callable[[Statistics], float | None]] = {
    MEAN: lambda error: error.mean,
    "σ": lambda error: error.std,
    "95 % quantile": lambda error: error.quantiles.get("0.95"),
    "99 % quantile": lambda error: error.quantiles.get("0.99"),
}
Values = Mapping[str, float]  # of the STATISTICS; infinity for what is not finite


class Seed(NamedTuple):
    """The errors of one seed in every run of both sides."""

    name: str
    base: Sequence[Statistics]
    head: Sequence[Statistics]


def judge(seeds: Sequence[Seed], limit: float, alpha: float, rounding: float) -> Judgement:
    """Judge how far errors moved, in every run: the smallest of the head with the largest of the base, and the reverse.

    They are incomparable if runs of one side differ by more than the limit, or if the verdict depends on the runs,
    unless all runs of the head changed in the same direction against all runs of the base.
    """
    best = _judge([(_fold(max, seed.base), _fold(min, seed.head)) for seed in seeds], limit, alpha, rounding)
    worst = _judge([(_fold(min, seed.base), _fold(max, seed.head)) for seed in seeds], limit, alpha, rounding)
    differing = [seed.name for seed in seeds if max(_range(seed.base), _range(seed.head)) >= log1p(limit)]
    outcomes = {best.outcome, worst.outcome}
    if len(outcomes) == 1 and (best.outcome in CHANGES or not differing):
        least, most = sorted((best, worst), key=lambda each: abs(each.interval.estimate) if each.interval else inf)
        return least if best.outcome in CHANGES else most
    if differing or not outcomes.isdisjoint(CHANGES):
        which = few(differing or [seed.name for seed in seeds])
        return Judgement(Outcome.INCOMPARABLE, limit, reason=f"{DIFFER} in the error of {which}")
    return worst if worst.outcome is Outcome.UNDECIDED else best


def intervals(pairs: Sequence[tuple[Statistics, Statistics]], alpha: float, rounding: float) -> dict[str, Interval]:
    """Return the interval of each statistic's move, as logarithms; each pair is the base and the head of one seed.

    ``alpha`` is the one-sided error rate of all statistics together. Equal arithmetic gives exactly 0, without a width.
    A single seed is assumed to spread by ``rounding``, and so are seeds that all moved by no more than that. Other
    seeds have Student's interval of their own spread, which is never narrower than with ``rounding`` and never wider
    than with LARGEST_SPREAD, so that two or three seeds can show a large loss.
    """
    return _intervals([(_fold(min, [base]), _fold(min, [head])) for base, head in pairs], alpha, rounding)


def _intervals(pairs: Sequence[tuple[Values, Values]], alpha: float, rounding: float) -> dict[str, Interval]:
    return {
        name: _interval([_moved(base[name], head[name]) for base, head in pairs], alpha / len(STATISTICS), rounding)
        for name in STATISTICS
    }


def _judge(pairs: Sequence[tuple[Values, Values]], limit: float, alpha: float, rounding: float) -> Judgement:
    return combine({name: decide(interval, limit) for name, interval in _intervals(pairs, alpha, rounding).items()})


def combine(judgements: dict[str, Judgement]) -> Judgement:
    """Combine the judgements of all statistics into one; it is undecided if they contradict each other."""
    outcomes = {name: judgement.outcome for name, judgement in judgements.items()}
    changed = {name: outcome for name, outcome in outcomes.items() if outcome in CHANGES}
    if len(set(changed.values())) > 1:
        reason = ", ".join(f"{name} {outcome}" for name, outcome in changed.items())
        return replace(judgements[MEAN], outcome=Outcome.UNDECIDED, reason=reason)
    undecided = [name for name, outcome in outcomes.items() if outcome is Outcome.UNDECIDED]
    name = next(iter([*changed, *undecided, *judgements]))
    return replace(judgements[name], reason="" if name == MEAN else name)


def _interval(moves: Sequence[float], alpha: float, rounding: float) -> Interval:
    seeds = len(moves)
    largest = max(moves, key=abs)
    if abs(largest) in (0, inf):
        return Interval(largest, largest, largest, 0.0, (seeds, seeds))
    is_measured = seeds > 1 and abs(largest) > rounding
    own = stdev(moves) if is_measured else 0.0
    half_width, estimate = _half_width(own, seeds, alpha, rounding), fmean(moves)
    spread = own if is_measured else rounding
    return Interval(estimate, estimate - half_width, estimate + half_width, spread, (seeds, seeds))


def _half_width(spread: float, seeds: int, alpha: float, rounding: float) -> float:
    """Return Student's half-width for ``spread``, within the normal ones for ``rounding`` and LARGEST_SPREAD."""
    normal = -float(ndtri(alpha))
    own = -float(stdtrit(seeds - 1, alpha)) * spread if seeds > 1 and spread else 0.0
    return max(min(own, normal * LARGEST_SPREAD), normal * rounding) / sqrt(seeds)


def _moved(base: float, head: float) -> float:
    """Return log(head / base), 0 if both are equal; swapped sides give exactly the opposite."""
    if base == head:
        return 0.0
    logs = [log(value) if value > 0 else -inf for value in (base, head)]
    return logs[1] - logs[0]


def _fold(choose: Callable[[Iterable[float]], float], runs: Sequence[Statistics]) -> Values:
    """Choose each statistic among the runs of a seed."""
    values = {name: [statistic(run) for run in runs] for name, statistic in STATISTICS.items()}
    return {name: choose(inf if value is None else value for value in own) for name, own in values.items()}


def _range(runs: Sequence[Statistics]) -> float:
    """Return by how much the runs of a seed differ in any statistic, as a logarithm."""
    low, high = _fold(min, runs), _fold(max, runs)
    return max(_moved(low[name], high[name]) for name in STATISTICS)
