"""Two sets of records in, one verdict per case out: for time, memory and error, apart and joined."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from math import log1p

from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.catalogue.limits import KINDS, Limits, Overrides
from autoenc_bench.gate.verdicts import errors, sides
from autoenc_bench.gate.verdicts.intervals import ENOUGH, Interval, Looks, difference, nominal_alphas
from autoenc_bench.gate.verdicts.sides import Observed, Side
from autoenc_bench.records.loading import Source

# One-sided error rates, each shared by all cases that have such a figure: 0.5 % that anything at all is called
# regressed where nothing changed. Peaks and errors repeat so well that they need little of it.
ALPHAS = {"time": 0.004, "memory": 0.0005, "error": 0.0005}
CONTROL = 20  # the control's is so much smaller: it looks at two sides in two directions, and slow runs sway it more


class Outcome(StrEnum):
    """What a comparison found."""

    REGRESSED = "regressed"
    IMPROVED = "improved"
    UNCHANGED = "unchanged"
    UNDECIDED = "undecided"
    NEW = "new"
    MISSING = "missing"
    INCOMPARABLE = "incomparable"


CHANGES = (Outcome.REGRESSED, Outcome.IMPROVED)


@dataclass(frozen=True)
class Judgement:
    """The outcome for one figure of a case; the interval is of the logarithm of head over base."""

    outcome: Outcome
    limit: float = 0.0
    interval: Interval | None = None
    reason: str = ""


@dataclass(frozen=True)
class Verdict:
    """What came out for one case; ``None`` where neither side has such a figure."""

    case: str
    experiment: str | None
    time: Judgement
    memory: Judgement | None = None
    error: Judgement | None = None

    @property
    def judgements(self) -> dict[str, Judgement]:
        return {kind: judgement for kind in KINDS if (judgement := getattr(self, kind)) is not None}

    @property
    def joined(self) -> str:
        """Return time and error in one word or two."""
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
    """Two sides and their verdicts."""

    base: Side
    head: Side
    verdicts: list[Verdict]
    unlike: str  # why times are incomparable
    tested: str  # which other facts differ
    referenced: bool  # whether times are in units of the reference workload, where the runs have it
    control: str  # the cases in which it failed


def compare(
    base: Iterable[Source], head: Iterable[Source], overrides: Overrides | None = None, across: Collection[str] = ()
) -> Comparison:
    """Compare two sides; ``across`` names the facts of the context that may differ, ``env`` all variables.

    Raises NotFoundError or InvalidInputError when a side has no runs, or runs that do not belong together.
    """
    return compare_sides(sides.gather(base), sides.gather(head), overrides or Overrides({}), across)


def compare_sides(
    base: Side, head: Side, overrides: Overrides, across: Collection[str], looks: Looks = (1.0,), block: int = 0
) -> Comparison:
    """Compare two sides that are gathered; ``looks`` holds the information fraction of each look so far.

    ``block`` is how many runs of each side make a block, where they were run by turns. Times and peaks get the alpha
    of the last look (see ``intervals.nominal_alphas``), errors the whole: they are the same whenever one looks.
    """
    differs = sides.compare_surroundings(base.surroundings, head.surroundings, across)
    referenced = not any(map(sides.UNREFERENCED.fullmatch, differs.facts))
    shared = [name for name in base.cases if name in head.cases]
    judge = _Judge(base, head, shared, overrides, differs.forbidden, referenced, looks, block)
    control = judge.control()
    verdicts = [judge.verdict(name) for name in shared]
    if control:
        verdicts = list(map(downgrade, verdicts))
    for outcome, has, lacks in ((Outcome.NEW, head, base), (Outcome.MISSING, base, head)):
        for name, observed in has.cases.items():
            if name not in lacks.cases:
                judgement = Judgement(outcome, reason=lacks.lost.get(name, ""))
                verdicts.append(Verdict(name, observed.experiment, judgement))
    return Comparison(base, head, verdicts, differs.forbidden, differs.allowed, referenced, control)


@dataclass(frozen=True)
class _Judge:
    base: Side
    head: Side
    shared: list[str]
    overrides: Overrides
    unlike: str
    referenced: bool
    looks: Looks
    block: int

    def verdict(self, name: str) -> Verdict:
        base, head = self.base.cases[name], self.head.cases[name]
        limits = self._limits(base)
        time, memory = self._time(base, head, limits.time), self._memory(base, head, limits.memory)
        return Verdict(name, base.experiment, time, memory, self._error(base, head, limits.error))

    def _limits(self, observed: Observed) -> Limits:
        experiment = EXPERIMENTS.get(observed.experiment or "")
        return self.overrides.apply(observed.experiment, experiment.limits if experiment else Limits())

    def _alpha(self, kind: str) -> float:
        """Return what the last look gets of a case's share of a kind's error rate."""
        cases = sum(bool(getattr(self.base.cases[name], kind)) for name in self.shared)
        return nominal_alphas(ALPHAS[kind] / max(1, cases), (1.0,) if kind == "error" else self.looks)[-1]

    def _time(self, base: Observed, head: Observed, limit: float) -> Judgement:
        if self.unlike:
            return Judgement(Outcome.INCOMPARABLE, limit, reason=self.unlike)
        spread = max(base.spread, head.spread)
        return decide(difference(*self._times(base, head), self._alpha("time"), spread, self.block), limit)

    def _times(self, base: Observed, head: Observed) -> tuple[list[float], list[float]]:
        """Return times in units of the reference workload where all runs have it."""
        known = [[value for value in side.referenced if value is not None] for side in (base, head)]
        if self.referenced and len(known[0]) == len(base.time) and len(known[1]) == len(head.time):
            return known[0], known[1]
        return base.time, head.time

    def _memory(self, base: Observed, head: Observed, limit: float) -> Judgement | None:
        if not (base.memory and head.memory):
            return None
        same = self.base.selection == self.head.selection
        if reason := self.unlike or ("" if same else "other cases ran in the process"):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=reason)
        alpha = self._alpha("memory")
        return decide(difference(base.memory, head.memory, alpha, sides.MEMORY_SPREAD, self.block), limit)

    def _error(self, base: Observed, head: Observed, limit: float) -> Judgement | None:
        if not (base.error and head.error):
            return None
        if self.base.surroundings.scale != self.head.surroundings.scale:
            return Judgement(Outcome.INCOMPARABLE, limit, reason=self.unlike)
        pairs = [(base.error[seed], head.error[seed]) for seed in base.error if seed in head.error]
        if not pairs:
            return Judgement(Outcome.INCOMPARABLE, limit, reason="no seed in common")
        rounding = EXPERIMENTS.get(base.experiment or "", Experiment).rounding
        intervals = errors.intervals(pairs, self._alpha("error"), rounding)
        return combine({name: decide(interval, limit) for name, interval in intervals.items()})

    def control(self) -> str:
        """Compare every other run of a side with the rest of it: name the cases that change without a change."""
        cases = [name for name in self.shared if not self.unlike]
        both = (self.base, self.head)
        return ", ".join(name for name in cases if any(self._differs_from_itself(side.cases[name]) for side in both))

    def _differs_from_itself(self, observed: Observed) -> bool:
        times, _ = self._times(observed, observed)
        if len(times) < 2 * ENOUGH:
            return False
        interval = difference(times[::2], times[1::2], self._alpha("time") / CONTROL, observed.spread, self.block // 2)
        return decide(interval, self._limits(observed).time).outcome in CHANGES


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


def combine(judgements: dict[str, Judgement]) -> Judgement:
    """Join what mean and distribution of the errors show; where they contradict each other, nothing is decided."""
    changed = {name: one for name, one in judgements.items() if one.outcome in CHANGES}
    if len({one.outcome for one in changed.values()}) > 1:
        reason = ", ".join(f"{name} {one.outcome}" for name, one in changed.items())
        return replace(judgements[errors.MEAN], outcome=Outcome.UNDECIDED, reason=reason)
    undecided = {name: one for name, one in judgements.items() if one.outcome is Outcome.UNDECIDED}
    name, judgement = next(iter({**changed, **undecided, **judgements}.items()))
    return replace(judgement, reason="" if name == errors.MEAN else name)


def downgrade(verdict: Verdict) -> Verdict:
    """Take back a change of time that identical code shows as well."""
    if verdict.time.outcome not in CHANGES:
        return verdict
    return replace(verdict, time=replace(verdict.time, outcome=Outcome.UNDECIDED, reason="control failed"))
