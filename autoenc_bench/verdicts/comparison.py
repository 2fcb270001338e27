"""Two sets of records in, one verdict per case out: for time, memory, error and counts, apart and joined."""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from math import exp, log1p
from statistics import median

from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.formatting import count, seconds, share
from autoenc_bench.records import names
from autoenc_bench.records.loading import Source
from autoenc_bench.verdicts import causes, counts, errors, pairs, sides
from autoenc_bench.verdicts.intervals import CONTROLLED, ENOUGH, Looks, difference, nominal_alphas, tells_spread
from autoenc_bench.verdicts.judgements import CHANGES, DECIDED, DIFFER, Judgement, Outcome, decide
from autoenc_bench.verdicts.limits import GATED, Limits, Overrides
from autoenc_bench.verdicts.pairs import Contrast, Paired
from autoenc_bench.verdicts.resolution import Resolution, resolutions
from autoenc_bench.verdicts.sides import Observed, Side

# One-sided error rates, each shared by all cases that have such a figure: 0.5 % that anything at all is called
# regressed where nothing changed. Peaks and errors repeat so well that they need little of it.
ALPHAS = {"time": 0.004, "memory": 0.0005, "error": 0.0005}
TOO_FEW = f"needs {ENOUGH} runs a side"
NO_SEED = "no seed in common"
CONTROL = 20  # the control's is so much smaller: it looks at two sides in two directions, and its halves are small


# From where on a base counts as too old: its speed says little about that of the code before the change.
STALE_CASES, STALE_SHARE, STALE_RATIO = 3, 0.9, 1 / 1.5


@dataclass(frozen=True)
class Verdict:
    """What came out for one case; ``None`` where neither side has such a figure."""

    case: str
    experiment: str | None
    time: Judgement | None = None
    memory: Judgement | None = None
    error: Judgement | None = None
    counts: Judgement | None = None
    cause: str = ""  # of its time, should that have changed

    @property
    def explained(self) -> str:
        """Return the cause of a time that changed."""
        return self.cause if self.time and self.time.outcome in CHANGES else ""

    @property
    def judgements(self) -> dict[str, Judgement]:
        return {kind: judgement for kind in GATED if (judgement := getattr(self, kind)) is not None}

    @property
    def joined(self) -> str:
        """Return time and error in one word or two."""
        time, error = (one and one.outcome for one in (self.time, self.error))
        if Outcome.REGRESSED in (time, error):
            if time is Outcome.IMPROVED:
                return "faster but less accurate"
            return "slower but more accurate" if error is Outcome.IMPROVED else "worse"
        if Outcome.IMPROVED in (time, error):
            return "better"
        settled = error in (None, Outcome.UNCHANGED) or time not in (None, Outcome.UNCHANGED)
        known = (time, error, self.memory and self.memory.outcome, Outcome.UNDECIDED)
        return str(next(filter(None, known)) if settled else error)


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
    asked: frozenset[str]  # the kinds for which somebody asked for a limit
    lost: dict[str, str]  # why a case, or a seed of it, was not measured in every run; without missing cases
    stale: str = ""  # how much faster almost all cases of the head are, if the base hides smaller regressions

    def why_lost(self, case: str) -> str:
        """Return why a case, or the first of its seeds, was not measured, nothing where it was."""
        return next((why for name, why in self.lost.items() if case in (name, names.without_seed(name))), "")


def compare(
    base: Iterable[Source], head: Iterable[Source], overrides: Overrides | None = None, across: Collection[str] = ()
) -> Comparison:
    """Compare two sides; ``across`` names the facts of the context that may differ, ``env`` all variables.

    Raises NotFoundError or InvalidInputError when a side has no runs, or runs that do not belong together.
    """
    return compare_sides(sides.gather(base), sides.gather(head), overrides or Overrides({}), across)


def compare_sides(
    base: Side, head: Side, overrides: Overrides, across: Collection[str], looks: Looks = (1.0,)
) -> Comparison:
    """Compare two sides that are gathered; ``looks`` holds the information fraction of each look so far.

    Times and peaks get the alpha of the last look (see ``intervals.nominal_alphas``). Errors get the whole alpha: they
    are measured once, so they are the same at each look.
    """
    differs = sides.compare_surroundings(base.surroundings, head.surroundings, across)
    referenced = not any(map(sides.UNREFERENCED.fullmatch, differs.facts))
    repeated = {**base.repeated, **head.repeated}
    shared = [name for name in base.cases if name in head.cases and name not in repeated]
    judge = _Judge(base, head, shared, overrides, differs, referenced, looks)
    control = judge.control()
    shown = names.shown([*base.cases, *head.cases])
    verdicts = [judge.verdict(name, shown[name]) for name in shared]
    if control:
        verdicts = list(map(downgrade, verdicts))
    gaps, joined = sides.not_measured(base, head), {**base.joined, **head.joined}
    for name, observed in {**base.cases, **head.cases}.items():
        reason = "; ".join(dict.fromkeys(gaps.get(one, "") for one in joined if joined[one] == name))
        if name not in base.cases:
            judgement = Judgement(Outcome.NEW, reason=reason)
        elif name not in head.cases:
            judgement = Judgement(Outcome.MISSING, reason=reason)
        elif name in repeated:
            judgement = Judgement(Outcome.INCOMPARABLE, reason=repeated[name])
        else:
            continue
        verdicts.append(Verdict(shown[name], observed.experiment, judgement))
    missing = base.cases.keys() - head.cases.keys()
    lost = {shown.get(name, name): reason for name, reason in gaps.items() if joined[name] not in missing}
    return Comparison(
        base,
        head,
        verdicts,
        unlike=differs.forbidden,
        tested=differs.allowed,
        referenced=referenced,
        control=", ".join(shown[name] for name in control),
        asked=frozenset(overrides.kinds),
        lost=lost,
        stale=_stale(verdicts),
    )


