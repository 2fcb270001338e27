"""Two samples of logarithms in, one interval of their difference out, honest about looking more than once."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from math import inf, pi, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

from autoenc_bench.exceptions import InvalidInputError

Values = NDArray[np.float64]
Sides = Sequence[Values]  # base and head, a value per run
Looks = tuple[float, ...]  # the information fraction of each: the share of the time that is over by then

CLIP = 2.0
TAIL = 0.75  # the quantile of deviations that tells their scale: steadier than their median where runs are few
ENOUGH = 3  # runs on both sides that tell their own spread
RECORDED = 8  # runs of one side alone that do
NORMAL_TAIL = 1.1503  # that quantile of a normal distribution, in standard deviations


class Interval(NamedTuple):
    """A difference of two means of logarithms, head less base, and the interval that it is known to lie in."""

    estimate: float
    low: float
    high: float
    spread: float  # standard deviation between runs
    runs: tuple[int, int]

    @property
    def detectable(self) -> float:
        """Return the smallest difference whose interval would be clear of zero."""
        return max(self.high - self.estimate, self.estimate - self.low)


def tells_spread(runs: tuple[int, int]) -> bool:
    """Return whether so many runs of base and head tell how far they spread."""
    return min(runs) >= ENOUGH or max(runs) >= RECORDED


def difference(
    base: Sequence[float], head: Sequence[float], alpha: float, spread: float = inf, resolution: float = 0.0
) -> Interval:
    """Estimate mean(head) - mean(base), each a logarithm per run, with an interval of one-sided error rate ``alpha``.

    ``spread`` is the standard deviation between runs that is assumed where a side has fewer than ENOUGH of them, unless
    the other has RECORDED. ``resolution`` is one tick of the clock as a share of a round: the spread and the half-width
    are at least as large. Raises InvalidInputError when a side has none.
    """
    if not (base and head):
        raise InvalidInputError("no runs on one side; measure both")
    runs = len(base), len(head)
    sides: Sides = [np.asarray(side, np.float64) for side in (base, head)]
    dof = 0  # degrees of freedom of Student's t; without any, the distribution is normal
    if min(runs) >= ENOUGH:
        sides, dof = _clipped(sides), sum(runs) - 2
        spread = sqrt(sum(float(np.square(side - side.mean()).sum()) for side in sides) / dof)
    elif max(runs) >= RECORDED:
        dof, spread = max(runs) - 1, float(max(sides, key=len).std(ddof=1))
    spread = max(spread, resolution)
    critical_value = -float(stdtrit(dof, alpha) if dof else ndtri(alpha))
    estimate = float(sides[1].mean() - sides[0].mean())
    half_width = max(resolution, critical_value * spread * sqrt(1 / runs[0] + 1 / runs[1])) if alpha else inf
    return Interval(estimate, estimate - half_width, estimate + half_width, spread, runs)


def _clipped(sides: Sides) -> Sides:
    """Clip each value to CLIP robust standard deviations around the median of its side."""
    centres = [float(np.median(side)) for side in sides]
    deviations = np.abs(np.concatenate([side - centre for side, centre in zip(sides, centres, strict=True)]))
    # Medians are taken from the same values, which makes the deviations from them a little too small.
    scale = float(np.quantile(deviations, TAIL)) / NORMAL_TAIL * len(deviations) / (len(deviations) - len(sides))
    most = CLIP * scale if scale > 0 else inf
    return [np.clip(side, centre - most, centre + most) for side, centre in zip(sides, centres, strict=True)]


# Looks at growing data

POWER = 2  # of the spending function: late looks, which know most, get most
STEP, EXTENT = 0.02, 9.0  # of the grid, in standard deviations
Density = tuple[Values, Values]  # of a sum of standard normal values that has crossed no boundary: places, densities


@lru_cache(maxsize=4096)
def nominal_alphas(alpha: float, looks: Looks) -> tuple[float, ...]:
    """Share a one-sided error rate among looks at growing data, equally far apart: the nominal alpha of each.

    By a look ``alpha`` x fraction ** POWER of the error has been spent (Lan and DeMets 1983, 1989), so how many looks
    there will be need not be known; the last has 1, and a fraction of 0 is no look. The boundaries come from the
    recursion of Armitage, McPherson and Rowe (1969) on a grid. Applied to Student's t by its nominal levels (Jennison
    and Turnbull 2000, chapter 4).
    """
    alphas: list[float] = []
    density: Density | None = None
    for look, (before, fraction) in enumerate(pairwise((0.0, *looks)), start=1):
        spent = alpha * (fraction**POWER - before**POWER)
        if density is None:
            alphas.append(spent)
            if spent:
                places = np.arange(-EXTENT, -float(ndtri(spent)), STEP) * sqrt(look)
                density = places, np.exp(-np.square(places) / (2 * look)) / sqrt(2 * pi * look)
        else:
            critical_value, density = _advance(density, spent, look)
            alphas.append(float(ndtr(-critical_value / sqrt(look))))
    return tuple(alphas)


def _advance(before: Density, spent: float, look: int) -> tuple[float, Density]:
    """Find what the next sum crosses with a probability of ``spent``, and the density below it."""
    places, densities = before
    weights = densities * (places[1] - places[0])
    low, high = 0.0, 12 * sqrt(look)
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (weights * ndtr(places - middle)).sum() > spent else (low, middle)
    critical_value = (low + high) / 2
    onward = np.arange(-EXTENT * sqrt(look), critical_value, STEP * sqrt(look))
    steps = np.exp(-np.square(onward[:, None] - places) / 2) / sqrt(2 * pi)  # (onward, places)
    return critical_value, (onward, steps @ weights)
