"""Two sides that grow in, looked at again and again: which cases are decided for good, and which need more runs."""

from dataclasses import replace
from functools import partial

from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.gate import verdicts
from autoenc_bench.gate.verdicts import Comparison, Judgement, Outcome, Verdict
from autoenc_bench.gate.verdicts.intervals import ENOUGH, Looks, projected_half_width
from autoenc_bench.gate.verdicts.sides import MACHINE, SPREAD, Side, compare_surroundings

FUTILE = 3  # times the limit
BLOCK = 2  # runs of each side
FUTILITY = "given up"  # a reason


class SequentialComparison:
    """The looks at one pair of sides, and the verdicts of the cases that they closed."""

    def __init__(self, overrides: Overrides) -> None:
        self._overrides = overrides
        self._looks: Looks = ()
        self.closed: dict[str, Verdict] = {}

    def look(self, base: Side, head: Side, information_fraction: float, *, last: bool = False) -> Comparison:
        """Compare the sides as they are after that share of the time; the ``last`` look spends what is left.

        The facts in which the sides' contexts differ are taken for what is under test.
        """
        runs = max(len(observed.time) for observed in base.cases.values())
        # Fewer runs do not tell how far they spread, so looks at them decide about errors only.
        looks = (*self._looks, 1.0 if last else information_fraction if runs >= ENOUGH else 0.0)
        if runs > 1:  # a look at half a block is none, for looks are a block apart
            self._looks = looks
        across = compare_surroundings(base.surroundings, head.surroundings, ()).facts - {MACHINE}
        if base.surroundings.facts[MACHINE] is None:  # both ran here, whatever it is called
            across.add(MACHINE)
        compare = partial(verdicts.compare_sides, base, head, self._overrides, across, block=BLOCK)
        comparison = compare(looks=looks)
        # A case that is closed without being decided has had its last look.
        final = comparison if last else compare(looks=(*looks[:-1], 1.0))
        for verdict, ending in zip(comparison.verdicts, final.verdicts, strict=True):
            if verdict.case in self.closed:
                continue
            if not _open(verdict):
                self.closed[verdict.case] = verdict
            elif not last and (futile := _futile(ending, 1 / information_fraction, len(final.verdicts))):
                time, memory = futile.get("time", ending.time), futile.get("memory", ending.memory)
                self.closed[verdict.case] = replace(ending, time=time, memory=memory)
        known = [self.closed.get(verdict.case, verdict) for verdict in comparison.verdicts]
        return replace(comparison, verdicts=list(map(verdicts.downgrade, known)) if comparison.control else known)


def _open(verdict: Verdict) -> dict[str, Judgement]:
    """Return what more runs may decide; errors are the same in each."""
    judged = verdict.judgements.items()
    return {kind: one for kind, one in judged if kind != "error" and one.outcome is Outcome.UNDECIDED}


def _futile(verdict: Verdict, growth: float, cases: int) -> dict[str, Judgement]:
    """Return, as given up, what ``growth`` times as many runs would not decide."""
    return {
        kind: replace(judgement, reason=FUTILITY)
        for kind, judgement in _open(verdict).items()
        if is_futile(judgement, growth, verdicts.ALPHAS[kind] / cases)
    }


def is_futile(judgement: Judgement, growth: float, alpha: float) -> bool:
    """Return whether a figure spreads so far that nothing would come out, if it goes on as it does."""
    interval = judgement.interval
    assert interval
    if min(interval.runs) >= ENOUGH or interval.spread < 2 * SPREAD:
        return False  # a few slow runs must not end what is worth measuring: only what is known to spread is given up
    half_width = projected_half_width(interval, max(interval.runs) * growth, alpha)
    return half_width > FUTILE * judgement.limit and abs(interval.estimate) < half_width / 2
