"""A comparison as text for the terminal, as Markdown and as JSON."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from math import exp, isfinite, isinf
from typing import Any

from autoenc_bench.formatting import NONE, Cell, Table, code, count, line, percent
from autoenc_bench.records.record import NotRun, by_reason
from autoenc_bench.verdicts import control
from autoenc_bench.verdicts.comparison import Comparison, Verdict
from autoenc_bench.verdicts.judgements import Judgement, Outcome
from autoenc_bench.verdicts.limits import COUNTS, GATED, KINDS
from autoenc_bench.verdicts.sides import Side
from autoenc_bench.verdicts.status import Status

HEADERS = ("case", "verdict", "time", "", "memory", "", "error", "", "counts")
SIGNS = {Outcome.REGRESSED: "✗ ", Outcome.IMPROVED: "✓ "}


def text(comparison: Comparison, measured: str = "") -> str:
    """Return a comparison for a terminal; ``measured`` describes how a live comparison was measured."""
    answer, notes = _answer(comparison, measured, line), _notes(comparison, line)
    return "\n\n".join(("\n".join(answer), table(comparison).text(), "\n".join(notes)))


def markdown(comparison: Comparison, result: str, measured: str = "") -> str:
    """Return a comparison, its result first, for a pull request or a job's summary; names are shown as code."""
    answer, notes = _answer(comparison, measured, code), _notes(comparison, code)
    return "\n\n".join(["# autoenc-bench compare", code(result), *answer, table(comparison).markdown(), *notes]) + "\n"


def document(comparison: Comparison, ended: Status, measured: str = "") -> str:
    """Return a comparison and its status as one JSON document (docs/record-format.md), null for unknown numbers."""
    content = {
        "schema_version": 1,
        "status": ended.code,
        "result": ended.reason,
        "base": {"files": [str(source.path) for source in comparison.base.sources]},
        "head": {"files": [str(source.path) for source in comparison.head.sources]},
        "measured": measured,
        "lost": [{"case": case, "reason": reason} for case, reason in comparison.lost.items()],
        "verdicts": [_verdict(verdict) for verdict in comparison.verdicts],
    }
    content |= {name: getattr(comparison, name) for name in ("unlike", "tested", "referenced", "control", "stale")}
    return json.dumps(content, allow_nan=False)


def _verdict(verdict: Verdict) -> dict[str, Any]:
    judged = {kind: _fields(verdict.judgements.get(kind)) for kind in GATED}
    content = {name: getattr(verdict, name) for name in ("case", "experiment", "joined")}
    return content | judged | {"cause": verdict.explained}


def _fields(judgement: Judgement | None) -> dict[str, Any] | None:
    if judgement is None:
        return None
    interval = judgement.interval
    return {
        "outcome": str(judgement.outcome),
        "limit": _finite(judgement.limit),
        "ratio": interval and _ratio(interval.estimate),
        "low": interval and _ratio(interval.low),
        "high": interval and _ratio(interval.high),
        "spread": interval and _finite(interval.spread),
        "runs": interval and list(interval.runs),
        "needed": judgement.needed and _finite(judgement.needed),
        "reason": judgement.reason,
    }


def _finite(value: float) -> float | None:
    return value if isfinite(value) else None


def _ratio(value: float) -> float | None:
    return exp(value) if abs(value) < 700 else None


def table(comparison: Comparison) -> Table:
    """Return the table of a comparison, a row for each case."""
    rows = [[Cell(cell) for cell in _row(verdict)] for verdict in comparison.verdicts]
    return Table(HEADERS, rows, align=("left", "left", *["right", "left"] * 3, "left"))


def _row(verdict: Verdict) -> Iterator[str]:
    yield from (verdict.case, verdict.joined)
    for kind in KINDS:
        judgement = verdict.judgements.get(kind)
        yield from (change(judgement), _outcome(judgement)) if judgement else (NONE, "")
    counts = verdict.counts and verdict.counts.outcome
    yield "equal" if counts is Outcome.UNCHANGED else _signed(counts) if counts else NONE


def _signed(outcome: Outcome) -> str:
    return f"{SIGNS.get(outcome, '')}{outcome}"


