"""A history in words and tables: for a terminal, for Markdown, and for the parts of its page."""

from collections.abc import Callable, Iterable
from itertools import groupby
from math import inf, isfinite

from autoenc_bench.formatting import (
    NONE,
    Cell,
    Table,
    cell,
    code,
    count,
    line,
    mebibytes,
    percent,
    seconds,
    share,
    wrapped,
)
from autoenc_bench.history.change_points import ALPHA
from autoenc_bench.history.history import History, SeriesChange
from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.pairs import MachinePair
from autoenc_bench.history.runs import PastRun
from autoenc_bench.history.series import Series, latest

MOST_CHANGES = 40  # that are listed; the page has all
TERMINAL_COLUMNS = 6  # of the table of series, so that it fits a terminal
LEGEND = (
    "time: the median of the newest runs since the last change, each its referenced time × the usual seconds of the "
    "reference workload on this machine (raw: as measured, because a run has no reference). changed: the median since "
    "the last change against the median before the first change"
)
PAIR_LEGEND = (
    "times: the newest, as measured; ÷: their ratio; error: equal within 0.1 %, otherwise the change from the base's"
)
CHANGE_HEADERS = ("case", "what", "change", "95 % interval", "from", "to")
UNITS = {"time": seconds, "efficiency": share, "error": "{:.5g}".format, "memory": mebibytes}


def text(history: History) -> str:
    """Return a history for a terminal."""
    changes, more = _newest_changes(history)
    parts = [wrapped(" ".join(answer(history))), "\n".join(_machines(history))]
    parts += [f"{heading}\n{table.text()}" for heading, table in changes] or ["No changes."]
    parts += [f"… and {more:,} more: --format json lists them, --out DIR draws them"] if more else []
    for pair in history.pairs:
        title = f"{pair.other.letter} compared with {pair.base.letter} (the base), {_scale(pair.scale).lower()}"
        differs = [f"Their contexts differ: {', '.join(pair.differs)}"] if pair.differs else []
        parts.append("\n".join([f"{title}, {count(len(pair.cases), 'case')}:", *differs, pair_table(pair).text()]))
    parts += [wrapped(PAIR_LEGEND)] if history.pairs else []
    for scale, group in by_scale(history):
        parts.append(f"{_scale(scale)}:\n{series_table(group, TERMINAL_COLUMNS).text()}")
    parts += [wrapped(LEGEND)]
    parts += [line(f"not readable: {file.case}: {file.reason}") for file in history.unreadable]
    return "\n\n".join(parts)


def markdown(history: History) -> str:
    """Return a history for a pull request or a job's summary; names from records are shown as code."""
    changes, more = _newest_changes(history)
    parts = ["# autoenc-bench history", " ".join(answer(history))]
    parts += ["\n".join(f"- {code(entry.strip())}" for entry in _machines(history)), "## Changes"]
    parts += [part for heading, table in changes for part in (code(heading), table.markdown())] or ["None."]
    parts += [f"… and {more:,} more."] if more else []
    for pair in history.pairs:
        parts += [f"## {pair.other.letter} compared with {pair.base.letter} (the base), {code(_scale(pair.scale))}"]
        parts += [f"Their contexts differ: {code(', '.join(pair.differs))}"] if pair.differs else []
        parts += [pair_table(pair).markdown(), f"<sub>{PAIR_LEGEND}</sub>"]
    for scale, group in by_scale(history):
        table = f"{code(_scale(scale))}\n\n{series_table(group, TERMINAL_COLUMNS).markdown()}"
        parts += [f"<details><summary>{len(group):,} series</summary>\n\n{table}\n\n</details>"]
    parts += [f"<sub>{LEGEND}</sub>"]
    if history.unreadable:
        parts += ["## Not readable", *(f"- {code(file.case)}: {code(file.reason)}" for file in history.unreadable)]
    return "\n\n".join(parts) + "\n"


def _scale(scale: str | None) -> str:
    return line(f"Scale {scale}") if scale else "No scale"


def answer(history: History) -> list[str]:
    """Return the sentences that summarise a history."""
    sentences = [
        f"{count(len(history.runs), 'run')} on {count(len(history.machines), 'machine')}, "
        f"{_days(history.runs, 'to')}: {count(len({series.case for series in history.series}), 'case')}, "
        f"{len(history.series):,} series, {count(len(history.changes), 'change')}."
    ]
    if history.changes:
        number = sum(len(series.timelines) for series in history.series)
        timelines = f"{number:,} timelines (time, efficiency, error, memory)"
        sentences.append(
            f"By chance, each of the {timelines} shows a change with a probability of at most {share(ALPHA)}."
        )
    if alone := sum(bool(machine.identity.alone) for machine in history.machines):
        names = "names" if alone == 1 else "name"
        sentences.append(f"{count(alone, 'run')} {names} no CPU and cannot be compared with other runs.")
    if history.unreadable:
        sentences.append(f"{count(len(history.unreadable), 'file')} could not be read.")
    return sentences


def _days(runs: list[PastRun], to: str = "–") -> str:
    return f" {to} ".join(dict.fromkeys(run.when.date().isoformat() for run in (runs[0], runs[-1])))


def _machines(history: History) -> list[str]:
    entries = []
    for machine in history.machines:
        name = f" ({line(machine.identity.id)})" if machine.identity.id else f", {machine.identity.origin}"
        entries.append(f"{machine.letter}  {machine.name}{name}: {span(machine)}")
        entries += contexts(machine)
    return entries


