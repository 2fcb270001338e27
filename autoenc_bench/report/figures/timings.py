"""How long cases take: every round of every case, what the fused trainer gains, and what a first call costs."""

from collections.abc import Iterator
from statistics import median

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from autoenc_bench.formatting import seconds
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark
from autoenc_bench.report.figures import layout, style

Timed = tuple[Benchmark, Case]

# phases whose rounds differ in rows
PER_ROW = ("data", "epoch", "untouched_fit", "encode", "decode", "reconstruct", "score")
DENSE = 400  # rounds in one strip; of more, as many are drawn that lie as they do
MOST = 60  # cases in one figure of a record that says nothing about them


def phases(source: Source) -> Iterator[style.Drawing]:
    """Draw every round of every case, one panel per phase and one row per experiment."""
    names = list(dict.fromkeys(case.experiment for _, case in source.cases))
    by_phase: dict[str, list[Timed]] = {}
    for benchmark, case in source.cases:
        by_phase.setdefault(case.phase, []).append((benchmark, case))
    height = 1.2 + -(-len(by_phase) // 3) * (0.75 + 0.165 * len(names))
    figure = style.blank("Every round of every case", source.setting, width=9.6, height=height)
    panels = layout.panels(figure, len(by_phase), 3, sharey=True)
    sentences = [_draw_phase(axes, *phase, names) for axes, phase in zip(panels, by_phase.items(), strict=True)]
    note = (
        "One mark is one round, so the width of a cluster is the spread of its rounds; the thin line joins the "
        "fastest and the slowest. Where rounds of one phase differ in their number of rows, the time is that per row."
    )
    alternative = f"Strips of timed rounds for {len(source.cases)} cases, a panel per phase. {' '.join(sentences)}"
    yield style.Drawing("time-per-case", "Time per case, with its rounds", alternative, figure, note)


def _draw_phase(axes: Axes, phase: str, timed: list[Timed], names: list[str]) -> str:
    per_row, shown = phase in PER_ROW, phase.replace("_", " ")
    kinds = list(dict.fromkeys(case.trainer or case.batch for _, case in timed))
    medians: dict[str | None, list[float]] = {kind: [] for kind in kinds}
    for benchmark, case in timed:
        kind, divisor = case.trainer or case.batch, case.rows if per_row else 1
        row = names.index(case.experiment) + layout.offset(kinds.index(kind), len(kinds), 0.42)
        _strip(axes, np.array(benchmark.stats.times) / divisor, row, kind, style.colour(case.experiment))
        medians[kind].append(benchmark.stats.median / divisor)
    layout.log_seconds(axes)
    layout.rows(axes, names)
    axes.set_title(style.plain(shown, 30) + (", time per row" if per_row else ""))
    axes.set_xlabel(layout.key(filter(None, kinds)), fontsize=8.5)
    ranges = [f"{kind or 'medians'} {seconds(min(times))} to {seconds(max(times))}" for kind, times in medians.items()]
    return f"{shown}{' per row' if per_row else ''}: {', '.join(ranges)}."


def _strip(axes: Axes, times: NDArray[np.float64], y: float, kind: str | None, colour: str) -> None:
    if len(times) > DENSE:
        times = np.quantile(times, np.linspace(0, 1, DENSE), method="nearest")
    axes.plot([times.min(), times.max()], [y, y], color=colour, linewidth=0.9, zorder=1)
    layout.points(axes, times, np.full(len(times), y), kind, colour, 4.2, alpha=0.75)


def bare(source: Source) -> Iterator[style.Drawing]:
    """Draw the rounds of the benchmarks in a record by plain pytest-benchmark, the slowest first."""
    labelled = zip(source.labels, source.record.benchmarks, strict=True)
    slowest = sorted(labelled, key=lambda one: -one[1].stats.median)
    shown = slowest[:MOST]
    figure = style.blank("Every round of every benchmark", source.setting, height=1.4 + 0.2 * len(shown))
    axes = figure.subplots()
    for row, (_, benchmark) in enumerate(shown):
        _strip(axes, np.array(benchmark.stats.times), row, None, style.other(0))
    layout.rows(axes, [label for label, _ in shown], 44)
    layout.log_seconds(axes)
    axes.set_xlabel("seconds per call")
    (first, slow), (last, fast) = slowest[0], slowest[-1]
    alternative = (
        f"Strips of timed rounds for {len(shown)} benchmarks, from {first} with a median of "
        f"{seconds(slow.stats.median)} to {last} with {seconds(fast.stats.median)}."
    )
    note = "One mark is one round; the thin line joins the fastest and the slowest."
    note += f" The {MOST} slowest of {len(slowest)} benchmarks." if len(slowest) > MOST else ""
    yield style.Drawing("time-per-case", "Time per benchmark, with its rounds", alternative, figure, note)


def speed_up(source: Source) -> Iterator[style.Drawing]:
    """Draw how many times as many rows per second the fused trainer takes as fit does."""
    epochs = by_trainer(source, "epoch")
    names = [name for name, trainer in epochs if trainer == "fused" and (name, "fit") in epochs]
    if not names:
        return
    ratios = {name: _ratio(epochs[name, "fit"], epochs[name, "fused"]) for name in names}
    figure = style.blank("How much faster the fused trainer is", source.setting, height=1.5 + 0.24 * len(ratios))
    axes = figure.subplots()
    for row, (name, (low, middle, high)) in enumerate(ratios.items()):
        colour = style.colour(name)
        axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
        layout.points(axes, middle, row, "fused", colour, 6)
        layout.beside(axes, f"{middle:.3g} ×", (high, row), (7, 0))
    axes.axvline(1, color=style.MUTED, linewidth=1)
    layout.rows(axes, names)
    axes.set(xscale="log", xlabel="rows per second of fused ÷ rows per second of fit")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.12)
    layout.log_ticks(axes.xaxis, (1.0, 2.0, 5.0), "{:g}".format)
    ranges = [f"{name} {middle:.3g} ({low:.3g} to {high:.3g})" for name, (low, middle, high) in ratios.items()]
    yield style.Drawing(
        "speed-up",
        "Speed-up of fused over fit",
        "Speed-up of the fused trainer over fit in a steady epoch, with the range that the rounds allow: "
        f"{'; '.join(ranges)}.",
        figure,
        "A mark compares the medians; its line runs from the slowest fused round over the fastest of fit to the "
        "opposite. Both are steady epochs, validation included; fit's set-up of each call and epoch is in neither.",
    )


