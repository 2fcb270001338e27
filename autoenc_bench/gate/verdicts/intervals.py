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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtrit

Values = NDArray[np.float64]

CLIP = 2.0
TAIL = 0.75  # the quantile of deviations that tells their scale: steadier than their median where runs are few
ENOUGH = 3  # runs on both sides that tell their own spread
RECORDED = 8  # runs of one side alone that do
NORMAL_TAIL = 1.1503  # that quantile of a normal distribution, in standard deviations


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


def difference(
    base: Sequence[float], head: Sequence[float], level: float, spread: float, block: int | None = None
) -> Interval:
    """Estimate mean(head) - mean(base), each a logarithm per run, with an interval of one-sided error ``level``.

    ``spread`` is the standard deviation between runs that is assumed where a side has fewer than ENOUGH of them, unless
    the other has RECORDED, which tell it by themselves. ``block`` says how many runs of each side followed one another
    closely: what moved both sides of a block alike, such as a machine that slowly warms up, is taken out (the two-way
    layout of Fisher 1935). Raises ValueError when a side has none.
    """
    if not (base and head):
        raise ValueError("no runs on one side; measure both")
    runs = len(base), len(head)
    sides = Sides(np.asarray(base, np.float64), np.asarray(head, np.float64))
    size = block if block and runs[0] == runs[1] else max(runs)  # else somebody lacks a run, and blocks are no pairs
    blocks = [np.arange(count) // size for count in runs]
    if min(runs) >= ENOUGH:
        sides = _clipped(sides, blocks)
    estimate = float(sides.head.mean() - sides.base.mean())
    if min(runs) >= ENOUGH:
        around, freedom = _around(sides, blocks)
        far = -float(stdtrit(freedom, level))
        spread = sqrt(sum(float(np.square(side).sum()) for side in around) / freedom)
    elif max(runs) >= RECORDED:
        told = max(sides, key=len)
        far = -float(stdtrit(len(told) - 1, level))
        spread = float(told.std(ddof=1))
    else:
        far = -float(ndtri(level))
    reach = far * spread * sqrt(1 / runs[0] + 1 / runs[1]) if level else inf
    return Interval(estimate, estimate - reach, estimate + reach, spread, runs)


class Sides(NamedTuple):
    """Hold values of both sides."""

    base: Values
    head: Values


Blocks = Sequence[NDArray[np.intp]]  # of each side's runs: which block they belong to


def _around(sides: Sides, blocks: Blocks) -> tuple[Sides, int]:
    """Give what is left of the values without side and block, and its degrees of freedom."""
    sizes = np.bincount(blocks[0]) + np.bincount(blocks[1])
    left = [side - side.mean() for side in sides]
    if len(sizes) > 1:
        sums = [np.bincount(held, side) for held, side in zip(blocks, left, strict=True)]
        means = (sums[0] + sums[1]) / sizes
        left = [side - means[held] for held, side in zip(blocks, left, strict=True)]
    return Sides(*left), int(sizes.sum()) - 1 - len(sizes)


def _clipped(sides: Sides, blocks: Blocks) -> Sides:
    """Hold each value within CLIP robust standard deviations of the median of its block, and its side within those."""
    # Without the sides' own medians first, those of blocks would scatter the more the further the sides are apart.
    centres = [np.full(len(side), np.median(side)) for side in sides]
    count = 1 + int(blocks[0][-1])
    if count > 1:
        moved = _medians(np.concatenate([side - at for side, at in zip(sides, centres, strict=True)]), blocks)
        centres = [at + moved[held] for at, held in zip(centres, blocks, strict=True)]
        centres = [at + np.median(side - at) for side, at in zip(sides, centres, strict=True)]
    away = np.concatenate([np.abs(side - at) for side, at in zip(sides, centres, strict=True)])
    # Medians are taken from the same values, which makes the deviations from them a little too small.
    scale = float(np.quantile(away, TAIL)) / NORMAL_TAIL * len(away) / (len(away) - 1 - count)
    reach = CLIP * scale if scale > 0 else inf
    clipped = (np.minimum(np.maximum(side, at - reach), at + reach) for side, at in zip(sides, centres, strict=True))
    return Sides(*clipped)


def _medians(values: Values, blocks: Blocks) -> Values:
    """Give the median of each block; the last one may be shorter."""
    both = np.concatenate(blocks)
    ordered, size = values[np.argsort(both, kind="stable")], int(np.count_nonzero(both == 0))
    whole = len(values) // size * size
    found = np.median(ordered[:whole].reshape(-1, size), axis=1)
    return np.append(found, np.median(ordered[whole:])) if whole < len(values) else found


def projected(interval: Interval, runs: float, level: float) -> float:
    """Give how far an interval would reach from its estimate with so many runs a side, spread as they are now."""
    return -float(stdtrit(2 * runs - 2, level)) * interval.spread * sqrt(2 / runs)


POWER = 6  # of the spending function: late looks, which know most, get most


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
