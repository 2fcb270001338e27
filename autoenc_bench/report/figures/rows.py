"""Charts with one row per experiment: panels beside each other, and in each row one mark per case."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from autoenc_bench.report.figures import layout, style


class RowMark(NamedTuple):
    """What one case shows in its row of a panel: points, a bar, and a text beside them."""

    panel: str
    row: str
    kind: str | None  # a key of ``style.MARKS``; the kinds of a panel lie one below the other in each row
    values: Sequence[float]
    bar: tuple[float, float] | None = None
    text: str = ""
    side: int = 1  # of the text: 1 is right of the bar or the points, -1 left


class Look(NamedTuple):
    """The sizes of a chart in inches and typographic points; ``across`` is panels side by side, ``spread`` in rows."""

    width: float = 5.8
    row_height: float = 0.24
    across: int | None = None
    sharex: bool = False
    spread: float = 0.45
    point: float = 5
    bar: float = 2
    text: float = 8.5
    name: int = 24  # characters of a row's name
    colour: str | None = None  # of all rows; without it each experiment has its own
    finish: Callable[[Axes], None] | None = None  # sets the horizontal axis of a panel


def row_chart(title: str, setting: str, marks: Sequence[RowMark], look: Look) -> tuple[Figure, dict[str, Axes]]:
    """Return a figure and its panels by name; every panel has the same rows."""
    names, panels = list(dict.fromkeys(mark.row for mark in marks)), list(dict.fromkeys(mark.panel for mark in marks))
    across = look.across or len(panels)
    height = 1 + -(-len(panels) // across) * (0.8 + look.row_height * len(names))
    figure = style.blank(title, setting, width=look.width, height=height)
    axes = layout.panels(figure, len(panels), across, sharex=look.sharex, sharey=True)
    for panel, name in zip(axes, panels, strict=True):
        shown = [mark for mark in marks if mark.panel == name]
        kinds = list(dict.fromkeys(mark.kind for mark in shown))
        for mark in shown:
            y = names.index(mark.row) + layout.offset(kinds.index(mark.kind), len(kinds), look.spread)
            colour = look.colour or style.colour(mark.row)
            if mark.bar:
                panel.plot(mark.bar, [y, y], color=colour, linewidth=look.bar, solid_capstyle="butt", zorder=1)
            ys, alpha = [y] * len(mark.values), 1 if len(mark.values) == 1 else 0.75
            layout.points(panel, mark.values, ys, mark.kind, colour, look.point, alpha=alpha)
            end = max(*mark.values, *(mark.bar or mark.values))
            layout.beside(panel, mark.text, (end, y), (1.2 * look.point * mark.side, 0), fontsize=look.text)
        layout.rows(panel, names, look.name)
        panel.set_title(style.plain(name, int(13 * look.width / across)))
        panel.set_xlabel(layout.key(filter(None, kinds)), fontsize=8.5)
        if look.finish:
            look.finish(panel)
    return figure, dict(zip(panels, axes, strict=True))
