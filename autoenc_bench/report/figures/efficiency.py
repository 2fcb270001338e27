"""How much of what the machine can do a case gets: roof time over measured time, and which roof binds."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from autoenc_bench import formatting
from autoenc_bench.report.cases import TimedCase
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.view import Section

LETTERS = {"compute": "c", "memory": "m", "exponentials": "e", "dispatch": "d"}
TICKS = (1e-4, 1e-3, 0.01, 0.1, 1.0)
KINDS = ("fit", "fused", "bulk", "one")  # as they lie in a row, from top to bottom


def efficiency(section: Section) -> style.Drawing | None:
    """Draw the efficiency of every case that has a roof, one panel per phase and one row per experiment."""
    cases = [timed for timed in section.experiments if timed.efficiency and timed.case.phase != "experiment"]
    if not cases:
        return None
    names, phases = (
        list(dict.fromkeys(getattr(timed.case, field) for timed in cases)) for field in ("experiment", "phase")
    )
    title, height = "What share of the machine each case gets", 1.75 + 0.3 * len(names)
    figure, panels = layout.row_panels(title, section.setting, phases, names, width=9.6, height=height, sharex=True)
    sentences = [
        _draw(axes, phase, [timed for timed in cases if timed.case.phase == phase], names)
        for axes, phase in zip(panels, phases, strict=True)
    ]
    # The shared axis runs from the decade below the smallest share to a little above 100 %.
    low = min(timed.efficiency or 1.0 for timed in cases)
    panels[0].set(xscale="log", xlim=(min(low / 1.6, 0.1), 1.9))
    layout.log_ticks(panels[0].xaxis, (1.0,), formatting.share)
    panels[0].xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if tick >= low / 10]))
    note = (
        "Efficiency is the time at the roof over the measured time: at 100 % the machine does nothing but what the "
        "work cannot do without. The letter names the roof that binds: c compute (matrix products), m memory, "
        "e exponentials, d dispatch (calls of compiled programs). A case far left loses its time in between: small "
        "operations that wait for each other."
    )
    alternative = f"Shares of this machine's roofs per case. {' '.join(sentences)}"
    return style.Drawing("efficiency", "Efficiency and the roof that binds", alternative, figure, note)


def _draw(axes: Axes, phase: str, cases: list[TimedCase], names: Sequence[str]) -> str:
    kinds = [kind for kind in KINDS if any(kind in (timed.case.trainer, timed.case.batch) for timed in cases)]
    phrases = []
    for timed in cases:
        experiment, kind, share = timed.case.experiment, timed.kind, timed.efficiency or 0.0
        row = float(names.index(experiment))
        row += layout.offset(kinds.index(kind), len(kinds), 0.46) if kind in kinds else 0.0
        layout.points(axes, share, row, kind, style.colour(experiment), 4.6)
        aside = -5 if share > 0.45 else 5  # clear of the line at 100 %
        layout.beside(axes, LETTERS[timed.roof], (share, row), (aside, 0), fontsize=6.5)
        phrases.append(f"{experiment} {kind or ''} {formatting.share(share)} of {timed.roof}")
    axes.axvline(1, color=style.MUTED, linewidth=1)
    axes.set_title(style.plain(phase, 20))
    axes.set_xlabel(layout.key(kinds), fontsize=8.5)
    return f"{phase}: {', '.join(phrases)}."