def change(judgement: Judgement) -> str:
    """Return an estimate and its interval in per cent."""
    interval = judgement.interval
    if interval is None:
        return NONE
    if isinf(interval.high - interval.low) and not isinf(interval.estimate):
        return _percent(interval.estimate)
    return f"{_percent(interval.estimate)} ({_percent(interval.low)} … {_percent(interval.high)})"


def _percent(value: float) -> str:
    return "+∞" if value > 20 else percent(exp(value))


def _outcome(judgement: Judgement) -> str:
    """Return an outcome in words, with the smallest detectable change if it is undecided."""
    shown, interval = _signed(judgement.outcome), judgement.interval
    if interval and _shows_detectable(judgement):
        shown += f", detectable from {_percent(interval.detectable).removeprefix('+')}"
        if judgement.needed and isfinite(judgement.needed):
            shown += f", {judgement.needed} pairs would decide"
    return f"{shown} ({judgement.reason})" if judgement.reason and interval else shown


def _shows_detectable(judgement: Judgement) -> bool:
    interval = judgement.interval
    return judgement.outcome is Outcome.UNDECIDED and interval is not None and not isinf(interval.high)


def _answer(comparison: Comparison, measured: str, show: Callable[[str], str]) -> Iterator[str]:
    """List what regressed, and the sides that were compared; ``show`` makes texts of records safe to print."""
    kinds = ("time", "error", "memory", COUNTS)
    for kind in kinds:
        if regressed := comparison.judged(kind, Outcome.REGRESSED):
            yield f"{kind} regressed in {', '.join(map(show, regressed))}"
    for kind in kinds:
        if numbers := Counter(judgement.outcome for judgement in comparison.judged(kind).values()):
            yield f"{kind}: {', '.join(f'{number} {outcome}' for outcome, number in numbers.items())}"
    yield f"base: {_side(comparison.base, show)}; head: {_side(comparison.head, show)}"
    if measured:
        yield measured
    if comparison.unlike:
        yield f"times and memory are incomparable: {show(comparison.unlike)}"
    if comparison.tested:
        yield f"under test: {show(comparison.tested)}"
    if comparison.control:
        failed = f"control failed: the runs of one side differ among themselves in {show(comparison.control)}"
        yield f"{failed}; so every change of time is undecided"


def _side(side: Side, show: Callable[[str], str]) -> str:
    commits = [source.record.commit_info for source in side.sources]
    named = ", ".join(dict.fromkeys(str(commit) for commit in commits if commit and commit.known))
    return f"{count(len(side.sources), 'run')} of {show(named) if named else 'an unknown commit'}"


def _notes(comparison: Comparison, show: Callable[[str], str]) -> Iterator[str]:
    unit = "divided by the reference workload's, if the runs timed it" if comparison.referenced else "as measured"
    if any(time.paired for time in comparison.judged("time").values()):
        unit = "those of interleaved rounds"
    certainty = "All intervals contain the true changes with 99 % probability."
    yield f"Each change is from base to head, with its interval. {certainty} Times are {unit}."
    if any(_shows_detectable(judgement) for kind in KINDS for judgement in comparison.judged(kind).values()):
        yield "detectable from: a smaller change could not have been detected."
    if note := control.lacking(comparison.judged("time").values()):
        yield note
    for verdict in comparison.verdicts:
        if verdict.explained:
            yield f"why {show(verdict.case)}: {show(verdict.explained)}"
        elif verdict.counts and verdict.counts.outcome in (Outcome.CHANGED, Outcome.REGRESSED):
            yield f"counts of {show(verdict.case)}: {show(verdict.counts.reason)}"
    for kind, outcome in product(GATED, (Outcome.MISSING, Outcome.INCOMPARABLE)):
        figure = "" if outcome is Outcome.MISSING else f"{kind} "
        reasons = {case: judgement.reason for case, judgement in comparison.judged(kind, outcome).items()}
        stated = {case: reason for case, reason in reasons.items() if reason not in ("", comparison.unlike)}
        yield from _by_reason(f"{figure}{outcome}", stated, show)
    yield from _by_reason("not measured", comparison.lost, show)


def _by_reason(what: str, reasons: dict[str, str], show: Callable[[str], str]) -> Iterator[str]:
    for reason, names in by_reason(NotRun(*item) for item in reasons.items()).items():
        yield f"{what}: {', '.join(map(show, names))}: {show(reason)}"
