"""Numbers, names and tables as text, for a terminal, for Markdown and for a page."""

import codecs
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from textwrap import fill
from typing import Self, TypeVar

WIDTH = 100  # columns of sentences in a terminal
NONE = "–"  # in place of a number that was not measured
STAND_INS = "autoenc-bench-stand-ins"  # name of the error handler for encoders
# ASCII for the characters that this package prints and some encodings lack.
_STAND_INS = {"–": "-", "…": "...", "±": "+-", "×": "x", "÷": "/", "→": "->", "σ": "sigma", "µ": "u", "·": "|"}
_STAND_INS |= {"✓": "+", "✗": "x", "∞": "inf", "●": "o", "◆": "*", "−": "-"}
_STAND_INS |= {"─": "-", "┊": ":", "┼": "+", "‹": "<", "›": ">"}

Item = TypeVar("Item")


def _stand_in(problem: UnicodeError) -> tuple[str, int]:
    """Replace one character that an encoding lacks, by its stand-in or by a numeric escape."""
    assert isinstance(problem, UnicodeEncodeError)
    character = problem.object[problem.start]
    return _STAND_INS.get(character) or ascii(character)[1:-1], problem.start + 1


codecs.register_error(STAND_INS, _stand_in)


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
    """Return the change that a ratio stands for, in per cent with its sign."""
    return f"{(ratio - 1) * 100:+.{digits}f} %"


def moment(text: str) -> str:
    """Return a record's time to the minute, in UTC; return any other text unchanged."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d)[\d:.]*(Z|\+00:00)?", text)
    return f"{match[1]} {match[2]} UTC" if match else text


def code(text: str) -> str:
    """Return a text as a code span of Markdown, without markup, mentions and line breaks, also within a table."""
    escaped = line(text).replace("|", r"\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", escaped)), default=0))
    pad = " " if escaped.startswith("`") or escaped.endswith("`") or not escaped else ""
    return f"{fence}{pad}{escaped}{pad}{fence}"


def line(text: str) -> str:
    """Return a text on one line, with escapes for line breaks and for all that ``visible`` escapes."""
    return " ".join(visible(text.replace("\n", r"\n")).split())


def visible(text: str) -> str:
    r"""Return a text with escapes such as ``\x1b`` for all that a terminal or a job's log would execute."""
    printable = re.sub(r"[^\n -~]", lambda sign: sign[0] if sign[0].isprintable() else ascii(sign[0])[1:-1], text)
    # GitHub Actions executes "::" at the beginning of a line, and "##[" anywhere. These escapes are valid in JSON.
    without_commands = re.sub(r"^( *):(?=:)", r"\1\\u003a", printable, flags=re.MULTILINE)
    return re.sub(r"#(?=#\[)", r"\\u0023", without_commands)


def plain(text: str) -> str:
    """Return a text without the escape sequences that colour it or move a terminal's cursor."""
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


def count(number: object, noun: str) -> str:
    """Return a number with its noun: 1 core, 2 cores."""
    shown = f"{number:,}" if isinstance(number, int) else str(number)
    return f"{shown} {noun}{'' if number == 1 else 's'}"


def few(names: Sequence[str], separator: str = ", ") -> str:
    """Return the first three names and the number of the others."""
    return separator.join(names[:3]) + (f" and {len(names) - 3:,} more" if len(names) > 3 else "")


def fact(name: str, value: object) -> str:
    """Return the value of a fact of a machine or of its context, without unit."""
    if value is None:
        return {"threads": "all", "cpu_limit": "no limit"}.get(name, "unknown")
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):  # before and after a run
        return " – ".join(dict.fromkeys(fact(name, part) for part in value)) if value else "none"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def wrapped(text: str) -> str:
    """Return sentences as lines for a terminal. Words with hyphens, such as commands, stay whole."""
    return fill(text, WIDTH, break_on_hyphens=False)


@dataclass(frozen=True)
class Cell:
    """A text in a table, and the number to sort it by if it is not sorted as text."""

    text: str
    value: float | None = None


def cell(value: float | None, show: Callable[[float], str]) -> Cell:
    """Return the cell of a number, or of ``NONE``."""
    return Cell(NONE) if value is None else Cell(show(value), value)


Columns = Sequence[tuple[str, Callable[[Item], Cell]]]  # headers, each with a function from an item to its cell


@dataclass(frozen=True)
class Table:
    """A table for a terminal, for Markdown and for HTML (the macro in templates/parts.html)."""

    headers: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    names: int = 1  # number of columns with names from records: left-aligned, and code in Markdown
    align: Sequence[str] = ()  # of each column; by default left for names and right for others

    @classmethod
    def of(cls, columns: Columns[Item], items: Iterable[Item], names: int = 1) -> Self:
        """Return a table with a row for each item."""
        return cls([header for header, _ in columns], [[show(item) for _, show in columns] for item in items], names)

    def filled(self) -> Self:
        """Return the table without rows and columns in which nothing was measured."""
        rows = [row for row in self.rows if any(cell.text != NONE for cell in row[self.names :])]
        columns = range(len(self.headers))
        shown = [at for at in columns if any(row[at].text != NONE for row in rows)]
        headers, align = ([parts[at] for at in shown if parts] for parts in (self.headers, self.align))
        return replace(self, headers=headers, rows=[[row[at] for at in shown] for row in rows], align=align)

    def legend(self, meanings: Mapping[str, str]) -> str:
        """Return what the words in the headers mean, one a line, and what a gap means if there is one."""
        used = [f"{word}: {meaning}" for word, meaning in meanings.items() if word in " ".join(self.headers)]
        has_gaps = any(cell.text == NONE for row in self.rows for cell in row)
        return ";\n".join(used + [f"{NONE}: not measured"] * has_gaps)

    def text(self) -> str:
        return self._lay_out("simple", [[line(cell.text) for cell in row] for row in self.rows])

    def markdown(self) -> str:
        shows = [code] * self.names + [line] * (len(self.headers) - self.names)
        rows = [[show(cell.text) for show, cell in zip(shows, row, strict=True)] for row in self.rows]
        return self._lay_out("github", rows)

    def _lay_out(self, style: str, rows: list[list[str]]) -> str:
        from tabulate import tabulate  # imported here because --help does not need it

        align = self.align or ["left"] * self.names + ["right"] * (len(self.headers) - self.names)
        return tabulate(rows, self.headers, tablefmt=style, colalign=align, disable_numparse=True)
