"""A history as JSON, complete; plain numbers, and null for what is not known.

runs        [{file, datetime, machine, context, scale, commit}]: all of them, oldest first
machines    [{letter, id, name, contexts: [{number, facts: {name: value}, differs: [text]}]}]: first come first; id
            is null where pytest-benchmark alone named it; a context differs from the one before it in these facts
series      [{case, experiment, phase, scale, machine, context, referenced, unit, roof, timelines}]: machine is a
            letter and context a number of those above; referenced tells whether the times are in units of the
            reference workload, and unit what they were multiplied with to be seconds (1 where they are raw)
  timelines [{kind, runs, values, changes, latest, growth}]: kind is time (s), efficiency (share of the roof, by the
            newest definition of the roofs alone, at the speed of the times), error (mean absolute error per test
            sample) or memory (peak in bytes, of runs of the newest selection of cases); runs are places in the list
            of runs, values as many numbers; latest is the newest level, by its last 10 runs at most; growth is the
            last level over the first, null where nothing changed
    changes [{run, ratio, low, high}]: the place of the first run that shows it; new level over old with its 95 %
            interval, null where the old level is 0
sides       [{scale, base, other, differs, cases: [{case, seconds: [base, other], ratio, efficiency: [base, other],
            roof: [base, other], error_ratio, same_error}]}]: machines by letter, times raw
unreadable  [{file, reason}]
"""

import json
from math import isfinite
from typing import Any

from autoenc_bench.history import History
from autoenc_bench.history.change_points import Change
from autoenc_bench.history.machines import Comparison, Machine, Pair, raw
from autoenc_bench.history.series import Series, Timeline

SCHEMA_VERSION = 1
Places = dict[int, int]  # from a run's identity in memory to its place in the list


def text(history: History) -> str:
    """Write a history as one JSON document."""
    places = {id(run): place for place, run in enumerate(history.runs)}
    found = {
        "schema_version": SCHEMA_VERSION,
        "runs": [_run(history, place) for place in range(len(history.runs))],
        "machines": [_machine(machine) for machine in history.machines],
        "series": [_series(history, one, places) for one in history.series],
        "sides": [_side(comparison) for comparison in history.comparisons],
        "unreadable": [{"file": left.case, "reason": left.reason} for left in history.unreadable],
    }
    return json.dumps(found, ensure_ascii=False, allow_nan=False)


def _run(history: History, place: int) -> dict[str, Any]:
    run = history.runs[place]
    machine = history.machine(run)
    return {
        "file": str(run.path),
        "datetime": run.when.isoformat(),
        "machine": machine.letter,
        "context": machine.number(run),
        "scale": run.scale,
        "commit": run.commit,
    }


def _machine(machine: Machine) -> dict[str, Any]:
    contexts = [
        {"number": number, "facts": context.runs[0].context, "differs": context.differs}
        for number, context in enumerate(machine.contexts, start=1)
    ]
    return {"letter": machine.letter, "id": machine.host.id, "name": machine.host.name, "contexts": contexts}


def _series(history: History, one: Series, places: Places) -> dict[str, Any]:
    return {
        "case": one.subject.case,
        "experiment": one.subject.experiment,
        "phase": one.subject.phase,
        "scale": one.scale,
        "machine": history.machine(one.runs[0]).letter,
        "context": one.context,
        "referenced": one.referenced,
        "unit": one.unit,
        "roof": one.roof,
        "timelines": [_timeline(timeline, places) for timeline in one.timelines],
    }


def _timeline(timeline: Timeline, places: Places) -> dict[str, Any]:
    runs = [places[id(run)] for run in timeline.runs]
    return {
        "kind": timeline.kind,
        "runs": runs,
        "values": timeline.values,
        "changes": [_change(change, runs) for change in timeline.changes],
        "latest": timeline.latest,
        "growth": timeline.growth,
    }


def _change(change: Change, runs: list[int]) -> dict[str, Any]:
    ratios = {"ratio": change.ratio, "low": change.low, "high": change.high}
    return {"run": runs[change.index], **{name: value if isfinite(value) else None for name, value in ratios.items()}}


def _side(comparison: Comparison) -> dict[str, Any]:
    return {
        "scale": comparison.scale,
        "base": comparison.base.letter,
        "other": comparison.other.letter,
        "differs": comparison.differs,
        "cases": [_pair(pair) for pair in comparison.pairs],
    }


def _pair(pair: Pair) -> dict[str, Any]:
    both = (pair.base, pair.other)
    return {
        "case": pair.base.subject.case,
        "seconds": [raw(series) for series in both],
        "ratio": pair.ratio,
        "efficiency": [series.efficiency.latest if series.efficiency else None for series in both],
        "roof": [series.roof for series in both],
        "error_ratio": pair.error,
        "same_error": pair.same_error,
    }
