"""A history as a page of the report: ``history.html`` with its figures, and Markdown for a job's summary."""

from math import isfinite
from pathlib import Path

from autoenc_bench import __version__
from autoenc_bench.history import Found, History, lines, tables, timelines
from autoenc_bench.history.machines import Comparison, raw
from autoenc_bench.history.series import Series
from autoenc_bench.report import github, output, render
from autoenc_bench.report.output import Progress
from autoenc_bench.text import Cell, seconds

PAGE, FIGURES, REPORT = "history.html", "history", "index.html"
CHANGES = ("case", "first run", "on", *lines.CHANGES[1:], "commit", "record")


def write(history: History, out: Path, tell: Progress = lambda _: None) -> Path:
    """Draw a history into ``out``: ``history.html`` and ``history/``; return the page's path.

    The Markdown is also appended to the file that ``GITHUB_STEP_SUMMARY`` names. Files appear when all of them are
    made. Raises ValueError when they cannot be written.
    """
    with output.publish(out, FIGURES) as made:
        pictures = output.save(timelines.draw(history), made, FIGURES, tell)
        text = (
            render.environment()
            .get_template(PAGE)
            .render(
                version=__version__,
                beside=REPORT if (out / REPORT).exists() else None,
                answer=lines.answer(history),
                headers=CHANGES,
                changes=[_change(history, found) for found in history.changes],
                machines=[(machine, lines.span(machine), lines.contexts(machine)) for machine in history.machines],
                comparisons=[(one, lines.pair_headers(one), _pairs(one)) for one in history.comparisons],
                sides=tables.SIDES,
                pictures=pictures,
                series_headers=lines.SERIES,
                scales=[(scale, [_series(history, one) for one in held]) for scale, held in tables.scales(history)],
                legend=tables.LEGEND,
                unreadable=history.unreadable,
            )
        )
        (made / PAGE).write_text(text, "utf-8")
    github.append_step_summary(tables.markdown(history))
    return out / PAGE


def _change(history: History, found: Found) -> list[Cell]:
    case, what, size, *levels = lines.change(found)
    run = found.run
    return [
        Cell(case),
        Cell(f"{run.when:%Y-%m-%d %H:%M}", run.when.timestamp()),
        Cell(lines.label(history, found.series)),
        Cell(what),
        Cell(size, found.change.ratio if isfinite(found.change.ratio) else None),
        *map(Cell, levels),
        Cell(run.commit or lines.NONE),
        Cell(str(run.path)),
    ]


def _pairs(comparison: Comparison) -> list[list[Cell]]:
    rows = []
    for pair in comparison.pairs:
        base = raw(pair.base)
        case, time, ratio, *efficiencies, error = lines.pair(pair, base)
        both = zip(efficiencies, (pair.base, pair.other), strict=True)
        shares = [Cell(text, one.efficiency.latest if one.efficiency else None) for text, one in both]
        rows.append([Cell(case), Cell(time, base), Cell(ratio, pair.ratio), *shares, Cell(error, pair.error)])
    return rows


def _series(history: History, one: Series) -> list[Cell]:
    case, on, runs, days, _, changed, error, memory = lines.series(history, one)
    return [
        Cell(case),
        Cell(on),
        Cell(runs, len(one.runs)),
        Cell(days, one.runs[0].when.timestamp()),
        Cell(seconds(one.time.latest) + ("" if one.referenced else " raw"), one.time.latest),
        Cell(changed, one.time.growth),
        Cell(error, one.error.latest if one.error else None),
        Cell(memory, one.memory.latest if one.memory else None),
    ]
