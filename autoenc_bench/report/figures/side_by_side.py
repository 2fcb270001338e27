"""Records side by side: rates, first calls, memory and efficiency, one panel each, one row per experiment."""

from collections.abc import Callable, Iterator

from matplotlib.ticker import MaxNLocator

from autoenc_bench.formatting import rate, seconds, share
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.figures.rows import Look, RowMark, row_chart
from autoenc_bench.report.side_by_side import Together

PANELS: dict[str, tuple[str, Callable[[float], str]]] = {
    "fit, rows/s": ("fit", rate),
    "fused, rows/s": ("fused", rate),
    "first call": ("first_call", seconds),
    "peak memory, GiB": ("peak", "{:g}".format),
    "efficiency": ("efficiency", share),
}


def draw(together: Together) -> Iterator[style.Drawing]:
    """Draw what several records measured of the same experiments, where more than one of them did."""
    kinds = dict(zip(dict.fromkeys(row.label for row in together.rows), style.RECORDS, strict=False))
    marks: list[RowMark] = []
    for panel, (field, _) in PANELS.items():
        measured = [(row, getattr(row.summary, field)) for row in together.rows]
        unit = 2**30 if field == "peak" else 1
        shown = [(row, value / unit) for row, value in measured if value is not None]
        if len(shown) > 1:
            marks += [
                RowMark(panel, row.summary.experiment, kinds[row.label], [value])
                for row, value in shown
                if row.label in kinds
            ]
    if not marks:
        return
    figure, panels = row_chart(together.title, together.setting, marks, Look(width=9.6, row_height=0.34))
    for panel, axes in panels.items():
        field, show = PANELS[panel]
        axes.set_xlabel("")
        if field == "peak":  # close to each other, so on a linear axis from 0
            axes.set_xlim(0, axes.get_xlim()[1])
            axes.xaxis.set_major_locator(MaxNLocator(4))
            axes.xaxis.set_major_formatter("{x:g}")
            continue
        axes.set_xscale("log")
        axes.margins(x=0.14)
        low, high = axes.get_xlim()
        layout.log_ticks(axes.xaxis, (1.0, 3.0) if high < 40 * low else (1.0,), show)
        if high < 3 * low:  # fewer labels than the locator of a logarithmic axis sets
            axes.xaxis.set_major_locator(MaxNLocator(3))
    for label, kind in kinds.items():
        layout.points(axes, [], [], kind, style.INK, 5, label=style.plain(label, 30))
    across = len(kinds) if sum(map(len, kinds)) < 80 else 2
    figure.legend(loc="outside upper right", ncols=across, frameon=False, fontsize=8.5, handletextpad=0)
    experiments = len({mark.row for mark in marks})
    alternative = (
        f"{', '.join(panels)} of {experiments} experiments for {', '.join(kinds)}. The table lists the numbers."
    )
    note = (
        "A mark is a record, a colour is an experiment. All axes except memory are logarithmic. Right is better for "
        "rates and efficiency, left is better for first call and memory."
    )
    yield style.Drawing("side-by-side", together.title, alternative, figure, note)
