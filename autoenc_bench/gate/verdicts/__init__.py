"""Two sets of records in, one verdict per case out: for time, memory and error, apart and joined."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log1p

from autoenc_bench.catalogue.experiments import EXPERIMENTS
from autoenc_bench.catalogue.limits import KINDS, Limits, Overrides
from autoenc_bench.gate.verdicts import errors
from autoenc_bench.gate.verdicts.intervals import ENOUGH, Interval, difference, levels
from autoenc_bench.gate.verdicts.sides import MEMORY_SPREAD, UNREFERENCED, Observed, Side, gather, unlike
from autoenc_bench.records.loading import Source

# One-sided error levels, each shared by all cases that have such a figure: 0.5 % that anything at all is called
# regressed where nothing changed. Peaks and errors repeat so well that they need little of it.
LEVELS = {"time": 0.004, "memory": 0.0005, "error": 0.0005}
CONTROL = 20  # the control's is so much smaller: it looks at two sides in two directions, and slow runs sway it more


class Outcome(StrEnum):
    """Name what a comparison found."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"
    NEW = "new"
    MISSING = "missing"
    INCOMPARABLE = "incomparable"


@dataclass(frozen=True)
class Judgement:
    """Hold the outcome for one figure of a case; the interval is of the logarithm of head over base."""

    outcome: Outcome
    limit: float = 0.0
    interval: Interval | None = None
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """Hold what came out for one case; ``None`` where neither side has such a figure."""

    case: str
    experiment: str | None
    time: Judgement
    memory: Judgement | None = None
    error: Judgement | None = None

    @property
    def judgements(self) -> dict[str, Judgement]:
        """Give what was judged, by kind."""
        return {kind: found for kind in KINDS if (found := getattr(self, kind)) is not None}

    @property
    def joined(self) -> str:
        """Say time and error in one word or two."""
        time, error = self.time.outcome, self.error.outcome if self.error else None
        if Outcome.REGRESSED in (time, error):
            if time is Outcome.IMPROVED:
                return "faster but less accurate"
            return "slower but more accurate" if error is Outcome.IMPROVED else "worse"
        if Outcome.IMPROVED in (time, error):
            return "better"
        settled = error in (None, Outcome.UNCHANGED) or time is not Outcome.UNCHANGED
        return str(time if settled else error)


@dataclass(frozen=True)
class Comparison:
    """Hold two sides and their verdicts.

    ``unlike`` says why times are incomparable, ``tested`` which other facts differ, ``control`` what failed.
    ``referenced`` tells whether times are in units of the reference workload, where the runs have it.
    """

    base: Side
    head: Side
    verdicts: list[Verdict]
    unlike: str
    tested: str
    referenced: bool
    control: str


def compare(
    base: Iterable[Source],
    head: Iterable[Source],
    overrides: Overrides | None = None,
    across: Collection[str] = (),
) -> Comparison:
    """Compare two sides; ``across`` names the facts of the context that may differ, ``env`` all variables.

    Raises LookupError or ValueError when a side has no runs, or runs that do not belong together.
    """
    return judge(gather(base), gather(head), overrides, across)


def judge(
    base: Side,
    head: Side,
    overrides: Overrides | None = None,
    across: Collection[str] = (),
    spent: tuple[float, ...] = (1.0,),
    block: int | None = None,
) -> Comparison:
    """Compare two sides that are gathered; ``spent`` says of each look so far how much of the time was over by then.

    ``block`` is how many runs of each side make a block, where they were run by turns. Times and peaks get the error
    level of the last of these looks (see ``intervals.levels``), errors the whole: they are the same whenever one looks.
    """
    differs = unlike(base.alike, head.alike, across)
    referenced = not any(map(UNREFERENCED.fullmatch, differs.facts))
    both = [name for name in base.cases if name in head.cases]
    judge = _Judge(base, head, overrides or Overrides({}), both, differs.forbidden, referenced, spent, block)
    control = judge.control()
    found = [judge.verdict(name) for name in both]
    found = [doubt(verdict) for verdict in found] if control else found
    for outcome, has, lacks in ((Outcome.NEW, head, base), (Outcome.MISSING, base, head)):
        for name in [name for name in has.cases if name not in lacks.cases]:
            lost = Judgement(outcome, reason=lacks.lost.get(name, ""))
            found.append(Verdict(name, _experiment(has.cases[name]), lost))
    return Comparison(base, head, found, differs.forbidden, differs.allowed, referenced, control)


