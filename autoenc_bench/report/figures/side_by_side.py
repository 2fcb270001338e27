"""Records side by side: rates, first calls, memory and efficiency, one panel each, one row per experiment."""

from collections.abc import Callable, Iterator, Sequence

from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullLocator

from autoenc_bench import text
from autoenc_bench.report.figures import style
from autoenc_bench.report.figures.style import Drawing
from autoenc_bench.report.side_by_side import RecordResult

PANELS = (
    ("fit", "fit, rows/s", text.rate),
    ("fused", "fused, rows/s", text.rate),
    ("first_call", "first call", text.seconds),
    ("peak", "peak memory, GiB", "{:g}".format),
    ("efficiency", "efficiency", text.share),
)
MARKS = (("o", "●"), ("s", "■"), ("^", "▲"), ("D", "◆"), ("v", "▼"))


def draw(rows: Sequence[RecordResult], setting: str) -> Iterator[Drawing]:
    """Draw what several records say of the same experiments, where it was measured in more than one."""
    labels = list(dict.fromkeys(row.label for row in rows))[: len(MARKS)]
    names = list(dict.fromkeys(row.experiment for row in rows))
    shown = [panel for panel in PANELS if sum(getattr(row, panel[0]) is not None for row in rows) > 1]
    if not shown:
        return
    figure = style.blank("Side by side", setting, width=9.6, height=1.75 + 0.34 * len(names))
    grid = figure.subplots(1, len(shown), sharey=True, squeeze=False)[0]
    for axes, (field, title, say) in zip(grid, shown, strict=True):
        for row in rows:
            value = getattr(row, field)
            if value is None or row.label not in labels:
                continue
            place = labels.index(row.label)
            shift = 0.0 if len(labels) == 1 else (place / (len(labels) - 1) - 0.5) * 0.5
            axes.plot(
                [value / 2**30 if field == "peak" else value],
                [names.index(row.experiment) + shift],
                linestyle="",
                marker=MARKS[place][0],
                markersize=5,
                color=style.colour(row.experiment),
            )
        _axis(axes, field, title, say)
    grid[0].set_yticks(range(len(names)), [style.plain(name, 24) for name in names])
    grid[0].set_ylim(len(names) - 0.4, -0.6)
    legend = "   ".join(f"{sign} {style.plain(label, 30)}" for label, (_, sign) in zip(labels, MARKS, strict=False))
    grid[0].annotate(legend, (0, 1), (0, 22), "axes fraction", textcoords="offset points", fontsize=8.5)
    yield Drawing(
        "side-by-side",
        "Side by side",
        f"{', '.join(title for _, title, _ in shown)} of {len(names)} experiments for {', '.join(labels)}; the numbers "
        "stand in the table.",
        figure,
        "A mark is a record, a colour an experiment; all axes but memory's are logarithmic. To the right is better for "
        "rates and efficiency, to the left for first call and memory.",
    )


def _axis(axes: Axes, field: str, title: str, say: Callable[[float], str]) -> None:
    """Label an axis in its narrow panel: linear from 0 for memory, whose values are close, else logarithmic."""
    if field == "peak":
        axes.set_xlim(0, axes.get_xlim()[1])
        axes.xaxis.set_major_locator(MaxNLocator(4))
    else:
        axes.set_xscale("log")
        axes.margins(x=0.14)
        low, high = axes.get_xlim()
        axes.xaxis.set_major_locator(LogLocator(subs=(1.0, 3.0) if high < 40 * low else (1.0,), numticks=12))
        axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: say(value)))
    axes.grid(axis="x")
    axes.tick_params(axis="y", length=0)
    axes.set_title(title)
