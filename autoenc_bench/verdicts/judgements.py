"""The outcome for one figure of a case, and the rule by which an interval decides it."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf, log1p

from autoenc_bench.verdicts.intervals import ENOUGH, Interval
from autoenc_bench.verdicts.pairs import Paired

LARGEST = 20.0  # logarithm of the largest change that is stated

# Reasons
DIFFER = "runs of one side differ"
FUTILITY = "stopped for futility"
TOO_FEW = f"needs {ENOUGH} runs a side"


class Outcome(StrEnum):
    """What a comparison concludes about one figure."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    CHANGED = "changed"  # counts only, without a limit
    UNDECIDED = "undecided"
    NEW = "new"
    MISSING = "missing"
    INCOMPARABLE = "incomparable"


CHANGES = (Outcome.REGRESSED, Outcome.IMPROVED)
DECIDED = (*CHANGES, Outcome.UNCHANGED)
COMPARED = tuple(outcome for outcome in Outcome if outcome not in (Outcome.NEW, Outcome.MISSING))


@dataclass(frozen=True)
class Judgement:
    """The outcome for one figure of a case; ``interval`` is that of log(head / base)."""

    outcome: Outcome
    limit: float = 0.0
    interval: Interval | None = None
    reason: str = ""
    paired: Paired | None = None  # the pairs of a live comparison
    needed: float | None = None  # pairs that would decide an undecided time, if estimate and spread stay the same

    @property
    def hidden(self) -> float:
        """Return the logarithm of the largest change that could be hidden, infinity for any change."""
        size = max(log1p(self.limit), self.interval.detectable) if self.interval else inf
        return size if size < LARGEST else inf


def decide(interval: Interval, limit: float) -> Judgement:
    """Judge an interval: ``limit`` is the smallest share of the base that counts as a change.

    A change needs an interval that excludes zero and an estimate past the limit. ``unchanged`` needs an interval within
    the limit. Everything else is undecided.
    """
    threshold = log1p(limit)
    outcome = Outcome.UNDECIDED
    if interval.low > 0 and interval.estimate >= threshold:
        outcome = Outcome.REGRESSED
    elif interval.high < 0 and interval.estimate <= -threshold:
        outcome = Outcome.IMPROVED
    elif -threshold < interval.low and interval.high < threshold:
        outcome = Outcome.UNCHANGED
    return Judgement(outcome, limit, interval)
