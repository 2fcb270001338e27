"""Measure two sides in groups of sessions, until every case is decided or the budget is spent."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import InitVar, dataclass, field, replace
from math import sqrt
from pathlib import Path
from statistics import median
from time import monotonic

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.formatting import few
from autoenc_bench.live import differences, groups
from autoenc_bench.live.groups import CYCLES, PAIRS, PLACES, SIDE_OF_PLACE, Group, Instrumentation, Results
from autoenc_bench.live.processes import Suite, SuiteFailedError
from autoenc_bench.plugin.messages import Item
from autoenc_bench.records import loading, names
from autoenc_bench.records.loading import Source
from autoenc_bench.verdicts import sides
from autoenc_bench.verdicts.comparison import Comparison
from autoenc_bench.verdicts.interim import SequentialComparison
from autoenc_bench.verdicts.judgements import Outcome
from autoenc_bench.verdicts.limits import Overrides
from autoenc_bench.verdicts.pairs import Paired

CASES = "epoch and not untouched or experiment and fused"  # times of steady epochs, errors of whole experiments
SPENT, DECIDED, INTERRUPTED = "the time was spent", "nothing was left to decide", "it was interrupted"
FAILED = "its processes kept failing"
GRACE = 60.0  # seconds by which the end may be late
SAMPLING = 0.1  # share of the budget, beyond it, for samples of what changed
WHOLE = "experiment"  # the phase of cases that run once, for their error
RANKS = {  # of phases: the most informative for its time comes first
    **dict.fromkeys(("epoch", WHOLE), 0),  # they share a trainer
    **dict.fromkeys(("encode", "decode", "reconstruct"), 1),
    **dict.fromkeys(("build", "data", "score"), 2),
    "first_call": 3,
    "untouched_fit": 4,
}
FIRST = 4.0  # seconds of a case's interleaved rounds in its first group
ROUNDS = 8, 60  # of a visit, at least and at most
PROCESS = 0.005  # the least assumed difference between processes, as a share of a round (docs/studies/gate.md)
TRIES = 3  # groups that may be lost


@dataclass(frozen=True)
class Analysis:
    """The result after a group; ``ended`` says why it is the last one, and is empty for an interim analysis."""

    comparison: Comparison
    open: frozenset[str]
    groups: int
    seconds: float
    next_group: float  # seconds that one more takes
    ended: str
    notes: tuple[str, ...] = ()

    @property
    def measured(self) -> str:
        """Return in a line how it was measured."""
        pairs = f"{PAIRS * self.groups} pairs of processes in {self.seconds:.0f} s, until {self.ended}"
        return "; ".join((pairs, *self.notes))


@dataclass
class Cost:
    """What a case takes in a group: seconds in all, the median of a round, and the number of rounds for the next."""

    seconds: float
    round: float
    rounds: int
    cycle: float = 0.0  # seconds for a round of each process, with everything around it

    def plan(self, paired: Paired, share: float) -> None:
        """Choose the most informative number of rounds, for a case's ``share`` of the seconds a group takes to start.

        The variance of a group's estimate is a + b / n and its time c + n d, so their product is least at this n.
        """
        between = max(paired.variance - paired.within, PROCESS**2)
        preparation = max(0.0, self.seconds - self.rounds * self.cycle)
        fixed = share + preparation
        self.rounds = bounded(sqrt(paired.within * self.rounds * fixed / (between * self.cycle)))
        self.seconds = preparation + self.rounds * self.cycle


@dataclass
class Continuous:
    """A live comparison of a base and a head."""

    both: tuple[Suite, Suite]
    options: Sequence[str]  # pytest's
    store: Path  # of the records, in a folder for each side
    budget: float  # seconds at most
    overrides: InitVar[Overrides]
    progress: Callable[[str, float], None]  # called with the current activity and the seconds since the start
    samples: bool = True  # whether to sample where the time of changed cases goes
    nodeids: dict[str, str] = field(default_factory=dict, init=False)  # pytest's, by case
    _groups: int = field(default=0, init=False)  # measured ones
    _lost: dict[str, str] = field(default_factory=dict, init=False)  # cases that ended a process, and why
    _failed: dict[str, str] = field(default_factory=dict, init=False)  # cases that did not pass, and why
    _done: set[str] = field(default_factory=set, init=False)  # cases without further visits
    _costs: dict[str, Cost] = field(default_factory=dict, init=False)
    _background: dict[str, float] = field(default_factory=dict, init=False)  # see ``groups.Results``, by case
    _notes: list[str] = field(default_factory=list, init=False)

    def __post_init__(self, overrides: Overrides) -> None:
        self._sequence = SequentialComparison(overrides)
        self._sources: tuple[list[Source], list[Source]] = [], []
        self._started = monotonic()
        self._overhead = 0.0  # seconds of the latest group before its first visit and after its last
        self._case = ""  # the current one
        self._activity = ""

    @property
    def _elapsed(self) -> float:
        return monotonic() - self._started

    @property
    def _next_group(self) -> float:
        """Return the seconds that one more group takes."""
        return self._overhead + sum(cost.seconds for name, cost in self._costs.items() if not self._is_closed(name))

    def measure(self, show: Callable[[Analysis], None]) -> Analysis:
        """Measure to the end, or to a Ctrl-C; show each analysis and return the last.

        Raises RunFailedError when a side cannot run the suite, or when the budget is too small for a group.
        """
        try:
            return self._measure(show)
        except KeyboardInterrupt:
            analysis = self._analyse(INTERRUPTED)
            show(analysis)
            return analysis

    def _measure(self, show: Callable[[Analysis], None]) -> Analysis:
        lost = 0
        while True:
            before = self._groups
            with ExitStack() as alive:
                ended, group = self._measure_group(str(self._groups + lost + 1), alive)
                lost += self._groups == before
                if not ended and self._elapsed + self._next_group > self.budget:
                    ended = SPENT
                if not ended and lost > TRIES:
                    ended = FAILED
                if not ended and self.nodeids and all(map(self._is_closed, self.nodeids)):
                    ended = DECIDED
                if self._groups == before and not ended:
                    continue
                analysis = self._analyse(ended)
                show(analysis)
                if self.samples and group and analysis.ended in (DECIDED, SPENT):
                    self._sample(group, analysis)
                if analysis.ended:
                    return analysis

    def _measure_group(self, number: str, alive: ExitStack) -> tuple[str, Group | None]:
        """Measure one more group, whose processes live as long as ``alive``.

        Returns why measuring ends, or an empty text, and the group unless it was dropped.
        """
        began = self._elapsed
        ended = ""
        self._begin("starting")
        try:
            group = alive.enter_context(Group(self.both, self.options, self.store, number, self._tick))
            try:
                group.start()
                self._overhead = self._elapsed - began
                done = self._visit_cases(group)
            except KeyboardInterrupt:
                ended, done = INTERRUPTED, set()
            closing = self._elapsed
            self._begin("saving")
            paths = group.end()
            self._overhead += self._elapsed - closing
            if jump := group.clock_jump:
                self._notes.append(f"a group was dropped because the clock jumped by {jump:.0f} s")
                return ended, None
        except SuiteFailedError as problem:
            if self._case:
                self._lost[self._case] = str(problem)
            elif self._groups or ended:
                self._notes.append(f"a group was dropped: {problem}")
            else:
                raise
            return ended, None
        self._done |= done
        saved = [(side, path) for side, path in zip(SIDE_OF_PLACE, paths, strict=True) if path]
        sources = [(side, loading.read_record(path, pictured=False)) for side, path in saved]  # before any counts
        for side, source in sources:
            self._sources[side].append(source)
        self._groups += bool(sources)  # an interrupted group may have saved none
        return ended, group

    def _sample(self, group: Group, analysis: Analysis) -> None:
        """Sample where the time of changed cases goes whose programs are equal; a failure changes no verdict."""
        self._activity, until = "sampling what changed", self._elapsed + SAMPLING * self.budget
        with suppress(SuiteFailedError, KeyboardInterrupt):
            for case in (verdict.case for verdict in analysis.comparison.verdicts if verdict.explained):
                if not any(differences.describe(self.store, case)) and self._elapsed < until:
                    group.profile(self.nodeids[case], until - self._elapsed)

    def _begin(self, activity: str, case: str = "") -> None:
        """Begin an activity in the current group, with or without a case."""
        self._case, self._activity = case, f"group {self._groups + 1}: {activity}"

    def _tick(self) -> None:
        self.progress(self._activity, self._elapsed)

    def _visit_cases(self, group: Group) -> set[str]:
        """Visit the open cases, the most informative first; return those that need no further visit."""
        cases = {**group.cases[1], **group.cases[0]}
        self.nodeids |= {_name(item): nodeid for nodeid, item in cases.items()}
        done = set()
        for nodeid, item in sorted(cases.items(), key=lambda case: RANKS.get(case[1].phase, len(RANKS))):
            name = _name(item)
            self._begin(name, name)
            cost = self._costs.get(name)
            left = self.budget - self._elapsed
            if self._is_closed(name) or left < (cost.seconds if cost else 0):
                continue
            began = self._elapsed
            places = [place for place in PLACES[:2] if nodeid in group.cases[place]]
            if len(places) < 2 or item.phase == WHOLE:
                self._has_passed(name, group.run(nodeid, places, 0, left + GRACE, {}))
                done.add(name)
            elif not self._visit(group, nodeid, name):
                done.add(name)
            if name in self._costs:
                self._costs[name].seconds = self._elapsed - began
        return done

    def _visit(self, group: Group, nodeid: str, name: str) -> bool:
        """Prepare a case and interleave its rounds; return whether it can be measured."""
        # In the first group a base and a head run the instrumentation pass.
        passes: dict[int, Instrumentation] = {} if self._groups else {0: "counts", 1: "counts"}
        rehearsal = group.run(nodeid, PLACES, 1, self.budget - self._elapsed + GRACE, passes)
        if not self._has_passed(name, rehearsal):
            return False
        if name not in self._costs:
            seconds = median(ended.times[0] for ended in rehearsal.ended.values()) / group.sharing
            self._costs[name] = Cost(0.0, seconds, bounded(FIRST / len(PLACES) / seconds))
        cost, began = self._costs[name], self._elapsed
        rounds = min(cost.rounds, int((self.budget - began) / (cost.cycle or len(PLACES) * cost.round)) - 1)
        if rounds < len(CYCLES):
            return True  # too little time is left
        self._tick()
        results = group.interleave(nodeid, rounds, cost.round)
        if not self._has_passed(name, results):
            return False
        cost.cycle = max((self._elapsed - began) / (rounds + 1), len(PLACES) * cost.round)
        cost.round = median(seconds for ended in results.ended.values() for seconds in ended.times)
        if results.background > groups.BACKGROUND:
            self._background[name] = max(results.background, self._background.get(name, 0.0))
        return True

    def _is_closed(self, name: str) -> bool:
        return name in self._done or name in self._lost or name in self._sequence.closed

    def _has_passed(self, name: str, results: Results) -> bool:
        """Return whether a case has passed in all processes so far; keep the reason where it has not."""
        for place, ended in results.ended.items():
            if ended.outcome != "passed":
                suite = self.both[SIDE_OF_PLACE[place]]
                self._failed.setdefault(name, f"{suite}, cannot run {name}: {ended.reason}")
        return name not in self._failed

    def _analyse(self, ended: str) -> Analysis:
        if not all(self._sources):
            reasons = (*self._lost.values(), *self._failed.values())
            mend = "; give more with --budget" if ended == SPENT else ""
            raise RunFailedError(next(iter(reasons), f"{ended} before anything was measured{mend}"))
        base, head = map(sides.gather, self._sources)
        for name in head.cases:  # a case that the base lacks is new, but one that fails on the base is an error
            if name not in base.cases and name in base.reasons:
                raise RunFailedError(f"{self.both[0]}, cannot run {name}: {base.reasons[name]}")
        seconds = self._elapsed
        most = self._groups + int(max(0.0, self.budget - seconds) / max(1.0, self._next_group))
        comparison = self._sequence.analyse(base, head, self._groups, most, last=ended in (SPENT, FAILED))
        for verdict in comparison.verdicts:
            cost = self._costs.get(verdict.case)
            if cost and cost.cycle and verdict.time and verdict.time.paired:
                cost.plan(verdict.time.paired, self._overhead / len(self._costs))
        judged = {verdict.case for verdict in comparison.verdicts if verdict.time or verdict.error}
        unreached = self.nodeids.keys() - judged - {*base.reasons, *head.reasons, *self._lost, *self._failed}
        own_reasons = self._failed | self._lost | dict.fromkeys(sorted(unreached), "the time was too short")
        # Where both give a reason, that of the failed process says more than that of the records.
        recorded = {case: why for case, why in comparison.lost.items() if names.without_seed(case) not in own_reasons}
        missing = {each.case for each in comparison.verdicts if each.time and each.time.outcome is Outcome.MISSING}
        lost = {case: why for case, why in (recorded | own_reasons).items() if case not in missing}
        comparison = replace(comparison, lost=lost)
        still_open = frozenset(verdict.case for verdict in comparison.verdicts if not self._is_closed(verdict.case))
        notes = list(self._notes)
        if self._background:
            share = max(self._background.values())
            cases = few(list(self._background))
            notes.append(f"in {cases} a process used up to {share:.0%} of a core between its rounds")
        ended = ended if still_open or unreached else DECIDED
        return Analysis(comparison, still_open, self._groups, seconds, self._next_group, ended, tuple(notes))


def bounded(rounds: float) -> int:
    """Return a number of rounds near this one, in which each process comes as often in each position."""
    least, most = ROUNDS
    return min(most, max(least, len(CYCLES) * round(rounds / len(CYCLES))))


def _name(item: Item) -> str:
    return names.without_seed(item.name.removeprefix("test_"))
