"""Interim analyses: a live comparison is analysed after each group of pairs, at no larger error rate."""

from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from math import isinf, log1p, pi, sqrt

import numpy as np
from scipy.special import ndtr, ndtri

from autoenc_bench.verdicts.comparison import ALPHAS, Comparison, Verdict, compare_sides
from autoenc_bench.verdicts.intervals import Values
from autoenc_bench.verdicts.judgements import FUTILITY, Judgement, Outcome
from autoenc_bench.verdicts.limits import Overrides
from autoenc_bench.verdicts.sides import Side, under_test

Fractions = tuple[float, ...]  # the information fraction of each analysis: the share of the planned groups so far
Density = tuple[Values, Values]  # of a sum of standard normal values that has crossed no boundary: places, densities

FUTILE = 2  # a case is futile if this many times the pairs of the budget would not decide it
POWER = 2  # of the spending function: late analyses, which have the most data, get the largest part
STEP, EXTENT = 0.02, 9.0  # of the grid, in standard deviations


class SequentialComparison:
    """The interim analyses of a live comparison, and the verdicts of the cases that are ``closed``."""

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._fractions: Fractions = ()
        self.closed: dict[str, Verdict] = {}

    def analyse(self, base: Side, head: Side, groups: int, most: int, *, last: bool = False) -> Comparison:
        """Compare the sides after ``groups`` of at most ``most`` groups of pairs; close what needs no further groups.

        The ``last`` analysis spends the rest of the error rate. All facts in which the sides differ are under test.
        """
        before = max(self._fractions, default=0.0)
        self._fractions = (*self._fractions, 1.0 if last else max(before, groups / max(most, groups)))
        comparison = compare_sides(
            base,
            head,
            self._overrides,
            under_test(base, head),
            lambda alpha: nominal_alphas(alpha, self._fractions)[-1],
        )
        alpha = ALPHAS["time"] / max(1, sum(bool(time.paired) for time in comparison.judged("time").values()))
        for verdict in comparison.verdicts:
            time = verdict.time
            if verdict.case in self.closed:
                continue
            if time is None or time.outcome is not Outcome.UNDECIDED:
                self.closed[verdict.case] = verdict
            elif not last and _is_futile(time, FUTILE * most / groups, alpha):
                self.closed[verdict.case] = replace(verdict, time=replace(time, reason=FUTILITY))
        return replace(comparison, verdicts=[self.closed.get(own.case, own) for own in comparison.verdicts])


def _is_futile(time: Judgement, growth: float, alpha: float) -> bool:
    """Return whether ``growth`` times the pairs would not decide a case, even if its estimate moves favourably."""
    paired = time.paired
    if paired is None or isinf(paired.variance):
        return False
    return paired.needed(log1p(time.limit), alpha, slack=paired.half_width(alpha) / 2) > growth * paired.pairs


@lru_cache(maxsize=4096)
def nominal_alphas(alpha: float, fractions: Fractions) -> tuple[float, ...]:
    """Return the nominal alpha of each analysis of growing data, so that all together err with a rate of ``alpha``.

    ``alpha`` x fraction ** POWER is spent by an analysis (Lan and DeMets 1983, 1989), so their number need not be
    known. The last has a fraction of 1; a fraction of 0 spends nothing. The boundaries come from the recursion of
    Armitage, McPherson and Rowe (1969) on a grid, for equal steps of information. They are applied to Student's t by
    nominal levels (Jennison and Turnbull 2000, chapter 4).
    """
    alphas: list[float] = []
    density: Density | None = None
    for number, (before, fraction) in enumerate(pairwise((0.0, *fractions)), start=1):
        spent = alpha * (fraction**POWER - before**POWER)
        if density is None:
            alphas.append(spent)
            if spent:
                places = np.arange(-EXTENT, -float(ndtri(spent)), STEP) * sqrt(number)
                density = places, np.exp(-np.square(places) / (2 * number)) / sqrt(2 * pi * number)
        else:
            critical_value, density = _advance(density, spent, number)
            alphas.append(float(ndtr(-critical_value / sqrt(number))))
    return tuple(alphas)


def _advance(before: Density, spent: float, number: int) -> tuple[float, Density]:
    """Find the value that the next sum exceeds with a probability of ``spent``, and the density below it."""
    places, densities = before
    weights = densities * (places[1] - places[0])
    low, high = 0.0, 12 * sqrt(number)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (weights * ndtr(places - middle)).sum() > spent else (low, middle)
    critical_value = (low + high) / 2
    onward = np.arange(-EXTENT * sqrt(number), critical_value, STEP * sqrt(number))
    steps = np.exp(-np.square(onward[:, None] - places) / 2) / sqrt(2 * pi)  # (onward, places)
    return critical_value, (onward, steps @ weights)
