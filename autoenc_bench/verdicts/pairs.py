"""Rounds of processes that took turns in, one interval of their sides' difference out.

A pair is a process of either side, started alike. Round by round, what moves the machine moves both, so it goes out of
the pair's contrast, head less base. What is left, of the rounds and of the processes, whose memory lies otherwise each
time, shows in how far pairs differ.
"""

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, chdtri, stdtrit

from autoenc_bench.verdicts.intervals import Interval, Values

TRIM = 0.25  # of the rounds at either end: a mean of the middle half
LEAST = 1e-18  # of a variance: equal rounds have none
LENT = (0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0, 10.0)  # degrees of freedom; no more, for some case may be like no other
MOST = 1000  # pairs that anybody would wait for


class Contrast(NamedTuple):
    """What one pair says of a case."""

    estimate: float  # head less base
    within: float  # variance of the estimate that comes of its rounds


class Paired(NamedTuple):
    """What all pairs say of a case: the estimate, the variance of a pair's, and how well that is known."""

    estimate: float
    variance: float
    within: float  # of it, what comes of the rounds
    pairs: int
    own: int  # degrees of freedom of the case alone
    shared: float  # and of what the other cases add

    def half_width(self, alpha: float, pairs: int | None = None) -> float:
        """Return that of the interval of one-sided error rate ``alpha``, as it is or with so many pairs."""
        pairs = pairs or self.pairs
        dof = self.own + pairs - self.pairs + self.shared
        return -float(stdtrit(dof, alpha)) * sqrt(self.variance / pairs) if alpha and dof else inf

    def needed(self, limit: float, alpha: float, slack: float = 0.0) -> float:
        """Return by how many pairs the interval would decide whether a change is past the limit, infinity for never.

        The estimate is taken to stay as it is, or to turn out by up to ``slack`` better for that.
        """
        size = abs(self.estimate)
        target = limit - max(0.0, size - slack)
        if size + slack >= limit:
            target = max(target, size + slack)
        numbers = range(self.pairs, MOST) if target > 0 else ()
        return next((number for number in numbers if self.half_width(alpha, number) < target), inf)

    def interval(self, alpha: float) -> Interval:
        half_width = self.half_width(alpha)
        low, high = self.estimate - half_width, self.estimate + half_width
        return Interval(self.estimate, low, high, sqrt(self.variance), (self.pairs, self.pairs))


def contrast(base: Values, head: Values) -> Contrast | None:
    """Contrast the logarithms of two processes' rounds, ``None`` where there are too few."""
    rounds = min(len(base), len(head))
    return Contrast(*middle(head[:rounds] - base[:rounds])) if rounds > 1 else None


def middle(values: Values) -> tuple[float, float]:
    """Return the trimmed mean and its variance, from the winsorised values.

    That is Tukey and McLaughlin (1963), but for n in the place of their n - 1: the variance is larger by n / (n - 1),
    which errs on the safe side.
    """
    ordered = np.sort(values)
    cut = int(TRIM * len(ordered))
    kept = ordered[cut : len(ordered) - cut]
    winsorised = np.clip(ordered, kept[0], kept[-1])
    return float(kept.mean()), float(winsorised.var(ddof=1)) * len(ordered) / (len(kept) * max(1, len(kept) - 1))


def pool(cases: Mapping[str, Sequence[Contrast]]) -> dict[str, Paired]:
    """Sum each case's pairs up; what its own tell of how far pairs differ is moderated by what the others' do.

    The variance of a pair's estimate is that of its rounds, which each case knows well, and of the processes, which few
    pairs tell badly, but which is of one kind in all cases. How alike it is in them decides how much they lend each
    other: the moderated t of Smyth (2004), around the median of the cases.
    """
    observed = {name: _observe(contrasts) for name, contrasts in cases.items()}
    telling = [one for one in observed.values() if one.own]
    between = _typical(telling)
    lent, total = _degrees_of_freedom(telling, between), sum(one.own for one in telling)
    paired = {}
    for name, one in observed.items():
        shared = min(lent, total - one.own)
        squares = one.own * one.variance + shared * (between + one.within)
        variance = max(squares / (one.own + shared), one.within) if one.own + shared else inf
        paired[name] = Paired(one.estimate, variance, one.within, one.pairs, one.own, shared)
    return paired


class _Observed(NamedTuple):
    estimate: float
    variance: float
    within: float
    pairs: int

    @property
    def own(self) -> int:
        return self.pairs - 1


def _observe(contrasts: Sequence[Contrast]) -> _Observed:
    estimates = np.array([one.estimate for one in contrasts])
    variance = float(estimates.var(ddof=1)) if len(estimates) > 1 else 0.0
    within = float(np.mean([one.within for one in contrasts]))
    return _Observed(float(estimates.mean()), variance, within, len(contrasts))


def _typical(observed: Sequence[_Observed]) -> float:
    """Return the variance between processes: the median over cases, each as its distribution's median tells it."""
    medians = [one.variance * one.own / float(chdtri(one.own, 0.5)) - one.within for one in observed]
    return max(0.0, float(np.median(medians))) if medians else 0.0


def _degrees_of_freedom(observed: Sequence[_Observed], between: float) -> float:
    """Return how many degrees of freedom the typical variance is worth: few, where cases differ more than by chance.

    Over it, variances are distributed as F(own, these) where the truth differs as Smyth (2004) has it; the number is
    the likeliest one. Smyth's moments of logarithms tell nothing where cases have one degree of freedom each.
    """
    if len(observed) < 2:
        return 0.0
    ratios = np.array([max(one.variance, LEAST) / max(between + one.within, LEAST) for one in observed])
    own = np.array([one.own for one in observed])

    def likelihood(lent: float) -> float:  # the logarithm of F's density, without what is the same for all
        shape = -betaln(own / 2, lent / 2) - own / 2 * np.log(lent)
        return float((shape - (own + lent) / 2 * np.log1p(own / lent * ratios)).sum())

    return max(LENT, key=likelihood)