def _stale(verdicts: Iterable[Verdict]) -> str:
    """Return by how much the head is faster where that is nearly everywhere and by a lot, else nothing."""
    times = [one.time for one in verdicts if one.time and one.time.interval and one.time.outcome in DECIDED]
    faster = [one.interval.estimate for one in times if one.outcome is Outcome.IMPROVED and one.interval]
    if len(faster) < STALE_CASES or len(faster) < STALE_SHARE * len(times) or exp(median(faster)) > STALE_RATIO:
        return ""
    return f"{len(faster)} of {count(len(times), 'case')}, at the median by {share(1 - exp(median(faster)))}"


@dataclass(frozen=True)
class _Judge:
    base: Side
    head: Side
    shared: list[str]
    overrides: Overrides
    differs: sides.Differences
    referenced: bool
    looks: Looks

    @property
    def unlike(self) -> str:
        return self.differs.forbidden

    @cached_property
    def paired(self) -> dict[str, Paired]:
        """Return what the pairs tell of each case whose processes took turns with the other side's."""
        known = {name: self._contrasts(name) for name in self.shared if not self.unlike}
        return pairs.pool({name: contrasts for name, contrasts in known.items() if contrasts})

    def _contrasts(self, name: str) -> list[Contrast]:
        base, head = (side.cases[name].pairs for side in (self.base, self.head))
        return [one for pair in base if pair in head if (one := pairs.contrast(base[pair], head[pair]))]

    def verdict(self, name: str, shown: str) -> Verdict:
        base, head = self.base.cases[name], self.head.cases[name]
        limits = self._limits(base)
        time, memory = self._time(name, base, head, limits.time), self._memory(base, head, limits.memory)
        error, counted = self._error(base, head, limits.error), self._counts(base, head, limits.counts)
        return Verdict(shown, base.experiment, time, memory, error, counted, self._cause(base, head))

    def _counts(self, base: Observed, head: Observed, limit: float) -> Judgement | None:
        """Judge counts: equal or not where the contexts are equal, and otherwise only report what differs."""
        if not (base.counts and head.counts):
            return _lacks(base.counts, limit)
        if len(base.counts) > 1 or len(head.counts) > 1:
            return Judgement(Outcome.INCOMPARABLE, limit, reason=DIFFER)
        if reason := _some_lack("counts", base, head, lambda run: run.counts):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=reason)
        difference = counts.compare(base.counts[0], head.counts[0])
        if not difference:
            return Judgement(Outcome.UNCHANGED, limit)
        if self.differs.facts:
            other = ", ".join(sorted(self.differs.facts))
            return Judgement(Outcome.INCOMPARABLE, limit, reason=f"{difference} (with another {other})")
        is_past = difference.growth >= limit
        return Judgement(Outcome.REGRESSED if is_past else Outcome.CHANGED, limit, reason=str(difference))

    def _cause(self, base: Observed, head: Observed) -> str:
        is_told = all(len(side.counts) == 1 for side in (base, head))
        difference = counts.compare(base.counts[0], head.counts[0]) if is_told else None
        return causes.cause(difference, causes.typical(base.usage), causes.typical(head.usage), self.differs.allowed)

    def _limits(self, observed: Observed) -> Limits:
        experiment = EXPERIMENTS.get(observed.experiment or "")
        return self.overrides.apply(observed.experiment, (experiment and experiment.limits) or Limits())

    @cached_property
    def _alphas(self) -> dict[str, float]:
        """Return what the last look gets of a case's share of each kind's error rate."""
        cases = {kind: sum(bool(getattr(self.base.cases[name], kind)) for name in self.shared) for kind in ALPHAS}
        shares = {kind: alpha / max(1, cases[kind]) for kind, alpha in ALPHAS.items()}
        return {
            kind: nominal_alphas(share, (1.0,) if kind == "error" else self.looks)[-1] for kind, share in shares.items()
        }

    def _time(self, name: str, base: Observed, head: Observed, limit: float) -> Judgement | None:
        if not (base.time and head.time):
            return None
        if self.unlike:
            return Judgement(Outcome.INCOMPARABLE, limit, reason=self.unlike)
        if paired := self.paired.get(name):
            judged = replace(decide(paired.interval(self._alphas["time"]), limit), paired=paired)
            is_open = judged.outcome is Outcome.UNDECIDED
            needed = paired.needed(log1p(limit), ALPHAS["time"] / len(self.paired)) if is_open else None
            return replace(judged, needed=needed)
        if not (seeds := base.seeds & head.seeds):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=NO_SEED)
        clock = self.resolutions.get(name)
        steps = clock.share if clock else 0.0
        interval = difference(*self._times(base, head, seeds), self._alphas["time"], resolution=steps)
        if not tells_spread(interval.runs):  # it is unknown how far these times spread between runs
            return Judgement(Outcome.UNDECIDED, limit, interval, TOO_FEW)
        return replace(decide(interval, limit), reason=f"clock steps of {seconds(clock.seconds)}" if clock else "")

    def _times(self, base: Observed, head: Observed, seeds: Collection[int]) -> tuple[list[float], list[float]]:
        """Return times in units of the reference workload where all runs have it."""
        if self.referenced:
            known = base.referenced(seeds), head.referenced(seeds)
            if known[0] is not None and known[1] is not None:
                return known[0], known[1]
        return base.times(seeds), head.times(seeds)

    @cached_property
    def resolutions(self) -> dict[str, Resolution]:
        """Return the resolution of the clock for the cases in which it is coarse."""
        both = {name: [*self.base.cases[name].runs, *self.head.cases[name].runs] for name in self.shared}
        return resolutions({name: [run.readings for run in runs if run.readings] for name, runs in both.items()})

    def _memory(self, base: Observed, head: Observed, limit: float) -> Judgement | None:
        if not (base.memory and head.memory):
            return _lacks(base.memory, limit)
        if reason := _some_lack("peak memory", base, head, lambda run: run.peak):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=reason)
        same = self.base.selection == self.head.selection
        if reason := self.unlike or ("" if same else "other cases ran in the process"):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=reason)
        return decide(difference(base.memory, head.memory, self._alphas["memory"], sides.MEMORY_SPREAD), limit)

    def _error(self, base: Observed, head: Observed, limit: float) -> Judgement | None:
        if not (base.error and head.error):
            return _lacks(base.error, limit)
        if self.base.surroundings.scale != self.head.surroundings.scale:
            return Judgement(Outcome.INCOMPARABLE, limit, reason=self.unlike)
        seeds = sorted(base.error.keys() & head.error.keys())
        if not seeds:
            return Judgement(Outcome.INCOMPARABLE, limit, reason=NO_SEED)
        if reason := _some_lack("error", base, head, _scored):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=reason)
        runs = [errors.Seed(f"seed {seed}", base.error[seed], head.error[seed]) for seed in seeds]
        rounding = EXPERIMENTS.get(base.experiment or "", Experiment).rounding
        return errors.judge(runs, limit, self._alphas["error"], rounding)

    def control(self) -> list[str]:
        """Compare every other run of a side with the rest of it: list the cases that change without a change.

        Where processes took turns, the interval itself is made of how far a side differs from itself.
        """
        excluded = {*self.paired, *self.resolutions}  # a coarse clock hides how far runs differ
        cases = [name for name in self.shared if not self.unlike and name not in excluded]
        both = (self.base, self.head)
        return [name for name in cases if any(self._differs_from_itself(side.cases[name]) for side in both)]

    def _differs_from_itself(self, observed: Observed) -> bool:
        times, _ = self._times(observed, observed, observed.seeds) if observed.seeds else ([], [])
        if len(times) < CONTROLLED:
            return False
        interval = difference(times[::2], times[1::2], self._alphas["time"] / CONTROL)
        return decide(interval, self._limits(observed).time).outcome in CHANGES


def _scored(run: sides.Execution) -> bool:
    return all(sample.error for sample in run.seeds.values())


def _some_lack(what: str, base: Observed, head: Observed, has: Callable[[sides.Execution], object]) -> str:
    """Return which side has recorded runs with and without a figure; runs of a live comparison measure it once."""
    for word, observed in (("head", head), ("base", base)):
        lacking = sum(has(run) in (None, False) for run in observed.runs)
        if lacking and not observed.is_live:
            return f"{lacking} of {count(len(observed.runs), 'run')} of the {word} without {what}"
    return ""


def _lacks(base: Collection[object], limit: float) -> Judgement | None:
    """Judge a figure that not both sides have: one that the head has lost is no pass."""
    return Judgement(Outcome.INCOMPARABLE, limit, reason="the head has none") if base else None


def downgrade(verdict: Verdict) -> Verdict:
    """Take back a change of time that identical code shows as well."""
    if verdict.time is None or verdict.time.outcome not in CHANGES:
        return verdict
    return replace(verdict, time=replace(verdict.time, outcome=Outcome.UNDECIDED, reason="control failed"))
