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
from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.machines import CasePair, KnownMachine, MachinePair, raw
from autoenc_bench.history.runs import PastRun
from autoenc_bench.history.series import Series, Timeline, latest

SCHEMA_VERSION = 1
Places = dict[int, int]  # from a run's identity in memory to its place in the list


def text(history: History) -> str:
    """Return a history as one JSON document."""
    places = {id(run): place for place, run in enumerate(history.runs)}
    content = {
        "schema_version": SCHEMA_VERSION,
        "runs": [_run(history.machine(run), run) for run in history.runs],
        "machines": [_machine(machine) for machine in history.machines],
        "series": [_series(history, one, places) for one in history.series],
        "sides": [_pair(pair) for pair in history.pairs],
        "unreadable": [{"file": file.case, "reason": file.reason} for file in history.unreadable],
    }
    return json.dumps(content, ensure_ascii=False, allow_nan=False)


def _run(machine: KnownMachine, run: PastRun) -> dict[str, Any]:
    return {
        "file": str(run.path),
        "datetime": run.when.isoformat(),
        "machine": machine.letter,
        "context": machine.number(run),
        "scale": run.scale,
        "commit": run.commit,
    }


def _machine(machine: KnownMachine) -> dict[str, Any]:
    contexts = [
        {"number": number, "facts": context.runs[0].context, "differs": context.differs}
        for number, context in enumerate(machine.contexts, start=1)
    ]
    return {"letter": machine.letter, "id": machine.identity.id, "name": machine.identity.name, "contexts": contexts}


def _series(history: History, one: Series, places: Places) -> dict[str, Any]:
    return {
        "case": one.case.name,
        "experiment": one.case.experiment,
        "phase": one.case.phase,
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
        "changes": [{"run": runs[change.index], **_ratios(change)} for change in timeline.changes],
        "latest": latest(timeline),
        "growth": timeline.growth,
    }


def _ratios(change: ChangePoint) -> dict[str, float | None]:
    ratios = {"ratio": change.ratio, "low": change.low, "high": change.high}
    return {name: ratio if isfinite(ratio) else None for name, ratio in ratios.items()}


def _pair(pair: MachinePair) -> dict[str, Any]:
    return {
        "scale": pair.scale,
        "base": pair.base.letter,
        "other": pair.other.letter,
        "differs": pair.differs,
        "cases": [_case(case) for case in pair.cases],
    }


def _case(case: CasePair) -> dict[str, Any]:
    both = (case.base, case.other)
    return {
        "case": case.base.case.name,
        "seconds": [raw(series) for series in both],
        "ratio": case.ratio,
        "efficiency": [latest(series.efficiency) for series in both],
        "roof": [series.roof for series in both],
        "error_ratio": case.error,
        "same_error": case.same_error,
    }