def span(machine: KnownMachine) -> str:
    """Return the number of runs of a machine, and the days of the first and the last."""
    return f"{count(len(machine.runs), 'run')}, {_days(machine.runs)}"


def contexts(machine: KnownMachine) -> list[str]:
    """List the contexts of a machine with the differences from the one before, or nothing if there is only one."""
    entries = []
    for number, context in enumerate(machine.contexts, start=1):
        since = f" from {context.runs[0].when.date()}, {', '.join(context.differs)}" if number > 1 else ""
        entries.append(f"   {machine.label(number)}: {count(len(context.runs), 'run')}{since}")
    return entries if len(entries) > 1 else []


def _newest_changes(history: History) -> tuple[list[tuple[str, Table]], int]:
    """Return the newest changes, a table below a heading for each run that shows some, and the number of the others."""
    shown: list[tuple[str, Table]] = []
    left = len(history.changes)
    for heading, group in groupby(history.changes, key=_heading):
        if len(history.changes) - left < MOST_CHANGES:
            shown.append((heading, Table(CHANGE_HEADERS, [_change(change) for change in group])))
            left -= len(shown[-1][1].rows)
    return shown, left


def _heading(change: SeriesChange) -> str:
    run, commit = change.run, change.run.commit or "unknown"
    return f"{run.when:%Y-%m-%d %H:%M} UTC, machine {change.series.label}, commit {commit}, {line(str(run.path))}"


def _change(change: SeriesChange) -> list[Cell]:
    kind, point, levels = change.timeline.kind, change.point, change.timeline.levels
    is_raw, place = kind == "time" and not change.series.referenced, change.timeline.changes.index(point)
    size, low, high = (growth(kind, ratio) for ratio in (point.ratio, point.low, point.high))
    return [
        Cell(change.series.case.name),
        Cell("raw time" if is_raw else kind),
        Cell(size, point.ratio if isfinite(point.ratio) else None),
        Cell(NONE if point.ratio in (0.0, inf) else f"{low.removesuffix(' %')} … {high}"),
        *(Cell(UNITS[kind](level)) for level in levels[place : place + 2]),
    ]


def change_table(history: History) -> Table:
    """Return all changes, newest first, each with the first run that shows it."""
    rows = []
    for change in history.changes:
        run, (case, *others) = change.run, _change(change)
        first = [Cell(f"{run.when:%Y-%m-%d %H:%M}", run.when.timestamp()), Cell(change.series.label)]
        rows.append([case, *first, *others, Cell(run.commit or NONE), Cell(str(run.path))])
    return Table([CHANGE_HEADERS[0], "first run", "on", *CHANGE_HEADERS[1:], "commit", "record"], rows)


def growth(kind: str, ratio: float) -> str:
    """Return the change of a figure of this kind in per cent."""
    return "from 0" if ratio == inf else percent(ratio, 2 if kind == "error" else 1)


def pair_table(pair: MachinePair) -> Table:
    """Return the cases of two machines: raw time of the base, ratio, efficiencies with their roofs, and errors."""
    base, other = pair.base.letter, pair.other.letter
    return Table.of(
        (
            ("case", lambda case: Cell(case.base.case.name)),
            (f"{base} time", lambda case: cell(case.base.raw, seconds)),
            (f"{other} ÷ {base}", lambda case: cell(case.ratio, "{:.3g} ×".format)),
            (f"{base} efficiency", lambda case: _efficiency(case.base)),
            (f"{other} efficiency", lambda case: _efficiency(case.other)),
            ("error", lambda case: cell(case.error, lambda ratio: "equal" if case.same_error else percent(ratio, 2))),
        ),
        pair.cases,
    )


def _efficiency(series: Series) -> Cell:
    return cell(latest(series.efficiency), lambda value: f"{share(value)} {series.roof}")


def by_scale(history: History) -> list[tuple[str | None, list[Series]]]:
    """Group series by scale, each group ordered by case and machine."""
    places = {case: place for place, case in enumerate(dict.fromkeys(series.case for series in history.series))}
    ordered = sorted(history.series, key=lambda series: (places[series.case], series.label))
    scales = sorted(dict.fromkeys(series.scale for series in ordered), key=lambda scale: scale or "")
    return [(scale, [series for series in ordered if series.scale == scale]) for scale in scales]


def series_table(group: Iterable[Series], columns: int | None = None) -> Table:
    """Return a row for each series: case, machine, runs, newest levels, and the change of the time since the first."""
    every: tuple[tuple[str, Callable[[Series], Cell]], ...] = (
        ("case", lambda series: Cell(series.case.name)),
        ("on", lambda series: Cell(series.label)),
        ("runs", lambda series: cell(len(series.runs), str)),
        ("first – last", lambda series: Cell(_days(series.runs), series.runs[0].when.timestamp())),
        ("time", _time),
        ("changed", lambda series: Cell("no") if series.time.growth is None else cell(series.time.growth, percent)),
        ("error", lambda series: cell(latest(series.error), UNITS["error"])),
        ("memory", lambda series: cell(latest(series.memory), mebibytes)),
    )
    return Table.of(every[:columns], group)


def _time(series: Series) -> Cell:
    return cell(latest(series.time), lambda time: seconds(time) + ("" if series.referenced else " raw"))
