"""What a history says in words and table cells, alike in the terminal, in Markdown and on the page."""

from itertools import groupby
from math import ceil

from autoenc_bench.history import Found, History
from autoenc_bench.history.change_points import LEVEL
from autoenc_bench.history.machines import Comparison, Machine, Pair
from autoenc_bench.history.series import Series
from autoenc_bench.text import count, line, mebibytes, percent, seconds, share

NONE = "–"


def answer(history: History) -> list[str]:
    """Sum a history up in sentences."""
    first, last = (run.when.date().isoformat() for run in (history.runs[0], history.runs[-1]))
    when = first if first == last else f"{first} to {last}"
    said = [
        f"{count(len(history.runs), 'run')} on {count(len(history.machines), 'machine')}, {when}: "
        f"{count(len({series.subject for series in history.series}), 'case')}, {len(history.series):,} series, "
        f"{count(len(history.changes), 'change')}."
    ]
    if history.changes:
        timelines = sum(len(one.timelines) for one in history.series)
        said.append(f"Of {timelines:,} timelines at most {ceil(LEVEL * timelines):,} would show a change by chance.")
    if history.unreadable:
        said.append(f"{count(len(history.unreadable), 'file')} could not be read.")
    return said


def machines(history: History) -> list[str]:
    """Say what each letter stands for, and in what its contexts differ."""
    said = []
    for machine in history.machines:
        identity = f" ({machine.host.id})" if machine.host.id else ", as pytest-benchmark names it"
        said.append(f"{machine.letter}  {machine.host.name}{identity}: {span(machine)}")
        said += contexts(machine)
    return said


def span(machine: Machine) -> str:
    """Say how many runs of a machine there are, and from when to when."""
    runs = machine.runs
    return f"{count(len(runs), 'run')}, {days(runs[0].when.date().isoformat(), runs[-1].when.date().isoformat())}"


def days(first: str, last: str) -> str:
    """Say from when to when."""
    return first if first == last else f"{first} – {last}"


def contexts(machine: Machine) -> list[str]:
    """Say in what the contexts of a machine differ, each from the one before; nothing where there is only one."""
    if len(machine.contexts) == 1:
        return []
    first, *others = machine.contexts
    said = [f"   {machine.label(1)}: {count(len(first.runs), 'run')}"]
    for number, context in enumerate(others, start=2):
        what = f"from {context.runs[0].when.date()}, {', '.join(context.differs)}"
        said.append(f"   {machine.label(number)}: {count(len(context.runs), 'run')} {what}")
    return said


def label(history: History, series: Series) -> str:
    """Name the machine and the context of a series: A, or A2."""
    return history.machine(series.runs[0]).label(series.context)


def by_run(history: History) -> list[tuple[str, list[Found]]]:
    """Group changes by the run that shows them first, in words, newest first."""
    grouped = groupby(history.changes, key=lambda found: (found.run.when, found.run.path, label(history, found.series)))
    return [(_heading(history, found), found) for _, held in grouped for found in [list(held)]]


def _heading(history: History, found: list[Found]) -> str:
    run, series = found[0].run, found[0].series
    commit = f"commit {run.commit}" if run.commit else "commit unknown"
    return f"{run.when:%Y-%m-%d %H:%M} UTC, machine {label(history, series)}, {commit}, {line(str(run.path))}"


CHANGES = ("case", "what", "change", "95 % interval", "from", "to")


def change(found: Found) -> list[str]:
    """Say a change: case, what, size, its interval, and the levels before and after."""
    place = found.timeline.changes.index(found.change)
    before, after = found.timeline.levels[place : place + 2]
    return [
        found.series.subject.case,
        what(found),
        size(found),
        interval(found),
        value(found, before),
        value(found, after),
    ]


def what(found: Found) -> str:
    """Name what changed."""
    return "raw time" if found.timeline.kind == "time" and not found.series.referenced else found.timeline.kind


def size(found: Found) -> str:
    """Say how large a change is."""
    return growth(found.timeline.kind, found.change.ratio)


def interval(found: Found) -> str:
    """Say within what a change lies."""
    low, high = (growth(found.timeline.kind, ratio) for ratio in (found.change.low, found.change.high))
    return NONE if found.change.ratio in (0.0, float("inf")) else f"{low.removesuffix(' %')} … {high}"


def value(found: Found, level: float) -> str:
    """Say a level in its unit."""
    return UNITS[found.timeline.kind](level)


UNITS = {"time": seconds, "efficiency": share, "error": lambda level: f"{level:.5g}", "memory": mebibytes}


def growth(kind: str, ratio: float) -> str:
    """Say by how much a figure of this kind grew."""
    return "from 0" if ratio == float("inf") else percent(ratio, 2 if kind == "error" else 1)


def pair_headers(comparison: Comparison) -> tuple[str, ...]:
    """Head the columns of two machines side by side."""
    base, other = comparison.base.letter, comparison.other.letter
    return ("case", f"{base} time", f"{other} ÷ {base}", f"{base} efficiency", f"{other} efficiency", "error")


def pair(found: Pair, base_time: float) -> list[str]:
    """Say a case on two machines: raw time on the base, ratio, efficiency and roof on each, errors equal or not."""
    return [
        found.base.subject.case,
        seconds(base_time),
        f"{found.ratio:.3g} ×",
        efficiency(found.base),
        efficiency(found.other),
        NONE if found.error is None else "equal" if found.same_error else percent(found.error, 2),
    ]


def efficiency(series: Series) -> str:
    """Say the newest efficiency and the roof that binds."""
    return f"{share(series.efficiency.latest)} {series.roof}" if series.efficiency else NONE


SERIES = ("case", "on", "runs", "first – last", "time", "changed", "error", "memory")


def series(history: History, one: Series) -> list[str]:
    """Say a series: case, machine, runs, dates, newest time, error and memory, and how the time changed in all."""
    growth = one.time.growth
    first, last = (run.when.date().isoformat() for run in (one.runs[0], one.runs[-1]))
    return [
        one.subject.case,
        label(history, one),
        str(len(one.runs)),
        days(first, last),
        seconds(one.time.latest) + ("" if one.referenced else " raw"),
        "no" if growth is None else percent(growth),
        f"{one.error.latest:.5g}" if one.error else NONE,
        mebibytes(one.memory.latest) if one.memory else NONE,
    ]
