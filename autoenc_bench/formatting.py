"""Numbers, names and tables as people read them, on a terminal, in Markdown or on a page."""

import codecs
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Self, TypeVar

NONE = "–"  # was not measured
STAND_INS = "autoenc-bench-stand-ins"  # how an encoder deals with what it cannot encode
# For the signs of ours that other encodings lack; any other sign is shown by its number.
_STAND_INS = {"–": "-", "…": "...", "±": "+-", "×": "x", "÷": "/", "→": "->", "σ": "sigma", "µ": "u", "·": "|"}
_STAND_INS |= {"✓": "+", "✗": "x", "∞": "inf", "●": "o", "◆": "*", "−": "-"}
_STAND_INS |= {"─": "-", "┊": ":", "┼": "+", "‹": "<", "›": ">"}

# What a log of GitHub Actions obeys: "::" at the beginning of a line, and "##[" anywhere.
_COMMANDS = re.compile(r"^( *):(?=:)|#(?=#\[)", re.MULTILINE)
_ESCAPES = {":": r"\u003a", "#": r"\u0023"}  # which JSON reads as well

Item = TypeVar("Item")


def register_stand_ins() -> None:
    """Make ``errors=STAND_INS`` known to encoders."""
    codecs.register_error(STAND_INS, _stand_in)


def _stand_in(problem: UnicodeError) -> tuple[str, int]:
    assert isinstance(problem, UnicodeEncodeError)
    lacking = problem.object[problem.start : problem.end]
    shown = (_STAND_INS.get(sign) or sign.encode("ascii", "backslashreplace").decode() for sign in lacking)
    return "".join(shown), problem.end


def seconds(value: float) -> str:
    """Return a time with its unit, to three digits."""
    for unit, factor, limit in (("ns", 1e9, 1e-6), ("µs", 1e6, 1e-3), ("ms", 1e3, 1), ("s", 1, 1000)):
        if abs(value) * (1 + 5e-4) < limit:
            return f"{float(f'{value * factor:.3g}'):g} {unit}"
    return f"{value:,.0f} s"


def share(value: float) -> str:
    """Return a share in per cent, to two digits."""
    rounded = float(f"{value * 100:.2g}")
    return f"{rounded:,.0f} %" if abs(rounded) >= 100 else f"{rounded:g} %"


def mebibytes(value: float) -> str:
    """Return an amount of memory, given in bytes."""
    return f"{value / 2**20:,.0f} MiB"


def rate(value: float) -> str:
    """Return a rate in thousands or millions, to three digits."""
    for unit, factor in ((" M", 1e-6), (" k", 1e-3)):
        if value * factor >= 1:
            return f"{float(f'{value * factor:.3g}'):,g}{unit}"
    return f"{value:.3g}"


def percent(ratio: float, digits: int = 1) -> str:
    """Return by how much something grew, in per cent with its sign."""
    return f"{(ratio - 1) * 100:+.{digits}f} %"


def moment(text: str) -> str:
    """Return a record's time to the minute, in UTC; a text that is no time stays as it is."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|\+00:00)?", text)
    return f"{match[1]} {match[2]} UTC" if match else text


def code(text: str) -> str:
    """Return a text as Markdown's code, also in a table: no markup, no mention, no line break."""
    escaped = line(text).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", escaped)), default=0))
    pad = " " if escaped.startswith("`") or escaped.endswith("`") or not escaped else ""
    return f"{fence}{pad}{escaped}{pad}{fence}"


def line(text: str) -> str:
    """Return a text on one line, with escapes as ``visible`` shows them, for line breaks too."""
    return " ".join(visible(text.replace("\n", r"\n")).split())


def visible(text: str) -> str:
    r"""Return a text, line by line, with escapes such as ``\x1b`` for what a terminal or a job's log would obey."""
    printable = re.sub(r"[^\n -~]", lambda sign: sign[0] if sign[0].isprintable() else _escape(sign[0]), text)
    return _COMMANDS.sub(lambda found: found[0][:-1] + _ESCAPES[found[0][-1]], printable)


def plain(text: str) -> str:
    """Return a text without the sequences that colour it or move a terminal's cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def _escape(sign: str) -> str:
    return sign.encode("unicode_escape").decode()


def count(number: object, noun: str) -> str:
    """Return a number of things: 1 core, 2 cores."""
    shown = f"{number:,}" if isinstance(number, int) else str(number)
    return f"{shown} {noun}{'' if number == 1 else 's'}"


def few(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first three names, and how many more there are."""
    return separator.join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def fact(name: str, value: object) -> str:
    """Return the value of a fact of a machine or its context, without its unit."""
    if value is None:
        return {"threads": "all", "cpu_limit": "no limit"}.get(name, "unknown")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):  # before and after a run, where both can be read
        return " – ".join(dict.fromkeys(fact(name, part) for part in value)) if value else "none"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


@dataclass(frozen=True)
class Cell:
    """What a table shows, and the number that it is sorted by where the text would not do."""

    text: str
    value: float | None = None


def cell(value: float | None, show: Callable[[float], str]) -> Cell:
    """Return the cell of a number, or of one that was not measured."""
    return Cell(NONE) if value is None else Cell(show(value), value)


Columns = Sequence[tuple[str, Callable[[Item], Cell]]]  # each a header, and what makes its cell of an item


@dataclass(frozen=True)
class Table:
    """One table, for a terminal, for Markdown and for HTML (the macro in templates/parts.html)."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    names: int = 1  # so many columns hold names from records: they lie to the left, and Markdown shows them as code
    align: Sequence[str] = ()  # each column's side, where it is not left for names and right for others

    @classmethod
    def of(cls, columns: Columns[Item], items: Iterable[Item], names: int = 1) -> Self:
        """Return the table with a row for each item."""
        return cls([header for header, _ in columns], [[show(item) for _, show in columns] for item in items], names)

    def text(self) -> str:
        return self._lay_out("simple", [[line(cell.text) for cell in row] for row in self.rows])

    def markdown(self) -> str:
        parted = ((row[: self.names], row[self.names :]) for row in self.rows)
        rows = [[code(cell.text) for cell in names] + [line(cell.text) for cell in others] for names, others in parted]
        return self._lay_out("github", rows)

    def _lay_out(self, style: str, rows: list[list[str]]) -> str:
        from tabulate import tabulate  # here, for --help need not wait for it

        align = self.align or ["left"] * self.names + ["right"] * (len(self.headers) - self.names)
        return tabulate(rows, self.headers, tablefmt=style, colalign=align, disable_numparse=True)
