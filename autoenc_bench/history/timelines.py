"""How results moved over time: a figure per experiment, a panel per case, a lane per machine.

In these figures alone a colour is a machine, for an experiment has a figure of its own.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure

from autoenc_bench.formatting import cell, count
from autoenc_bench.history import History, tables
from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.runs import CaseName
from autoenc_bench.history.series import Series, Timeline, latest
from autoenc_bench.records.loading import bracketed
from autoenc_bench.report.figures import layout, style

MOST = 24  # panels in one figure
ENOUGH = 96  # panels of benchmarks that are no experiment's: somebody may have a thousand
ACROSS = 3
DOTS = 60  # runs of one series that are drawn one by one; more are a line
LEAST = {"time": 4.0, "efficiency": 4.0, "error": 0.4, "memory": 4.0}  # per cent that a lane shows at least, each way
STEPS = [size * 10.0**power for power in range(-1, 12) for size in (1, 2, 3, 4, 5, 6, 8)]  # per cent between ticks
ALONE = ("efficiency", "memory")  # drawn where they changed: efficiency is mostly time upside down, memory a flat line
DAY = 86_400


class RelativeTimeline:
    """A timeline, its dates in days, and its values and levels in per cent against its first level above zero."""

    def __init__(self, timeline: Timeline) -> None:
        base = next((level for level in timeline.levels if level), 1.0)
        self.timeline = timeline
        self.days = np.array([run.when.timestamp() / DAY for run in timeline.runs])
        self.values, self.levels = ((np.array(part) / base - 1) * 100 for part in (timeline.values, timeline.levels))


@dataclass(frozen=True)
class Lane:
    """What one machine did in a panel: a timeline for each of its contexts, oldest first."""

    letter: str
    colour: str
    timelines: list[RelativeTimeline]

    @property
    def limits(self) -> tuple[float, float]:
        """Return the lowest and the highest that must be seen: all levels, and all runs but outliers."""
        values = np.concatenate([relative.values for relative in self.timelines])
        distances = np.abs(values - np.median(values))
        usual = values[distances <= 5 * np.quantile(distances, 0.8)]
        seen = np.concatenate([usual, *(relative.levels for relative in self.timelines)])
        return float(seen.min()), float(seen.max())


@dataclass(frozen=True)
class Panel:
    """A case's timelines of one kind, each with its series."""

    title: str
    kind: str
    timelines: list[tuple[Series, Timeline]]

    @property
    def changed(self) -> bool:
        return any(timeline.changes for _, timeline in self.timelines)

    def lanes(self, machines: Iterable[KnownMachine]) -> list[Lane]:
        lanes = []
        for place, machine in enumerate(machines):
            own = [line for one, line in self.timelines if one.machine.key == machine.identity.key]
            lanes += [Lane(machine.letter, style.other(place), [*map(RelativeTimeline, own)])] if own else []
        return lanes


def draw(history: History) -> Iterator[tuple[str, style.Drawing]]:
    """Draw the timelines of at least two runs, as pairs (chapter, drawing), within ``style.style()``."""
    for scale, group in tables.by_scale(history):
        experiments: dict[str | None, list[Series]] = {}
        for one in group:
            experiments.setdefault(one.case.experiment, []).append(one)
        for experiment, series in experiments.items():
            subject, every = style.plain(experiment) if experiment else "other benchmarks", list(panels(series))
            title = f"How {subject} moved" + (f", scale {style.plain(scale)}" if scale else "")
            if len(every) > ENOUGH and not experiment:
                title += f": {ENOUGH} of {len(every):,} panels, changes first"
                every = sorted(every, key=lambda panel: not panel.changed)[:ENOUGH]
            for part, begin in enumerate(range(0, len(every), MOST), start=1):
                name = "-".join(filter(None, [experiment or "others", scale, str(part) if part > 1 else None]))
                yield "Timelines", _figure(history, name, title, every[begin : begin + MOST])


def panels(series: Iterable[Series]) -> Iterator[Panel]:
    """Make the panels of an experiment, of what has at least two runs: times, then errors, then what changed."""
    by_kind: dict[tuple[str, CaseName], Panel] = {}
    for one in series:
        for timeline in one.timelines:
            if len(timeline.runs) > 1:
                panel = Panel(f"{_short_name(one.case)}: {timeline.kind}", timeline.kind, [])
                by_kind.setdefault((timeline.kind, one.case), panel).timelines.append((one, timeline))
    for kind in ("time", "error", *ALONE):
        for panel in by_kind.values():
            if panel.kind == kind and (kind not in ALONE or panel.changed):
                yield panel


def _short_name(case: CaseName) -> str:
    """Return a case's name within its experiment's figure: its phase, trainer and seed."""
    variant = bracketed(case.name).removeprefix(case.experiment or "").removeprefix("-")
    named = case.experiment and "[" in case.name
    return style.plain(f"{case.name.partition('[')[0]} {variant}".strip() if named else case.name, 34)


