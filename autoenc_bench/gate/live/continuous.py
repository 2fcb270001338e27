"""Two sides measured live, in blocks of A B B A, until every case is decided or the time is spent.

After each block the verdicts are looked at, and once before: half a block tells the errors, which are the same in each
run, so that whole experiments need not run again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from time import monotonic

from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.gate.live import processes
from autoenc_bench.gate.live.checkouts import Side
from autoenc_bench.gate.verdicts import Comparison, sides
from autoenc_bench.gate.verdicts.sequential import SequentialComparison
from autoenc_bench.records import loading
from autoenc_bench.records.loading import Source

CASES = "fused and epoch or experiment"  # speed by the steady epochs, errors by the whole experiments
SPENT, DECIDED, INTERRUPTED = "the time was spent", "nothing was left to decide", "it was interrupted"
GRACE = 60.0  # seconds by which the last run may be late

Tell = Callable[[str], None]  # says what is being run; called about once a second


@dataclass(frozen=True)
class Look:
    """Hold what is known after a look; ``ended`` says why there is no further one, and is empty when there is."""

    comparison: Comparison
    open: frozenset[str]
    runs: int
    seconds: float
    ended: str


class Continuous:
    """Measure a base and a head by turns for at most ``budget`` seconds.

    ``options`` are pytest's; records appear in ``store``, in a folder for each side.
    """

    def __init__(
        self,
        both: tuple[Side, Side],
        options: Sequence[str],
        store: Path,
        budget: float,
        overrides: Overrides,
        tell: Tell,
    ) -> None:
        self._base, self._head = both
        self._options = [*options, "--no-roofs"]
        self._store = store
        self._budget = budget
        self._tell = tell
        self._sequence = SequentialComparison(overrides)
        self._found: dict[str, list[Source]] = {side.name: [] for side in both}
        self._halves = 0
        self._latest = 0.0  # seconds that the latest run took
        self._started = monotonic()

    @property
    def _elapsed(self) -> float:
        return monotonic() - self._started

    def measure(self, show: Callable[[Look], None]) -> Look:
        """Measure to the end, showing each look; return the last.

        A Ctrl-C ends it with what is there. Raises ValueError when a side cannot run the suite, or when the time is
        too short for a run of each.
        """
        while True:
            try:
                ended = self._half_block()
            except KeyboardInterrupt:
                ended = INTERRUPTED
            if self._halves % 2 and self._halves > 1 and not ended:
                continue
            look = self._look(ended)
            show(look)
            if look.ended:
                return look

    def _half_block(self) -> str:
        """Run both sides, the other way round than before; say why measuring ends with it, if it does."""
        self._halves += 1
        sides_by_turns = (self._base, self._head) if self._halves % 2 else (self._head, self._base)
        try:
            for side in sides_by_turns:
                if self._is_late():
                    return SPENT
                self._run(side)
        except TimeoutError:
            return SPENT
        return SPENT if self._is_late() else ""

    def _is_late(self) -> bool:
        """Tell whether a run as long as the latest would end after the time."""
        return self._elapsed + self._latest > self._budget

    def _run(self, side: Side) -> None:
        began, found = self._elapsed, self._found[side.name]
        where = f"run {len(found) + 1} of the {side.name}"
        path = processes.run(
            side,
            [*self._options, *(f"--deselect={test}" for test in self._closed_tests())],
            self._store / side.name,
            self._budget - began + (GRACE if self._latest else 0),
            lambda: self._tell(f"{where}, {self._elapsed - began:.0f} s"),
        )
        found.append(loading.read(path, pictured=False))
        self._latest = self._elapsed - began

    def _closed_tests(self) -> list[str]:
        """List the ids of the closed cases' tests, one per seed."""
        records = [source.record for found in self._found.values() for source in found]
        benchmarks = [benchmark for record in records for benchmark in record.benchmarks]
        return sorted({one.fullname for one in benchmarks if sides.case_name(one) in self._sequence.closed})

    def _look(self, ended: str) -> Look:
        fewest = min(map(len, self._found.values()))  # a block may have ended early
        if not fewest:
            raise ValueError(f"{ended} before each side had one run; give more time with --budget")
        base, head = (sides.gather(found[:fewest]) for found in self._found.values())
        self._refuse_failures(base, head)
        seconds = self._elapsed
        found = self._sequence.look(base, head, min(1.0, seconds / self._budget), last=ended == SPENT)
        still = frozenset(verdict.case for verdict in found.verdicts) - set(self._sequence.closed)
        ended = ended if still else DECIDED
        return Look(found, still, sum(map(len, self._found.values())), seconds, ended)

    def _refuse_failures(self, base: sides.Side, head: sides.Side) -> None:
        """Raise ValueError when the base cannot run the head's benchmarks; what it never heard of is a new case."""
        for name in head.cases:
            if name not in base.cases and name in base.lost:
                raise ValueError(f"the base, {self._base.words}, cannot run {name}: {base.lost[name]}")
