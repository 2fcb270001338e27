"""The exit status of a comparison, which a CI job goes by, and the sentence that explains it."""

from collections.abc import Callable, Collection, Iterator
from math import expm1, isinf
from typing import NamedTuple

from autoenc_bench.exit_codes import NOT_COMPARED, PASSED, REGRESSED, UNDECIDED
from autoenc_bench.formatting import count, few, share
from autoenc_bench.records.names import without_seed
from autoenc_bench.records.record import NotRun, by_reason
from autoenc_bench.verdicts.comparison import Comparison
from autoenc_bench.verdicts.intervals import ENOUGH, RECORDED
from autoenc_bench.verdicts.judgements import COMPARED, DECIDED, TOO_FEW, Judgement, Outcome
from autoenc_bench.verdicts.limits import COUNTS, GATED, KINDS

ALLOW = "to accept that, add --allow-missing"


class Status(NamedTuple):
    """An exit status and its reason, a sentence."""

    code: int
    reason: str


# Takes the name of a case and its experiment, if known; returns whether the head was expected to run the case.
Selection = Callable[[str, str | None], bool]


def of(
    comparison: Comparison,
    *,
    allow_missing: bool = False,
    strict: bool = False,
    selected: Selection = lambda *_: True,
) -> Status:
    """Return the status: a regression comes first, then what could not be compared, then what is undecided.

    The sentence of 0 names the largest change that could be hidden. exit_codes.py states what 0 claims.
    """
    if regressed := _with_outcome(comparison, Outcome.REGRESSED):
        return Status(REGRESSED, f"regressed: {few(regressed)}")
    if reason := next(_not_compared(comparison, allow_missing, selected), None):
        return Status(NOT_COMPARED, reason)
    if reason := next(_undecided(comparison, strict), None):
        return Status(UNDECIDED, reason)
    return Status(PASSED, _claim(comparison))


def _not_compared(comparison: Comparison, allow_missing: bool, selected: Selection) -> Iterator[str]:
    outcomes = {judgement.outcome for verdict in comparison.verdicts for judgement in verdict.judgements.values()}
    if outcomes <= {Outcome.NEW, Outcome.MISSING}:
        yield f"the two sides have no case in common, so nothing was compared{_folder_hint(comparison)}"
    if comparison.unlike:
        yield f"times are incomparable: {comparison.unlike}; if that is what you test, name it with --across"
    for kind in ("time", "error"):
        yield from _incomparable(comparison, kind)
    experiments = {verdict.case: verdict.experiment for verdict in comparison.verdicts}

    def expected(reasons: dict[str, str]) -> dict[str, str]:
        """Return the cases that the head was expected to run."""
        of = {case: experiments.get(case) or experiments.get(without_seed(case)) for case in reasons}
        return {case: reason for case, reason in reasons.items() if not allow_missing and selected(case, of[case])}

    if missing := expected(_reasons(comparison, "time", Outcome.MISSING)):
        yield f"missing from the head: {_listed(missing)}; {ALLOW}"
    if lost := expected(comparison.lost):
        yield f"not measured: {_listed(lost)}; {ALLOW}"
    for kind in GATED:
        judged = comparison.judged(kind, *COMPARED).values()
        if kind in comparison.limited and {judgement.outcome for judgement in judged} <= {Outcome.INCOMPARABLE}:
            reason = next((f": {judgement.reason}" for judgement in judged), "")
            yield f"--fail-on names {kind}, but no case has {kind} on both sides to compare{reason}"


def _undecided(comparison: Comparison, strict: bool) -> Iterator[str]:
    for kind in () if _needs_counts_only(comparison) else KINDS:
        undecided = comparison.judged(kind, Outcome.UNDECIDED)
        if undecided and not comparison.judged(kind, *DECIDED):
            yield f"{kind} is undecided in every case: {_how_to_decide(kind, undecided)}"
    if strict and (cases := _with_outcome(comparison, Outcome.UNDECIDED)):
        yield f"undecided: {few(cases)}; measure more runs"


def _needs_counts_only(comparison: Comparison) -> bool:
    """Return whether only counts have a limit and runs are too few for times: for counts, one run a side is enough."""
    undecided = comparison.judged("time", Outcome.UNDECIDED).values()
    return comparison.limited == {COUNTS} and all(time.reason == TOO_FEW for time in undecided)


