"""How long cases take, what the fused trainer gains, what a first call costs, and how efficient each case is."""

from collections.abc import Mapping, Sequence
from statistics import median

import numpy as np
from matplotlib.ticker import FixedLocator

from autoenc_bench.formatting import seconds, share
from autoenc_bench.report.cases import TimedCase
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.figures.rows import Look, RowMark, row_chart
from autoenc_bench.report.view import Section

# phases whose cases differ in their number of rows
PER_ROW = ("data", "epoch", "untouched_fit", "encode", "decode", "reconstruct", "score")
MOST_ROUNDS = 400  # of one case; if there are more, quantiles are drawn
LETTERS = {"compute": "c", "memory": "m", "exponentials": "e", "dispatch": "d"}
SHARES = (1e-4, 1e-3, 0.01, 0.1, 1.0)  # with labels on the axis of efficiencies
MOST_BENCHMARKS = 60  # in one figure of benchmarks without an experiment


def phases(section: Section) -> style.Drawing:
    """Draw every round of every case, one panel per phase."""
    marks: list[RowMark] = []
    medians: dict[str, dict[str, list[float]]] = {}
    for timed in section.experiments:
        phase, rows = timed.case.phase.replace("_", " "), 1
        if timed.case.phase in PER_ROW:
            phase, rows = f"{phase}, time per row", timed.case.rows
        marks.append(_strip(phase, timed.case.experiment, timed, rows))
        medians.setdefault(phase, {}).setdefault(timed.kind or "medians", []).append(timed.median / rows)
    look = Look(width=9.6, row_height=0.165, across=3, point=4.2, bar=0.9, finish=layout.log_seconds)
    figure, _ = row_chart("Every round of every case", section.setting, marks, look)
    ranges = {
        phase: [f"{kind} {seconds(min(times))} to {seconds(max(times))}" for kind, times in kinds.items()]
        for phase, kinds in medians.items()
    }
    note = (
        "One mark is one round, so the width of a cluster shows the spread. The thin line connects the fastest and "
        "the slowest. If the cases of a phase differ in their number of rows, times are per row."
    )
    alternative = f"The rounds of {len(marks)} cases, one panel per phase, with the medians. {_listed(ranges)}"
    return style.Drawing("time-per-case", "Time per case, with its rounds", alternative, figure, note)


def bare(section: Section) -> style.Drawing:
    """Draw the rounds of benchmarks without an experiment, the slowest first."""
    slowest = sorted(section.timed, key=lambda timed: -timed.median)
    marks = [_strip("seconds per call", timed.label, timed) for timed in slowest[:MOST_BENCHMARKS]]
    look = Look(row_height=0.2, point=4.2, bar=0.9, name=44, colour=style.other(0), finish=layout.log_seconds)
    figure, _ = row_chart("Every round of every benchmark", section.setting, marks, look)
    first, last = slowest[0], slowest[-1]
    medians = f"from {first.label} with a median of {seconds(first.median)} to {last.label} with {seconds(last.median)}"
    alternative = f"The rounds of {len(marks)} benchmarks, {medians}."
    note = "One mark is one round. The thin line connects the fastest and the slowest."
    if len(slowest) > len(marks):
        note += f" These are the {len(marks)} slowest of {len(slowest)} benchmarks."
    return style.Drawing("time-per-case", "Time per benchmark, with its rounds", alternative, figure, note)


def _listed(phrases: Mapping[str, Sequence[str]]) -> str:
    return " ".join(f"{panel}: {', '.join(listed)}." for panel, listed in phrases.items())


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
    """Draw the rate of the fused trainer divided by the rate of fit, for each experiment."""
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
    alternative = f"Speed-up of fused over fit in a steady epoch, with the range of the rounds: {'; '.join(ranges)}."
    note = (
        "A mark compares the medians. One end of its line compares fit's fastest round with fused's slowest, the other "
        "end fit's slowest with fused's fastest. fit and fused run steady epochs with validation. fit's set-up is left "
        "out."
    )
    return style.Drawing("speed-up", "Speed-up of fused over fit", alternative, figure, note)


def first_calls(section: Section) -> style.Drawing | None:
    """Draw the first call, which traces and compiles, beside a steady round of the same work."""
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
    look = Look(width=7.2, sharex=True, spread=0, point=6, finish=layout.log_seconds)
    figure, panels = row_chart("What the first call costs", section.setting, marks, look)
    for trainer, axes in panels.items():
        axes.set_title(f"{style.plain(trainer)}: + {seconds(median(extra[trainer].values()))} (median)")
    listed = {trainer: [f"{name} {time:+.2g} s" for name, time in times.items()] for trainer, times in extra.items()}
    alternative = f"Extra time of the first call, compared with a steady round of the same work. {_listed(listed)}"
    note = "The mark is a steady round and the bar's end is the first call, which also traces and compiles."
    return style.Drawing("first-call", "First call against steady state", alternative, figure, note)


def efficiency(section: Section) -> style.Drawing | None:
    """Draw the efficiency of every case that has a roof, one panel per phase."""
    marks: list[RowMark] = []
    phrases: dict[str, list[str]] = {}
    for timed in section.experiments:
        if timed.efficiency and timed.case.phase != "experiment":
            name, value, phase = timed.case.experiment, timed.efficiency, timed.case.phase
            side = -1 if value > 0.45 else 1  # clear of the line at 100 %
            marks.append(RowMark(phase, name, timed.kind, [value], text=LETTERS[timed.roof], side=side))
            phrases.setdefault(phase, []).append(f"{name} {timed.kind or ''} {share(value)} of {timed.roof}")
    if not marks:
        return None
    look = Look(width=9.6, row_height=0.3, sharex=True, text=7.5)
    used = {mark.text for mark in marks}
    key = ", ".join(f"{letter} {roof}" for roof, letter in LETTERS.items() if letter in used)
    figure, panels = row_chart(f"How close each case is to the machine's limit: {key}", section.setting, marks, look)
    # The shared axis runs from the decade below the smallest share to a little above 100 %.
    low = min(mark.values[0] for mark in marks)
    for axes in panels.values():
        axes.set(xscale="log", xlim=(min(low / 1.6, 0.1), 1.9))
        axes.axvline(1, color=style.MUTED, linewidth=1)
    layout.log_ticks(axes.xaxis, (1.0,), share)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in SHARES if tick >= low / 10]))
    note = (
        "Efficiency is the least time that the machine needs for the work, divided by the measured time. The letter "
        "is the roof that sets this least time: c compute (matrix products), m memory, e exponentials, d dispatch "
        "(calls of compiled programs). At 100 % the case reaches its roof. A case far left loses time between small "
        "operations that wait for each other."
    )
    alternative = f"Efficiency of each case, and the roof that limits it. {_listed(phrases)}"
    return style.Drawing("efficiency", "Efficiency and the limiting roof", alternative, figure, note)
