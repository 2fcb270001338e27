"""Numbers and names as people read them, on a page, in a table or in Markdown."""

import re
from collections.abc import Iterable, Sequence

from tabulate import tabulate


def seconds(value: float) -> str:
    """Say a time with its unit, to three digits."""
    for unit, factor, limit in (("ns", 1e9, 1e-6), ("µs", 1e6, 1e-3), ("ms", 1e3, 1), ("s", 1, 1000)):
        if abs(value) * (1 + 5e-4) < limit:
            return f"{float(f'{value * factor:.3g}'):g} {unit}"
    return f"{value:,.0f} s"


def share(value: float) -> str:
    """Say a share in per cent, to two digits."""
    return f"{float(f'{value * 100:.2g}'):g} %"


def mebibytes(value: float) -> str:
    """Say an amount of memory."""
    return f"{value / 2**20:,.0f} MiB"


def rate(value: float) -> str:
    """Say a rate in thousands or millions, to three digits."""
    for unit, factor in ((" M", 1e-6), (" k", 1e-3)):
        if value * factor >= 1:
            return f"{float(f'{value * factor:.3g}'):,g}{unit}"
    return f"{value:.3g}"


def percent(ratio: float, digits: int = 1) -> str:
    """Say by how much something grew, in per cent with its sign."""
    return f"{(ratio - 1) * 100:+.{digits}f} %"


def moment(text: str) -> str:
    """Say a record's time to the minute, in UTC, as it stands where it is not one."""
    found = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|\+00:00)?", text)
    return f"{found[1]} {found[2]} UTC" if found else text


def code(text: str) -> str:
    """Show a text in Markdown as it is, also in a table: no markup, no mention, no line break."""
    words = line(text).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", words)), default=0))
    pad = " " if words.startswith("`") or words.endswith("`") or not words else ""
    return f"{fence}{pad}{words}{pad}{fence}"


def line(text: str) -> str:
    """Return a text on one line, without what a terminal would obey."""
    return " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())


def table(cells: Iterable[Sequence[str]], headers: Sequence[str], style: str = "simple") -> str:
    """Lay cells out as text below their headers, names left and numbers right, in one of tabulate's styles."""
    align = ("left", *["right"] * (len(headers) - 1))
    return tabulate(cells, headers, tablefmt=style, colalign=align, disable_numparse=True)