def _how_to_decide(kind: str, undecided: dict[str, Judgement]) -> str:
    """Return the smallest detectable change and what to do."""
    if all(judgement.reason == TOO_FEW for judgement in undecided.values()):
        return f"too few runs to measure their spread; record {ENOUGH} runs on each side, or {RECORDED} on one side"
    case, best = min(undecided.items(), key=lambda item: item[1].hidden)
    smallest = f"the smallest change that would have been detected is {_percent(best)}, in {case}"
    mend = "train more seeds, with --seeds" if kind == "error" else "measure more runs, or for longer"
    return f"{'no change would have been detected' if isinf(best.hidden) else smallest}; {mend}"


def _claim(comparison: Comparison) -> str:
    """Return which change would have been detected, and the largest one that an undecided case could hide."""
    detected: list[str] = []
    exceptions: list[str] = []
    for kind in KINDS:
        exceptions += _incomparable(comparison, kind)
        decided, undecided = comparison.judged(kind, *DECIDED), comparison.judged(kind, Outcome.UNDECIDED)
        if decided:
            detected.append(f"{_percent(max(decided.values(), key=lambda judgement: judgement.hidden))} in {kind}")
        if decided and undecided:
            case, worst = max(undecided.items(), key=lambda item: item[1].hidden)
            change = "no change" if isinf(worst.hidden) else f"only a change of {_percent(worst)}"
            reason = f" ({worst.reason})" if worst.reason else ""
            exceptions.append(f"but in {case} {change} in {kind}{reason}")
    claims = [f"a change of {', '.join(detected)} would have been detected"] if detected else []
    if counted := comparison.judged(COUNTS, *COMPARED):
        equal = comparison.judged(COUNTS, Outcome.UNCHANGED)
        claims.append(f"counts are equal in {len(equal)} of {count(len(counted), 'case')}")
    if comparison.stale:
        hint = "this may hide a smaller slowdown, so record a newer base"
        exceptions.append(f"the head is faster in {comparison.stale}; {hint}")
    return "; ".join(("nothing regressed", *claims, *exceptions))


def _percent(judgement: Judgement) -> str:
    return share(expm1(judgement.hidden))


def _incomparable(comparison: Comparison, kind: str) -> Iterator[str]:
    if reasons := _reasons(comparison, kind, Outcome.INCOMPARABLE):
        yield f"{kind} is incomparable in {_listed(reasons)}"


def _reasons(comparison: Comparison, kind: str, outcome: Outcome) -> dict[str, str]:
    """Map the cases with this outcome to its reason, without those that share the reason of the whole comparison."""
    reasons = {case: judgement.reason for case, judgement in comparison.judged(kind, outcome).items()}
    return {case: reason for case, reason in reasons.items() if not reason or reason != comparison.unlike}


def _listed(reasons: dict[str, str]) -> str:
    """Return the cases and their reasons in a line, cases of one reason together."""
    groups = by_reason(NotRun(*item) for item in reasons.items())
    return few([f"{few(cases)}: {reason}" if reason else few(cases) for reason, cases in groups.items()], "; ")


def _with_outcome(comparison: Comparison, outcome: Outcome) -> list[str]:
    judged = {kind: comparison.judged(kind, outcome) for kind in GATED}
    return [one.case for one in comparison.verdicts if any(one.case in cases for cases in judged.values())]


def _folder_hint(comparison: Comparison) -> str:
    """Return what to do if the names of both sides differ only in their leading folders, else nothing."""
    base, head = comparison.base.cases, comparison.head.cases
    folders = {folder for name in base for folder in _extra(name, head)}
    folders |= {folder for name in head for folder in _extra(name, base)}
    if len(folders) != 1:
        return ""
    mend = "run pytest in the same folder for both, or give --rootdir"
    return f"; their names differ only by the folder {folders.pop()!r} in front: {mend}"


def _extra(name: str, others: Collection[str]) -> Iterator[str]:
    """List the leading folders of a name without which it is one of the others."""
    path = name.partition("::")[0]
    places = (place + 1 for place, sign in enumerate(path) if sign == "/")
    yield from (name[:place] for place in places if name[place:] in others)
