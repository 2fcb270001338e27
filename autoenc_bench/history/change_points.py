"""Change points: where a timeline moves to another level.

Values are logarithms, so that a change is a ratio. Noise comes from successive differences (von Neumann et al. 1941),
and values are clipped around a running median (Hampel 1974). Candidates are the exact optimum of a penalised sum of
squares (PELT: Killick, Fearnhead and Eckley 2012). A t test at Bonferroni's bound confirms each of them.
docs/methodology.md describes each step.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import exp, inf, log, log1p
from statistics import median
from sys import float_info

import numpy as np
from numpy.typing import NDArray

Logs = NDArray[np.float64]  # shape (n,)

SHORTEST = 3  # runs of the shortest level
ALPHA = 0.01  # share of flat timelines in which a change may be found
CONFIDENCE = 0.95  # of a change's interval
CLIP = 2  # noises; largest distance of a run from the running median
CLIPPED = 0.9206  # variance of a standard normal that is clipped to within CLIP
OUTLIER = 3  # noises; runs further from a level than this do not decide where a change is
WINDOW = 13  # runs of the running median
TRIM = 0.2  # share of the differences, the largest, that the noise ignores
CONSISTENT = 1.5115  # 1 / root mean square of a standard normal within its central 1 - TRIM
LATEST = 10  # runs; a level is the median of at most so many


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """A change of a timeline.

    ``index`` is the first run of the new level. ``ratio`` is the new level over the old, ``low`` and ``high`` are its
    interval at ``CONFIDENCE`` for this place. All three are ``inf`` if the old level is zero.
    """

    index: int
    ratio: float
    low: float
    high: float


def find(values: Sequence[float], smallest: float) -> list[ChangePoint]:
    """Find the changes by at least ``smallest`` (0.01: 1 %) in values of at least zero, in order of time.

    Fewer than six values have no change, and neither have equal values.
    """
    if len(values) < 2 * SHORTEST or max(values) <= min(values) * (1 + smallest):
        return []
    array = np.asarray(values, np.float64)
    # A zero counts as a tenth of the smallest value above it.
    logs = np.log(np.maximum(array, max(array[array > 0].min() / 10, 1e-300)))
    noise = _noise(logs)
    scale = max(noise, log1p(smallest) / 10)  # timelines that repeat to the bit have no noise
    clipped = _clipped(logs, scale)
    cuts = _confirmed(clipped, logs, _candidates(clipped / scale), log1p(smallest))
    ends = pairwise([0, *_placed(logs, cuts, scale), len(logs)])
    return [_change(*pair, values) for pair in pairwise(_level_segment(logs, *segment, noise) for segment in ends)]


def level(values: Sequence[float]) -> float:
    """Return the median of a level's newest runs, at most ``LATEST``."""
    return float(np.median(values[-LATEST:]))


def _noise(logs: Logs) -> float:
    """Return the standard deviation of the noise, from all but the largest differences of successive values."""
    squares = np.sort(np.square(np.diff(logs)))
    kept = squares[: max(1, len(squares) - -(-len(squares) // round(1 / TRIM)))]
    return CONSISTENT * float(np.sqrt(kept.mean() / 2))


def _clipped(logs: Logs, noise: float) -> Logs:
    """Clip each value around the running median. Near the ends its window shrinks, to three runs at least."""
    values, last, medians = logs.tolist(), len(logs) - 1, []
    for place in range(len(values)):
        reach = min(WINDOW // 2, max(1, min(place, last - place)))
        begin = min(max(0, place - reach), last - 2 * reach)
        medians.append(median(values[begin : begin + 2 * reach + 1]))
    return np.clip(logs, np.subtract(medians, CLIP * noise), np.add(medians, CLIP * noise))


def _candidates(scaled: Logs) -> list[int]:
    """Find the cuts that minimise the sum of squares within segments, plus a penalty for each."""
    from ruptures import KernelCPD  # imported here because it takes as long to load as all the rest

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
    median: float  # of the logarithms before clipping


def _segment(clipped: Logs, logs: Logs, begin: int, end: int) -> _Segment:
    part = clipped[begin:end]
    variance = float(part.var(ddof=1)) / CLIPPED
    return _Segment(begin, end - begin, float(part.mean()), variance, float(np.median(logs[begin:end])))


def _level_segment(logs: Logs, begin: int, end: int, noise: float) -> _Segment:
    """Summarise a segment whose values are clipped to within ``CLIP`` noises of its own median."""
    middle = np.median(logs[begin:end])
    return _segment(np.clip(logs, middle - CLIP * noise, middle + CLIP * noise), logs, begin, end)


def _confirmed(clipped: Logs, logs: Logs, cuts: list[int], smallest: float) -> list[int]:
    """Drop the weakest cut until the tests confirm all remaining ones. Each round tests the neighbours anew."""
    while cuts:
        segments = [_segment(clipped, logs, *ends) for ends in pairwise([0, *cuts, len(clipped)])]
        p_values = [_p_value(*pair, smallest) for pair in pairwise(segments)]
        weakest = max(range(len(cuts)), key=p_values.__getitem__)
        if p_values[weakest] < ALPHA / len(clipped):
            break
        cuts = cuts[:weakest] + cuts[weakest + 1 :]
    return cuts


def _placed(logs: Logs, cuts: list[int], noise: float) -> list[int]:
    """Move each cut to where the values before and after it fit their levels best."""
    moved = [0]
    for begin, cut, end in zip([0, *cuts], cuts, [*cuts[1:], len(logs)], strict=False):
        levels = np.median(logs[begin:cut]), np.median(logs[cut:end])
        distances = ((logs[begin:end] - level) / noise for level in levels)
        before, after = (np.minimum(np.square(distance), OUTLIER**2) for distance in distances)
        first, last = max(moved[-1], begin) + SHORTEST, end - SHORTEST
        costs = np.cumsum(before - after)[first - begin - 1 : last - begin]
        moved.append(first + int(np.argmin(costs)))
    return moved[1:]


def _p_value(before: _Segment, after: _Segment, smallest: float) -> float:
    """Return the p-value of equal means of two segments, 1 if the change is too small to matter."""
    if abs(after.median - before.median) < smallest:
        return 1.0
    from scipy.special import stdtr  # imported here because SciPy loads slowly

    error, dof = _standard_error(before, after)
    return 2 * float(stdtr(dof, -abs(after.mean - before.mean) / error)) if error else 0.0


def _standard_error(before: _Segment, after: _Segment) -> tuple[float, float]:
    """Return the standard error of the difference of two means and its degrees of freedom."""
    dof = before.size + after.size - 2
    pooled = ((before.size - 1) * before.variance + (after.size - 1) * after.variance) / dof
    # The variance of a short segment may be too small by chance, so each has at least the pooled variance.
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
