"""Records side by side: rates, first calls, memory and efficiency, one panel each, one row per experiment."""

from collections.abc import Callable, Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from autoenc_bench import formatting
from autoenc_bench.report.figures import layout, style
from autoenc_bench.report.side_by_side import RecordResult

PANELS = (
    ("fit", "fit, rows/s", formatting.rate),
    ("fused", "fused, rows/s", formatting.rate),
    ("first_call", "first call", formatting.seconds),
    ("peak", "peak memory, GiB", "{:g}".format),
    ("efficiency", "efficiency", formatting.share),
)
MARKS = ("o", "s", "^", "D", "v")


def draw(rows: Sequence[RecordResult], setting: str) -> Iterator[style.Drawing]:
    """Draw what several records say of the same experiments, where it was measured in more than one."""
    labels = list(dict.fromkeys(row.label for row in rows))[: len(MARKS)]
    names = list(dict.fromkeys(row.experiment for row in rows))
    shown = [panel for panel in PANELS if sum(getattr(row, panel[0]) is not None for row in rows) > 1]
    if not shown:
        return
    figure = style.blank("Side by side", setting, width=9.6, height=1.75 + 0.34 * len(names))
    panels = layout.panels(figure, len(shown), len(shown), sharey=True)
    for axes, (field, title, show) in zip(panels, shown, strict=True):
        for row in rows:
            value = getattr(row, field)
            if value is not None and row.label in labels:
                place, colour = labels.index(row.label), style.colour(row.experiment)
                y = names.index(row.experiment) + layout.offset(place, len(labels), 0.5)
                x = value / 2**30 if field == "peak" else value
                axes.plot([x], [y], MARKS[place], markersize=5, color=colour)
        _ticks(axes, field, show)
        layout.rows(axes, names)
        axes.set_title(title)
    for label, mark in zip(labels, MARKS, strict=False):
        panels[0].plot([], [], mark, color=style.INK, markersize=5, label=style.plain(label, 30))
    across = len(labels) if sum(map(len, labels)) < 80 else 2
    figure.legend(loc="outside upper right", ncols=across, frameon=False, fontsize=8.5, handletextpad=0)
    titles = ", ".join(title for _, title, _ in shown)
    alternative = f"{titles} of {len(names)} experiments for {', '.join(labels)}; the numbers stand in the table."
    note = (
        "A mark is a record, a colour an experiment; all axes but memory's are logarithmic. To the right is better for "
        "rates and efficiency, to the left for first call and memory."
    )
    yield style.Drawing("side-by-side", "Side by side", alternative, figure, note)


def _ticks(axes: Axes, field: str, show: Callable[[float], str]) -> None:
    """Label an axis in its narrow panel: linear from 0 for memory, whose values are close, else logarithmic."""
    if field == "peak":
        axes.set_xlim(0, axes.get_xlim()[1])
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(lambda value, _: show(value))
        return
    axes.set_xscale("log")
    axes.margins(x=0.14)
    low, high = axes.get_xlim()
    layout.log_ticks(axes.xaxis, (1.0, 3.0) if high < 40 * low else (1.0,), show)
