"""Where a timeline moves to another level: change points, confirmed one by one.

On logarithms, so that a change is a ratio: noise from successive differences (von Neumann et al. 1941), values clipped
around a running median (Hampel 1974), the exact optimum of a penalised sum of squares (PELT: Killick, Fearnhead and
Eckley 2012), and a t test for each of its cuts at Bonferroni's bound. docs/methodology.md has it step by step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, log1p
from sys import float_info

import numpy as np
from numpy.typing import NDArray

Logs = NDArray[np.float64]  # shape (n,)

SHORTEST = 3  # runs on each side: fewer are no level yet
ALPHA = 0.01  # share of flat timelines in which a change may be seen
CONFIDENCE = 0.95  # of a change's interval
CLIP = 2  # noises that one run may count for
CLIPPED = 0.9206  # variance of a standard normal that is clipped to within CLIP
OUTLIER = 3  # noises from a level at which a run fits it no worse; so far from both, it says nothing of the place
WINDOW = 13  # runs of the running median
TRIM = 0.2  # share of the differences, the largest, that the noise is not read from
CONSISTENT = 1.5115  # 1 / root mean square of a standard normal within its central 1 - TRIM
LATEST = 10  # runs, at most, that a level is read from


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """Where a timeline changed, and by what factor.

    ``index`` is the first run of the new level. ``ratio`` is the new level over the old, ``low`` and ``high`` its
    interval at ``CONFIDENCE``, given the place; ``inf`` where the old level is zero.
    """

    index: int
    ratio: float
    low: float
    high: float


def find(values: Sequence[float], smallest: float) -> list[ChangePoint]:
    """Find the changes of a timeline, values of at least zero in order of time, by at least ``smallest`` (0.01: 1 %).

    Fewer than six values have none, and neither have equal ones.
    """
    if len(values) < 2 * SHORTEST or max(values) <= min(values) * (1 + smallest):
        return []
    array = np.asarray(values, np.float64)
    # A zero counts as a tenth of the smallest value above it.
    logs = np.log(np.maximum(array, max(array[array > 0].min() / 10, 1e-300)))
    noise = _noise(logs)
    floored = max(noise, log1p(smallest) / 10)  # timelines that repeat to the bit have no noise, and still a scale
    clipped = _clipped(logs, floored)
    cuts = _confirmed(clipped, logs, _candidates(clipped / floored), log1p(smallest))
    ends = pairwise([0, *_placed(logs, cuts, floored), len(logs)])
    return [_change(*pair, values) for pair in pairwise(_level_segment(logs, *segment, noise) for segment in ends)]


def level(values: Sequence[float]) -> float:
    """Return the median of a level's newest runs, at most ``LATEST``."""
    return float(np.median(values[-LATEST:]))


