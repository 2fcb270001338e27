"""Two sides that grow in, looked at again and again: which cases are decided, and which need more runs.

Intervals may be looked at so often, since each look gets its part of the error level (``intervals.levels``), and the
part is a matter of the clock alone, not of what was seen. A case that is decided stays so: it is measured no more.
"""

from collections.abc import Iterator
from dataclasses import replace

from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Comparison, Judgement, Outcome, Verdict
from autoenc_bench.gate.verdicts.intervals import ENOUGH, projected
from autoenc_bench.gate.verdicts.sides import SPREAD, Side, unlike

HOPELESS = 3  # times the limit
BLOCK = 2  # runs of each side
GIVEN_UP = "given up"  # a reason


class Looks:
    """Hold the looks at one pair of sides, and the verdicts of the cases that they closed."""

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._spent: tuple[float, ...] = ()  # share of the time at each look
        self.closed: dict[str, Verdict] = {}

    def look(self, base: Side, head: Side, share: float, *, last: bool = False) -> Comparison:
        """Compare the sides as they are after a ``share`` of the time; the ``last`` look spends what is left.

        The facts in which the sides' contexts differ are taken for what is under test.
        """
        runs = max(len(observed.raw) for observed in base.cases.values())
        # Fewer runs do not tell how far they spread, so looks at them decide about errors only.
        spent = (*self._spent, 1.0 if last else share if runs >= ENOUGH else 0.0)
        if runs > 1:  # a look at half a block is none, for looks are a block apart
            self._spent = spent
        found = self._judge(base, head, spent)
        # A case that is closed without being decided has had its last look.
        final = found if last else self._judge(base, head, (*spent[:-1], 1.0))
        for verdict, ending in zip(found.verdicts, final.verdicts, strict=True):
            if verdict.case in self.closed:
                continue
            if not any(_open(verdict)):
                self.closed[verdict.case] = verdict
            elif not last and (hopeless := _hopeless(ending, 1 / share, len(found.verdicts))):
                self.closed[verdict.case] = hopeless
        kept = [self.closed.get(verdict.case, verdict) for verdict in found.verdicts]
        return replace(found, verdicts=[verdicts.doubt(one) for one in kept] if found.control else kept)

    def _judge(self, base: Side, head: Side, spent: tuple[float, ...]) -> Comparison:
        across = unlike(base.alike, head.alike, ()).facts - {"machine"}
        return verdicts.judge(base, head, self._overrides, across, spent, BLOCK)


def _open(verdict: Verdict) -> Iterator[tuple[str, Judgement]]:
    """List what more runs may decide; errors are the same in each."""
    for kind, judgement in verdict.judgements.items():
        if kind != "error" and judgement.outcome is Outcome.UNDECIDED:
            yield kind, judgement


def _hopeless(verdict: Verdict, growth: float, cases: int) -> Verdict | None:
    """Give up a case that ``growth`` times as many runs would not decide; ``None`` where they may."""
    given_up = {
        kind: replace(judgement, reason=GIVEN_UP)
        for kind, judgement in _open(verdict)
        if _is_hopeless(kind, judgement, growth, cases)
    }
    if not given_up:
        return None
    return replace(verdict, time=given_up.get("time", verdict.time), memory=given_up.get("memory", verdict.memory))


def _is_hopeless(kind: str, judgement: Judgement, growth: float, cases: int) -> bool:
    """Tell whether a figure spreads so far that nothing would come out, if it goes on as it does."""
    held = judgement.interval
    assert held
    if min(held.runs) >= ENOUGH or held.spread < 2 * SPREAD:
        return False  # a few slow runs must not end what is worth measuring: only what is known to spread is given up
    reach = projected(held, max(held.runs) * growth, verdicts.LEVELS[kind] / cases)
    return reach > HOPELESS * judgement.limit and abs(held.estimate) < reach / 2
