"""Two sides that grow group by group, looked at again and again: which cases are decided for good?"""

from dataclasses import replace
from math import isinf, log1p

from autoenc_bench.verdicts.comparison import ALPHAS, Comparison, Verdict, compare_sides
from autoenc_bench.verdicts.intervals import Looks
from autoenc_bench.verdicts.judgements import Judgement, Outcome
from autoenc_bench.verdicts.limits import Overrides
from autoenc_bench.verdicts.sides import Side, under_test

FUTILE = 2  # times what the budget holds
FUTILITY = "given up"  # a reason


class SequentialComparison:
    """The looks at one pair of sides, and the verdicts of the cases that they closed."""

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._looks: Looks = ()
        self.closed: dict[str, Verdict] = {}

    def look(self, base: Side, head: Side, groups: int, most: int, *, last: bool = False) -> Comparison:
        """Compare the sides after so many ``groups`` of pairs, of ``most``; the ``last`` look spends what is left.

        The facts in which the sides' contexts differ are taken for what is under test.
        """
        before = max(self._looks, default=0.0)
        self._looks = (*self._looks, 1.0 if last else max(before, groups / max(most, groups)))
        comparison = compare_sides(base, head, self._overrides, under_test(base, head), self._looks)
        alpha = ALPHAS["time"] / max(1, sum(bool(one.time and one.time.paired) for one in comparison.verdicts))
        for verdict in comparison.verdicts:
            if verdict.case in self.closed:
                continue
            time = verdict.time
            if time is None or time.outcome is not Outcome.UNDECIDED:
                self.closed[verdict.case] = verdict
            elif not last and _is_futile(time, FUTILE * most / groups, alpha):
                self.closed[verdict.case] = replace(verdict, time=replace(time, reason=FUTILITY))
        known = [self.closed.get(verdict.case, verdict) for verdict in comparison.verdicts]
        return replace(comparison, verdicts=known)


def _is_futile(time: Judgement, growth: float, alpha: float) -> bool:
    """Return whether so many times the pairs would not decide a case, even if its estimate turns out for the better."""
    paired = time.paired
    if paired is None or isinf(paired.variance):
        return False
    return paired.needed(log1p(time.limit), alpha, slack=paired.half_width(alpha) / 2) > growth * paired.pairs
