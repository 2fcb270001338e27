"""Two samples of logarithms in, one interval of their difference out, honest about looking more than once.

Runs are the samples. Each side's values are held within ``CLIP`` robust standard deviations of its median, so that
single slow runs count for little, and Student's t with pooled variance gives the interval. Where there are fewer than
three runs a side, the spread between runs comes from a side that was recorded often enough, else from elsewhere, and
the normal distribution takes t's place.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import inf, pi, sqrt

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

Values = NDArray[np.float64]

CLIP = 2.5
ENOUGH = 3  # runs on both sides that tell their own spread
RECORDED = 8  # runs of one side alone that do
NORMAL_MAD = 1.4826  # of a normal distribution: its standard deviation over its median absolute deviation


@dataclass(frozen=True)
class Interval:
    """Hold the difference of two means of logarithms, head less base, and the interval that it is known to lie in."""

    estimate: float
    low: float
    high: float
    spread: float  # standard deviation between runs
    runs: tuple[int, int]

    @property
    def detectable(self) -> float:
        """Give the smallest difference whose interval would be clear of zero."""
        return max(self.high - self.estimate, self.estimate - self.low)


def difference(base: Sequence[float], head: Sequence[float], level: float, spread: float) -> Interval:
    """Estimate mean(head) - mean(base), each a logarithm per run, with an interval of one-sided error ``level``.

    ``spread`` is the standard deviation between runs that is assumed where a side has fewer than ENOUGH of them, unless
    the other has RECORDED, which tell it by themselves. Raises ValueError when a side has none.
    """
    if not (base and head):
        raise ValueError("no runs on one side; measure both")
    runs = len(base), len(head)
    sides = _clipped(base, head) if min(runs) >= ENOUGH else (np.asarray(base), np.asarray(head))
    estimate = float(sides[1].mean() - sides[0].mean())
    telling = [side for side in sides if len(side) >= (ENOUGH if min(runs) >= ENOUGH else RECORDED)]
    if telling:
        freedom = sum(len(side) - 1 for side in telling)
        spread = sqrt(sum(float(np.square(side - side.mean()).sum()) for side in telling) / freedom)
        far = -float(stdtrit(freedom, level))
    else:
        far = -float(ndtri(level))
    reach = far * spread * sqrt(1 / runs[0] + 1 / runs[1]) if level else inf
    return Interval(estimate, estimate - reach, estimate + reach, spread, runs)


def projected(interval: Interval, runs: float, level: float) -> float:
    """Give how far an interval would reach from its estimate with so many runs a side, spread as they are now."""
    return -float(stdtrit(2 * runs - 2, level)) * interval.spread * sqrt(2 / runs)


def _clipped(base: Sequence[float], head: Sequence[float]) -> tuple[Values, Values]:
    """Hold each value within CLIP robust standard deviations, of both sides together, of its side's median."""
    sides = [np.sort(np.asarray(side, np.float64)) for side in (base, head)]
    middles = [float(np.median(side)) for side in sides]
    away = np.concatenate([np.abs(side - middle) for side, middle in zip(sides, middles, strict=True)])
    # Two medians are taken from the same values, which makes the deviations from them a little too small.
    scale = NORMAL_MAD * float(np.median(away)) * len(away) / (len(away) - 2)
    reach = CLIP * scale if scale > 0 else inf
    ours, theirs = (np.clip(side, middle - reach, middle + reach) for side, middle in zip(sides, middles, strict=True))
    return ours, theirs


POWER = 5  # of the spending function: late looks, which know most, get most


@lru_cache(maxsize=4096)
def levels(level: float, spent: tuple[float, ...]) -> tuple[float, ...]:
    """Share a one-sided error level among looks at growing data, equally far apart; say what each look gets.

    ``spent`` says which share of the time is over at each look, rising to 1. By then ``level`` x share ** POWER of the
    error has been spent (Lan and DeMets 1983, 1989), so how many looks there will be need not be known; a share of 0
    is no look. The boundaries come from the recursion of Armitage, McPherson and Rowe (1969) on a grid. Applied to
    Student's t by its nominal levels (Jennison and Turnbull 2000, chapter 4).
    """
    found: list[float] = []
    crossed: Density | None = None
    before = 0.0
    for look, now in enumerate(spent, start=1):
        share = level * (now**POWER - before**POWER)
        before = now
        if crossed is None:
            found.append(share)
            crossed = _start(share, look) if share else None
        else:
            boundary, crossed = _advance(crossed, share, look)
            found.append(float(ndtr(-boundary / sqrt(look))))
    return tuple(found)


Density = tuple[Values, Values]  # of a sum of standard normal values that has crossed no boundary: places, densities
STEP = 0.02  # of the grid, in standard deviations
REACH = 9.0


def _start(share: float, look: int) -> Density:
    places = np.arange(-REACH, -float(ndtri(share)), STEP) * sqrt(look)
    return places, np.exp(-np.square(places) / (2 * look)) / sqrt(2 * pi * look)


def _advance(before: Density, share: float, look: int) -> tuple[float, Density]:
    """Find the boundary that the next sum crosses with a probability of ``share``, and the density below it."""
    places, densities = before
    weights = densities * (places[1] - places[0])
    boundary = _root(lambda at: float((weights * ndtr(places - at)).sum()) - share, 0.0, 12 * sqrt(look))
    onward = np.arange(-REACH * sqrt(look), boundary, STEP * sqrt(look))
    steps = np.exp(-np.square(onward[:, None] - places) / 2) / sqrt(2 * pi)  # (onward, places)
    return boundary, (onward, steps @ weights)


def _root(falling: Callable[[float], float], low: float, high: float) -> float:
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > 0 else (low, middle)
    return (low + high) / 2
