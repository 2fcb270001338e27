"""A history as a complete JSON document (see docs/record-format.md). ``null`` is an unknown number."""

import json
from math import isfinite
from typing import Any

from autoenc_bench.history.change_points import ChangePoint
from autoenc_bench.history.history import History
from autoenc_bench.history.machines import KnownMachine
from autoenc_bench.history.pairs import CasePair, MachinePair
from autoenc_bench.history.runs import PastRun
from autoenc_bench.history.series import Series, Timeline, latest

SCHEMA_VERSION = 1


def text(history: History) -> str:
    """Return a history as one JSON document."""
    places = {id(run): place for place, run in enumerate(history.runs)}
    machines = {machine.identity.key: machine for machine in history.machines}
    content = {
        "schema_version": SCHEMA_VERSION,
        "runs": [_run(run, machines[run.machine.key]) for run in history.runs],
        "machines": [_machine(machine) for machine in history.machines],
        "series": [_series(series, places) for series in history.series],
        "sides": [_pair(pair) for pair in history.pairs],
        "unreadable": [{"file": file.case, "reason": file.reason} for file in history.unreadable],
    }
    return json.dumps(content, allow_nan=False)


def _run(run: PastRun, machine: KnownMachine) -> dict[str, Any]:
    place = {"machine": machine.letter, "context": machine.number(run), "scale": run.scale}
    return {"file": str(run.path), "datetime": run.when.isoformat(), **place, "commit": run.commit}


def _machine(machine: KnownMachine) -> dict[str, Any]:
    contexts = [
        {"number": number, "facts": context.runs[0].context, "differs": context.differs}
        for number, context in enumerate(machine.contexts, start=1)
    ]
    return {"letter": machine.letter, "id": machine.identity.id, "name": machine.name, "contexts": contexts}


def _series(series: Series, places: dict[int, int]) -> dict[str, Any]:
    case = {"case": series.case.name, "experiment": series.case.experiment, "phase": series.case.phase}
    place = {"scale": series.scale, "machine": series.machine.letter, "context": series.context}
    units = {"referenced": series.referenced, "unit": series.unit, "roof": series.roof}
    return {**case, **place, **units, "timelines": [_timeline(timeline, places) for timeline in series.timelines]}


def _timeline(timeline: Timeline, places: dict[int, int]) -> dict[str, Any]:
    runs = [places[id(run)] for run in timeline.runs]
    changes = [_change(change, runs[change.index]) for change in timeline.changes]
    newest = {"latest": latest(timeline), "growth": timeline.growth}
    return {"kind": timeline.kind, "runs": runs, "values": timeline.values, "changes": changes, **newest}


def _change(change: ChangePoint, run: int) -> dict[str, Any]:
    ratios = {"ratio": change.ratio, "low": change.low, "high": change.high}
    return {"run": run, **{name: ratio if isfinite(ratio) else None for name, ratio in ratios.items()}}


def _pair(pair: MachinePair) -> dict[str, Any]:
    machines = {"base": pair.base.letter, "other": pair.other.letter, "differs": pair.differs}
    return {"scale": pair.scale, **machines, "cases": [_case(case) for case in pair.cases]}


def _case(pair: CasePair) -> dict[str, Any]:
    sides = pair.base, pair.other
    return {
        "case": pair.base.case.name,
        "seconds": [side.raw for side in sides],
        "ratio": pair.ratio,
        "efficiency": [latest(side.efficiency) for side in sides],
        "roof": [side.roof for side in sides],
        "error_ratio": pair.error,
        "same_error": pair.same_error,
    }
