"""Records side by side: rates, first calls, memory and efficiency, one panel each, one row per experiment."""

from collections.abc import Callable, Iterator

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autoenc_bench import formatting
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.side_by_side import Together

PANELS: dict[str, tuple[str, Callable[[float], str]]] = {
    "fit": ("fit, rows/s", formatting.rate),
    "fused": ("fused, rows/s", formatting.rate),
    "first_call": ("first call", formatting.seconds),
    "peak": ("peak memory, GiB", "{:g}".format),
    "efficiency": ("efficiency", formatting.share),
}
MARKS = ("o", "s", "^", "D", "v")


def draw(together: Together) -> Iterator[style.Drawing]:
    """Draw what several records measured of the same experiments, where more than one of them did."""
    rows = together.rows
    labels = list(dict.fromkeys(row.label for row in rows))[: len(MARKS)]
    names = list(dict.fromkeys(row.experiment for row in rows))
    fields = [field for field in PANELS if sum(getattr(row, field) is not None for row in rows) > 1]
    if not fields:
        return
    titles, height = [PANELS[field][0] for field in fields], 1.75 + 0.34 * len(names)
    figure, panels = layout.row_panels(together.title, together.setting, titles, names, width=9.6, height=height)
    for axes, field in zip(panels, fields, strict=True):
        for row in rows:
            value = getattr(row, field)
            if value is not None and row.label in labels:
                place, x = labels.index(row.label), value / 2**30 if field == "peak" else value
                y = names.index(row.experiment) + layout.offset(place, len(labels), 0.5)
                axes.plot([x], [y], MARKS[place], markersize=5, color=style.colour(row.experiment))
        _ticks(axes, field)
    for label, mark in zip(labels, MARKS, strict=False):
        panels[0].plot([], [], mark, color=style.INK, markersize=5, label=style.plain(label, 30))
    across = len(labels) if sum(map(len, labels)) < 80 else 2
    figure.legend(loc="outside upper right", ncols=across, frameon=False, fontsize=8.5, handletextpad=0)
    alternative = (
        f"{', '.join(titles)} of {len(names)} experiments for {', '.join(labels)}; the numbers stand in the table."
    )
    note = (
        "A mark is a record, a colour an experiment; all axes but memory's are logarithmic. To the right is better for "
        "rates and efficiency, to the left for first call and memory."
    )
    yield style.Drawing("side-by-side", "Side by side", alternative, figure, note)


def _ticks(axes: Axes, field: str) -> None:
    """Label an axis in its narrow panel: linear from 0 for memory, whose values are close, else logarithmic."""
    _, show = PANELS[field]
    if field == "peak":
        axes.set_xlim(0, axes.get_xlim()[1])
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(lambda value, _: show(value))
        return
    axes.set_xscale("log")
    axes.margins(x=0.14)
    low, high = axes.get_xlim()
    layout.log_ticks(axes.xaxis, (1.0, 3.0) if high < 40 * low else (1.0,), show)
