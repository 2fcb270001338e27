"""A history for the terminal and for Markdown: the answer, the changes, machines side by side, one line per series."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from textwrap import fill

from tabulate import tabulate

from autoenc_bench.history import History, lines
from autoenc_bench.history.machines import Comparison, raw
from autoenc_bench.history.series import Series
from autoenc_bench.text import code, count, line

MOST = 40  # changes listed: who reads on wants a page
WIDE = 100  # columns of running text
BRIEF = 6  # columns of a series that a terminal has room for
LEGEND = (
    "time: at this machine's usual speed (in units of a reference workload timed beside each round, times that "
    "workload's usual seconds), raw where a run has none; the newest level, as after the last change; changed: that "
    "against the first level"
)
SIDES = "÷: raw times, newest level over newest level; error: equal within 0.1 %, else how much larger"


def text(history: History) -> str:
    """Lay a history out for a terminal."""
    parts = [fill(" ".join(lines.answer(history)), WIDE), "\n".join(lines.machines(history))]
    parts.append("\n\n".join(_changes(history)) or "No changes.")
    for comparison in history.comparisons:
        differs = [f"Their contexts differ: {', '.join(comparison.differs)}"] if comparison.differs else []
        parts.append(
            "\n".join([_sides(comparison), *differs, _table(lines.pair_headers(comparison), _pairs(comparison))])
        )
    parts += [fill(SIDES, WIDE)] if history.comparisons else []
    for scale, held in scales(history):
        parts.append(f"{_scale(scale)}:\n" + _table(lines.SERIES[:BRIEF], _series(history, held)))
    parts += [fill(LEGEND, WIDE)]
    parts += [line(f"not readable: {left.case}: {left.reason}") for left in history.unreadable]
    return "\n\n".join(parts)


def _changes(history: History) -> Iterator[str]:
    shown = 0
    for heading, found in lines.by_run(history):
        if shown >= MOST:
            yield f"… and {len(history.changes) - shown:,} more: --format json lists them, --out DIR draws them"
            return
        rows = [lines.change(one) for one in found]
        yield f"{heading}\n{_table(lines.CHANGES, rows)}"
        shown += len(found)


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]], style: str = "simple") -> str:
    align = ("left", *["right"] * (len(headers) - 1))
    cells = [[line(cell) for cell in row] for row in rows] if style == "simple" else rows
    return tabulate(cells, headers, tablefmt=style, colalign=align, disable_numparse=True)


def _sides(comparison: Comparison) -> str:
    base, other = comparison.base, comparison.other
    return (
        f"{other.letter} beside {base.letter}, the base, at {_scale(comparison.scale).lower()}, "
        f"{count(len(comparison.pairs), 'case')}:"
    )


def _scale(scale: str | None) -> str:
    return f"Scale {scale}" if scale else "No scale"


def _pairs(comparison: Comparison) -> list[list[str]]:
    return [lines.pair(found, raw(found.base)) for found in comparison.pairs]


def _series(history: History, held: Iterable[Series]) -> list[list[str]]:
    return [lines.series(history, one)[:BRIEF] for one in held]


def scales(history: History) -> list[tuple[str | None, list[Series]]]:
    """Group series by their scale, and within it by their case."""
    cases = {subject: place for place, subject in enumerate(dict.fromkeys(one.subject for one in history.series))}
    ordered = sorted(history.series, key=lambda one: (one.scale or "", cases[one.subject], lines.label(history, one)))
    return [(scale, list(held)) for scale, held in groupby(ordered, key=lambda one: one.scale)]


def markdown(history: History) -> str:
    """Lay a history out for a pull request or a job's summary; names from records stand as code."""
    parts = ["# autoenc-bench history", " ".join(lines.answer(history))]
    parts += ["\n".join(f"- {code(words.strip())}" for words in lines.machines(history)), "## Changes"]
    parts += _listed(history) or ["None."]
    for comparison in history.comparisons:
        parts += [f"## {comparison.other.letter} beside {comparison.base.letter}, at {code(_scale(comparison.scale))}"]
        parts += [f"Their contexts differ: {code(', '.join(comparison.differs))}"] if comparison.differs else []
        parts += [_coded(lines.pair_headers(comparison), _pairs(comparison)), f"<sub>{SIDES}</sub>"]
    for scale, held in scales(history):
        table = _coded(lines.SERIES[:BRIEF], _series(history, held))
        parts += [f"<details><summary>{len(held):,} series</summary>\n\n{code(_scale(scale))}\n\n{table}\n\n</details>"]
    parts += [f"<sub>{LEGEND}</sub>"]
    if history.unreadable:
        parts += ["## Not readable", *(f"- {code(left.case)}: {code(left.reason)}" for left in history.unreadable)]
    return "\n\n".join(parts) + "\n"


def _listed(history: History) -> list[str]:
    parts: list[str] = []
    shown = 0
    for heading, found in lines.by_run(history):
        if shown >= MOST:
            return [*parts, f"… and {len(history.changes) - shown:,} more."]
        parts += [code(heading), _coded(lines.CHANGES, [lines.change(one) for one in found])]
        shown += len(found)
    return parts


def _coded(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return _table(headers, [[code(first), *others] for first, *others in rows], "github")
