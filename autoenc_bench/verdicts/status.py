"""A comparison -> the exit status that a CI job goes by, and what 0 claims."""

from collections.abc import Callable, Collection, Iterator
from math import expm1, isinf
from typing import NamedTuple

from autoenc_bench.exit_codes import NOT_COMPARED, PASSED, REGRESSED, UNDECIDED
from autoenc_bench.formatting import count, few, share
from autoenc_bench.records.names import without_seed
from autoenc_bench.records.record import NotRun, by_reason
from autoenc_bench.verdicts.comparison import TOO_FEW, Comparison
from autoenc_bench.verdicts.intervals import ENOUGH, RECORDED
from autoenc_bench.verdicts.judgements import DECIDED, Judgement, Outcome
from autoenc_bench.verdicts.limits import COUNTS, GATED, KINDS

ALLOW = "to accept that, add --allow-missing"


class Status(NamedTuple):
    """An exit status and, in a sentence, why it is so."""

    code: int
    reason: str


# Takes the name of a case and its experiment, if known; returns whether the head was expected to run the case.
Selection = Callable[[str, str | None], bool]


def of(
    comparison: Comparison,
    *,
    allow_missing: bool = False,
    strict: bool = False,
    selected: Selection | None = None,  # None: every case of the base was
) -> Status:
    """Sum a comparison up: a confirmed regression counts first, then what could not be compared, then doubt.

    0 claims that all that was asked for was measured on both sides, that each kind of figure has a decided case, and
    that nothing regressed; its sentence names the largest change that could be hidden.
    """
    if regressed := _cases(comparison, Outcome.REGRESSED):
        return Status(REGRESSED, f"regressed: {few(regressed)}")
    if reason := next(_not_compared(comparison, allow_missing, selected), None):
        return Status(NOT_COMPARED, reason)
    if reason := next(_undecided(comparison, strict), None):
        return Status(UNDECIDED, reason)
    return Status(PASSED, _claim(comparison))


def _not_compared(comparison: Comparison, allow_missing: bool, selected: Selection | None) -> Iterator[str]:
    outcomes = {judgement.outcome for verdict in comparison.verdicts for judgement in verdict.judgements.values()}
    if outcomes <= {Outcome.NEW, Outcome.MISSING}:
        yield f"the two sides have no case in common, so nothing was compared{_moved(comparison)}"
    if comparison.unlike:
        yield f"times are incomparable: {comparison.unlike}; if that is what you test, name it with --across"
    for kind in ("time", "error"):
        if incomparable := _reasons(comparison, kind, Outcome.INCOMPARABLE):
            yield f"{kind} is incomparable in {_listed(incomparable)}"
    experiments = {one.case: one.experiment for one in comparison.verdicts}

    def expected(reasons: dict[str, str]) -> dict[str, str]:
        """Return what the head was expected to run."""
        if allow_missing:
            return {}
        known = {case: experiments.get(case) or experiments.get(without_seed(case)) for case in reasons}
        return {case: why for case, why in reasons.items() if selected is None or selected(case, known[case])}

    if missing := expected(_reasons(comparison, "time", Outcome.MISSING)):
        yield f"missing from the head: {_listed(missing)}; {ALLOW}"
    if lost := expected(comparison.lost):
        yield f"not measured: {_listed(lost)}; {ALLOW}"
    for kind in GATED:
        judged = _judged(comparison, kind).values()
        if kind in comparison.asked and {one.outcome for one in judged} <= {Outcome.INCOMPARABLE}:
            why = next((f": {one.reason}" for one in judged), "")
            yield f"--fail-on asks for {kind}, but no case has {kind} on both sides to compare{why}"


def _undecided(comparison: Comparison, strict: bool) -> Iterator[str]:
    for kind in () if _is_left_to_counts(comparison) else KINDS:
        judged = _judged(comparison, kind)
        undecided = {case: one for case, one in judged.items() if one.outcome is Outcome.UNDECIDED}
        if undecided and not any(one.outcome in DECIDED for one in judged.values()):
            yield f"no case was decided in {kind}: {_doubt(kind, undecided)}"
    if strict and (cases := _cases(comparison, Outcome.UNDECIDED)):
        yield f"undecided: {few(cases)}; measure more runs"


def _is_left_to_counts(comparison: Comparison) -> bool:
    """Return whether --fail-on asks for counts alone: one run a side is enough for them, and too few for times."""
    times = _judged(comparison, "time").values()
    undecided = [one for one in times if one.outcome is Outcome.UNDECIDED]
    return comparison.asked == {COUNTS} and all(one.reason == TOO_FEW for one in undecided)


