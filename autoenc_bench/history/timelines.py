"""Figures of results over time: a figure per experiment, a panel per case, a lane per machine.

A colour is a machine here; in all other figures it is an experiment.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

from autoenc_bench.formatting import cell, count
from autoenc_bench.history import tables
from autoenc_bench.history.history import History
from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.runs import CaseName
from autoenc_bench.history.series import Series, Timeline, latest
from autoenc_bench.records.names import bracketed
from autoenc_bench.report.figures import layout, style

MOST_PANELS = 24  # in one figure
MOST_OTHER_PANELS = 96  # of benchmarks outside the experiments, because there may be thousands
PANELS_ACROSS = 3
MOST_DOTS = 60  # runs of a series with a dot each; more runs are drawn as a line
LEAST_RANGE = {"time": 4.0, "efficiency": 4.0, "error": 0.4, "memory": 4.0}  # per cent of a lane, up and down
TICKS = [size * 10.0**power for power in range(-1, 12) for size in (1, 2, 3, 4, 5, 6, 8)]  # per cent
# Drawn only if they changed: efficiency mostly mirrors time, and memory is mostly a flat line.
KINDS_IF_CHANGED = ("efficiency", "memory")
SECONDS_PER_DAY = 86_400
NOTE = (
    "A lane is a machine, and 0 % is the first level of each series in it. Dots, or a thin line, are runs. The thick "
    "line is their level, and a number in per cent is a change. A dashed line begins another context, and with it "
    "another series. An arrow at the edge of a lane is a run beyond it. Efficiency and memory are drawn only if they "
    "changed."
)


class RelativeTimeline:
    """A timeline with dates in days, and values and levels in per cent against its first level above zero."""

    def __init__(self, timeline: Timeline) -> None:
        base = next((level for level in timeline.levels if level), 1.0)
        self.timeline = timeline
        self.days = np.array([run.when.timestamp() / SECONDS_PER_DAY for run in timeline.runs])
        self.values, self.levels = ((np.array(part) / base - 1) * 100 for part in (timeline.values, timeline.levels))


@dataclass(frozen=True)
class Lane:
    """The timelines of one machine in a panel, one for each of its contexts, oldest first."""

    letter: str
    colour: str
    timelines: list[RelativeTimeline]

    @property
    def limits(self) -> tuple[float, float]:
        """Return the lowest and the highest value that must be visible: of all levels, and of all runs but outliers."""
        values = np.concatenate([relative.values for relative in self.timelines])
        distances = np.abs(values - np.median(values))
        usual = values[distances <= 5 * np.quantile(distances, 0.8)]
        visible = np.concatenate([usual, *(relative.levels for relative in self.timelines)])
        return float(visible.min()), float(visible.max())


@dataclass(frozen=True)
class Panel:
    """The timelines of a case of one kind, each with its series."""

    title: str
    kind: str
    timelines: list[tuple[Series, Timeline]]

    @property
    def changed(self) -> bool:
        return any(timeline.changes for _, timeline in self.timelines)

    def lanes(self, machines: Iterable[KnownMachine]) -> list[Lane]:
        lanes = []
        for place, machine in enumerate(machines):
            own = [timeline for series, timeline in self.timelines if series.machine is machine]
            lanes += [Lane(machine.letter, style.other(place), [*map(RelativeTimeline, own)])] if own else []
        return lanes


def draw(history: History) -> Iterator[tuple[str, style.Drawing]]:
    """Draw all timelines of at least two runs, as pairs (chapter, drawing). Call it within ``style.style()``."""
    for scale, group in tables.by_scale(history):
        experiments: dict[str | None, list[Series]] = {}
        for series in group:
            experiments.setdefault(series.case.experiment, []).append(series)
        for experiment, own in experiments.items():
            subject, shown = style.plain(experiment) if experiment else "other benchmarks", list(panels(own))
            title = f"How {subject} moved" + (f", scale {style.plain(scale)}" if scale else "")
            if len(shown) > MOST_OTHER_PANELS and not experiment:
                title += f": {MOST_OTHER_PANELS} of {len(shown):,} panels, changes first"
                shown = sorted(shown, key=lambda panel: not panel.changed)[:MOST_OTHER_PANELS]
            for part, begin in enumerate(range(0, len(shown), MOST_PANELS), start=1):
                name = "-".join(filter(None, [experiment or "others", scale, str(part) if part > 1 else None]))
                yield "Timelines", _figure(history, name, title, shown[begin : begin + MOST_PANELS])


def panels(all_series: Iterable[Series]) -> Iterator[Panel]:
    """Return the panels of an experiment with at least two runs: times, errors, then ``KINDS_IF_CHANGED``."""
    by_kind: dict[tuple[str, CaseName], Panel] = {}
    for series in all_series:
        for timeline in series.timelines:
            if len(timeline.runs) > 1:
                panel = Panel(f"{_short_name(series.case)}: {timeline.kind}", timeline.kind, [])
                by_kind.setdefault((timeline.kind, series.case), panel).timelines.append((series, timeline))
    for kind in ("time", "error", *KINDS_IF_CHANGED):
        for panel in by_kind.values():
            if panel.kind == kind and (kind not in KINDS_IF_CHANGED or panel.changed):
                yield panel


def _short_name(case: CaseName) -> str:
    """Return the name of a case in the figure of its experiment: phase, trainer and seed."""
    variant = bracketed(case.name).removeprefix(case.experiment or "").removeprefix("-")
    named = case.experiment and "[" in case.name
    return style.plain(f"{case.name.partition('[')[0]} {variant}".strip() if named else case.name, 34)


def _figure(history: History, name: str, title: str, shown: list[Panel]) -> style.Drawing:
    lanes = [panel.lanes(history.machines) for panel in shown]
    down, across = -(-len(shown) // PANELS_ACROSS), min(PANELS_ACROSS, len(shown))
    height = 1.1 + (0.55 + max(0.8, 0.42 * max(map(len, lanes)))) * down
    setting = _setting(history, {lane.letter for panel in lanes for lane in panel})
    figure = style.blank(title, setting, width=3.2 * max(across, 1.5), height=height)
    figure.set_figheight(height + 0.14 * figure.get_supxlabel().count("\n"))  # inches for each further line
    axes = layout.panels(figure, len(shown), across, sharex=True)
    for place, panel in enumerate(shown):
        _draw(axes[place], panel.title, lanes[place], LEAST_RANGE[panel.kind])
        axes[place].tick_params(labelbottom=place + across >= len(shown), axis="x", labelsize=7.5)
    locator = AutoDateLocator(minticks=2, maxticks=5)  # type: ignore[no-untyped-call] # Matplotlib has no types for dates
    axes[0].xaxis.set_major_locator(locator)  # all panels share the axis
    axes[0].xaxis.set_major_formatter(ConciseDateFormatter(locator, show_offset=False))  # type: ignore[no-untyped-call] # the same
    lead = f"Change in per cent against each series' first level, over time, in {count(len(shown), 'panel')}."
    alternative = " ".join([lead, *map(_in_words, shown)])
    return style.Drawing(f"timelines-{name}", title, alternative, figure, NOTE)


def _setting(history: History, letters: Collection[str]) -> str:
    drawn = [machine for machine in history.machines if machine.letter in letters]
    names = [(machine.letter, machine.name.partition(", ")) for machine in drawn]
    return " · ".join(
        f"{letter}: {style.plain(cpu, 50)}" + (f" ({style.plain(rest.replace(', ', '; '), 40)})" if rest else "")
        for letter, (cpu, _, rest) in names
    )


def _draw(axes: Axes, title: str, lanes: list[Lane], least: float) -> None:
    """Draw lanes of equal height from the top down."""
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
    # Each lane has a tick at 0 %, and another one on the side where it reaches further.
    far = high if high >= -low else low
    step = max(size for size in TICKS if size <= 0.85 * abs(far)) * (1 if far > 0 else -1)
    ticks = [zero + place for zero in zeros for place in (0.0, step)]
    axes.set_yticks(ticks, ["0 %", f"{step:+.12g} %"] * len(zeros), fontsize=7)


def _draw_timeline(axes: Axes, relative: RelativeTimeline, colour: str, zero: float, low: float, high: float) -> None:
    timeline, days, values = relative.timeline, relative.days, relative.values
    shape = "-" if len(days) > MOST_DOTS else "o"
    axes.plot(days, zero + np.clip(values, low, high), shape, color=colour, linewidth=0.6, markersize=2, alpha=0.6)
    for beyond, edge, marker in ((values > high, high, "^"), (values < low, low, "v")):
        if beyond.any():
            axes.plot(days[beyond], np.full(beyond.sum(), zero + edge), marker, color=colour, markersize=3.2)
    for (begin, end), level in zip(timeline.segments, relative.levels, strict=True):
        axes.plot(days[[begin, end - 1]], [zero + level] * 2, color=style.INK, linewidth=1.8)
    for change, level in zip(timeline.changes, relative.levels[1:], strict=True):
        growth, at = tables.growth(timeline.kind, change.ratio), (days[change.index], zero + level)
        layout.beside(axes, growth, at, (-3, 0), paper=0.6, fontsize=7.5, fontweight="bold", annotation_clip=False)


def _in_words(panel: Panel) -> str:
    phrases = []
    for series, timeline in panel.timelines:
        kind, days = timeline.kind, [run.when.date() for run in timeline.runs]
        changes = [f"{tables.growth(kind, change.ratio)} from {days[change.index]}" for change in timeline.changes]
        newest = cell(latest(timeline), tables.UNITS[kind]).text
        phrases.append(f"{series.label} {newest}, {', '.join(changes) or 'no change'}")
    return f"{panel.title}: {'; '.join(phrases)}."
