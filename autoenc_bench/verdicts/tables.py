"""A comparison for the terminal and for Markdown: the answer first, then one line per case."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import product
from math import exp, isfinite, isinf

from autoenc_bench.formatting import NONE, Cell, Table, code, count, line, percent
from autoenc_bench.records.record import NotRun, by_reason
from autoenc_bench.verdicts.comparison import TOO_FEW, Comparison, Verdict
from autoenc_bench.verdicts.intervals import CONTROLLED, ENOUGH, RECORDED
from autoenc_bench.verdicts.judgements import Judgement, Outcome
from autoenc_bench.verdicts.limits import COUNTS, GATED, KINDS
from autoenc_bench.verdicts.sequential import FUTILITY
from autoenc_bench.verdicts.sides import Side

HEADERS = ("case", "verdict", "time", "", "memory", "", "error", "", "counts")
SIGNS = {Outcome.REGRESSED: "✗ ", Outcome.IMPROVED: "✓ "}
COUNTED = {Outcome.UNCHANGED: "equal"}


def text(comparison: Comparison, measured: str = "") -> str:
    """Return a comparison for a terminal; ``measured`` says how it was measured, if live."""
    answer, notes = _answer(comparison, measured, line), _notes(comparison, line)
    return "\n\n".join(("\n".join(answer), table(comparison).text(), "\n".join(notes)))


def markdown(comparison: Comparison, result: str, measured: str = "") -> str:
    """Return a comparison, its result first, for a pull request or a job's summary; names stand as code."""
    answer, notes = _answer(comparison, measured, code), _notes(comparison, code)
    return "\n\n".join(["# autoenc-bench compare", code(result), *answer, table(comparison).markdown(), *notes]) + "\n"


def table(comparison: Comparison) -> Table:
    """Return a comparison's cases, a row for each."""
    rows = [[Cell(cell) for cell in _row(verdict)] for verdict in comparison.verdicts]
    return Table(HEADERS, rows, align=("left", "left", *["right", "left"] * 3, "left"))


def _answer(comparison: Comparison, measured: str, show: Callable[[str], str]) -> Iterator[str]:
    """List what regressed, and who was compared; ``show`` makes what comes from records harmless where it is read."""
    outcomes = {
        kind: {one.case: one.judgements[kind].outcome for one in comparison.verdicts if kind in one.judgements}
        for kind in ("time", "error", "memory", COUNTS)
    }
    for kind, cases in outcomes.items():
        if worse := [name for name, outcome in cases.items() if outcome is Outcome.REGRESSED]:
            yield f"{kind} regressed in {', '.join(map(show, worse))}"
    for kind, cases in outcomes.items():
        if cases:
            numbers = Counter(cases.values()).items()
            yield f"{kind}: {', '.join(f'{number} {outcome}' for outcome, number in numbers)}"
    yield f"base: {_side(comparison.base, show)}; head: {_side(comparison.head, show)}"
    if measured:
        yield measured
    if comparison.unlike:
        yield f"times and memory are incomparable: {show(comparison.unlike)}"
    if comparison.tested:
        yield f"under test: {show(comparison.tested)}"
    if comparison.control:
        yield f"control failed, so no change of time counts: a side differs from itself in {show(comparison.control)}"


def _side(side: Side, show: Callable[[str], str]) -> str:
    commits = [source.record.commit_info for source in side.sources]
    known = ", ".join(dict.fromkeys(str(commit) for commit in commits if commit and commit.known))
    return f"{count(len(side.sources), 'run')} of {show(known) if known else 'an unknown commit'}"


def _row(verdict: Verdict) -> Iterator[str]:
    yield from (verdict.case, verdict.joined)
    for kind in KINDS:
        judgement = verdict.judgements.get(kind)
        yield from (change(judgement), _outcome(judgement)) if judgement else (NONE, "")
    yield _counts(verdict.counts) if verdict.counts else NONE


def _counts(judgement: Judgement) -> str:
    return COUNTED.get(judgement.outcome, f"{SIGNS.get(judgement.outcome, '')}{judgement.outcome}")


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
    """Return an outcome in words, with the change that would have been seen where it is undecided."""
    shown, interval = f"{SIGNS.get(judgement.outcome, '')}{judgement.outcome}", judgement.interval
    if judgement.outcome is Outcome.UNDECIDED and interval and not isinf(interval.high):
        shown += f", sees {_percent(interval.detectable)}"
        if judgement.needed and isfinite(judgement.needed):
            shown += f", {judgement.needed} pairs would decide"
    return f"{shown} ({judgement.reason})" if judgement.reason and interval else shown


def _notes(comparison: Comparison, show: Callable[[str], str]) -> Iterator[str]:
    unit = "divided by the reference workload, if the runs measured it" if comparison.referenced else "as measured"
    if any(one.time and one.time.paired for one in comparison.verdicts):
        unit = "those of interleaved rounds"
    interval = "its interval; all intervals together hold at 99 %"
    yield f"Change of head against base, with {interval}; times are {unit}"
    if TOO_FEW in {one.time.reason for one in comparison.verdicts if one.time}:
        enough = f"{ENOUGH} runs a side tell, or {RECORDED} of one of them; rounds within a run do not"
        yield f"{TOO_FEW}: these runs are too few to know how far times spread, so time gets no verdict; {enough}"
    if runs := _uncontrolled(comparison):
        yield f"no control: it needs {CONTROLLED} runs on a side, and no case has more than {count(runs, 'run')}"
    if FUTILITY in {one.reason for verdict in comparison.verdicts for one in verdict.judgements.values()}:
        yield f"{FUTILITY}: spreads too far between runs to be told in the time that was left"
    for verdict in comparison.verdicts:
        if verdict.explained:
            yield f"why {show(verdict.case)}: {show(verdict.explained)}"
        elif verdict.counts and verdict.counts.outcome in (Outcome.CHANGED, Outcome.REGRESSED):
            yield f"counts of {show(verdict.case)}: {show(verdict.counts.reason)}"
    for kind, outcome in product(GATED, (Outcome.MISSING, Outcome.INCOMPARABLE)):
        judged = ((one.case, one.judgements[kind]) for one in comparison.verdicts if kind in one.judgements)
        known = (NotRun(case, one.reason) for case, one in judged if one.outcome is outcome and one.reason)
        for reason, names in by_reason(one for one in known if one.reason != comparison.unlike).items():
            what = "" if outcome is Outcome.MISSING else f"{kind} "
            yield f"{what}{outcome}: {', '.join(map(show, names))}: {show(reason)}"
    for reason, names in by_reason(NotRun(*lost) for lost in comparison.lost.items()).items():
        yield f"not measured: {', '.join(map(show, names))}: {show(reason)}"


def _uncontrolled(comparison: Comparison) -> int:
    """Return the most runs that a judged case has on one side, where those are too few for the control; else 0."""
    times = [one.time for one in comparison.verdicts if one.time and not one.time.paired and one.time.reason != TOO_FEW]
    runs = max((max(one.interval.runs) for one in times if one.interval), default=CONTROLLED)
    return runs if runs < CONTROLLED else 0
