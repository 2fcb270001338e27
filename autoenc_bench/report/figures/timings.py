"""How long cases take: every round of every case, what the fused trainer gains, and what a first call costs."""

from collections.abc import Iterator
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator

from autoenc_bench import text
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing

Times = np.ndarray[tuple[int], np.dtype[np.float64]]

PER_ROW = ("data", "epoch", "encode", "decode", "reconstruct", "score")  # phases whose rounds differ in rows
MOST = 60  # cases in one figure of a record that says nothing about them


def rounds(benchmark: Benchmark) -> list[float]:
    """List the seconds of each round; where a record kept none of them, the smallest and the median."""
    return benchmark.stats.data or sorted({benchmark.stats.min, benchmark.stats.median})


def phases(source: Source) -> Iterator[Drawing]:
    """Draw every round of every case, one panel per phase and one row per experiment."""
    names = list(dict.fromkeys(case.experiment for _, case in source.cases))
    panels: dict[str, list[tuple[Benchmark, Case]]] = {}
    for benchmark, case in source.cases:
        panels.setdefault(case.phase, []).append((benchmark, case))
    if not panels:
        return
    deep = -(-len(panels) // 3)
    figure = style.blank(
        "Every round of every case", source.setting, width=9.6, height=1.2 + deep * (0.75 + 0.165 * len(names))
    )
    grid = figure.subplots(deep, 3, squeeze=False, sharey=True)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    said = [_draw_phase(axes, *panel, names) for axes, panel in zip(grid.flat, panels.items(), strict=False)]
    for axes in grid[:, 0]:
        axes.set_yticks(range(len(names)), [style.plain(name, 24) for name in names])
    grid[0, 0].set_ylim(len(names) - 0.4, -0.6)
    yield Drawing(
        "time-per-case",
        "Time per case, with its rounds",
        f"Strips of timed rounds for {len(source.cases)} cases, a panel per phase. {' '.join(said)}",
        figure,
        "One mark is one round, so the width of a cluster is the spread of its rounds; the thin line joins the "
        "fastest and the slowest. Where rounds of one phase differ in their number of rows, the time is that per row.",
    )


def _draw_phase(axes: Axes, phase: str, timed: list[tuple[Benchmark, Case]], names: list[str]) -> str:
    per_row = phase in PER_ROW
    kinds = list(dict.fromkeys(_kind(case) for _, case in timed))
    medians: dict[str | None, list[float]] = {kind: [] for kind in kinds}
    for benchmark, case in timed:
        kind, divisor = _kind(case), case.rows if per_row else 1
        values = np.array(rounds(benchmark)) / divisor
        shift = 0.0 if len(kinds) == 1 else (kinds.index(kind) / (len(kinds) - 1) - 0.5) * 0.42
        _strip(axes, values, names.index(case.experiment) + shift, kind, style.colour(case.experiment))
        medians[kind].append(benchmark.stats.median / divisor)
    _log_time(axes, "x")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.set_title(style.plain(phase.replace("_", " "), 30) + (", time per row" if per_row else ""))
    axes.set_xlabel("   ".join(f"{style.sign(kind)} {style.plain(kind, 16)}" for kind in kinds if kind), fontsize=8.5)
    ranges = ", ".join(
        f"{kind or 'medians'} {text.seconds(min(values))} to {text.seconds(max(values))}"
        for kind, values in medians.items()
    )
    return f"{phase.replace('_', ' ')}{' per row' if per_row else ''}: {ranges}."


def _kind(case: Case) -> str | None:
    return case.trainer or case.batch


def _strip(axes: Axes, values: Times, y: float, kind: str | None, colour: str) -> None:
    axes.plot([values.min(), values.max()], [y, y], color=colour, linewidth=0.9, zorder=1)
    axes.plot(values, np.full(len(values), y), linestyle="", alpha=0.75, **style.mark(kind, colour, 4.2))


def _log_time(axes: Axes, which: str) -> None:
    """Let an axis be logarithmic in seconds, with labels at decades, or closer where it spans less than two."""
    axes.set(**{f"{which}scale": "log"})
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    decades = np.log10(high / low)
    steps = (1.0, 2.0, 5.0) if decades < 1.7 else (1.0, 3.0) if decades < 2.5 else (1.0,)
    axis.set_major_locator(LogLocator(subs=steps, numticks=12) if decades > 0.5 else MaxNLocator(4))
    axis.set_major_formatter(style.time_axis())
    axis.set_minor_locator(NullLocator())


def bare(source: Source) -> Iterator[Drawing]:
    """Draw the rounds of the benchmarks in a record by plain pytest-benchmark, the slowest first."""
    slowest = sorted(source.record.benchmarks, key=lambda benchmark: -benchmark.stats.median)
    shown = slowest[:MOST]
    figure = style.blank("Every round of every benchmark", source.setting, height=1.4 + 0.2 * len(shown))
    axes = figure.subplots()
    for row, benchmark in enumerate(shown):
        _strip(axes, np.array(rounds(benchmark)), row, None, style.OTHERS[0])
    axes.set_yticks(range(len(shown)), [style.plain(benchmark.name, 44) for benchmark in shown])
    axes.set(ylim=(len(shown) - 0.4, -0.6), xlabel="seconds per call")
    _log_time(axes, "x")
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    first, last = slowest[0], slowest[-1]
    yield Drawing(
        "time-per-case",
        "Time per benchmark, with its rounds",
        f"Strips of timed rounds for {len(shown)} benchmarks, from {first.name} with a median of "
        f"{text.seconds(first.stats.median)} to {last.name} with {text.seconds(last.stats.median)}.",
        figure,
        "One mark is one round; the thin line joins the fastest and the slowest."
        + (f" The {MOST} slowest of {len(slowest)} benchmarks." if len(slowest) > MOST else ""),
    )


def speed_up(source: Source) -> Iterator[Drawing]:
    """Draw how many times as many rows per second the fused trainer takes as fit does."""
    pairs = _pairs(source, "epoch")
    if not pairs:
        return
    found = {name: _ratio(*pair) for name, pair in pairs.items()}
    figure = style.blank("How much faster the fused trainer is", source.setting, height=1.5 + 0.24 * len(found))
    axes = figure.subplots()
    for row, (name, (low, middle, high)) in enumerate(found.items()):
        colour = style.colour(name)
        axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
        axes.plot([middle], [row], linestyle="", **style.mark("fused", colour, 6))
        _right_of(axes, high, row, f"{middle:.3g} ×")
    axes.axvline(1, color=style.MUTED, linewidth=1)
    _rows(axes, list(found))
    axes.set(xscale="log", xlabel="rows per second of fused ÷ rows per second of fit")
    _ratio_ticks(axes)
    wholes = source.wholes()
    wholes = source.wholes()
    sliced = [name for name in pairs if name in wholes and _epoch_rows(pairs[name][0]) < _epoch_rows(wholes[name])]
    yield Drawing(
        "speed-up",
        "Speed-up of fused over fit",
        "Speed-up of the fused trainer over fit in a steady epoch, with the range that the rounds allow: "
        + "; ".join(f"{name} {middle:.3g} ({low:.3g} to {high:.3g})" for name, (low, middle, high) in found.items())
        + ".",
        figure,
        "A mark compares the medians; its line runs from the slowest fused round over the fastest of fit to the "
        "opposite."
        + (
            f" In {len(sliced)} of {len(pairs)} experiments a round of fit is a slice of an epoch, and its set-up per "
            "call, about 0.1 s of a round of about 1 s, is counted: the speed-up over a long fit is a sixth smaller."
            if sliced
            else ""
        ),
    )


Timed = tuple[Benchmark, Case]


def _epoch_rows(timed: Timed) -> float:
    return timed[1].rows / (timed[1].epochs or 1)


def _pairs(source: Source, phase: str) -> dict[str, tuple[Timed, Timed]]:
    """Give each experiment that both trainers ran its two cases, fit's first."""
    found: dict[tuple[str, str | None], Timed] = {}
    for benchmark, case in source.cases:
        if case.phase == phase:
            found.setdefault((case.experiment, case.trainer), (benchmark, case))
    names = dict.fromkeys(name for name, _ in found)
    return {
        name: (found[name, "fit"], found[name, "fused"])
        for name in names
        if (name, "fit") in found and (name, "fused") in found
    }


def _ratio(fit: Timed, fused: Timed) -> tuple[float, float, float]:
    slow, fast = (np.array(rounds(benchmark)) / case.rows for benchmark, case in (fit, fused))
    middle = fit[0].stats.median / fit[1].rows / (fused[0].stats.median / fused[1].rows)
    return float(slow.min() / fast.max()), middle, float(slow.max() / fast.min())


def _ratio_ticks(axes: Axes) -> None:
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.12)
    axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=12))
    axes.xaxis.set_major_formatter(style.number_axis())
    axes.xaxis.set_minor_locator(NullLocator())
    axes.grid(axis="x")


