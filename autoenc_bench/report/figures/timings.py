"""How long cases take: every round of every case, what the fused trainer gains, and what a first call costs."""

from collections.abc import Sequence
from statistics import median

import numpy as np
from matplotlib.axes import Axes

from autoenc_bench.formatting import seconds
from autoenc_bench.report.cases import TimedCase
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.view import Section

# phases whose rounds differ in rows
PER_ROW = ("data", "epoch", "untouched_fit", "encode", "decode", "reconstruct", "score")
DENSE = 400  # rounds in one strip; of more, as many are drawn that lie as they do
MOST_BENCHMARKS = 60  # in one figure of a record that says nothing about them


def phases(section: Section) -> style.Drawing:
    """Draw every round of every case, one panel per phase and one row per experiment."""
    cases = section.experiments
    names = list(dict.fromkeys(timed.case.experiment for timed in cases))
    by_phase = {
        phase: [timed for timed in cases if timed.case.phase == phase]
        for phase in list(dict.fromkeys(timed.case.phase for timed in cases))
    }
    height = 1.2 + -(-len(by_phase) // 3) * (0.75 + 0.165 * len(names))
    title = "Every round of every case"
    figure, panels = layout.row_panels(title, section.setting, by_phase, names, 3, width=9.6, height=height)
    sentences = [_draw_phase(axes, *phase, names) for axes, phase in zip(panels, by_phase.items(), strict=True)]
    note = (
        "One mark is one round, so the width of a cluster is the spread of its rounds; the thin line joins the "
        "fastest and the slowest. Where rounds of one phase differ in their number of rows, the time is that per row."
    )
    alternative = f"Strips of timed rounds for {len(cases)} cases, a panel per phase. {' '.join(sentences)}"
    return style.Drawing("time-per-case", "Time per case, with its rounds", alternative, figure, note)


def _draw_phase(axes: Axes, phase: str, cases: list[TimedCase], names: Sequence[str]) -> str:
    per_row, shown = phase in PER_ROW, phase.replace("_", " ")
    medians: dict[str | None, list[float]] = {timed.kind: [] for timed in cases}
    kinds = list(medians)
    for timed in cases:
        rows = timed.case.rows if per_row else 1
        row = names.index(timed.case.experiment) + layout.offset(kinds.index(timed.kind), len(kinds), 0.42)
        _strip(axes, timed, row, style.colour(timed.case.experiment), rows)
        medians[timed.kind].append(timed.median / rows)
    layout.log_seconds(axes)
    axes.set_title(style.plain(shown, 30) + (", time per row" if per_row else ""))
    axes.set_xlabel(layout.key(filter(None, kinds)), fontsize=8.5)
    ranges = [f"{kind or 'medians'} {seconds(min(times))} to {seconds(max(times))}" for kind, times in medians.items()]
    return f"{shown}{' per row' if per_row else ''}: {', '.join(ranges)}."


def _strip(axes: Axes, timed: TimedCase, y: float, colour: str, rows: int = 1) -> None:
    times = np.array(timed.times) / rows
    if len(times) > DENSE:
        times = np.quantile(times, np.linspace(0, 1, DENSE), method="nearest")
    axes.plot([times.min(), times.max()], [y, y], color=colour, linewidth=0.9, zorder=1)
    layout.points(axes, times, np.full(len(times), y), timed.kind, colour, 4.2, alpha=0.75)


def bare(section: Section) -> style.Drawing:
    """Draw the rounds of benchmarks without an experiment, the slowest first."""
    slowest = sorted(section.timed, key=lambda timed: -timed.median)
    shown = slowest[:MOST_BENCHMARKS]
    names, height = [timed.label for timed in shown], 1.4 + 0.2 * len(shown)
    title = "Every round of every benchmark"
    figure, [axes] = layout.row_panels(title, section.setting, [""], names, height=height, length=44)
    for row, timed in enumerate(shown):
        _strip(axes, timed, row, style.other(0))
    layout.log_seconds(axes)
    axes.set_xlabel("seconds per call")
    first, last = slowest[0], slowest[-1]
    alternative = (
        f"Strips of timed rounds for {len(shown)} benchmarks, from {first.label} with a median of "
        f"{seconds(first.median)} to {last.label} with {seconds(last.median)}."
    )
    note = "One mark is one round; the thin line joins the fastest and the slowest."
    note += f" The {len(shown)} slowest of {len(slowest)} benchmarks." if len(slowest) > len(shown) else ""
    return style.Drawing("time-per-case", "Time per benchmark, with its rounds", alternative, figure, note)


def by_trainer(cases: Sequence[TimedCase], phase: str) -> dict[tuple[str, str | None], TimedCase]:
    """Return the cases of a phase by experiment and trainer; the last where there are several seeds."""
    return {(timed.case.experiment, timed.case.trainer): timed for timed in cases if timed.case.phase == phase}


def speed_up(section: Section) -> style.Drawing | None:
    """Draw how many times as many rows per second the fused trainer takes as fit does."""
    epochs = by_trainer(section.experiments, "epoch")
    names = [name for name, trainer in epochs if trainer == "fused" and (name, "fit") in epochs]
    if not names:
        return None
    title, height = "How much faster the fused trainer is", 1.5 + 0.24 * len(names)
    figure, [axes] = layout.row_panels(title, section.setting, [""], names, height=height)
    ranges = []
    for row, name in enumerate(names):
        fit, fused, colour = epochs[name, "fit"], epochs[name, "fused"], style.colour(name)
        slow, fast = (np.array(timed.times) / timed.case.rows for timed in (fit, fused))
        low, middle, high = slow.min() / fast.max(), fit.per_row / fused.per_row, slow.max() / fast.min()
        axes.plot([low, high], [row, row], color=colour, linewidth=2, solid_capstyle="butt")
        layout.points(axes, middle, row, "fused", colour, 6)
        layout.beside(axes, f"{middle:.3g} ×", (high, row), (7, 0))
        ranges.append(f"{name} {middle:.3g} ({low:.3g} to {high:.3g})")
    axes.axvline(1, color=style.MUTED, linewidth=1)
    axes.set(xscale="log", xlabel="rows per second of fused ÷ rows per second of fit")
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.12)
    layout.log_ticks(axes.xaxis, (1.0, 2.0, 5.0), "{:g}".format)
    alternative = (
        "Speed-up of the fused trainer over fit in a steady epoch, with the range that the rounds allow: "
        f"{'; '.join(ranges)}."
    )
    note = (
        "A mark compares the medians; its line runs from the slowest fused round over the fastest of fit to the "
        "opposite. Both are steady epochs, validation included; fit's set-up of each call and epoch is in neither."
    )
    return style.Drawing("speed-up", "Speed-up of fused over fit", alternative, figure, note)


def first_calls(section: Section) -> style.Drawing | None:
    """Draw the first call, which traces and compiles, against the steady rounds of the same work."""
    steady, firsts = (by_trainer(section.experiments, phase) for phase in ("epoch", "first_call"))
    both = [key for key in firsts if key in steady and firsts[key].case.rows == steady[key].case.rows]
    if not both:
        return None
    names, trainers = (list(dict.fromkeys(part)) for part in zip(*both, strict=True))
    title, height = "What the first call costs", 1.75 + 0.24 * len(names)
    figure, panels = layout.row_panels(title, section.setting, trainers, names, width=7.2, height=height, sharex=True)
    sentences = ["Seconds of the first call of training beyond those of a steady round of the same work:"]
    for axes, trainer in zip(panels, trainers, strict=True):
        extra = {}
        for name, _ in (key for key in both if key[1] == trainer):
            first, usual = firsts[name, trainer].median, steady[name, trainer].median
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
    note = "The mark is a steady round, the bar's end the first one: tracing and compiling lie between."
    return style.Drawing("first-call", "First call against steady state", " ".join(sentences), figure, note)
