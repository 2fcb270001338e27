"""Figures of interleaved rounds: both sides over time, and the difference between head and base in each round."""

from collections.abc import Iterator
from math import expm1, isfinite, log1p

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from autoenc_bench.formatting import count, seconds
from autoenc_bench.records.record import SIDE_NAMES
from autoenc_bench.report.figures import style
from autoenc_bench.report.side_by_side import PairedCase, Together

MOST_CASES = 24  # that are drawn, those that changed first
BINS = 60
EXTENT, MIDDLE = (0.02, 0.98), (0.06, 0.94)  # quantiles of rounds, and of their ratios, that the axes show


def draw(together: Together) -> Iterator[style.Drawing]:
    """Draw the cases whose rounds were interleaved, those that changed first."""
    for paired in together.paired[:MOST_CASES]:
        yield _case(paired, together.setting)


def _case(paired: PairedCase, setting: str) -> style.Drawing:
    case, rounds = paired.case, [len(base) for base, _ in paired.rounds]
    sides = [np.concatenate(parts) for parts in zip(*paired.rounds, strict=True)]
    colour = style.colour(paired.experiment or case)
    title = f"{style.plain(case)}: {paired.change}, {paired.outcome}"
    figure = style.blank(title, setting, width=9.6, height=3.2)
    over_time, distribution = figure.subplots(1, 2, width_ratios=(3, 2))
    _over_time(over_time, sides, rounds, colour)
    _distribution(distribution, sides[1] - sides[0], paired, colour)
    middle = [seconds(float(np.exp(np.median(side)))) for side in sides]
    alternative = (
        f"{sum(rounds)} rounds of {case} in {count(len(rounds), 'pair')} of processes, medians {middle[0]} and "
        f"{middle[1]}; head against base {paired.change}, limit {paired.limit:.3g}: {paired.outcome}."
    )
    note = (
        "Left: each round of both sides, pair by pair; what slows both down is the machine. Right: how much longer "
        "each round of head took than base's round beside it. The band is the interval; the dashed lines are the limit."
    )
    return style.Drawing(f"pairs-{case}", f"{case}: round by round", alternative, figure, note)


def _over_time(axes: Axes, sides: list[NDArray[np.float64]], rounds: list[int], colour: str) -> None:
    places = np.arange(sum(rounds))
    for name, side, fill, edge in zip(SIDE_NAMES, sides, (style.PAPER, colour), (style.MUTED, colour), strict=True):
        axes.plot(places, 1000 * np.exp(side), "o", ms=3, mew=0.8, label=name, mfc=fill, mec=edge)
    for end in np.cumsum(rounds)[:-1]:
        axes.axvline(end - 0.5, color=style.GRID, linewidth=0.8, zorder=0)
    low, high = (1000 * np.exp(np.quantile(np.concatenate(sides), share)) for share in EXTENT)
    axes.set_ylim(max(0.0, low - 0.3 * (high - low)), high + 0.3 * (high - low))
    axes.set_xlim(-1, len(places))
    axes.set_xlabel("round, pair after pair")
    axes.set_ylabel("milliseconds")
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=2, frameon=False, fontsize=8.5, handletextpad=0)


def _distribution(axes: Axes, changes: NDArray[np.float64], paired: PairedCase, colour: str) -> None:
    interval, limit = paired.interval, log1p(paired.limit)
    low, high = (float(np.quantile(changes, share)) for share in MIDDLE)
    low, high = min(low, -1.5 * limit, interval.estimate - limit), max(high, 1.5 * limit, interval.estimate + limit)
    axes.hist(100 * np.expm1(changes), bins=list(100 * np.linspace(low, high, BINS)), color=colour, alpha=0.35)
    if isfinite(interval.low) and isfinite(interval.high):
        ends = (100 * expm1(end) for end in (max(low, interval.low), min(high, interval.high)))
        axes.axvspan(*ends, color=colour, alpha=0.25, linewidth=0)
    axes.axvline(100 * expm1(interval.estimate), color=colour, linewidth=1.6)
    for sign in (-1, 1):
        axes.axvline(sign * 100 * paired.limit, color=style.INK, linewidth=0.9, linestyle="--")
    axes.set_xlim(100 * low, 100 * high)
    axes.set_xlabel("head against base, % of a round's time")
    axes.set_ylabel("rounds")