def by_trainer(source: Source, phase: str) -> dict[tuple[str, str | None], Timed]:
    """Return the cases of a phase by experiment and trainer, of several seeds the last."""
    return {(case.experiment, case.trainer): (entry, case) for entry, case in source.cases if case.phase == phase}


def _ratio(fit: Timed, fused: Timed) -> tuple[float, float, float]:
    slow, fast = (np.array(benchmark.stats.times) / case.rows for benchmark, case in (fit, fused))
    middle = fit[0].stats.median / fit[1].rows / (fused[0].stats.median / fused[1].rows)
    return float(slow.min() / fast.max()), middle, float(slow.max() / fast.min())


def first_calls(source: Source) -> Iterator[style.Drawing]:
    """Draw the first call, which traces and compiles, against the steady rounds of the same work."""
    steady, firsts = by_trainer(source, "epoch"), by_trainer(source, "first_call")
    both = [key for key in firsts if key in steady and firsts[key][1].rows == steady[key][1].rows]
    if not both:
        return
    names, trainers = (list(dict.fromkeys(part)) for part in zip(*both, strict=True))
    figure = style.blank("What the first call costs", source.setting, width=7.2, height=1.75 + 0.24 * len(names))
    panels = layout.panels(figure, len(trainers), len(trainers), sharey=True, sharex=True)
    sentences = ["Seconds of the first call of training beyond those of a steady round of the same work:"]
    for axes, trainer in zip(panels, trainers, strict=True):
        extra = {}
        for name in [name for name, of in both if of == trainer]:
            first, usual = firsts[name, trainer][0].stats.median, steady[name, trainer][0].stats.median
            extra[name] = first - usual
            row, colour = names.index(name), style.colour(name)
            axes.plot([usual, first], [row, row], color=colour, linewidth=2.2, alpha=0.55)
            axes.plot([first], [row], "|", color=colour, markersize=9, markeredgewidth=2.2)
            layout.points(axes, usual, row, trainer, colour, 6)
        axes.set_title(f"{style.plain(trainer)}: + {seconds(median(extra.values()))} (median)")
        axes.set_xlabel("seconds of one round")
        sentences.append(f"{trainer} " + ", ".join(f"{name} {value:+.2g} s" for name, value in extra.items()) + ".")
    for axes in panels:
        layout.log_seconds(axes)
        layout.rows(axes, names)
    note = "The mark is a steady round, the bar's end the first one: tracing and compiling lie between."
    yield style.Drawing("first-call", "First call against steady state", " ".join(sentences), figure, note)
