"""Two sides measured live, in blocks of A B B A, until every case is decided or the time is spent.

After each block the intervals are updated. They may be looked at so often, since each look gets its part of the error
level (``verdicts.intervals.levels``); the part is a matter of the clock alone, not of what was seen. A case that is
decided is measured no more, and neither is one that could not be decided in the time that is left.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

from autoenc_bench import runs, sources, verdicts
from autoenc_bench.checkouts import Side
from autoenc_bench.limits import Overrides
from autoenc_bench.sources import Source
from autoenc_bench.verdicts import Comparison, Judgement, Outcome, Verdict, intervals, sides

CASES = "fused and epoch or experiment"  # speed by the steady epochs, errors by the whole experiments
SPENT, DECIDED, INTERRUPTED = "the time is spent", "nothing is left to decide", "interrupted"
GRACE = 60.0  # seconds by which the last run may be late
HOPELESS = 3  # times the limit


@dataclass(frozen=True)
class Look:
    """Hold what is known after a block; ``ended`` says why there is no further one, and is empty when there is."""

    comparison: Comparison
    open: frozenset[str]
    blocks: int
    seconds: float
    ended: str


Tell = Callable[[str], None]  # says what is being run; called about once a second


@dataclass
class Continuous:
    """Measure a base and a head by turns for at most ``budget`` seconds.

    ``options`` are pytest's; records appear in ``store``, in a folder for each side.
    """

    base: Side
    head: Side
    options: Sequence[str]
    store: Path
    budget: float
    overrides: Overrides
    tell: Tell
    found: dict[str, list[Source]] = field(default_factory=lambda: {"base": [], "head": []})
    closed: dict[str, Verdict] = field(default_factory=dict)
    spent: list[float] = field(default_factory=list)  # share of the time at each look
    blocks: int = 0
    latest: float = 0.0  # seconds that the latest run took
    started: float = field(default_factory=monotonic)

    @property
    def elapsed(self) -> float:
        """Give the seconds since measuring began."""
        return monotonic() - self.started

    def measure(self, show: Callable[[Look], None]) -> Look:
        """Measure to the end, showing each look; return the last.

        A Ctrl-C ends it with what is there. Raises ValueError when a side cannot run the suite or the time is too
        short for a run of each.
        """
        ended = ""
        while True:
            try:
                ended = self._block()
            except KeyboardInterrupt:
                ended = INTERRUPTED
            look = self._look(ended)
            show(look)
            if look.ended:
                return look

    def _block(self) -> str:
        """Run both sides twice, A B B A; say why measuring ends with it, if it does."""
        self.blocks += 1
        try:
            for side in (self.base, self.head, self.head, self.base):
                if self._is_late():
                    return SPENT
                self._run(side)
        except TimeoutError:
            return SPENT
        return SPENT if self._is_late() else ""

    def _is_late(self) -> bool:
        """Tell whether a run as long as the latest would end after the time."""
        return self.elapsed + self.latest > self.budget

    def _run(self, side: Side) -> None:
        began = self.elapsed
        number = len(self.found[side.name]) + 1
        options = [*self.options, *(f"--deselect={test}" for test in sorted(self._closed_tests()))]
        path = runs.run(
            side,
            options,
            self.store / side.name,
            self.budget - began + (GRACE if self.latest else 0),
            lambda: self.tell(f"block {self.blocks}, run {number} of the {side.name}, {self.elapsed - began:.0f} s"),
        )
        self.found[side.name].append(sources.read(path, pictured=False))
        self.latest = self.elapsed - began

    def _closed_tests(self) -> set[str]:
        """List the ids of the closed cases' tests, one per seed."""
        everything = [
            benchmark for held in self.found.values() for source in held for benchmark in source.record.benchmarks
        ]
        return {one.fullname for one in everything if sides.case_name(one) in self.closed}

    def _look(self, ended: str) -> Look:
        for name, held in self.found.items():
            if not held:
                raise ValueError(f"{ended} before the {name} had one run; give more time with --budget")
        fewest = min(map(len, self.found.values()))  # a block may have ended early
        base, head = (sides.gather(held[:fewest]) for held in self.found.values())
        self._refuse_failures(base, head)
        share = min(1.0, self.elapsed / self.budget)
        # Two runs a side do not tell how far they spread, so a first look decides about errors only.
        self.spent.append(1.0 if ended == SPENT else 0.0 if not (ended or self.spent) else share)
        found = self._judge(base, head, *self.spent)
        self._close(found, self._judge(base, head, *self.spent[:-1], 1.0))
        kept = [self.closed.get(verdict.case, verdict) for verdict in found.verdicts]
        kept = [verdicts.doubt(verdict) if found.control else verdict for verdict in kept]
        still = frozenset(verdict.case for verdict in kept) - set(self.closed)
        return Look(
            replace(found, verdicts=kept), still, self.blocks, self.elapsed, ended or ("" if still else DECIDED)
        )

    def _judge(self, base: sides.Side, head: sides.Side, *spent: float) -> Comparison:
        across = sides.unlike(base.alike, head.alike, ()).facts - {"machine"}  # what differs is what is under test
        return verdicts.judge(base, head, self.overrides, across, spent)

    def _refuse_failures(self, base: sides.Side, head: sides.Side) -> None:
        """Raise ValueError when the base cannot run the head's benchmarks; what it never heard of is a new case."""
        for name in head.cases:
            if name not in base.cases and name in base.lost:
                raise ValueError(f"the base, {self.base.words}, cannot run {name}: {base.lost[name]}")

    def _close(self, found: Comparison, last: Comparison) -> None:
        """Close the cases that are decided, and those that more runs would not decide, by what a last look says."""
        for verdict, final in zip(found.verdicts, last.verdicts, strict=True):
            if verdict.case in self.closed:
                continue
            if not any(_open(verdict)):
                self.closed[verdict.case] = verdict
            elif (left := list(_open(final))) and all(self._is_hopeless(*one, len(found.verdicts)) for one in left):
                self.closed[verdict.case] = final

    def _is_hopeless(self, kind: str, judgement: Judgement, cases: int) -> bool:
        """Tell whether a figure spreads so far that nothing would come out, if it goes on as it does."""
        assert judgement.interval
        held, runs_then = judgement.interval, max(judgement.interval.runs) * self.budget / self.elapsed
        reach = intervals.projected(held, runs_then, verdicts.LEVELS[kind] / cases)
        return reach > HOPELESS * judgement.limit and abs(held.estimate) < reach / 2


def _open(verdict: Verdict) -> Iterator[tuple[str, Judgement]]:
    """List what more runs may decide; errors are the same in each."""
    for kind, judgement in verdict.judgements.items():
        if kind != "error" and judgement.outcome is Outcome.UNDECIDED:
            yield kind, judgement
