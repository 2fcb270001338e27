"""How results moved over time: a figure per experiment, a small panel per case, every machine's runs in it.

In these figures alone a colour is a machine, for an experiment has a figure of its own.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator
from numpy.typing import NDArray

from autoenc_bench.figures import looks
from autoenc_bench.figures.looks import Drawing
from autoenc_bench.history import History, lines, tables
from autoenc_bench.history.series import Series, Timeline
from autoenc_bench.sources import bracketed, count

ALONE = ("efficiency", "memory")  # drawn where they changed: efficiency is mostly time upside down, memory a flat line
MOST = 24  # panels in one figure
ACROSS = 3
DOTS = 120  # runs of one series that are drawn one by one; more are a line
SPAN = {"time": 3.0, "efficiency": 3.0, "error": 0.3, "memory": 3.0}  # per cent that a panel shows at least, each way
DAY = 86_400
MARKERS = ("o", "s", "^", "D")


@dataclass(frozen=True)
class Panel:
    """Hold what one panel shows: a case's timelines of one kind, each with its series."""

    title: str
    kind: str
    lines: list[tuple[Series, Timeline]]


def draw(history: History) -> Iterator[tuple[str, Drawing]]:
    """Draw the timelines of at least two runs, as pairs (chapter, drawing), within ``looks.style()``."""
    for scale, held in tables.scales(history):
        by_experiment = sorted(held, key=lambda one: one.subject.experiment or "")  # stable: cases keep their order
        for experiment, series in groupby(by_experiment, key=lambda one: one.subject.experiment):
            panels = list(_panels(list(series)))
            for part, begin in enumerate(range(0, len(panels), MOST)):
                name = "-".join(
                    [experiment or "others", *([scale] if scale else []), *([str(part + 1)] if part else [])]
                )
                yield "Timelines", _figure(history, name, experiment, scale, panels[begin : begin + MOST])


def _panels(series: list[Series]) -> Iterator[Panel]:
    for kind in ("time", "error", *ALONE):
        for subject, held in groupby(series, key=lambda one: one.subject):
            known = [(one, line) for one in held for line in one.timelines if line.kind == kind and len(line.runs) > 1]
            if known and (kind not in ALONE or any(line.changes for _, line in known)):
                yield Panel(f"{_plain(subject.case)}: {kind}", kind, known)


def _plain(case: str) -> str:
    """Name a case within its experiment's figure."""
    phase, _, _ = case.partition("[")
    _, _, variant = bracketed(case).partition("-")
    return looks.plain(case if "[" not in case else f"{phase} {variant}".strip(), 34)


