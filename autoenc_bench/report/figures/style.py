"""What every figure shares: one palette, marks for trainers, plain text, the caption, and the same bytes each time.

A colour is an experiment and a mark is a trainer, in every figure. Colours are Okabe and Ito's, which colour-blind
readers tell apart (https://jfly.uni-koeln.de/color/); the five feature counts are steps of one hue, light to dark.
"""

import io
import re
import textwrap
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Literal
from zlib import crc32

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import FuncFormatter

from autoenc_bench.text import seconds

PAPER, INK, MUTED, GRID = "#ffffff", "#1f2328", "#59636e", "#d9dee3"
EXPERIMENTS = {
    "crude-simple": "#0072b2",
    "crude-complex": "#d55e00",
    "crude-simple-streamed": "#1c8a94",
    "features-2": "#bf8319",
    "features-4": "#a8721a",
    "features-8": "#865b1a",
    "features-16": "#654519",
    "features-32": "#443017",
    "mnist": "#00855f",
    "digits": "#b5548f",
}
OTHERS = ("#56449b", "#7a8200", "#8f2d56")  # for experiments that the catalogue does not hold
# On a dark page the same hues, as light as they must be to be seen there.
DARK = {
    PAPER: "#161b22",
    INK: "#e6edf3",
    MUTED: "#9198a1",
    GRID: "#30363d",
    "#0072b2": "#3aa0dc",
    "#d55e00": "#f0883e",
    "#bf8319": "#96691c",
    "#a8721a": "#ac7f2c",
    "#865b1a": "#c2953f",
    "#654519": "#dab058",
    "#443017": "#f8d48c",
    "#00855f": "#2fb58c",
    "#b5548f": "#db7fb8",
    "#56449b": "#9d8be0",
    "#7a8200": "#b0b93a",
    "#1c8a94": "#45b8c3",
    "#8f2d56": "#d9709c",
}

DRAWN_BY = "autoenc-bench"  # stands in every file, so that a later report knows which files it may remove
STYLE: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # Matplotlib brings it, so every system sets the same glyphs
    "font.size": 9,
    "text.color": INK,
    "text.parse_math": False,  # a '$' in a case's name is a '$'
    "axes.edgecolor": MUTED,
    "axes.facecolor": PAPER,
    "axes.labelcolor": INK,
    "axes.labelsize": 9,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.axisbelow": True,
    "axes.titlelocation": "left",
    "axes.titlesize": 9.5,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.5,
    "ytick.labelsize": 8.5,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "lines.linewidth": 1.6,
    "svg.fonttype": "path",
    "svg.hashsalt": DRAWN_BY,
}


@dataclass(frozen=True)
class Drawing:
    """Hold a figure, the name of its files, and the words that stand for it and beside it.

    ``alternative`` says in words what the picture shows, with its numbers; ``note`` what a reader should know.
    """

    name: str
    title: str
    alternative: str
    figure: Figure
    note: str = ""


@dataclass(frozen=True)
class Mark:
    """Say how points and lines of one trainer, or of one size of batch, look."""

    marker: str
    filled: bool
    line: Literal["-", "--", ":"]


MARKS = {
    "fit": Mark("o", False, "--"),
    "fused": Mark("D", True, "-"),
    "one": Mark("^", False, ":"),
    "bulk": Mark("s", True, "-"),
}
UNMARKED = Mark("o", True, "-")


def style() -> AbstractContextManager[None]:
    """Return the context in which figures are made and saved: this style upon Matplotlib's defaults."""
    return matplotlib.style.context(STYLE, after_reset=True)


def colour(experiment: str) -> str:
    """Give an experiment its colour: always the same, also to one that is not in the catalogue."""
    return EXPERIMENTS.get(experiment) or OTHERS[crc32(experiment.encode()) % len(OTHERS)]


def mark(name: str | None, colour: str, size: float = 5.5) -> dict[str, Any]:
    """Give the keywords that draw points of a trainer, or of a size of batch, in that colour."""
    chosen = MARKS.get(name or "", UNMARKED)
    return {
        "marker": chosen.marker,
        "markersize": size,
        "markerfacecolor": colour if chosen.filled else PAPER,
        "markeredgecolor": colour,
        "markeredgewidth": 1.3,
    }


