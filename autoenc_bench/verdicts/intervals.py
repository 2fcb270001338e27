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

ENOUGH = 3  # runs on each side that show the spread between runs
RECORDED = 8  # runs on one side alone that do
CONTROLLED = 2 * ENOUGH  # runs of a side whose halves can be compared with each other


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

    Student's t with pooled variance, which takes both sides to spread alike. It errs much where they do not and the
    numbers of runs differ; then Welch's interval counts where it is wider. ``spread`` is the standard deviation between
    runs that is assumed where a side has fewer than ENOUGH of them, unless the other has RECORDED: those tell the
    spread of both. ``resolution`` is one tick of the clock as a share of a round: the spread and the half-width are at
    least as large. Raises InvalidInputError when a side has none.

    Outliers widen the interval. They are not clipped, because the variance of clipped values is too small: the error
    rate was up to five times ``alpha``.
    """
    if not (base and head):
        raise InvalidInputError("no runs on one side; measure both")
    runs = len(base), len(head)
    sides: Sides = [np.asarray(side, np.float64) for side in (base, head)]
    squares = [float(np.square(side - side.mean()).sum()) for side in sides]
    dof = 0  # degrees of freedom of Student's t; without any, the distribution is normal
    if min(runs) >= ENOUGH:
        dof = sum(runs) - 2
        spread = sqrt(sum(squares) / dof)
    elif max(runs) >= RECORDED:
        dof = max(runs) - 1
        spread = sqrt(squares[runs.index(max(runs))] / dof)
    spread = max(spread, resolution)
    critical_value = -float(stdtrit(dof, alpha) if dof else ndtri(alpha))
    estimate = float(sides[1].mean() - sides[0].mean())
    half_width = max(resolution, critical_value * spread * sqrt(1 / runs[0] + 1 / runs[1])) if alpha else inf
    if min(runs) >= ENOUGH and runs[0] != runs[1]:
        half_width = max(half_width, _welch(squares, runs, alpha))
    return Interval(estimate, estimate - half_width, estimate + half_width, spread, runs)


def _welch(squares: Sequence[float], runs: tuple[int, int], alpha: float) -> float:
    """Return the half-width of Welch (1947), whose sides spread each its own way, from each side's sum of squares."""
    variances = [total / (number * (number - 1)) for total, number in zip(squares, runs, strict=True)]
    variance = sum(variances)
    if not (variance and alpha):
        return 0.0
    dof = 1 / sum((one / variance) ** 2 / (number - 1) for one, number in zip(variances, runs, strict=True))
    return -float(stdtrit(dof, alpha)) * sqrt(variance)


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