def _figure(history: History, name: str, title: str, shown: list[Panel]) -> style.Drawing:
    lanes = [panel.lanes(history.machines) for panel in shown]
    down, across = -(-len(shown) // ACROSS), min(ACROSS, len(shown))
    height = 1.1 + (0.55 + max(0.8, 0.42 * max(map(len, lanes)))) * down
    setting = _setting(history, {lane.letter for panel in lanes for lane in panel})
    figure = style.blank(title, setting, width=3.2 * max(across, 1.5), height=height)
    _lay_out(figure, down, across)
    axes = layout.panels(figure, len(shown), across, sharex=True)
    for place, panel in enumerate(shown):
        _draw(axes[place], panel.title, lanes[place], LEAST[panel.kind])
        axes[place].tick_params(labelbottom=place + across >= len(shown), axis="x", labelsize=7.5)
    # Matplotlib ships no types for its dates. All panels share the axis.
    locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call] # Matplotlib's
    axes[0].xaxis.set_major_locator(locator)
    axes[0].xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call] # Matplotlib's
    lead = f"Change in per cent against each series' first level, over time, in {count(len(shown), 'panel')}."
    alternative = " ".join([lead, *(_in_words(history, panel) for panel in shown)])
    note = (
        "A lane is a machine, and 0 % in it the first level of each of its series. Dots or a thin line are runs, the "
        "thick line is the level that they belong to, a number in per cent a change, a dashed line another context and "
        "so another series. A run beyond its lane is an arrow at its edge. Efficiency and memory are drawn where they "
        "changed."
    )
    return style.Drawing(f"timelines-{name}", title, alternative, figure, note)


def _setting(history: History, letters: Collection[str]) -> str:
    drawn = [machine for machine in history.machines if machine.letter in letters]
    names = [(machine.letter, machine.name.partition(", ")) for machine in drawn]
    return " · ".join(
        f"{letter}: {style.plain(cpu, 50)}" + (f" ({style.plain(rest.replace(', ', '; '), 40)})" if rest else "")
        for letter, (cpu, _, rest) in names
    )


def _lay_out(figure: Figure, down: int, across: int) -> None:
    """Place panels by inches: a layout that is computed takes a third of the time of drawing so many of them."""
    lines = len(figure.get_supxlabel().splitlines())
    width, height = figure.get_size_inches()
    height += 0.14 * (lines - 1)
    figure.set_size_inches(width, height)
    below = 0.4 + 0.14 * lines
    figure.set_layout_engine(None)
    left = {"x": 0.1 / width, "ha": "left"}
    figure.suptitle(figure.get_suptitle(), **left, y=1 - 0.1 / height, va="top", fontsize=11, fontweight="bold")
    figure.supxlabel(figure.get_supxlabel(), **left, y=0.08 / height, va="bottom", fontsize=6.5, color=style.MUTED)
    wspace = 0.85 * across / (width - 0.9 - 0.85 * (across - 1))
    hspace = 0.42 * down / (height - below - 0.7 - 0.42 * (down - 1))
    margins = {"left": 0.6 / width, "right": 1 - 0.3 / width, "top": 1 - 0.7 / height, "bottom": below / height}
    figure.subplots_adjust(**margins, wspace=wspace, hspace=hspace)


def _draw(axes: Axes, title: str, lanes: list[Lane], least: float) -> None:
    """Draw lanes from the top down, all of one height."""
    low = min(-least, *(lane.limits[0] for lane in lanes))
    high = max(least, *(lane.limits[1] for lane in lanes))
    apart = 1.08 * (high - low)
    zeros = [-place * apart for place in range(len(lanes))]
    axes.set(ylim=(zeros[-1] + low - 0.06 * apart, high + 0.06 * apart), title=title)
    axes.title.set_fontsize(8.5)
    for lane, zero in zip(lanes, zeros, strict=True):
        for place, relative in enumerate(lane.timelines):
            _draw_timeline(axes, relative, lane.colour, zero, low, high)
            if place:
                axes.plot([relative.days[0]] * 2, [zero + low, zero + high], "--", color=style.MUTED, linewidth=0.8)
        axes.axhline(zero, color=style.GRID, linewidth=0.7, zorder=0)
        beside = axes.get_yaxis_transform()
        axes.text(1.015, zero, lane.letter, transform=beside, color=lane.colour, weight="bold", va="center")
    # In each lane 0 % has a tick, and one step to the side where it reaches further.
    far = high if high >= -low else low
    step = max(size for size in STEPS if size <= 0.85 * abs(far)) * (1 if far > 0 else -1)
    ticks = [zero + place for zero in zeros for place in (0.0, step)]
    axes.set_yticks(ticks, ["0 %", f"{step:+.12g} %"] * len(zeros), fontsize=7)


def _draw_timeline(axes: Axes, relative: RelativeTimeline, colour: str, zero: float, low: float, high: float) -> None:
    timeline, days, values = relative.timeline, relative.days, relative.values
    shape = "-" if len(days) > DOTS else "o"
    axes.plot(days, zero + np.clip(values, low, high), shape, color=colour, linewidth=0.6, markersize=2, alpha=0.6)
    for beyond, edge, marker in ((values > high, high, "^"), (values < low, low, "v")):
        if beyond.any():
            axes.plot(days[beyond], np.full(beyond.sum(), zero + edge), marker, color=colour, markersize=3.2)
    for (begin, end), level in zip(timeline.segments, relative.levels, strict=True):
        axes.plot(days[[begin, end - 1]], [zero + level] * 2, color=style.INK, linewidth=1.8)
    for change, level in zip(timeline.changes, relative.levels[1:], strict=True):
        growth, at = tables.growth(timeline.kind, change.ratio), (days[change.index], zero + level)
        layout.beside(axes, growth, at, (-3, 0), paper=0.6, fontsize=7.5, fontweight="bold", annotation_clip=False)


def _in_words(history: History, panel: Panel) -> str:
    phrases = []
    for one, timeline in panel.timelines:
        kind, days = timeline.kind, [run.when.date() for run in timeline.runs]
        changes = [f"{tables.growth(kind, one.ratio)} from {days[one.index]}" for one in timeline.changes]
        newest = cell(latest(timeline), tables.UNITS[kind]).text
        phrases.append(f"{history.label(one)} {newest}, {', '.join(changes) or 'no change'}")
    return f"{panel.title}: {'; '.join(phrases)}."
