"""Figure of records side by side: one panel per measurement, one row per experiment."""

from collections import Counter
from collections.abc import Callable, Iterator

from matplotlib.ticker import MaxNLocator

from autoenc_bench.formatting import rate, seconds, share
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.figures.rows import Look, RowMark, row_chart
from autoenc_bench.report.side_by_side import Together

PANELS: dict[str, tuple[str, int, Callable[[float], str]]] = {  # with field, unit and the look of its labels
    "fit, rows/s": ("fit", 1, rate),
    "fused, rows/s": ("fused", 1, rate),
    "first call": ("first_call", 1, seconds),
    "peak memory, GiB": ("peak", 2**30, "{:g}".format),
    "efficiency": ("efficiency", 1, share),
}


def draw(together: Together) -> Iterator[style.Drawing]:
    """Draw what several records measured of the same experiments, where more than one of them did."""
    kinds = dict(zip(dict.fromkeys(row.label for row in together.rows), style.RECORDS, strict=False))
    marks = [
        RowMark(panel, row.summary.experiment, kinds[row.label], [value / unit])
        for panel, (field, unit, _) in PANELS.items()
        for row in together.rows
        if row.label in kinds and (value := getattr(row.summary, field)) is not None
    ]
    measured = Counter(mark.panel for mark in marks)
    marks = [mark for mark in marks if measured[mark.panel] > 1]
    if not marks:
        return
    figure, panels = row_chart(together.title, together.setting, marks, Look(width=9.6, row_height=0.34))
    for panel, axes in panels.items():
        field, _, show = PANELS[panel]
        axes.set_xlabel("")
        axes.margins(x=0.14)
        if field == "peak":  # values are close to each other, so the axis is linear from 0
            axes.set_xlim(0, axes.get_xlim()[1])
        else:
            axes.set_xscale("log")
        low, high = axes.get_xlim()
        layout.log_ticks(axes.xaxis, (1.0, 3.0) if high < 40 * low else (1.0,), show)
        if high < 3 * low or field == "peak":
            axes.xaxis.set_major_locator(MaxNLocator(4 if field == "peak" else 3))
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
