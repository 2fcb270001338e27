"""Two sides measured live, group by group of processes, until every case is decided or the time is spent."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack, suppress
from dataclasses import InitVar, dataclass, field, replace
from math import sqrt
from pathlib import Path
from statistics import median
from time import monotonic
from typing import Any

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.formatting import few
from autoenc_bench.live import explanations, groups
from autoenc_bench.live.checkouts import Checkout
from autoenc_bench.live.groups import CYCLES, PAIRS, SIDES, Group
from autoenc_bench.live.processes import SideFailedError
from autoenc_bench.records import loading, names
from autoenc_bench.records.loading import Source
from autoenc_bench.verdicts import sides
from autoenc_bench.verdicts.comparison import Comparison
from autoenc_bench.verdicts.interim import SequentialComparison
from autoenc_bench.verdicts.judgements import Outcome
from autoenc_bench.verdicts.limits import Overrides
from autoenc_bench.verdicts.pairs import Paired

CASES = "epoch and not untouched or experiment and fused"  # speed by the steady epochs, errors by the whole experiments
SPENT, DECIDED, INTERRUPTED = "the time was spent", "nothing was left to decide", "it was interrupted"
FAILED = "its processes kept failing"
GRACE = 60.0  # seconds by which the end may be late
SHARE = 0.1  # of the budget, beyond it, for samples of what changed
WHOLE = "experiment"  # the phase of what runs once, for its error
RANKS = {  # of phases: what tells most for its time comes first
    **dict.fromkeys(("epoch", WHOLE), 0),  # they share a trainer
    **dict.fromkeys(("encode", "decode", "reconstruct"), 1),
    **dict.fromkeys(("build", "data", "score"), 2),
    "first_call": 3,
    "untouched_fit": 4,
}
TURNS = 4.0  # seconds that a case takes turns in its first group
ROUNDS = 8, 60  # of a visit, at least and at most
PROCESS = 0.005  # the least by which processes are taken to differ, as a share of a round (docs/studies/gate.md)
TRIES = 3  # groups that may be lost


@dataclass(frozen=True)
class Look:
    """What is known after a look; ``ended`` says why there is no further one, and is empty when there is."""

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
        how = f"{PAIRS * self.groups} pairs of processes in {self.seconds:.0f} s, until {self.ended}"
        return "; ".join((how, *self.notes))


@dataclass
class Cost:
    """What a case takes in a group: seconds in all, the median of a round, and how many of these it gets next."""

    seconds: float
    round: float
    rounds: int
    cycle: float = 0.0  # seconds in which each process had a round, with all around it

    def plan(self, paired: Paired, share: float) -> None:
        """Choose the rounds by which the time tells most, given a case's ``share`` of what a group takes to start.

        The variance of a group's estimate is a + b / n and its time c + n d, so their product is least at this n.
        """
        between = max(paired.variance - paired.within, PROCESS**2)
        prepared = max(0.0, self.seconds - self.rounds * self.cycle)
        once = share + prepared
        self.rounds = bounded(sqrt(paired.within * self.rounds * once / (between * self.cycle)))
        self.seconds = prepared + self.rounds * self.cycle


@dataclass
class Continuous:
    """A base and a head, measured by turns."""

    both: tuple[Checkout, Checkout]
    options: Sequence[str]  # pytest's
    store: Path  # of the records, in a folder for each side
    budget: float  # seconds at most
    overrides: InitVar[Overrides]
    tell: Callable[[str, float], None]  # what is being done, after how many seconds, now and then
    samples: bool = True  # whether it is sampled where the time goes of what changed
    nodeids: dict[str, str] = field(default_factory=dict, init=False)  # pytest's, by the names of cases
    _groups: int = field(default=0, init=False)  # that were measured
    _lost: dict[str, str] = field(default_factory=dict, init=False)  # cases that ended a process, and why
    _failed: dict[str, str] = field(default_factory=dict, init=False)  # cases that did not pass, and why
    _done: set[str] = field(default_factory=set, init=False)  # cases that are not visited again
    _costs: dict[str, Cost] = field(default_factory=dict, init=False)
    _restless: dict[str, float] = field(default_factory=dict, init=False)  # cases, and how much
    _notes: list[str] = field(default_factory=list, init=False)

    def __post_init__(self, overrides: Overrides) -> None:
        self._sequence = SequentialComparison(overrides)
        self._sources: dict[str, list[Source]] = {side.name: [] for side in self.both}
        self._started = monotonic()
        self._starting = 0.0  # seconds that the latest group took before its first visit, and after its last
        self._case = ""  # that is visited
        self._doing = ""

    @property
    def _elapsed(self) -> float:
        return monotonic() - self._started

    @property
    def _next_group(self) -> float:
        """Return how long one more group takes."""
        return self._starting + sum(cost.seconds for name, cost in self._costs.items() if not self._is_closed(name))

    def measure(self, show: Callable[[Look], None]) -> Look:
        """Measure to the end, or to a Ctrl-C, showing each look; return the last.

        Raises RunFailedError when a side cannot run the suite, or when the time is too short for a group of processes.
        """
        try:
            return self._measure(show)
        except KeyboardInterrupt:  # whatever was under way
            look = self._look(INTERRUPTED)
            show(look)
            return look

    def _measure(self, show: Callable[[Look], None]) -> Look:
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
                look = self._look(ended)
                show(look)
                if self.samples and group and look.ended in (DECIDED, SPENT):
                    self._sample(group, look)
                if look.ended:
                    return look

    def _measure_group(self, number: str, alive: ExitStack) -> tuple[str, Group | None]:
        """Measure in one more group; return why measuring ends with it, if it does, and the group if it counts.

        Its processes live as long as ``alive``.
        """
        began = self._elapsed
        ended = ""
        self._do("starting")
        try:
            group = alive.enter_context(Group(self.both, self.options, self.store, number, self._tick))
            try:
                group.start()
                self._starting = self._elapsed - began
                done = self._visit_cases(group)
            except KeyboardInterrupt:
                ended, done = INTERRUPTED, set()
            closing = self._elapsed
            self._do("saving")
            paths = group.end()
            self._starting += self._elapsed - closing
            if group.jumped:
                self._notes.append(f"a group was dropped, for the clock jumped by {group.jumped:.0f} s meanwhile")
                return ended, None
        except SideFailedError as problem:
            if self._case:
                self._lost[self._case] = str(problem)
            elif self._groups or ended:
                self._notes.append(f"a group was dropped: {problem}")
            else:
                raise
            return ended, None
        self._done |= done
        read = [
            (side, loading.read_record(path, pictured=False)) for side, path in zip(SIDES, paths, strict=True) if path
        ]
        for side, source in read:  # all or, after a Ctrl-C, none
            self._sources[self.both[side].name].append(source)
        self._groups += bool(read)
        return ended, group

    def _sample(self, group: Group, look: Look) -> None:
        """Sample where the time goes of what changed though its programs are equal; verdicts stand without."""
        self._doing, until = "sampling what changed", self._elapsed + SHARE * self.budget
        with suppress(SideFailedError, KeyboardInterrupt):
            for case in (one.case for one in look.comparison.verdicts if one.explained):
                if not any(explanations.read(self.store, case)) and self._elapsed < until:
                    group.profile(self.nodeids[case], until - self._elapsed)

    def _do(self, what: str, case: str = "") -> None:
        """Begin to do something in the group that is alive, with a case or without."""
        self._case, self._doing = case, f"group {self._groups + 1}: {what}"

    def _tick(self) -> None:
        self.tell(self._doing, self._elapsed)

    def _visit_cases(self, group: Group) -> set[str]:
        """Visit the open cases, the most informative first; return those that need no other visit."""
        facts = {**group.cases[1], **group.cases[0]}
        self.nodeids |= {_name(facts[nodeid]): nodeid for nodeid in facts}
        done = set()
        for nodeid in sorted(facts, key=lambda one: RANKS.get(facts[one]["phase"], len(RANKS))):
            name = _name(facts[nodeid])
            self._do(name, name)
            cost = self._costs.get(name)
            left = self.budget - self._elapsed
            if self._is_closed(name) or left < (cost.seconds if cost else 0):
                continue
            began = self._elapsed
            places = [SIDES.index(side) for side in (0, 1) if nodeid in group.cases[side]]
            if len(places) < 2 or facts[nodeid]["phase"] == WHOLE:
                self._has_passed(name, group.alone(nodeid, places, 0, left + GRACE, {}))
                done.add(name)
            elif not self._take_turns(group, nodeid, name):
                done.add(name)
            if name in self._costs:
                self._costs[name].seconds = self._elapsed - began
        return done

    def _take_turns(self, group: Group, nodeid: str, name: str) -> bool:
        """Prepare a case and let its rounds alternate; return whether it can be measured."""
        aside = {} if self._groups else {0: "counts", 1: "counts"}  # in a base and a head, once
        rehearsal = group.alone(nodeid, range(len(SIDES)), 1, self.budget - self._elapsed + GRACE, aside)
        if not self._has_passed(name, rehearsal):
            return False
        if name not in self._costs:
            seconds = median(one["times"][0] for one in rehearsal.outcomes) / group.sharing
            self._costs[name] = Cost(0.0, seconds, bounded(TURNS / len(SIDES) / seconds))
        cost, began = self._costs[name], self._elapsed
        rounds = min(cost.rounds, int((self.budget - began) / (cost.cycle or len(SIDES) * cost.round)) - 1)
        if rounds < len(CYCLES):
            return True  # another time
        self._tick()
        visit = group.visit(nodeid, rounds, cost.round)
        if not self._has_passed(name, visit):
            return False
        cost.cycle = max((self._elapsed - began) / (rounds + 1), len(SIDES) * cost.round)
        cost.round = median(seconds for one in visit.outcomes for seconds in one["times"])
        if visit.restless > groups.STILL:
            self._restless[name] = max(visit.restless, self._restless.get(name, 0.0))
        return True

    def _is_closed(self, name: str) -> bool:
        return name in self._done or name in self._lost or name in self._sequence.closed

    def _has_passed(self, name: str, visit: groups.Visit) -> bool:
        """Return whether a case passed in all processes that ran it, and keep why it did not."""
        for place, outcome in enumerate(visit.outcomes):
            if outcome["outcome"] != "passed":
                side = self.both[SIDES[place]]
                self._failed.setdefault(
                    name, f"the {side.name}, {side.description}, cannot run {name}: {outcome['reason']}"
                )
        return name not in self._failed

    def _look(self, ended: str) -> Look:
        if not all(self._sources.values()):
            reasons = (*self._lost.values(), *self._failed.values())
            mend = "; give more with --budget" if ended == SPENT else ""
            raise RunFailedError(next(iter(reasons), f"{ended} before anything was measured{mend}"))
        base, head = (sides.gather(sources) for sources in self._sources.values())
        for name in head.cases:  # a case that the base does not have is new; one that it cannot run is an error
            if name not in base.cases and name in base.reasons:
                raise RunFailedError(f"the base, {self.both[0].description}, cannot run {name}: {base.reasons[name]}")
        seconds = self._elapsed
        most = self._groups + int(max(0.0, self.budget - seconds) / max(1.0, self._next_group))
        comparison = self._sequence.analyse(base, head, self._groups, most, last=ended in (SPENT, FAILED))
        for verdict in comparison.verdicts:
            cost = self._costs.get(verdict.case)
            if cost and cost.cycle and verdict.time and verdict.time.paired:
                cost.plan(verdict.time.paired, self._starting / len(self._costs))
        told = {one.case for one in comparison.verdicts if one.time or one.error}
        named = {**base.reasons, **head.reasons, **self._lost, **self._failed}
        unreached = self.nodeids.keys() - told - named.keys()
        ended_badly = self._failed | self._lost | dict.fromkeys(sorted(unreached), "the time did not suffice")
        # The reason of the process that failed says more than that of the records, which name seeds apart.
        recorded = {case: why for case, why in comparison.lost.items() if names.without_seed(case) not in ended_badly}
        missing = {one.case for one in comparison.verdicts if one.time and one.time.outcome is Outcome.MISSING}
        lost = {case: why for case, why in (recorded | ended_badly).items() if case not in missing}
        comparison = replace(comparison, lost=lost)
        still_open = frozenset(one.case for one in comparison.verdicts if not self._is_closed(one.case))
        ended = ended if still_open or unreached else DECIDED
        notes = list(self._notes)
        if self._restless:
            share = max(self._restless.values())
            notes.append(f"in {few(list(self._restless))} a process used up to {share:.0%} of a core out of its turn")
        return Look(comparison, still_open, self._groups, seconds, self._next_group, ended, tuple(notes))


def bounded(rounds: float) -> int:
    """Return a number of rounds near this one, in which each process comes as often in each position."""
    least, most = ROUNDS
    return min(most, max(least, len(CYCLES) * round(rounds / len(CYCLES))))


def _name(facts: dict[str, Any]) -> str:
    return names.without_seed(str(facts["name"]).removeprefix("test_"))
