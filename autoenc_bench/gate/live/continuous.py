"""Two sides measured live, in blocks of A B B A, until every case is decided or the time is spent."""

from collections.abc import Callable, Sequence
from dataclasses import InitVar, dataclass
from pathlib import Path
from time import monotonic

from autoenc_bench.catalogue.limits import Overrides
from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.gate.live import processes
from autoenc_bench.gate.live.checkouts import Checkout
from autoenc_bench.gate.verdicts import Comparison, sides
from autoenc_bench.gate.verdicts.sequential import SequentialComparison
from autoenc_bench.records import loading, names
from autoenc_bench.records.loading import Source

CASES = "fused and epoch or experiment"  # speed by the steady epochs, errors by the whole experiments
SPENT, DECIDED, INTERRUPTED = "the time was spent", "nothing was left to decide", "it was interrupted"
GRACE = 60.0  # seconds by which the last run may be late


@dataclass(frozen=True)
class Look:
    """What is known after a look; ``ended`` says why there is no further one, and is empty when there is."""

    comparison: Comparison
    open: frozenset[str]
    runs: int
    seconds: float
    ended: str


@dataclass
class Continuous:
    """A base and a head, measured by turns."""

    both: tuple[Checkout, Checkout]
    options: Sequence[str]  # pytest's
    store: Path  # of the records, in a folder for each side
    budget: float  # seconds at most
    overrides: InitVar[Overrides]
    tell: Callable[[str], None]  # what is being run, about once a second

    def __post_init__(self, overrides: Overrides) -> None:
        self._sequence = SequentialComparison(overrides)
        self._sources: dict[str, list[Source]] = {side.name: [] for side in self.both}
        self._halves = 0
        self._latest = 0.0  # seconds that the latest run took
        self._started = monotonic()

    @property
    def _elapsed(self) -> float:
        return monotonic() - self._started

    @property
    def _is_late(self) -> bool:
        return self._elapsed + self._latest > self.budget

    def measure(self, show: Callable[[Look], None]) -> Look:
        """Measure to the end, or to a Ctrl-C, showing each look; return the last.

        Raises RunFailedError when a side cannot run the suite, or when the time is too short for a run of each.
        """
        while True:
            try:
                ended = self._half_block()
            except KeyboardInterrupt:
                ended = INTERRUPTED
            if self._halves % 2 and self._halves > 1 and not ended:
                continue  # within a block; but half of the first tells the errors, which are the same in each run
            look = self._look(ended)
            show(look)
            if look.ended:
                return look

    def _half_block(self) -> str:
        """Run both sides, the other way round than before; return why measuring ends with it, if it does."""
        self._halves += 1
        try:
            for side in self.both if self._halves % 2 else self.both[::-1]:
                if self._is_late:
                    return SPENT
                self._run(side)
        except TimeoutError:
            return SPENT
        return SPENT if self._is_late else ""

    def _run(self, side: Checkout) -> None:
        began, sources = self._elapsed, self._sources[side.name]
        where = f"run {len(sources) + 1} of the {side.name}"
        records = [source.record for done in self._sources.values() for source in done]
        benchmarks = [benchmark for record in records for benchmark in record.benchmarks]
        closed = {
            one.fullname for one in benchmarks if names.without_seed(names.identity(one)) in self._sequence.closed
        }  # one per seed
        options = [*self.options, "--no-roofs", *(f"--deselect={test}" for test in sorted(closed))]
        seconds = self.budget - began + (GRACE if self._latest else 0)
        path = processes.run(
            side, options, self.store / side.name, seconds, lambda: self.tell(f"{where}, {self._elapsed - began:.0f} s")
        )
        sources.append(loading.read(path, pictured=False))
        self._latest = self._elapsed - began

    def _look(self, ended: str) -> Look:
        fewest = min(map(len, self._sources.values()))  # a block may have ended early
        if not fewest:
            raise RunFailedError(f"{ended} before each side had one run; give more time with --budget")
        base, head = (sides.gather(sources[:fewest]) for sources in self._sources.values())
        for name in head.cases:  # what the base never heard of is a new case, what it cannot run is none
            if name not in base.cases and name in base.lost:
                raise RunFailedError(f"the base, {self.both[0].description}, cannot run {name}: {base.lost[name]}")
        seconds = self._elapsed
        comparison = self._sequence.look(base, head, min(1.0, seconds / self.budget), last=ended == SPENT)
        still_open = frozenset(verdict.case for verdict in comparison.verdicts) - set(self._sequence.closed)
        runs = sum(map(len, self._sources.values()))
        return Look(comparison, still_open, runs, seconds, ended if still_open else DECIDED)
