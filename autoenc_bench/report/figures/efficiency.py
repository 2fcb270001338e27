"""How much of what the machine can do a case gets: roof time over measured time, and which roof binds."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator

from autoenc_bench import formatting
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.report.figures import layout, style

Bound = tuple[Case, str, float]  # a case, its binding roof, its efficiency there

LETTERS = {"compute": "c", "memory": "m", "exponentials": "e", "dispatch": "d"}
TICKS = (1e-4, 1e-3, 0.01, 0.1, 1.0)
KINDS = ("fit", "fused", "bulk", "one")  # as they lie in a row, from top to bottom


def efficiency(source: Source) -> Iterator[style.Drawing]:
    """Draw the efficiency of every case that has a roof, one panel per phase and one row per experiment."""
    phases = _by_phase(source)
    if not phases:
        return
    names = list(dict.fromkeys(case.experiment for bounds in phases.values() for case, _, _ in bounds))
    title = "What share of the machine each case gets"
    figure = style.blank(title, source.setting, width=9.6, height=1.75 + 0.3 * len(names))
    panels = layout.panels(figure, len(phases), len(phases), sharey=True, sharex=True)
    sentences = [_draw(axes, *phase, names) for axes, phase in zip(panels, phases.items(), strict=True)]
    # The shared axis runs from the decade below the smallest share to a little above 100 %.
    low = min(share for bounds in phases.values() for _, _, share in bounds)
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
    yield style.Drawing("efficiency", "Efficiency and the roof that binds", alternative, figure, note)


def _by_phase(source: Source) -> dict[str, list[Bound]]:
    run = source.record.autoenc
    phases: dict[str, list[Bound]] = {}
    for benchmark, case in source.cases:
        if run and case.phase != "experiment" and (bound := benchmark.bound(run.roofs)):
            phases.setdefault(case.phase, []).append((case, *bound))
    return phases


def _draw(axes: Axes, phase: str, bounds: list[Bound], names: list[str]) -> str:
    kinds = [kind for kind in KINDS if any(kind in (case.trainer, case.batch) for case, _, _ in bounds)]
    phrases = []
    for case, roof, share in bounds:
        kind, row = case.trainer or case.batch, float(names.index(case.experiment))
        row += layout.offset(kinds.index(kind), len(kinds), 0.46) if kind in kinds else 0.0
        layout.points(axes, share, row, kind, style.colour(case.experiment), 4.6)
        aside = -5 if share > 0.45 else 5  # clear of the line at 100 %
        layout.beside(axes, LETTERS[roof], (share, row), (aside, 0), fontsize=6.5)
        phrases.append(f"{case.experiment} {kind or ''} {formatting.share(share)} of {roof}")
    axes.axvline(1, color=style.MUTED, linewidth=1)
    layout.rows(axes, names)
    axes.set_title(style.plain(phase, 20))
    axes.set_xlabel(layout.key(kinds), fontsize=8.5)
    return f"{phase}: {', '.join(phrases)}."
