"""A comparison -> the exit status that a CI job goes by."""

from typing import NamedTuple

from autoenc_bench.gate.verdicts import Comparison, Outcome

PASSED, REGRESSED, NOT_COMPARED, UNDECIDED = 0, 1, 2, 3


class Status(NamedTuple):
    """An exit status and, in a sentence, why it is not 0."""

    code: int
    reason: str


def of(comparison: Comparison, *, allow_missing: bool = False, strict: bool = False) -> Status:
    """Sum a comparison up: a confirmed regression counts first, then what could not be compared, then doubt."""
    cases: dict[Outcome, list[str]] = {outcome: [] for outcome in Outcome}
    for verdict in comparison.verdicts:
        for outcome in {judgement.outcome for judgement in verdict.judgements.values()}:
            cases[outcome].append(verdict.case)
    if cases[Outcome.REGRESSED]:
        return Status(REGRESSED, f"regressed: {_some(cases[Outcome.REGRESSED])}")
    if {outcome for outcome in Outcome if cases[outcome]} <= {Outcome.NEW, Outcome.MISSING}:
        return Status(NOT_COMPARED, "the two sides have no case in common, so nothing was compared")
    if comparison.unlike:
        reason = f"times are incomparable: {comparison.unlike}; name what is under test with --across, if that is it"
        return Status(NOT_COMPARED, reason)
    # Peaks of memory are incomparable as soon as the head has a new case: that alone is no reason to stop a job.
    unlike = [one.case for one in comparison.verdicts if one.error and one.error.outcome is Outcome.INCOMPARABLE]
    if unlike:
        return Status(NOT_COMPARED, f"incomparable errors: {_some(unlike)}; the table says why")
    if (missing := cases[Outcome.MISSING]) and not allow_missing:
        return Status(NOT_COMPARED, f"missing from the head: {_some(missing)}; --allow-missing lets them")
    if cases[Outcome.UNDECIDED] and strict:
        return Status(UNDECIDED, f"undecided: {_some(cases[Outcome.UNDECIDED])}; measure more runs")
    return Status(PASSED, "")


def _some(cases: list[str]) -> str:
    more = f" and {len(cases) - 3} more" if len(cases) > 3 else ""
    return ", ".join(cases[:3]) + more
