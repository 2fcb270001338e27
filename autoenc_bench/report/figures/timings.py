"""How long cases take: every round of every case, what the fused trainer gains, and what a first call costs."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from autoenc_bench.formatting import seconds
from autoenc_bench.report.cases import TimedCase
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.figures.rows import Look, RowMark, row_chart
from autoenc_bench.report.view import Section

# phases whose rounds differ in rows
PER_ROW = ("data", "epoch", "untouched_fit", "encode", "decode", "reconstruct", "score")
MOST_ROUNDS = 400  # in one strip; of more, as many are drawn that lie as they do
MOST_BENCHMARKS = 60  # in one figure of a record that says nothing about them


def phases(section: Section) -> style.Drawing:
    """Draw every round of every case, one panel per phase and one row per experiment."""
    marks: list[RowMark] = []
    medians: dict[str, dict[str, list[float]]] = {}
    for timed in section.experiments:
        phase, rows = timed.case.phase.replace("_", " "), 1
        if timed.case.phase in PER_ROW:
            phase, rows = f"{phase}, time per row", timed.case.rows
        marks.append(_strip(phase, timed.case.experiment, timed, rows))
        medians.setdefault(phase, {}).setdefault(timed.kind or "medians", []).append(timed.median / rows)
    look = Look(width=9.6, row_height=0.165, across=3, point=4.2, bar=0.9)
    figure, panels = row_chart("Every round of every case", section.setting, marks, look)
    for axes in panels.values():
        layout.log_seconds(axes)
    sentences = []
    for phase, kinds in medians.items():
        ranges = [f"{kind} {seconds(min(times))} to {seconds(max(times))}" for kind, times in kinds.items()]
        sentences.append(f"{phase}: {', '.join(ranges)}.")
    note = (
        "One mark is one round, so a cluster is as wide as its rounds spread. The thin line connects the fastest and "
        "the slowest. If the cases of a phase differ in their number of rows, times are per row."
    )
    alternative = f"The rounds of {len(marks)} cases, one panel per phase, with the medians. {' '.join(sentences)}"
    return style.Drawing("time-per-case", "Time per case, with its rounds", alternative, figure, note)


def bare(section: Section) -> style.Drawing:
    """Draw the rounds of benchmarks without an experiment, the slowest first."""
    slowest = sorted(section.timed, key=lambda timed: -timed.median)
    marks = [_strip("seconds per call", timed.label, timed) for timed in slowest[:MOST_BENCHMARKS]]
    look = Look(row_height=0.2, point=4.2, bar=0.9, colour=style.other(0))
    figure, panels = row_chart("Every round of every benchmark", section.setting, marks, look)
    for axes in panels.values():
        layout.log_seconds(axes)
    first, last = slowest[0], slowest[-1]
    alternative = (
        f"The rounds of {len(marks)} benchmarks, from {first.label} with a median of "
        f"{seconds(first.median)} to {last.label} with {seconds(last.median)}."
    )
    note = "One mark is one round. The thin line connects the fastest and the slowest."
    note += (
        f" The figure shows the {len(marks)} slowest of {len(slowest)} benchmarks." if len(slowest) > len(marks) else ""
    )
    return style.Drawing("time-per-case", "Time per benchmark, with its rounds", alternative, figure, note)


def _strip(panel: str, row: str, timed: TimedCase, rows: int = 1) -> RowMark:
    times = np.array(timed.times) / rows
    bar = times.min(), times.max()
    if len(times) > MOST_ROUNDS:
        times = np.quantile(times, np.linspace(0, 1, MOST_ROUNDS), method="nearest")
    return RowMark(panel, row, timed.kind, times.tolist(), bar)


def by_trainer(cases: Sequence[TimedCase], phase: str) -> dict[tuple[str, str | None], TimedCase]:
    """Return the cases of a phase by experiment and trainer; the last where there are several seeds."""
    return {(timed.case.experiment, timed.case.trainer): timed for timed in cases if timed.case.phase == phase}


def speed_up(section: Section) -> style.Drawing | None:
    """Draw how many times as many rows per second the fused trainer takes as fit does."""
    epochs, marks, ranges = by_trainer(section.experiments, "epoch"), [], []
    panel = "rows per second of fused ÷ rows per second of fit"
    for (name, trainer), fused in epochs.items():
        if trainer == "fused" and (fit := epochs.get((name, "fit"))):
            slow, fast = (np.array(timed.times) / timed.case.rows for timed in (fit, fused))
            low, middle, high = slow.min() / fast.max(), fit.per_row / fused.per_row, slow.max() / fast.min()
            marks.append(RowMark(panel, name, "fused", [middle], (low, high), f"{middle:.3g} ×"))
            ranges.append(f"{name} {middle:.3g} ({low:.3g} to {high:.3g})")
    if not marks:
        return None
    figure, panels = row_chart("How much faster the fused trainer is", section.setting, marks, Look(point=6))
    (axes,) = panels.values()
    axes.axvline(1, color=style.MUTED, linewidth=1)
    axes.set(xscale="log", title="", xlabel=panel)
    low, high = axes.get_xlim()
    axes.set_xlim(low, high * (high / low) ** 0.12)
    layout.log_ticks(axes.xaxis, (1.0, 2.0, 5.0), "{:g}".format)
    alternative = (
        "Speed-up of the fused trainer over fit in a steady epoch, with the range that the rounds allow: "
        f"{'; '.join(ranges)}."
    )
    note = (
        "A mark compares the medians. Its line runs from fit's fastest round against fused's slowest to the opposite. "
        "Both are steady epochs with validation, without fit's set-up of each call and epoch."
    )
    return style.Drawing("speed-up", "Speed-up of fused over fit", alternative, figure, note)


def first_calls(section: Section) -> style.Drawing | None:
    """Draw the first call, which traces and compiles, against the steady rounds of the same work."""
    steady, marks = by_trainer(section.experiments, "epoch"), []
    extra: dict[str, dict[str, float]] = {}
    for (name, trainer), first in by_trainer(section.experiments, "first_call").items():
        usual = steady.get((name, trainer))
        if usual and usual.case.rows == first.case.rows:
            bar = usual.median, first.median
            marks += [
                RowMark(str(trainer), name, trainer, [usual.median], bar),
                RowMark(str(trainer), name, "first call", [first.median]),
            ]
            extra.setdefault(str(trainer), {})[name] = first.median - usual.median
    if not marks:
        return None
    look = Look(width=7.2, sharex=True, spread=0, point=6)
    figure, panels = row_chart("What the first call costs", section.setting, marks, look)
    sentences = ["Extra seconds of the first call of training, compared with a steady round of the same work:"]
    for trainer, axes in panels.items():
        layout.log_seconds(axes)
        axes.set_title(f"{style.plain(trainer)}: + {seconds(median(extra[trainer].values()))} (median)")
        listed = ", ".join(f"{name} {value:+.2g} s" for name, value in extra[trainer].items())
        sentences.append(f"{trainer} {listed}.")
    note = "The mark is a steady round and the bar's end is the first call, which also traces and compiles."
    return style.Drawing("first-call", "First call against steady state", " ".join(sentences), figure, note)
