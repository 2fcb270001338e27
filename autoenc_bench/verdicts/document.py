"""A comparison as JSON, complete: plain numbers, and null for what is not known (docs/record-format.md)."""

import json
from math import exp, isfinite
from typing import Any

from autoenc_bench.verdicts.comparison import Comparison, Verdict
from autoenc_bench.verdicts.judgements import Judgement
from autoenc_bench.verdicts.limits import GATED
from autoenc_bench.verdicts.status import Status


def text(comparison: Comparison, ended: Status, measured: str = "") -> str:
    """Return a comparison, and how it ended, as one JSON document; ``measured`` says how it was measured, if live."""
    document = {
        "schema_version": 1,
        "status": ended.code,
        "result": ended.reason,
        "base": {"files": [str(source.path) for source in comparison.base.sources]},
        "head": {"files": [str(source.path) for source in comparison.head.sources]},
        "unlike": comparison.unlike,
        "tested": comparison.tested,
        "referenced": comparison.referenced,
        "measured": measured,
        "control": comparison.control,
        "lost": [{"case": case, "reason": reason} for case, reason in comparison.lost.items()],
        "stale": comparison.stale,
        "verdicts": [_verdict(verdict) for verdict in comparison.verdicts],
    }
    return json.dumps(document, allow_nan=False)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    judged = dict.fromkeys(GATED) | {kind: _judgement(one) for kind, one in verdict.judgements.items()}
    known = {"case": verdict.case, "experiment": verdict.experiment, "joined": verdict.joined}
    return {**known, **judged, "cause": verdict.explained}


def _judgement(judgement: Judgement) -> dict[str, Any]:
    interval = judgement.interval
    return {
        "outcome": str(judgement.outcome),
        "limit": judgement.limit if isfinite(judgement.limit) else None,
        "ratio": interval and _ratio(interval.estimate),
        "low": interval and _ratio(interval.low),
        "high": interval and _ratio(interval.high),
        "spread": interval.spread if interval and isfinite(interval.spread) else None,
        "runs": interval and list(interval.runs),
        "needed": judgement.needed if judgement.needed and isfinite(judgement.needed) else None,
        "reason": judgement.reason,
    }


def _ratio(value: float) -> float | None:
    return exp(value) if isfinite(value) and abs(value) < 700 else None
