"""How results moved over time: a figure per experiment, a panel per case, a lane per machine.

In these figures alone a colour is a machine, for an experiment has a figure of its own.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from autoenc_bench.history import History, lines, tables
from autoenc_bench.history import panels as lanes
from autoenc_bench.history.panels import Lane, Moved, Panel
from autoenc_bench.history.series import Series
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing
from autoenc_bench.text import count

MOST = 24  # panels in one figure
ACROSS = 3
DOTS = 60  # runs of one series that are drawn one by one; more are a line
LEAST = {"time": 4.0, "efficiency": 4.0, "error": 0.4, "memory": 4.0}  # per cent that a lane shows at least, each way


STEPS = [size * 10.0**power for power in range(-1, 12) for size in (1, 2, 3, 4, 5, 6, 8)]  # per cent between ticks


def draw(history: History) -> Iterator[tuple[str, Drawing]]:
    """Draw the timelines of at least two runs, as pairs (chapter, drawing), within ``looks.style()``."""
    for scale, held in tables.scales(history):
        by_experiment: dict[str | None, list[Series]] = {}
        for one in held:
            by_experiment.setdefault(one.subject.experiment, []).append(one)
        for experiment, series in by_experiment.items():
            panels = list(lanes.panels(series))
            for part, begin in enumerate(range(0, len(panels), MOST)):
                name = "-".join(
                    [experiment or "others", *([scale] if scale else []), *([str(part + 1)] if part else [])]
                )
                yield "Timelines", _figure(history, name, experiment, scale, panels[begin : begin + MOST])


def _figure(history: History, name: str, experiment: str | None, scale: str | None, panels: list[Panel]) -> Drawing:
    of = style.plain(experiment) if experiment else "other benchmarks"
    title = f"How {of} moved" + (f", scale {style.plain(scale)}" if scale else "")
    most = max(len(panel.lanes(history.machines)) for panel in panels)
    deep, across = -(-len(panels) // ACROSS), min(ACROSS, len(panels))
    figure = style.blank(
        title, _setting(history), width=3.2 * max(across, 1.5), height=1.1 + (0.55 + max(0.8, 0.42 * most)) * deep
    )
    grid = _grid(figure, deep, across)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    for place, (axes, panel) in enumerate(zip(grid.flat, panels, strict=False)):
        _draw(axes, panel.title, panel.lanes(history.machines), LEAST[panel.kind])
        axes.tick_params(labelbottom=place + across >= len(panels), axis="x", labelsize=7.5)
    # Matplotlib ships no types for its dates. All panels share the axis.
    locator = AutoDateLocator(minticks=2, maxticks=4)  # type: ignore[no-untyped-call]
    grid[0, 0].xaxis.set_major_locator(locator)
    grid[0, 0].xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call]
    return Drawing(
        f"timelines-{name}",
        title,
        f"Change in per cent against each series' first level, over time, in {count(len(panels), 'panel')}. "
        + " ".join(_words(history, panel) for panel in panels),
        figure,
        "A lane is a machine, and 0 % in it the first level of each of its series. Dots or a thin line are runs, the "
        "thick line is the level that they belong to, a number in per cent a change, a dashed line another context and "
        "so another series. A run beyond its lane is an arrow at its edge. Efficiency and memory are drawn where they "
        "changed.",
    )


def _setting(history: History) -> str:
    """Say what each letter stands for."""
    named = [(machine.letter, machine.host.name.partition(", ")) for machine in history.machines]
    return " · ".join(
        f"{letter}: {style.plain(cpu, 50)}" + (f" ({style.plain(rest.replace(', ', '; '), 40)})" if rest else "")
        for letter, (cpu, _, rest) in named
    )


def _grid(figure: Figure, deep: int, across: int) -> Any:
    """Lay panels out by inches: a layout that is computed takes a third of the time of drawing so many of them."""
    width, height = figure.get_size_inches()
    below = 0.4 + 0.14 * len(figure.get_supxlabel().splitlines())
    figure.set_layout_engine(None)
    left = {"x": 0.1 / width, "ha": "left"}
    figure.suptitle(figure.get_suptitle(), **left, y=1 - 0.1 / height, va="top", fontsize=11, fontweight="bold")
    figure.supxlabel(figure.get_supxlabel(), **left, y=0.08 / height, va="bottom", fontsize=6.5, color=style.MUTED)
    panel = (width - 0.9 - 0.85 * (across - 1)) / across
    tall = (height - below - 0.7 - 0.42 * (deep - 1)) / deep
    figure.subplots_adjust(
        left=0.6 / width,
        right=1 - 0.3 / width,
        top=1 - 0.7 / height,
        bottom=below / height,
        wspace=0.85 / panel,
        hspace=0.42 / tall,
    )
    return figure.subplots(deep, across, squeeze=False, sharex=True)


def _draw(axes: Axes, title: str, held: list[Lane], least: float) -> None:
    """Draw lanes from the top down, all of one height."""
    low = min(-least, *(lane.ends[0] for lane in held))
    high = max(least, *(lane.ends[1] for lane in held))
    apart = 1.08 * (high - low)
    zeros = [-place * apart for place in range(len(held))]
    axes.set(ylim=(zeros[-1] + low - 0.06 * apart, high + 0.06 * apart), title=title)
    axes.title.set_fontsize(8.5)
    for lane, zero in zip(held, zeros, strict=True):
        for order, moved in enumerate(lane.moved):
            _draw_series(axes, moved, lane.colour, zero, (low, high))
            if order:
                axes.plot([moved.when[0]] * 2, [zero + low, zero + high], "--", color=style.MUTED, linewidth=0.8)
        axes.axhline(zero, color=style.GRID, linewidth=0.7, zorder=0)
        axes.text(
            1.015,
            zero,
            lane.letter,
            transform=axes.get_yaxis_transform(),
            color=lane.colour,
            weight="bold",
            va="center",
        )
    _ticks(axes, zeros, low, high)


def _ticks(axes: Axes, zeros: list[float], low: float, high: float) -> None:
    """Mark in each lane 0 % and one step to the side where it reaches further."""
    far = high if high >= -low else low
    step = max(size for size in STEPS if size <= 0.85 * abs(far)) * (1 if far > 0 else -1)
    axes.set_yticks([zero + place for zero in zeros for place in (0.0, step)])
    axes.set_yticklabels(["0 %", f"{step:+.12g} %"] * len(zeros), fontsize=7)


def _draw_series(axes: Axes, moved: Moved, colour: str, zero: float, limits: tuple[float, float]) -> None:
    runs = "-" if len(moved.when) > DOTS else "o"
    axes.plot(
        moved.when, zero + np.clip(moved.values, *limits), runs, color=colour, linewidth=0.6, markersize=2, alpha=0.6
    )
    for beyond, edge, marker in (
        (moved.values > limits[1], limits[1], "^"),
        (moved.values < limits[0], limits[0], "v"),
    ):
        if beyond.any():
            axes.plot(moved.when[beyond], np.full(beyond.sum(), zero + edge), marker, color=colour, markersize=3.2)
    for (begin, end), level in zip(moved.line.segments, moved.levels, strict=True):
        axes.plot(moved.when[[begin, end - 1]], [zero + level] * 2, color=style.INK, linewidth=1.8)
    for change, level in zip(moved.line.changes, moved.levels[1:], strict=True):
        _label(axes, float(moved.when[change.index]), zero + level, lines.growth(moved.line.kind, change.ratio))


def _label(axes: Axes, x: float, y: float, text: str) -> None:
    """Write a change before the first run that shows it, on paper of its own."""
    axes.annotate(
        text,
        (x, y),
        xytext=(-3, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7.5,
        fontweight="bold",
        bbox={"facecolor": style.PAPER, "edgecolor": "none", "pad": 0.6},
        annotation_clip=False,
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
