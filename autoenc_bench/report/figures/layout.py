"""Parts of figures: panels, rows, logarithmic ticks, marks, and labels beside them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, NullLocator
from numpy.typing import ArrayLike

from autoenc_bench.formatting import seconds
from autoenc_bench.report.figures import style


def panels(figure: Figure, count: int, across: int, *, sharex: bool = False, sharey: bool = False) -> list[Axes]:
    """Return ``count`` axes in rows of ``across``, without those left over in the last row."""
    grid = figure.subplots(-(-count // across), across, squeeze=False, sharex=sharex, sharey=sharey)
    for axes in grid.flat[count:]:
        axes.remove()
    return list(grid.flat[:count])


def rows(axes: Axes, names: Sequence[str], length: int = 24) -> None:
    """Give each name a row, from the top down, with grid lines at the ticks of the other axis."""
    axes.set_yticks(range(len(names)), [style.plain(name, length) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x")


def offset(place: int, count: int, width: float) -> float:
    """Return how far one of ``count`` marks is from the middle of its row; together they are ``width`` rows high."""
    return 0.0 if count == 1 else (place / (count - 1) - 0.5) * width


def points(axes: Axes, x: ArrayLike, y: ArrayLike, name: str | None, colour: str, size: float, **more: Any) -> None:
    """Draw points with the mark of a trainer or batch; without a line, unless ``more`` has a line style."""
    mark = style.mark(name)
    look = {"color": colour, "markerfacecolor": colour if mark.filled else style.PAPER, "linestyle": ""}
    axes.plot(np.atleast_1d(x), np.atleast_1d(y), marker=mark.marker, ms=size * mark.scale, mew=1.3, **{**look, **more})


def beside(
    axes: Axes, text: str, at: tuple[float, float], aside: tuple[float, float], paper: float = 0, **more: Any
) -> None:
    """Write a text beside a point. ``aside`` and the margin of the ``paper`` behind it are in typographic points."""
    look: dict[str, Any] = {"ha": "right" if aside[0] < 0 else "left", "va": "center", "fontsize": 8.5}
    box = {"facecolor": style.PAPER, "edgecolor": "none", "pad": paper} if paper else None
    axes.annotate(text, at, xytext=aside, textcoords="offset points", bbox=box, **{**look, **more})


def key(kinds: Iterable[str]) -> str:
    """Return a line that explains the marks of trainers and batches."""
    return "   ".join(f"{style.mark(kind).sign} {style.plain(kind, 16)}" for kind in kinds)


def log_ticks(axis: Axis, steps: Sequence[float], show: Callable[[float], str]) -> None:
    """Label a logarithmic axis at these multiples of each power of ten."""
    axis.set_major_locator(LogLocator(subs=steps, numticks=12))
    axis.set_major_formatter(lambda value, _: show(value))
    axis.set_minor_locator(NullLocator())


def log_seconds(axes: Axes) -> None:
    """Make the horizontal axis logarithmic in seconds, with labels at decades, or closer if it spans few of them."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    decades = np.log10(high / low)
    log_ticks(axes.xaxis, (1.0, 2.0, 5.0) if decades < 1.7 else (1.0, 3.0) if decades < 2.5 else (1.0,), seconds)
    if decades <= 0.5:
        axes.xaxis.set_major_locator(MaxNLocator(4))


def log_log(axes: Axes, label: str, numbers: Sequence[int], margins: tuple[float, float]) -> None:
    """Make both axes logarithmic, with labels of the horizontal one only at these numbers; margins are factors."""
    axes.set(xscale="log", yscale="log", xlabel=label, xlim=(numbers[0] / margins[0], numbers[-1] * margins[1]))
    axes.set_xticks(numbers, [f"{number:,}" for number in numbers])
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_minor_formatter(NullFormatter())  # Matplotlib's own is TeX, which is off
    axes.grid(axis="y")
