"""The rounds of processes that took turns: both sides over time, and how far head is from base in each."""

from collections.abc import Iterator
from math import expm1, isfinite, log1p

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from autoenc_bench.formatting import count, seconds
from autoenc_bench.records.record import SIDE_NAMES
from autoenc_bench.report.figures import style
from autoenc_bench.verdicts import tables
from autoenc_bench.verdicts.comparison import Comparison
from autoenc_bench.verdicts.judgements import Judgement, Outcome

MOST = 24  # cases that are drawn, what changed first
BINS = 60
EXTENT, MIDDLE = (0.02, 0.98), (0.06, 0.94)  # quantiles of rounds, and of their quotients, that the axes show


def draw(comparison: Comparison, setting: str) -> Iterator[style.Drawing]:
    """Draw each case whose processes took turns, those that changed first."""
    paired = [(one.case, one.experiment, one.time) for one in comparison.verdicts if one.time and one.time.paired]
    paired.sort(key=lambda one: one[2].outcome not in (Outcome.REGRESSED, Outcome.IMPROVED))
    for case, experiment, time in paired[:MOST]:
        yield _case(comparison, case, experiment, time, setting)


def _case(comparison: Comparison, case: str, experiment: str | None, time: Judgement, setting: str) -> style.Drawing:
    base, head = (side.cases[case].pairs for side in (comparison.base, comparison.head))
    pairs = [(base[name], head[name]) for name in base if name in head]
    rounds = [min(map(len, pair)) for pair in pairs]
    sides = [np.concatenate([pair[place][:n] for pair, n in zip(pairs, rounds, strict=True)]) for place in (0, 1)]
    changes = sides[1] - sides[0]
    colour = style.colour(experiment or case)
    figure = style.blank(f"{style.plain(case)}: {tables.change(time)}, {time.outcome}", setting, width=9.6, height=3.2)
    over_time, distribution = figure.subplots(1, 2, width_ratios=(3, 2))
    _over_time(over_time, sides, rounds, colour)
    _distribution(distribution, changes, time, colour)
    middle = [seconds(float(np.exp(np.median(side)))) for side in sides]
    alternative = (
        f"{sum(rounds)} rounds of {case} in {count(len(pairs), 'pair')} of processes, medians {middle[0]} and "
        f"{middle[1]}; head against base {tables.change(time)}, limit {time.limit:.3g}: {time.outcome}."
    )
    note = (
        "Left: each round of either side, pair by pair; what slows both down is the machine. Right: by how much head's "
        "round took longer than base's beside it; the band is the interval, over pairs, the dashed lines are the limit."
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


def _distribution(axes: Axes, changes: NDArray[np.float64], time: Judgement, colour: str) -> None:
    interval, limit = time.interval, log1p(time.limit)
    assert interval
    low, high = (float(np.quantile(changes, share)) for share in MIDDLE)
    low, high = min(low, -1.5 * limit, interval.estimate - limit), max(high, 1.5 * limit, interval.estimate + limit)
    axes.hist(100 * np.expm1(changes), bins=list(100 * np.linspace(low, high, BINS)), color=colour, alpha=0.35)
    if isfinite(interval.low) and isfinite(interval.high):
        ends = (100 * expm1(end) for end in (max(low, interval.low), min(high, interval.high)))
        axes.axvspan(*ends, color=colour, alpha=0.25, linewidth=0)
    axes.axvline(100 * expm1(interval.estimate), color=colour, linewidth=1.6)
    for sign in (-1, 1):
        axes.axvline(sign * 100 * time.limit, color=style.INK, linewidth=0.9, linestyle="--")
    axes.set_xlim(100 * low, 100 * high)
    axes.set_xlabel("head against base, % of a round's time")
    axes.set_ylabel("rounds")