def _doubt(kind: str, undecided: dict[str, Judgement]) -> str:
    """Return which change would have been seen, and what to do."""
    if all(one.reason == TOO_FEW for one in undecided.values()):
        return f"too few runs to know how far times spread; record {ENOUGH} runs on each side, or {RECORDED} on one"
    case, least = min(undecided.items(), key=lambda one: one[1].hidden)
    seen = "no change" if isinf(least.hidden) else f"at best a change of {_percent(least)}, in {case},"
    mend = "train more seeds, with --seeds" if kind == "error" else "measure more runs, or give more time"
    return f"{seen} would have shown; {mend}"


def _claim(comparison: Comparison) -> str:
    """Return which change would have shown, and the largest that an undecided case could hide."""
    seen, hiding = [], []
    for kind in KINDS:
        judged = _judged(comparison, kind)
        if incomparable := _reasons(comparison, kind, Outcome.INCOMPARABLE):
            hiding.append(f"{kind} is incomparable in {_listed(incomparable)}")
        if decided := [one for one in judged.values() if one.outcome in DECIDED]:
            seen.append(f"{_percent(max(decided, key=lambda one: one.hidden))} in {kind}")
        undecided = {case: one for case, one in judged.items() if one.outcome is Outcome.UNDECIDED}
        if decided and undecided:
            case, worst = max(undecided.items(), key=lambda one: one[1].hidden)
            change = "none" if isinf(worst.hidden) else f"only one of {_percent(worst)}"
            why = f" ({worst.reason})" if worst.reason else ""
            hiding.append(f"but in {case} {change}{f' in {kind}' if kind != KINDS[0] else ''}{why}")
    claims = [f"a change of {', '.join(seen)} would have shown"] if seen else []
    if counted := _judged(comparison, COUNTS):
        equal = sum(one.outcome is Outcome.UNCHANGED for one in counted.values())
        claims.append(f"counts are equal in {equal} of {count(len(counted), 'case')}")
    stale = f"the head is faster in {comparison.stale}; a smaller slowdown hides behind that, so record a newer base"
    return "; ".join(("nothing regressed", *claims, *hiding, *([stale] if comparison.stale else [])))


def _percent(judgement: Judgement) -> str:
    return share(expm1(judgement.hidden))


def _judged(comparison: Comparison, kind: str) -> dict[str, Judgement]:
    """Return the judgements of a kind of figure, of the cases that both sides have."""
    pairs = {verdict.case: one for verdict in comparison.verdicts if (one := verdict.judgements.get(kind))}
    return {case: one for case, one in pairs.items() if one.outcome not in (Outcome.NEW, Outcome.MISSING)}


def _reasons(comparison: Comparison, kind: str, outcome: Outcome) -> dict[str, str]:
    """Map the cases with this outcome to its reason, without those that share the reason of the whole comparison."""
    judged = {one.case: one.judgements[kind] for one in comparison.verdicts if kind in one.judgements}
    reasons = {case: one.reason for case, one in judged.items() if one.outcome is outcome}
    return {case: why for case, why in reasons.items() if not why or why != comparison.unlike}


def _listed(reasons: dict[str, str]) -> str:
    """Return the cases and their reasons in a line, cases of one reason together."""
    groups = by_reason(NotRun(*one) for one in reasons.items())
    return few([f"{few(names)}: {why}" if why else few(names) for why, names in groups.items()], "; ")


def _moved(comparison: Comparison) -> str:
    """Return a hint where the names of both sides differ in their leading folders alone."""
    base, head = comparison.base.cases, comparison.head.cases
    tops = {top for one, other in ((base, head), (head, base)) for name in one for top in _tops(name, other)}
    if len(tops) != 1:
        return ""
    mend = "run pytest in the same folder for both, or give --rootdir"
    return f"; their names differ only by the folder {tops.pop()!r} in front: {mend}"


def _tops(name: str, others: Collection[str]) -> Iterator[str]:
    """List the leading folders of a name without which it is one of the others."""
    path = name.partition("::")[0]
    places = (place + 1 for place, sign in enumerate(path) if sign == "/")
    yield from (name[:place] for place in places if name[place:] in others)


def _cases(comparison: Comparison, outcome: Outcome) -> list[str]:
    return [one.case for one in comparison.verdicts if outcome in {held.outcome for held in one.judgements.values()}]
