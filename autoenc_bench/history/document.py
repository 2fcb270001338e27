"""A history as JSON, complete, as docs/record-format.md describes it: plain numbers, and null for what is not known."""

import json
from math import isfinite
from typing import Any

from autoenc_bench.history import History
from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.machines import CasePair, KnownMachine, MachinePair
from autoenc_bench.history.runs import PastRun
from autoenc_bench.history.series import Series, Timeline, latest

SCHEMA_VERSION = 1


def text(history: History) -> str:
    """Return a history as one JSON document."""
    places = {id(run): place for place, run in enumerate(history.runs)}
    content = {
        "schema_version": SCHEMA_VERSION,
        "runs": [_run(history, run) for run in history.runs],
        "machines": [_machine(machine) for machine in history.machines],
        "series": [_series(history, one, places) for one in history.series],
        "sides": [_sides(pair) for pair in history.pairs],
        "unreadable": [{"file": file.case, "reason": file.reason} for file in history.unreadable],
    }
    return json.dumps(content, allow_nan=False)


def _run(history: History, run: PastRun) -> dict[str, Any]:
    machine = history.machine(run)
    place = {"machine": machine.letter, "context": machine.number(run), "scale": run.scale}
    return {"file": str(run.path), "datetime": run.when.isoformat(), **place, "commit": run.commit}


def _machine(machine: KnownMachine) -> dict[str, Any]:
    numbered, identity = enumerate(machine.contexts, start=1), machine.identity
    contexts = [{"number": number, "facts": one.runs[0].context, "differs": one.differs} for number, one in numbered]
    return {"letter": machine.letter, "id": identity.id, "name": machine.name, "contexts": contexts}


def _series(history: History, one: Series, places: dict[int, int]) -> dict[str, Any]:
    case = {"case": one.case.name, "experiment": one.case.experiment, "phase": one.case.phase, "scale": one.scale}
    place = {"machine": history.machine(one.runs[0]).letter, "context": one.context}
    units = {"referenced": one.referenced, "unit": one.unit, "roof": one.roof}
    return {**case, **place, **units, "timelines": [_timeline(timeline, places) for timeline in one.timelines]}


def _timeline(timeline: Timeline, places: dict[int, int]) -> dict[str, Any]:
    runs = [places[id(run)] for run in timeline.runs]
    changes = [_change(change, runs[change.index]) for change in timeline.changes]
    newest = {"latest": latest(timeline), "growth": timeline.growth}
    return {"kind": timeline.kind, "runs": runs, "values": timeline.values, "changes": changes, **newest}


def _change(change: ChangePoint, run: int) -> dict[str, Any]:
    ratios = {"ratio": change.ratio, "low": change.low, "high": change.high}
    return {"run": run, **{name: ratio if isfinite(ratio) else None for name, ratio in ratios.items()}}


def _sides(pair: MachinePair) -> dict[str, Any]:
    machines = {"base": pair.base.letter, "other": pair.other.letter, "differs": pair.differs}
    return {"scale": pair.scale, **machines, "cases": [_case(case.base, case.other, case) for case in pair.cases]}


def _case(base: Series, other: Series, pair: CasePair) -> dict[str, Any]:
    times = {"seconds": [base.raw, other.raw], "ratio": pair.ratio}
    roofs = {"efficiency": [latest(base.efficiency), latest(other.efficiency)], "roof": [base.roof, other.roof]}
    errors = {"error_ratio": pair.error, "same_error": pair.same_error}
    return {"case": base.case.name, **times, **roofs, **errors}
