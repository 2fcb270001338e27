"""The style of every figure: palette, marks, plain text, caption, and files with the same bytes each time.

In every figure a colour is an experiment and a mark is a trainer. The colours are Okabe and Ito's, which colour-blind
readers can distinguish (https://jfly.uni-koeln.de/color/). The numbers of features are steps of one hue, light to dark.
"""

import io
import re
import textwrap
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from zlib import crc32

import matplotlib.style
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

# Each colour on white, with the lighter one that replaces it on a dark page.
GREYS = {"#ffffff": "#161b22", "#1f2328": "#e6edf3", "#59636e": "#9198a1", "#d9dee3": "#30363d"}
PAPER, INK, MUTED, GRID = GREYS
EXPERIMENTS = {
    "crude-simple": ("#0072b2", "#3aa0dc"),
    "crude-complex": ("#d55e00", "#f0883e"),
    "crude-simple-streamed": ("#1c8a94", "#45b8c3"),
    "features-2": ("#bf8319", "#96691c"),
    "features-4": ("#a8721a", "#ac7f2c"),
    "features-8": ("#865b1a", "#c2953f"),
    "features-16": ("#654519", "#dab058"),
    "features-32": ("#443017", "#f8d48c"),
    "mnist": ("#00855f", "#2fb58c"),
    "digits": ("#b5548f", "#db7fb8"),
}
OTHERS = (
    ("#56449b", "#9d8be0"),
    ("#7a8200", "#b0b93a"),
    ("#8f2d56", "#d9709c"),
)  # for experiments outside the catalogue
DARK = {**GREYS, **dict([*EXPERIMENTS.values(), *OTHERS])}
DRAWN_BY = "autoenc-bench"  # in every file, so that a later report knows which files it may remove


@dataclass(frozen=True)
class Drawing:
    """A figure, the name of its files, and its texts.

    ``alternative`` describes the picture in words, with its numbers. ``note`` is the caption below it.
    """

    name: str
    title: str
    alternative: str
    figure: Figure
    note: str = ""


@dataclass(frozen=True)
class Mark:
    """The look of points and lines of one trainer or batch, and its sign in text."""

    marker: str
    sign: str
    filled: bool
    line: Literal["-", "--", ":"]
    scale: float = 1


MARKS = {
    "fit": Mark("o", "○", filled=False, line="--"),
    "fused": Mark("D", "◆", filled=True, line="-"),
    "one": Mark("^", "△", filled=False, line=":"),
    "bulk": Mark("s", "■", filled=True, line="-"),
    "first call": Mark("|", "|", filled=False, line="-", scale=1.5),
}
RECORDS = {f"record {place}": Mark(marker, "", filled=True, line="-") for place, marker in enumerate("os^Dv", 1)}


def style() -> AbstractContextManager[None]:
    """Return the context in which to draw and save figures: this style on top of Matplotlib's defaults."""
    return matplotlib.style.context(Path(__file__).with_name("autoenc.mplstyle"), after_reset=True)


def colour(experiment: str) -> str:
    """Return an experiment's colour, the same each time, also for experiments outside the catalogue."""
    return EXPERIMENTS[experiment][0] if experiment in EXPERIMENTS else other(crc32(experiment.encode()))


def other(place: int) -> str:
    """Return one of the colours that no experiment of the catalogue has."""
    return OTHERS[place % len(OTHERS)][0]


def mark(name: str | None) -> Mark:
    """Return the mark of a trainer, batch or record."""
    return {**MARKS, **RECORDS}.get(name or "", Mark("o", "●", filled=True, line="-"))


def plain(text: object, most: int = 60) -> str:
    """Return a text on one line of at most ``most`` characters, all of which the font can draw."""
    font, signs = get_font(findfont("DejaVu Sans")), " ".join(str(text).split())
    drawable = "".join(sign if sign.isprintable() and font.get_char_index(ord(sign)) else "\ufffd" for sign in signs)
    return drawable if len(drawable) <= most else drawable[: most - 1] + "…"


def blank(title: str, setting: str, width: float = 5.8, height: float = 3.4) -> Figure:
    """Return an empty figure with a title at the top and the setting of the run at the bottom; sizes are in inches."""
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(h_pad=0.06, w_pad=0.08)  # type: ignore[union-attr, call-arg] # typed for any engine
    figure.suptitle(title, x=0.014, ha="left", fontsize=11, fontweight="bold")
    # Lines break between parts only, unless a part is longer than a line.
    parts = [plain(part, 400) for part in setting.replace(", ", " · ").split(" · ")]
    joined = " ".join(part.replace(" ", "\xa0") + "\xa0·" for part in parts).removesuffix("\xa0·")
    caption = textwrap.fill(joined, int(width * 16.5), break_on_hyphens=False)
    figure.supxlabel(caption, x=0.014, ha="left", fontsize=7.5, color=MUTED, linespacing=1.35)
    return figure


def svg(figure: Figure, title: str) -> bytes:
    """Return a figure as SVG that follows the page's colour scheme; the same figure gives the same bytes."""
    data = _saved(figure, "svg", {"Title": title, "Creator": DRAWN_BY, "Date": None})
    changes = [(kind, *colours) for colours in DARK.items() for kind in ("fill", "stroke")]
    rules = "".join(f'[style*="{kind}: {light}"]{{{kind}:{dark}!important}}' for kind, light, dark in changes)
    sheet = f"<style>@media (prefers-color-scheme: dark){{{rules}}}</style>"
    data = data.replace(b" <defs>", sheet.encode() + b" <defs>", 1)
    # Remove indentation, comments and digits beyond a hundredth of a point.
    data = re.sub(rb"<!--.*?-->", b"", data, flags=re.DOTALL)
    data = re.sub(rb"\s*\n\s*", b"\n", data)
    data = re.sub(rb' d="[^"]*"', lambda path: re.sub(rb"(?<=[MLQCz])\s|\s(?=z)", b"", path[0]), data)
    numbers = rb' (?:d="[^"]*"|[xy]="[^"]*"|transform="translate\([^)]*)'
    return re.sub(numbers, lambda match: re.sub(rb"(\.\d\d)\d+", rb"\1", match[0]), data)


def png(figure: Figure, title: str) -> bytes:
    """Return a figure as PNG, on white; the same figure gives the same bytes."""
    return _saved(figure, "png", {"Title": title, "Software": DRAWN_BY})


def _saved(figure: Figure, form: str, metadata: dict[str, str | None]) -> bytes:
    if engine := figure.get_layout_engine():  # run the layout once, for both files
        engine.execute(figure)
        figure.set_layout_engine(None)
    target = io.BytesIO()
    figure.savefig(target, format=form, dpi=130, metadata=metadata)
    return target.getvalue()
