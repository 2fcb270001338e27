"""What a comparison can find of one figure of a case, and the rule by which an interval decides it."""

from dataclasses import dataclass
from enum import StrEnum
from math import inf, log1p

from autoenc_bench.verdicts.intervals import Interval
from autoenc_bench.verdicts.pairs import Paired

ANY = 20.0  # the logarithm of a change that is too large to state
DIFFER = "runs of one side differ"


class Outcome(StrEnum):
    """What a comparison found."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    CHANGED = "changed"  # of counts, where no limit is asked for
    UNDECIDED = "undecided"
    NEW = "new"
    MISSING = "missing"
    INCOMPARABLE = "incomparable"


CHANGES = (Outcome.REGRESSED, Outcome.IMPROVED)
DECIDED = (*CHANGES, Outcome.UNCHANGED)


@dataclass(frozen=True)
class Judgement:
    """The outcome for one figure of a case; the interval is of the logarithm of head over base."""

    outcome: Outcome
    limit: float = 0.0
    interval: Interval | None = None
    reason: str = ""
    paired: Paired | None = None  # what it was made of, where processes took turns
    needed: float | None = None  # of such pairs that would decide what is undecided, if it goes on like that

    @property
    def hidden(self) -> float:
        """Return the logarithm of the largest change that would not have been called one, infinity for any."""
        size = max(log1p(self.limit), self.interval.detectable) if self.interval else inf
        return size if size < ANY else inf


def decide(interval: Interval, limit: float) -> Judgement:
    """Judge an interval: clear of zero and past the limit, within the limit, or neither."""
    most = log1p(limit)
    if interval.low > 0 and interval.estimate >= most:
        outcome = Outcome.REGRESSED
    elif interval.high < 0 and interval.estimate <= -most:
        outcome = Outcome.IMPROVED
    else:
        outcome = Outcome.UNCHANGED if -most < interval.low and interval.high < most else Outcome.UNDECIDED
    return Judgement(outcome, limit, interval)