def sign(name: str | None) -> str:
    """Give the sign that stands for a mark in words."""
    return {"fit": "○", "fused": "◆", "one": "△", "bulk": "■"}.get(name or "", "●")


def line(name: str | None) -> str:
    """Give the line style of a trainer."""
    return MARKS.get(name or "", UNMARKED).line


def plain(text: object, most: int = 60) -> str:
    """Return a text that the font can draw, on one line of at most so many characters."""
    words = " ".join(str(text).split())
    font = get_font(findfont("DejaVu Sans"))
    drawn = "".join(sign if sign.isprintable() and font.get_char_index(ord(sign)) else "\ufffd" for sign in words)
    return drawn if len(drawn) <= most else drawn[: most - 1] + "…"


def blank(title: str, setting: str, width: float = 5.8, height: float = 3.4) -> Figure:
    """Make a figure of that size in inches, with its title on top and below it what it was measured on."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.06, w_pad=0.08)  # type: ignore[union-attr, call-arg] # typed for any engine
    figure.suptitle(title, x=0.014, ha="left", fontsize=11, fontweight="bold")
    # No line breaks within a part, unless the part is longer than a line.
    parts = [plain(part, 400) for part in setting.replace(", ", " · ").split(" · ")]
    wrapped = textwrap.wrap(
        " ".join(part.replace(" ", "\xa0") + "\xa0·" for part in parts), int(width * 19.5), break_on_hyphens=False
    )
    below = "\n".join(wrapped).removesuffix("\xa0·")
    figure.supxlabel(below, x=0.014, ha="left", fontsize=6.5, color=MUTED, linespacing=1.35)
    return figure


def time_axis() -> FuncFormatter:
    """Return a formatter for an axis in seconds: 10 ms, 1 s."""
    return FuncFormatter(lambda value, _: seconds(value))


def count_axis() -> FuncFormatter:
    """Return a formatter for an axis of counts: 1,000."""
    return FuncFormatter(lambda value, _: f"{value:,.0f}")


def number_axis() -> FuncFormatter:
    """Return a formatter for an axis of plain numbers: 0.1, 10."""
    return FuncFormatter(lambda value, _: f"{value:g}")


def svg(figure: Figure, title: str) -> bytes:
    """Draw a figure as SVG that turns dark with the page around it; the same figure gives the same bytes."""
    data = _saved(figure, "svg", {"Title": title, "Creator": DRAWN_BY, "Date": None})
    rules = "".join(
        f'[style*="fill: {light}"]{{fill:{dark}!important}}[style*="stroke: {light}"]{{stroke:{dark}!important}}'
        for light, dark in DARK.items()
    )
    sheet = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    return _lean(data.replace(b" <defs>", sheet.encode() + b" <defs>", 1))


def _lean(data: bytes) -> bytes:
    """Leave out of an SVG what no reader sees: indentation, comments, digits beyond a hundredth of a point."""
    data = re.sub(rb"<!--.*?-->", b"", data, flags=re.DOTALL)
    data = re.sub(rb"\s*\n\s*", b"\n", data)
    data = re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(?<=[MLQCz])\s|\s(?=z)", b"", path[0]), data)
    numbers = rb' (?:d="[^"]*"|[xy]="[^"]*"|transform="translate\([^)]*)'
    return re.sub(numbers, lambda found: re.sub(rb"(\.\d\d)\d+", rb"\1", found[0]), data)


def png(figure: Figure, title: str) -> bytes:
    """Draw a figure as PNG, on white; the same figure gives the same bytes."""
    return _saved(figure, "png", {"Title": title, "Software": DRAWN_BY})


def _saved(figure: Figure, form: str, metadata: Mapping[str, str | None]) -> bytes:
    engine = figure.get_layout_engine()
    if engine is not None:  # settled once: both files agree, and each is drawn once
        engine.execute(figure)
        figure.set_layout_engine(None)
    target = io.BytesIO()
    figure.savefig(target, format=form, dpi=130, metadata=dict(metadata))
    return target.getvalue()