def _noise(logs: Logs) -> float:
    squares = np.sort(np.square(np.diff(logs)))
    kept = squares[: max(1, len(squares) - -(-len(squares) // round(1 / TRIM)))]
    return CONSISTENT * float(np.sqrt(kept.mean() / 2))


def _clipped(logs: Logs, noise: float) -> Logs:
    """Clip each value around the running median; near the ends its window shrinks to three runs, to see what is new."""
    last, half, medians = len(logs) - 1, WINDOW // 2, np.empty_like(logs)
    if len(logs) >= WINDOW:
        medians[half : last + 1 - half] = np.median(np.lib.stride_tricks.sliding_window_view(logs, WINDOW), axis=1)
    for place in range(len(logs)):
        reach = max(1, min(place, last - place))
        if reach < half:
            begin = min(max(0, place - reach), last - 2 * reach)
            medians[place] = np.median(logs[begin : begin + 2 * reach + 1])
    return np.clip(logs, medians - CLIP * noise, medians + CLIP * noise)


def _candidates(scaled: Logs) -> list[int]:
    """Find the cuts that minimise the sum of squares within segments, plus a penalty for each."""
    from ruptures import KernelCPD  # here, for it takes as long to load as the rest takes

    penalty = 2 * log(len(scaled)) + 2
    centred = (scaled - np.median(scaled)).reshape(-1, 1)
    cuts: list[int] = KernelCPD(kernel="linear", min_size=SHORTEST).fit(centred).predict(pen=penalty)
    return cuts[:-1]


@dataclass(frozen=True, slots=True)
class _Segment:
    begin: int
    size: int
    mean: float
    variance: float
    median: float  # of the logarithms as they were


def _segment(clipped: Logs, logs: Logs, begin: int, end: int) -> _Segment:
    part = clipped[begin:end]
    variance, median = float(part.var(ddof=1)) / CLIPPED, float(np.median(logs[begin:end]))
    return _Segment(begin, end - begin, float(part.mean()), variance, median)


def _level_segment(logs: Logs, begin: int, end: int, noise: float) -> _Segment:
    """Sum up a segment whose values are clipped to within ``CLIP`` noises of its own median."""
    median = np.median(logs[begin:end])
    return _segment(np.clip(logs, median - CLIP * noise, median + CLIP * noise), logs, begin, end)


def _confirmed(clipped: Logs, logs: Logs, cuts: list[int], smallest: float) -> list[int]:
    """Drop the weakest cut until all that are left hold; its neighbours are tested anew without it."""
    while cuts:
        segments = [_segment(clipped, logs, *ends) for ends in pairwise([0, *cuts, len(clipped)])]
        p_values = [_p_value(*pair, smallest) for pair in pairwise(segments)]
        weakest = max(range(len(cuts)), key=p_values.__getitem__)
        if p_values[weakest] < ALPHA / len(clipped):
            break
        cuts = cuts[:weakest] + cuts[weakest + 1 :]
    return cuts


def _placed(logs: Logs, cuts: list[int], noise: float) -> list[int]:
    moved = [0]
    for begin, cut, end in zip([0, *cuts], cuts, [*cuts[1:], len(logs)], strict=False):
        medians = np.median(logs[begin:cut]), np.median(logs[cut:end])
        distances = ((logs[begin:end] - median) / noise for median in medians)
        before, after = (np.minimum(np.square(distance), OUTLIER**2) for distance in distances)
        first, last = max(moved[-1], begin) + SHORTEST, end - SHORTEST
        costs = np.cumsum(before - after)[first - begin - 1 : last - begin]
        moved.append(first + int(np.argmin(costs)))
    return moved[1:]


def _p_value(before: _Segment, after: _Segment, smallest: float) -> float:
    """Return the p-value of no change between two segments, 1 for one too small to matter."""
    if abs(after.median - before.median) < smallest:
        return 1.0
    from scipy.special import stdtr  # here, for the same reason as ruptures

    error, dof = _standard_error(before, after)
    return 2 * float(stdtr(dof, -abs(after.mean - before.mean) / error)) if error else 0.0


def _standard_error(before: _Segment, after: _Segment) -> tuple[float, float]:
    """Return the standard error of the difference of two means and its degrees of freedom."""
    dof = before.size + after.size - 2
    pooled = ((before.size - 1) * before.variance + (after.size - 1) * after.variance) / dof
    # A short segment can look calmer than it is. So each has at least the noise of the two together.
    return sum(max(part.variance, pooled) / part.size for part in (before, after)) ** 0.5, dof


def _change(before: _Segment, after: _Segment, values: Sequence[float]) -> ChangePoint:
    old, new = (float(np.median(values[part.begin : part.begin + part.size])) for part in (before, after))
    if old == 0 or new == 0:
        ratio = 0.0 if old else inf
        return ChangePoint(after.begin, ratio, ratio, ratio)
    from scipy.special import stdtrit

    error, dof = _standard_error(before, after)
    half_width = float(stdtrit(dof, (1 + CONFIDENCE) / 2)) * error if error else 0.0
    difference = after.mean - before.mean
    logarithms = difference, difference - half_width, difference + half_width
    return ChangePoint(after.begin, *(exp(part) if part < log(float_info.max) else inf for part in logarithms))
