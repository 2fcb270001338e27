"""Compare two sets of records: one verdict per case, on time, memory, error and counts."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from math import log1p

from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.formatting import count, seconds
from autoenc_bench.records import names
from autoenc_bench.records.loading import Source
from autoenc_bench.verdicts import control, counts, errors, pairs, sides
from autoenc_bench.verdicts.intervals import clock_step, difference, shows_spread
from autoenc_bench.verdicts.judgements import CHANGES, DIFFER, TOO_FEW, Judgement, Outcome, decide
from autoenc_bench.verdicts.limits import GATED, Limits, Overrides
from autoenc_bench.verdicts.pairs import Contrast, Paired
from autoenc_bench.verdicts.sides import CaseResult, Side

# One-sided error rates, each shared by all cases that have such a figure. Together they are 0.5 %: the probability that
# anything is called regressed if nothing changed. Peaks and errors repeat so well that they need little of it.
ALPHAS = {"time": 0.004, "memory": 0.0005, "error": 0.0005}
MEMORY_SPREAD = 0.015  # standard deviation of peaks between runs that is assumed for few runs
NO_SEED = "no seed in common"


@dataclass(frozen=True)
class Verdict:
    """The judgements of one case; ``None`` if neither side has such a figure."""

    case: str
    experiment: str | None
    time: Judgement | None = None
    memory: Judgement | None = None
    error: Judgement | None = None
    counts: Judgement | None = None
    cause: str = ""  # why its time changed, if it did

    @property
    def explained(self) -> str:
        """Return the cause if the time changed, else nothing."""
        return self.cause if self.time and self.time.outcome in CHANGES else ""

    @property
    def judgements(self) -> dict[str, Judgement]:
        """Return the judgements that there are, by kind."""
        return {kind: judgement for kind in GATED if (judgement := getattr(self, kind)) is not None}

    @property
    def joined(self) -> str:
        """Return time and error in one word, or in two if they contradict each other."""
        outcomes = {kind: judgement.outcome for kind, judgement in self.judgements.items()}
        time, error = outcomes.get("time"), outcomes.get("error")
        if Outcome.REGRESSED in (time, error):
            if time is Outcome.IMPROVED:
                return "faster but less accurate"
            return "slower but more accurate" if error is Outcome.IMPROVED else "worse"
        if Outcome.IMPROVED in (time, error):
            return "better"
        notable = (outcome for outcome in (time, error) if outcome not in (None, Outcome.UNCHANGED))
        return str(next(notable, time or error or outcomes.get("memory", Outcome.UNDECIDED)))


@dataclass(frozen=True)
class Comparison:
    """Two sides and their verdicts."""

    base: Side
    head: Side
    verdicts: list[Verdict]
    unlike: str  # why times are incomparable
    tested: str  # which other facts differ
    referenced: bool  # times are in units of the reference workload, if the runs have it
    control: str  # the cases whose control failed
    limited: frozenset[str]  # the kinds for which --fail-on sets a limit
    lost: dict[str, str]  # why a case, or a seed of it, was not measured in every run; without missing cases
    stale: str = ""  # how much faster almost all cases of the head are, if that may hide smaller regressions

    def judged(self, kind: str, *outcomes: Outcome) -> dict[str, Judgement]:
        """Return the judgements of one kind of figure by case: all, or those with one of these outcomes."""
        judged = {verdict.case: verdict.judgements[kind] for verdict in self.verdicts if kind in verdict.judgements}
        return {case: found for case, found in judged.items() if not outcomes or found.outcome in outcomes}

    def why_lost(self, case: str) -> str:
        """Return why a case, or the first of its seeds, was not measured, nothing if it was."""
        return next((why for name, why in self.lost.items() if case in (name, names.without_seed(name))), "")


def compare(
    base: Iterable[Source], head: Iterable[Source], overrides: Overrides | None = None, across: Collection[str] = ()
) -> Comparison:
    """Compare two lists of records from ``read_record``. ``Comparison.verdicts`` has one verdict per case.

    ``overrides`` sets other limits, as ``--fail-on`` does: ``Overrides({("mnist", "time"): 0.05})``. This class is in
    ``autoenc_bench.verdicts.limits``; it is not public. ``across`` names the facts of the context that may differ;
    ``env`` stands for all environment variables.

    Raises NotFoundError or InvalidInputError if a side has no runs, or runs that do not belong together.
    """
    return compare_sides(sides.gather(base), sides.gather(head), overrides or Overrides({}), across)


def compare_sides(
    base: Side,
    head: Side,
    overrides: Overrides,
    across: Collection[str],
    nominal_alpha: Callable[[float], float] = lambda alpha: alpha,
) -> Comparison:
    """Compare two gathered sides; ``nominal_alpha`` maps an error rate to what an interim analysis may use of it.

    It applies to times and peaks. Errors are measured once, so all analyses get the same, at the whole rate.
    """
    engine = _Engine(base, head, overrides, sides.compare_contexts(base.context, head.context, across), nominal_alpha)
    shown = names.shown([*base.cases, *head.cases])
    verdicts = [engine.verdict(name, shown[name]) for name in engine.shared]
    if failed := engine.failed_controls():
        verdicts = [replace(verdict, time=control.withdraw(verdict.time)) for verdict in verdicts]
    gaps, joined = sides.not_measured(base, head), {**base.joined, **head.joined}
    for name, result in {**base.cases, **head.cases}.items():
        if name not in engine.shared:
            reasons = dict.fromkeys(reason for seed, reason in gaps.items() if joined[seed] == name)
            verdicts.append(Verdict(shown[name], result.experiment, engine.unshared(name, "; ".join(reasons))))
    missing = base.cases.keys() - head.cases.keys()
    return Comparison(
        base,
        head,
        verdicts,
        unlike=engine.differs.forbidden,
        tested=engine.differs.allowed,
        referenced=engine.referenced,
        control=", ".join(shown[name] for name in failed),
        limited=frozenset(kind for _, kind in overrides.shares),
        lost={shown.get(name, name): reason for name, reason in gaps.items() if joined[name] not in missing},
        stale=control.stale([verdict.time for verdict in verdicts if verdict.time]),
    )


@dataclass(frozen=True)
class _Engine:
    """Judges the cases of two sides, each kind of figure by itself."""

    base: Side
    head: Side
    overrides: Overrides
    differs: sides.Differences
    nominal_alpha: Callable[[float], float]

    @cached_property
    def shared(self) -> dict[str, tuple[CaseResult, CaseResult]]:
        """Return the results of the cases that can be judged, of base and head."""
        repeated, cases = {**self.base.repeated, **self.head.repeated}, (self.base.cases, self.head.cases)
        return {
            name: (cases[0][name], cases[1][name]) for name in cases[0] if name in cases[1] and name not in repeated
        }

    @cached_property
    def referenced(self) -> bool:
        """Return whether the reference workload is comparable on both sides."""
        return not any(map(sides.UNREFERENCED.fullmatch, self.differs.facts))

    def unshared(self, name: str, reason: str) -> Judgement:
        """Judge a case that is not shared; ``reason`` is why a side did not measure it, if known."""
        if name in self.base.cases and name in self.head.cases:
            return Judgement(Outcome.INCOMPARABLE, reason=self.base.repeated.get(name) or self.head.repeated[name])
        return Judgement(Outcome.NEW if name in self.head.cases else Outcome.MISSING, reason=reason)

    def verdict(self, name: str, shown: str) -> Verdict:
        """Judge all kinds of figures of a case, which is ``shown`` by a shorter name."""
        base, head = self.shared[name]
        cause = ""
        if len(base.counts) == len(head.counts) == 1:
            difference = counts.compare(base.counts[0], head.counts[0])
            cause = counts.cause(difference, base.usage, head.usage, self.differs.allowed)
        judgements = {kind: self._judgement(kind, name) for kind in GATED}
        return Verdict(case=shown, experiment=base.experiment, cause=cause, **judgements)

    def _judgement(self, kind: str, name: str) -> Judgement | None:
        """Judge one kind of figure; return ``None`` if the base has none, or if a side has no time."""
        base, head = self.shared[name]
        limit = self._limits(base).of(kind)
        if not (getattr(base, kind) and getattr(head, kind)):
            is_lost = getattr(base, kind) and kind != "time"
            return Judgement(Outcome.INCOMPARABLE, limit, reason="the head has none") if is_lost else None
        if reason := next(filter(None, self._obstacles(kind, name)), ""):
            return Judgement(Outcome.INCOMPARABLE, limit, reason=reason)
        judge = {"time": self._time, "memory": self._memory, "error": self._error, "counts": self._counts}[kind]
        return judge(name, base, head, limit)

    def _obstacles(self, kind: str, name: str) -> Iterator[str]:
        """List why a kind of figure is incomparable; texts may be empty, the first other one counts."""
        base, head = self.shared[name]
        if kind == "time":
            yield self.differs.forbidden
            yield "" if name in self.paired or base.seeds & head.seeds else NO_SEED
            return
        if kind == "error":
            yield self.differs.forbidden if self.base.context.scale != self.head.context.scale else ""
            yield NO_SEED if base.error.keys().isdisjoint(head.error) else ""
        if kind == "counts" and (len(base.counts) > 1 or len(head.counts) > 1):
            yield DIFFER
        for word, result in (("head", head), ("base", base)):
            lacking = sum(not getattr(run, kind) for run in result.runs)
            if lacking and not any(run.is_live for run in result.runs):  # live runs measure each of these once
                figure = "peak memory" if kind == "memory" else kind
                yield f"{lacking} of {count(len(result.runs), 'run')} of the {word} without {figure}"
        if kind == "memory":
            yield self.differs.forbidden
            yield "" if self.base.selection == self.head.selection else "other cases ran in the process"

    def _limits(self, result: CaseResult) -> Limits:
        experiment = EXPERIMENTS.get(result.experiment or "")
        return self.overrides.apply(result.experiment, (experiment and experiment.limits) or Limits())

    @cached_property
    def _alphas(self) -> dict[str, float]:
        """Return the error rate of one case's figure of each kind, in this analysis."""
        alphas = {}
        for kind, alpha in ALPHAS.items():
            share = alpha / max(1, sum(bool(getattr(base, kind)) for base, _ in self.shared.values()))
            alphas[kind] = share if kind == "error" else self.nominal_alpha(share)
        return alphas

    # Time

    @cached_property
    def paired(self) -> dict[str, Paired]:
        """Return the pooled pairs of each case whose rounds are interleaved with the other side's."""
        contrasts: dict[str, list[Contrast]] = {}
        for name, (base, head) in self.shared.items():
            common = [] if self.differs.forbidden else [pair for pair in base.pairs if pair in head.pairs]
            found = (pairs.contrast(base.pairs[pair], head.pairs[pair]) for pair in common)
            contrasts[name] = [contrast for contrast in found if contrast]
        return pairs.pool({name: own for name, own in contrasts.items() if own})

    @cached_property
    def steps(self) -> dict[str, tuple[float, float]]:
        """Return the step of a coarse clock for each case, in seconds and as a share of a round; 0 for a fine clock."""
        runs = {name: [*base.runs, *head.runs] for name, (base, head) in self.shared.items()}
        return {name: clock_step([run.plain for run in own if run.plain]) for name, own in runs.items()}

    def _time(self, name: str, base: CaseResult, head: CaseResult, limit: float) -> Judgement:
        if paired := self.paired.get(name):
            judged = replace(decide(paired.interval(self._alphas["time"]), limit), paired=paired)
            if judged.outcome is Outcome.UNDECIDED:
                return replace(judged, needed=paired.needed(log1p(limit), ALPHAS["time"] / len(self.paired)))
            return judged
        step, share = self.steps[name]
        times = self._times(base, head, base.seeds & head.seeds)
        interval = difference(*times, self._alphas["time"], resolution=share)
        if not shows_spread(interval.runs):
            return Judgement(Outcome.UNDECIDED, limit, interval, TOO_FEW)
        return replace(decide(interval, limit), reason=f"clock steps of {seconds(step)}" if step else "")

    def _times(self, base: CaseResult, head: CaseResult, seeds: Collection[int]) -> tuple[list[float], list[float]]:
        """Return the times of both sides, in units of the reference workload if all runs have it."""
        if self.referenced:
            base_times, head_times = base.referenced(seeds), head.referenced(seeds)
            if base_times is not None and head_times is not None:
                return base_times, head_times
        return base.times(seeds), head.times(seeds)

    def failed_controls(self) -> list[str]:
        """List the cases of which a side differs from itself, although nothing changed between its runs."""
        if self.differs.forbidden:
            return []
        # A coarse clock hides how far runs differ.
        without = {*self.paired, *(name for name, (step, _) in self.steps.items() if step)}
        cases = {name: both for name, both in self.shared.items() if name not in without}
        return [name for name, both in cases.items() if any(map(self._differs_from_itself, both))]

    def _differs_from_itself(self, result: CaseResult) -> bool:
        times = self._times(result, result, result.seeds)[0] if result.seeds else []
        return control.fails(times, self._alphas["time"], self._limits(result).time)

    # Memory, error and counts

    def _memory(self, _: str, base: CaseResult, head: CaseResult, limit: float) -> Judgement:
        return decide(difference(base.memory, head.memory, self._alphas["memory"], MEMORY_SPREAD), limit)

    def _error(self, _: str, base: CaseResult, head: CaseResult, limit: float) -> Judgement:
        seeds = sorted(base.error.keys() & head.error.keys())
        runs = [errors.Seed(f"seed {seed}", base.error[seed], head.error[seed]) for seed in seeds]
        rounding = EXPERIMENTS.get(base.experiment or "", Experiment).rounding
        return errors.judge(runs, limit, self._alphas["error"], rounding)

    def _counts(self, _: str, base: CaseResult, head: CaseResult, limit: float) -> Judgement:
        """Judge counts, which are equal or not; if the contexts differ, only report what differs."""
        difference = counts.compare(base.counts[0], head.counts[0])
        if not difference:
            return Judgement(Outcome.UNCHANGED, limit)
        if self.differs.facts:
            facts = ", ".join(sorted(self.differs.facts))
            return Judgement(Outcome.INCOMPARABLE, limit, reason=f"{difference} (the sides differ in {facts})")
        is_past = difference.growth >= limit
        return Judgement(Outcome.REGRESSED if is_past else Outcome.CHANGED, limit, reason=str(difference))
