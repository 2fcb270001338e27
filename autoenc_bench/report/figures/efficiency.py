"""How much of what the machine can do a case gets: roof time over measured time, and which roof binds."""

from matplotlib.ticker import FixedLocator

from autoenc_bench.formatting import share
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.figures.rows import Look, RowMark, row_chart
from autoenc_bench.report.view import Section

LETTERS = {"compute": "c", "memory": "m", "exponentials": "e", "dispatch": "d"}
TICKS = (1e-4, 1e-3, 0.01, 0.1, 1.0)


def efficiency(section: Section) -> style.Drawing | None:
    """Draw the efficiency of every case that has a roof, one panel per phase and one row per experiment."""
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
    look = Look(width=9.6, row_height=0.3, sharex=True, text=6.5)
    figure, panels = row_chart("How close each case is to the machine's limit", section.setting, marks, look)
    # The shared axis runs from the decade below the smallest share to a little above 100 %.
    low = min(mark.values[0] for mark in marks)
    for axes in panels.values():
        axes.set(xscale="log", xlim=(min(low / 1.6, 0.1), 1.9))
        axes.axvline(1, color=style.MUTED, linewidth=1)
    layout.log_ticks(axes.xaxis, (1.0,), share)
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if tick >= low / 10]))
    note = (
        "Efficiency is the least time that the machine needs for the work, divided by the measured time. The letter "
        "is the roof, the machine's limit that this least time comes from: c compute (matrix products), m memory, "
        "e exponentials, d dispatch (calls of compiled programs). At 100 % the case reaches its roof. A case far left "
        "loses time between small operations that wait for each other."
    )
    sentences = [f"{phase}: {', '.join(listed)}." for phase, listed in phrases.items()]
    alternative = f"Efficiency of each case, and the roof that limits it. {' '.join(sentences)}"
    return style.Drawing("efficiency", "Efficiency and the limiting roof", alternative, figure, note)