@dataclass(frozen=True)
class _Judge:
    base: Side
    head: Side
    overrides: Overrides
    both: list[str]
    unlike: str
    referenced: bool
    spent: tuple[float, ...]
    block: int | None

    def verdict(self, name: str) -> Verdict:
        ours, theirs = self.base.cases[name], self.head.cases[name]
        limits = self._limits(ours)
        return Verdict(
            name,
            _experiment(ours),
            self._time(ours, theirs, limits),
            self._memory(ours, theirs, limits),
            self._error(ours, theirs, limits),
        )

    def _limits(self, observed: Observed) -> Limits:
        name = _experiment(observed)
        own = EXPERIMENTS[name].limits if name in EXPERIMENTS else Limits()
        return self.overrides.apply(name, own)

    def _share(self, kind: str, has: Callable[[Observed], object]) -> float:
        """Give each case its share of the level of a kind."""
        return LEVELS[kind] / max(1, sum(bool(has(self.base.cases[name])) for name in self.both))

    def _level(self, kind: str, has: Callable[[Observed], object]) -> float:
        """Give what the last look gets of that share."""
        return levels(self._share(kind, has), self.spent)[-1]

    def _time(self, ours: Observed, theirs: Observed, limits: Limits) -> Judgement:
        if self.unlike:
            return Judgement(Outcome.INCOMPARABLE, limits.time, reason=self.unlike)
        samples = self._times(ours, theirs)
        spread = max(ours.spread, theirs.spread)
        return decide(difference(*samples, self._level("time", lambda _: True), spread, self.block), limits.time)

    def _times(self, ours: Observed, theirs: Observed) -> tuple[list[float], list[float]]:
        """Take times in units of the reference workload where all runs have it."""
        known = [[value for value in side.referenced if value is not None] for side in (ours, theirs)]
        if self.referenced and len(known[0]) == len(ours.raw) and len(known[1]) == len(theirs.raw):
            return known[0], known[1]
        return ours.raw, theirs.raw

    def _memory(self, ours: Observed, theirs: Observed, limits: Limits) -> Judgement | None:
        if not (ours.memory and theirs.memory):
            return None
        other = "other cases ran in the process" if self.base.selection != self.head.selection else ""
        if reason := self.unlike or other:
            return Judgement(Outcome.INCOMPARABLE, limits.memory, reason=reason)
        level = self._level("memory", lambda observed: observed.memory)
        return decide(difference(ours.memory, theirs.memory, level, MEMORY_SPREAD, self.block), limits.memory)

    def _error(self, ours: Observed, theirs: Observed, limits: Limits) -> Judgement | None:
        if not (ours.errors and theirs.errors):
            return None
        if self.base.alike.scale != self.head.alike.scale:
            return Judgement(Outcome.INCOMPARABLE, limits.error, reason=self.unlike)
        seeds = [seed for seed in ours.errors if seed in theirs.errors]
        if not seeds:
            return Judgement(Outcome.INCOMPARABLE, limits.error, reason="no seed in common")
        name = _experiment(ours)
        rounding = EXPERIMENTS[name].rounding if name in EXPERIMENTS else errors.ROUNDING
        level = self._share("error", lambda observed: observed.errors)
        pairs = [(ours.errors[seed], theirs.errors[seed]) for seed in seeds]
        found = errors.judge(pairs, level, rounding)
        outcomes = {which: decide(interval, limits.error) for which, interval in found.items()}
        return _joint(outcomes)

    def control(self) -> str:
        """Hold every other run of a side against the rest of it: name the cases that change without a change."""
        pairs = [(name, side.cases[name]) for name in self.both if not self.unlike for side in (self.base, self.head)]
        return ", ".join(dict.fromkeys(name for name, observed in pairs if self._differs_from_itself(observed)))

    def _differs_from_itself(self, observed: Observed) -> bool:
        times, _ = self._times(observed, observed)
        if len(times) < 2 * ENOUGH:
            return False
        level, block = self._level("time", lambda _: True) / CONTROL, self.block and self.block // 2
        found = difference(times[::2], times[1::2], level, observed.spread, block)
        return decide(found, self._limits(observed).time).outcome in (Outcome.REGRESSED, Outcome.IMPROVED)


def _experiment(observed: Observed) -> str | None:
    return observed.case.experiment if observed.case else None


def decide(interval: Interval, limit: float) -> Judgement:
    """Say what an interval means: clear of zero and past the limit, within the limit, or neither."""
    far = log1p(limit)
    if interval.low > 0 and interval.estimate >= far:
        outcome = Outcome.REGRESSED
    elif interval.high < 0 and interval.estimate <= -far:
        outcome = Outcome.IMPROVED
    elif -far < interval.low and interval.high < far:
        outcome = Outcome.UNCHANGED
    else:
        outcome = Outcome.UNDECIDED
    return Judgement(outcome, limit, interval)


def _joint(found: dict[str, Judgement]) -> Judgement:
    """Join what the mean and the distribution of errors say; where they contradict each other, nothing is decided."""
    changed = {which: held for which, held in found.items() if held.outcome in (Outcome.REGRESSED, Outcome.IMPROVED)}
    if len({held.outcome for held in changed.values()}) > 1:
        words = ", ".join(f"{which} {held.outcome}" for which, held in changed.items())
        return replace(found[errors.MEAN], outcome=Outcome.UNDECIDED, reason=words)
    undecided = {which: held for which, held in found.items() if held.outcome is Outcome.UNDECIDED}
    which, held = next(iter({**changed, **undecided, **found}.items()))
    return replace(held, reason="" if which == errors.MEAN else which)


def doubt(verdict: Verdict) -> Verdict:
    """Take back a change of time that identical code shows as well."""
    if verdict.time.outcome not in (Outcome.REGRESSED, Outcome.IMPROVED):
        return verdict
    return replace(verdict, time=replace(verdict.time, outcome=Outcome.UNDECIDED, reason="control failed"))