def _rows(axes: Axes, names: list[str]) -> None:
    axes.set_yticks(range(len(names)), [style.plain(name, 24) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)


def _right_of(axes: Axes, x: float, y: float, text: str) -> None:
    axes.annotate(text, (x, y), xytext=(7, 0), textcoords="offset points", va="center", fontsize=8.5)


def first_calls(source: Source) -> Iterator[Drawing]:
    """Draw the first call, which traces and compiles, against the steady rounds of the same work."""
    steady = {(case.experiment, case.trainer): found for found in source.cases if (case := found[1]).phase == "epoch"}
    firsts = {
        (case.experiment, case.trainer): found for found in source.cases if (case := found[1]).phase == "first_call"
    }
    both = [key for key in firsts if key in steady and firsts[key][1].rows == steady[key][1].rows]
    if not both:
        return
    names, trainers = list(dict.fromkeys(name for name, _ in both)), list(dict.fromkeys(trainer for _, trainer in both))
    figure = style.blank("What the first call costs", source.setting, width=7.2, height=1.75 + 0.24 * len(names))
    panels = figure.subplots(1, len(trainers), sharey=True, sharex=True, squeeze=False)[0]
    said = []
    for axes, trainer in zip(panels, trainers, strict=True):
        extra = {}
        for name in [name for name, of in both if of == trainer]:
            first, usual = firsts[name, trainer][0].stats.median, steady[name, trainer][0].stats.median
            extra[name] = first - usual
            _dumbbell(axes, usual, first, names.index(name), trainer, style.colour(name))
        axes.set_title(f"{style.plain(trainer)}: + {text.seconds(median(extra.values()))} (median)")
        axes.set_xlabel("seconds of one round")
        said.append(f"{trainer} " + ", ".join(f"{name} {value:+.2g} s" for name, value in extra.items()) + ".")
    for axes in panels:
        _log_time(axes, "x")
        axes.grid(axis="x")
        _rows(axes, names)
    yield Drawing(
        "first-call",
        "First call against steady state",
        f"Seconds of the first call of training beyond those of a steady round of the same work: {' '.join(said)}",
        figure,
        "The mark is a steady round, the bar's end the first one: tracing and compiling lie between.",
    )


def _dumbbell(axes: Axes, usual: float, first: float, row: int, trainer: str | None, colour: str) -> None:
    axes.plot([usual, first], [row, row], color=colour, linewidth=2.2, alpha=0.55)
    axes.plot([first], [row], "|", color=colour, markersize=9, markeredgewidth=2.2)
    axes.plot([usual], [row], linestyle="", **style.mark(trainer, colour, 6))
