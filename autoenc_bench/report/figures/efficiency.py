"""How much of what the machine can do a case gets: roof time over measured time, and which roof binds."""

from collections.abc import Iterator

from matplotlib.axes import Axes
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from autoenc_bench import text
from autoenc_bench.records.case import Case
from autoenc_bench.records.loading import Source
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing

Bound = tuple[Case, str, float]  # a case, its binding roof, its efficiency there

LETTERS = {"compute": "c", "memory": "m", "exponentials": "e", "dispatch": "d"}
KINDS = ("fit", "fused", "bulk", "one")  # as they lie in a row, from top to bottom


def efficiency(source: Source) -> Iterator[Drawing]:
    """Draw the efficiency of every case that has a roof, one panel per phase and one row per experiment."""
    panels = _panels(source)
    if not panels:
        return
    names = list(dict.fromkeys(case.experiment for found in panels.values() for case, _, _ in found))
    title = "What share of the machine each case gets"
    figure = style.blank(title, source.setting, width=9.6, height=1.75 + 0.3 * len(names))
    grid = figure.subplots(1, len(panels), sharey=True, sharex=True, squeeze=False)[0]
    for axes, (phase, found) in zip(grid, panels.items(), strict=True):
        _draw(axes, phase, found, names)
    low = min(share for found in panels.values() for _, _, share in found)
    _share_axis(grid[0], low)
    grid[0].set_yticks(range(len(names)), [style.plain(name, 24) for name in names])
    grid[0].set_ylim(len(names) - 0.4, -0.6)
    yield Drawing(
        "efficiency",
        "Efficiency and the roof that binds",
        f"Shares of this machine's roofs per case. {' '.join(_in_words(*panel) for panel in panels.items())}",
        figure,
        "Efficiency is the time at the roof over the measured time: at 100 % the machine does nothing but what the "
        "work cannot do without. The letter names the roof that binds: c compute (matrix products), m memory, "
        "e exponentials, d dispatch (calls of compiled programs). A case far left loses its time in between: small "
        "operations that wait for each other.",
    )


def _panels(source: Source) -> dict[str, list[Bound]]:
    run = source.record.autoenc
    panels: dict[str, list[Bound]] = {}
    for benchmark, case in source.cases:
        if run and case.phase != "experiment" and (bound := benchmark.bound(run.roofs)):
            panels.setdefault(case.phase, []).append((case, *bound))
    return panels


def _draw(axes: Axes, phase: str, found: list[Bound], names: list[str]) -> None:
    kinds = [kind for kind in KINDS if any(kind in (case.trainer, case.batch) for case, _, _ in found)]
    for case, roof, share in found:
        kind = case.trainer or case.batch
        shift = (kinds.index(kind) / (len(kinds) - 1) - 0.5) * 0.46 if kind in kinds and len(kinds) > 1 else 0.0
        row, colour = names.index(case.experiment) + shift, style.colour(case.experiment)
        axes.plot([share], [row], linestyle="", **style.mark(kind, colour, 4.6))
        aside, side = (-5, "right") if share > 0.45 else (5, "left")  # clear of the line at 100 %
        axes.annotate(
            LETTERS[roof], (share, row), (aside, 0), textcoords="offset points", ha=side, va="center", fontsize=6.5
        )
    axes.axvline(1, color=style.MUTED, linewidth=1)
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.set_title(style.plain(phase, 20))
    axes.set_xlabel("   ".join(f"{style.sign(kind)} {kind}" for kind in kinds), fontsize=8.5)


def _share_axis(axes: Axes, low: float) -> None:
    """Let the shared axis run from the decade below the smallest share to a little above 100 %."""
    ticks = [tick for tick in (1e-4, 1e-3, 0.01, 0.1, 1.0) if tick >= low / 10]
    axes.set(xscale="log", xlim=(min(low / 1.6, 0.1), 1.9))
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: text.share(value)))
    axes.xaxis.set_minor_locator(NullLocator())


def _in_words(phase: str, found: list[Bound]) -> str:
    parts = (
        f"{case.experiment} {case.trainer or case.batch or ''} {text.share(share)} of {roof}"
        for case, roof, share in found
    )
    return f"{phase}: {', '.join(parts)}."
