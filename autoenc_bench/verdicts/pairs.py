"""The interval of the difference between two sides, from pairs of live processes whose rounds are interleaved.

A pair is one process of each side. A slower machine slows both, so it cancels in head minus base, round by round. What
remains differs between rounds and, because memory is laid out anew, between processes. The spread of pairs shows both.
"""

from collections.abc import Mapping, Sequence
from math import inf, sqrt
from typing import NamedTuple

import numpy as np
from scipy.special import betaln, chdtri, stdtrit

from autoenc_bench.verdicts.intervals import Interval, Values

TRIM = 0.25  # share of the rounds that is cut at either end: the mean is that of the middle half
LEAST_VARIANCE = 1e-18  # equal rounds have none
PRIOR_DOF = (
    0.5,
    1.0,
    1.5,
    2.0,
    3.0,
    4.0,
    6.0,
    8.0,
    10.0,
)  # candidates; bounded, because a case may be unlike all others
MAX_PAIRS = 1000  # no measurement is that long


class Contrast(NamedTuple):
    """The estimate of one pair for a case."""

    estimate: float  # head minus base, as logarithms
    within: float  # its variance, as far as it comes from the rounds


class Paired(NamedTuple):
    """The estimate of all pairs for a case, and the variance of a single pair's estimate."""

    estimate: float
    variance: float
    within: float  # the part of the variance that comes from the rounds
    pairs: int
    own_dof: int  # degrees of freedom of the case itself
    prior_dof: float  # degrees of freedom from the other cases

    def half_width(self, alpha: float, pairs: int | None = None) -> float:
        """Return the interval's half-width at a one-sided error rate, for another number of ``pairs`` if given."""
        pairs = pairs or self.pairs
        dof = self.own_dof + pairs - self.pairs + self.prior_dof
        return -float(stdtrit(dof, alpha)) * sqrt(self.variance / pairs) if alpha and dof else inf

    def needed(self, limit: float, alpha: float, slack: float = 0.0) -> float:
        """Return how many pairs would decide whether a change is past ``limit``, a logarithm; infinity for never.

        The estimate is assumed to stay as it is, or to move by up to ``slack`` in the direction that decides sooner.
        """
        size = abs(self.estimate)
        target = limit - max(0.0, size - slack)
        if size + slack >= limit:
            target = max(target, size + slack)
        numbers = range(self.pairs, MAX_PAIRS) if target > 0 else ()
        return next((number for number in numbers if self.half_width(alpha, number) < target), inf)

    def interval(self, alpha: float) -> Interval:
        """Return the interval of one-sided error rate ``alpha``."""
        half_width = self.half_width(alpha)
        low, high = self.estimate - half_width, self.estimate + half_width
        return Interval(self.estimate, low, high, sqrt(self.variance), (self.pairs, self.pairs))


def contrast(base: Values, head: Values) -> Contrast | None:
    """Contrast the logarithms of two processes' rounds; return ``None`` for fewer than two common rounds.

    The estimate is the mean of the middle half, its variance comes from the winsorised values: Tukey and McLaughlin
    (1963), with n in place of n - 1, which makes the variance larger by n / (n - 1).
    """
    rounds = min(len(base), len(head))
    if rounds < 2:
        return None
    ordered = np.sort(head[:rounds] - base[:rounds])
    cut = int(TRIM * rounds)
    kept = ordered[cut : rounds - cut]
    winsorised = np.clip(ordered, kept[0], kept[-1])
    return Contrast(float(kept.mean()), float(winsorised.var(ddof=1)) * rounds / (len(kept) * max(1, len(kept) - 1)))


def pool(cases: Mapping[str, Sequence[Contrast]]) -> dict[str, Paired]:
    """Combine each case's pairs; the variance of a case is moderated by those of the other cases.

    The rounds' part of the variance is well known for each case. The processes' part is badly known from few pairs, but
    similar in all cases. How similar it is decides how many degrees of freedom the cases give each other: the moderated
    t of Smyth (2004), around the median of the cases.
    """
    alone = {name: _alone(contrasts) for name, contrasts in cases.items()}
    repeated = [case for case in alone.values() if case.own_dof]
    between = _between_processes(repeated)
    most, total = _prior_dof(repeated, between), sum(case.own_dof for case in repeated)
    pooled = {}
    for name, case in alone.items():
        prior_dof = min(most, total - case.own_dof)
        dof = case.own_dof + prior_dof
        squares = case.own_dof * case.variance + prior_dof * (between + case.within)
        variance = max(squares / dof, case.within) if dof else inf
        pooled[name] = case._replace(variance=variance, prior_dof=prior_dof)
    return pooled


def _alone(contrasts: Sequence[Contrast]) -> Paired:
    """Combine the pairs of one case without the other cases."""
    estimates, within = np.array(contrasts).T
    variance = float(estimates.var(ddof=1)) if len(estimates) > 1 else 0.0
    return Paired(float(estimates.mean()), variance, float(within.mean()), len(estimates), len(estimates) - 1, 0.0)


def _between_processes(cases: Sequence[Paired]) -> float:
    """Return the variance between processes: the median over cases, each corrected for its distribution's median."""
    medians = [case.variance * case.own_dof / float(chdtri(case.own_dof, 0.5)) - case.within for case in cases]
    return max(0.0, float(np.median(medians))) if medians else 0.0


def _prior_dof(cases: Sequence[Paired], between: float) -> float:
    """Return the degrees of freedom of the typical variance: few, if the cases differ by more than chance.

    In the model of Smyth (2004), a case's variance over the typical one is distributed as F(own dof, prior dof). The
    likeliest number is returned. Smyth's moments of logarithms do not work for cases with one degree of freedom each.
    """
    if len(cases) < 2:
        return 0.0
    ratios = np.array(
        [max(case.variance, LEAST_VARIANCE) / max(between + case.within, LEAST_VARIANCE) for case in cases]
    )
    own = np.array([case.own_dof for case in cases])

    def likelihood(prior: float) -> float:
        """Return the logarithm of F's density, without terms that are the same for all candidates."""
        shape = -betaln(own / 2, prior / 2) - own / 2 * np.log(prior)
        return float((shape - (own + prior) / 2 * np.log1p(own / prior * ratios)).sum())

    return max(PRIOR_DOF, key=likelihood)