def _figure(history: History, name: str, experiment: str | None, scale: str | None, panels: list[Panel]) -> Drawing:
    deep = -(-len(panels) // ACROSS)
    across = min(ACROSS, len(panels))
    of = looks.plain(experiment) if experiment else "other benchmarks"
    title = f"How {of} moved" + (f", scale {looks.plain(scale)}" if scale else "")
    machines = [f"{machine.letter} = {machine.host.name}" for machine in history.machines]
    setting = " · ".join(looks.plain(words, 70) for words in machines)
    figure = looks.blank(title, setting, width=1.0 + 2.9 * across if across > 1 else 5.0, height=1.15 + 1.45 * deep)
    grid = figure.subplots(deep, across, squeeze=False, sharex=True)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for place, panel in enumerate(panels):
        axes = grid.flat[place]
        _draw(axes, panel, history)
        axes.tick_params(labelbottom=place + across >= len(panels))
    labels = dict.fromkeys(
        (lines.label(history, one), _place(history, one)) for panel in panels for one, _ in panel.lines
    )
    handles = [Line2D([], [], label=label, **_look(*place)) for label, place in sorted(labels)]
    figure.legend(handles=handles, loc="outside upper left", ncols=12, frameon=False, fontsize=8.5, handlelength=1.4)
    return Drawing(
        f"timelines-{name}",
        title,
        f"Change in per cent against the first level of each series, over time, in {count(len(panels), 'panel')}. "
        + " ".join(_words(history, panel) for panel in panels),
        figure,
        "A mark is one run, the thick line the level that it belongs to, and a figure in per cent a change point. A run "
        "beyond a panel's edge stands on it as an arrow. Efficiency and memory are drawn where they changed.",
    )


def _place(history: History, one: Series) -> tuple[int, int]:
    return history.machines.index(history.machine(one.runs[0])), one.context


def _look(machine: int, context: int) -> dict[str, Any]:
    """Give a machine its colour and mark; a machine's second context, and each other one, is hollow."""
    colour = looks.OTHERS[machine % len(looks.OTHERS)]
    return {
        "color": colour,
        "marker": MARKERS[machine % len(MARKERS)],
        "markersize": 3.2,
        "markerfacecolor": colour if context % 2 else looks.PAPER,
        "markeredgecolor": colour,
        "markeredgewidth": 0.8,
    }


def _draw(axes: Axes, panel: Panel, history: History) -> None:
    moved = [_moved(line) for _, line in panel.lines]
    low, high = _limits(panel, [values for values, _ in moved])
    for (one, line), (values, levels) in zip(panel.lines, moved, strict=True):
        look = _look(*_place(history, one))
        when = np.array([run.when.timestamp() / DAY for run in line.runs])
        _dots(axes, when, values, (low, high), look)
        for (begin, end), level in zip(line.segments, levels, strict=True):
            axes.plot(when[[begin, end - 1]], [level, level], color=look["color"], linewidth=2, solid_capstyle="butt")
        for change, level in zip(line.changes, levels[1:], strict=True):
            _label(axes, float(when[change.index]), level, change.ratio, panel.kind, level > (low + high) / 2)
    axes.set_ylim(low, high)
    axes.set_title(panel.title, fontsize=8.5)
    axes.grid(axis="y")
    digits = 1 if high - low < 4 else 0
    axes.yaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:+.{digits}f} %" if value else "0 %"))
    locator = AutoDateLocator(minticks=2, maxticks=4)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))


def _moved(line: Timeline) -> tuple[NDArray[np.float64], list[float]]:
    """Give values and levels in per cent against the first level that is above zero."""
    base = next((level for level in line.levels if level), 1.0)
    return (np.array(line.values) / base - 1) * 100, [(level / base - 1) * 100 for level in line.levels]


def _limits(panel: Panel, moved: Iterable[NDArray[np.float64]]) -> tuple[float, float]:
    """Show all levels and all but the most distant twentieth of the runs."""
    ends = [np.quantile(values, [0.025, 0.975]) for values in moved]
    levels = [level for _, line in panel.lines for level in _moved(line)[1]]
    low, high = min([*(end[0] for end in ends), *levels]), max([*(end[1] for end in ends), *levels])
    least = SPAN[panel.kind]
    room = 0.22 * max(high - low, least)
    return float(min(low - room, -least)), float(max(high + room, least))


def _dots(
    axes: Axes,
    when: NDArray[np.float64],
    values: NDArray[np.float64],
    limits: tuple[float, float],
    look: dict[str, Any],
) -> None:
    low, high = limits
    inside = (values >= low) & (values <= high)
    if len(when) > DOTS:
        axes.plot(when, np.clip(values, low, high), color=look["color"], linewidth=0.5, alpha=0.55)
    else:
        axes.plot(when[inside], values[inside], **{**look, "linestyle": "", "alpha": 0.7})
    for beyond, edge, marker in ((values > high, high, "^"), (values < low, low, "v")):
        if len(when) <= DOTS and beyond.any():
            axes.plot(
                when[beyond],
                np.full(beyond.sum(), edge),
                **{**look, "linestyle": "", "marker": marker, "clip_on": False, "markersize": 4},
            )


def _label(axes: Axes, x: float, y: float, ratio: float, kind: str, above: bool) -> None:
    axes.annotate(
        lines.growth(kind, ratio),
        (x, y),
        xytext=(-2, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=8,
        fontweight="bold",
        color=looks.INK,
    )


def _words(history: History, panel: Panel) -> str:
    said = []
    for one, line in panel.lines:
        unit = lines.UNITS[line.kind]
        changes = [
            f"{lines.growth(line.kind, change.ratio)} from {line.runs[change.index].when.date()}"
            for change in line.changes
        ]
        said.append(f"{lines.label(history, one)} {unit(line.latest)}, {', '.join(changes) or 'no change'}")
    return f"{panel.title}: {'; '.join(said)}."
