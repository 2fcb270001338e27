"""A comparison -> the exit status that a CI job goes by."""

from typing import NamedTuple

from autoenc_bench.gate.verdicts import Comparison, Outcome

PASSED, REGRESSED, NOT_COMPARED, UNDECIDED = 0, 1, 2, 3


class Status(NamedTuple):
    """Hold an exit status and, in a sentence, why it is not 0."""

    code: int
    reason: str


def of(found: Comparison, *, allow_missing: bool = False, strict: bool = False) -> Status:
    """Sum a comparison up: a confirmed regression counts first, then what could not be compared, then doubt."""
    outcomes = [(verdict.case, held.outcome) for verdict in found.verdicts for held in verdict.judgements.values()]
    named = {outcome: list(dict.fromkeys(case for case, held in outcomes if held is outcome)) for outcome in Outcome}
    if named[Outcome.REGRESSED]:
        return Status(REGRESSED, f"regressed: {_some(named[Outcome.REGRESSED])}")
    if not outcomes or {outcome for _, outcome in outcomes} <= {Outcome.NEW, Outcome.MISSING}:
        return Status(NOT_COMPARED, "the two sides have no case in common, so nothing was compared")
    if found.unlike:
        return Status(
            NOT_COMPARED,
            f"times are incomparable: {found.unlike}; name what is under test with --across, if that is it",
        )
    # Peaks of memory are incomparable as soon as the head has a new case: that alone is no reason to stop a job.
    unlike = [one.case for one in found.verdicts if one.error and one.error.outcome is Outcome.INCOMPARABLE]
    if unlike:
        return Status(NOT_COMPARED, f"incomparable errors: {_some(unlike)}; the table says why")
    if named[Outcome.MISSING] and not allow_missing:
        return Status(
            NOT_COMPARED, f"missing from the head: {_some(named[Outcome.MISSING])}; --allow-missing lets them"
        )
    if named[Outcome.UNDECIDED] and strict:
        return Status(UNDECIDED, f"undecided: {_some(named[Outcome.UNDECIDED])}; measure more runs")
    return Status(PASSED, "")


def _some(cases: list[str]) -> str:
    more = f" and {len(cases) - 3} more" if len(cases) > 3 else ""
    return ", ".join(cases[:3]) + more
