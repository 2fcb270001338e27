"""Records in, one side of a comparison out: what each case did, run by run and seed by seed."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import numpy as np

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import few
from autoenc_bench.records import names
from autoenc_bench.records.case import Statistics
from autoenc_bench.records.counts import Counts
from autoenc_bench.records.description import cpu_kind
from autoenc_bench.records.loading import Source
from autoenc_bench.records.names import identity, without_seed
from autoenc_bench.records.record import BACKENDS, Benchmark, Fact, differences
from autoenc_bench.verdicts.causes import Usage
from autoenc_bench.verdicts.intervals import Values
from autoenc_bench.verdicts.resolution import Readings, readings

MEMORY_SPREAD = 0.015  # of peaks, between runs

MACHINE = "machine"  # the fact that says which

# What moves the reference workload as well: these facts, and variables that are not a backend's own.
UNREFERENCED = re.compile(
    r"machine|threads|reference|python|numpy|blas|core_kind|interpreter|huge_pages"
    r"|(?!(XLA|TF|JAX|TORCH|PYTORCH|CUDA|NVIDIA)_)[A-Z]\w*"
)


@dataclass(frozen=True)
class Sample:
    """What one seed of a case measured in one run; a case without seeds has seed 0 alone."""

    time: float  # the logarithm of the median seconds
    referenced: float | None  # the same in units of the reference workload
    error: Statistics | None


@dataclass(frozen=True)
class Execution:
    """What one run measured of a case."""

    seeds: dict[int, Sample]
    is_live: bool  # the run belongs to a live comparison,
    is_timed: bool  # in which only interleaved rounds are timed
    peak: float | None  # the logarithm of the largest of its seeds, bytes
    counts: Counts | None
    readings: Readings | None  # of the clock, where the record does not state its resolution


@dataclass
class Observed:
    """What all runs of one side measured of a case.

    ``pairs`` has the logarithms of the interleaved rounds of a live comparison, by the name of the pair.
    """

    experiment: str | None
    runs: list[Execution] = field(default_factory=list)
    pairs: dict[str, Values] = field(default_factory=dict)
    usage: list[Usage] = field(default_factory=list)

    @property
    def seeds(self) -> set[int]:
        """Return the seeds that every run measured."""
        return set.intersection(*(set(run.seeds) for run in self.runs))

    @property
    def time(self) -> list[Execution]:
        """Return the runs that are timed."""
        return [run for run in self.runs if run.is_timed]

    @property
    def is_live(self) -> bool:
        """Return whether these are runs of a live comparison."""
        return any(run.is_live for run in self.runs)

    @property
    def memory(self) -> list[float]:
        return [run.peak for run in self.runs if run.peak is not None]

    @property
    def error(self) -> dict[int, list[Statistics]]:
        """Return the errors of every run, by seed."""
        errors: dict[int, list[Statistics]] = {}
        for run in self.runs:
            for seed, sample in run.seeds.items():
                if sample.error:
                    errors.setdefault(seed, []).append(sample.error)
        return errors

    @property
    def counts(self) -> list[Counts]:
        """Return the different counts of the runs: a single one if the runs agree."""
        known: list[Counts] = []
        for run in self.runs:
            if run.counts and run.counts not in known:
                known.append(run.counts)
        return known

    def times(self, seeds: Collection[int]) -> list[float]:
        """Return the logarithm of each timed run's seconds, as the mean over these seeds."""
        return [fmean(run.seeds[seed].time for seed in seeds) for run in self.time]

    def referenced(self, seeds: Collection[int]) -> list[float] | None:
        """Return the same in units of the reference workload, ``None`` unless all runs have it."""
        runs = [[run.seeds[seed].referenced for seed in seeds] for run in self.time]
        known = [[value for value in run if value is not None] for run in runs]
        return [fmean(run) for run in known] if all(len(run) == len(seeds) for run in known) else None


class Surroundings(NamedTuple):
    """What all runs of a side must share, for their times depend on it besides the code."""

    scale: str | None
    facts: dict[str, Fact]  # the machine and its context
    kind: dict[str, str]  # what tells CPUs of one name apart; records need not name all of it

    def conflicts(self, other: "Surroundings") -> bool:
        """Return whether both name something by which their CPUs differ."""
        return any(self.kind[name] != other.kind[name] for name in self.kind.keys() & other.kind.keys())

    def is_like(self, other: "Surroundings") -> bool:
        return (self.scale, self.facts) == (other.scale, other.facts) and not self.conflicts(other)


class Lost(NamedTuple):
    """Why one run has no measurement of a case: what happened, and the reason in the record."""

    what: str  # "failed", "skipped" or "unreadable"
    reason: str


class Side(NamedTuple):
    """One side of a comparison, its cases by their identity; the seeds of a whole experiment are one case.

    ``measured`` and ``lost`` keep the seeds apart: they map a full name to the runs that measured it, and to those
    that name it as lost. ``repeated`` has the cases whose name occurs twice in a record, ``selection`` the cases that
    ran.
    """

    sources: Sequence[Source]
    surroundings: Surroundings
    cases: dict[str, Observed]
    measured: dict[str, set[Path]]
    lost: dict[str, dict[Path, Lost]]
    joined: dict[str, str]  # the case of each full name
    repeated: dict[str, str]
    selection: frozenset[tuple[str, ...]]

    @property
    def reasons(self) -> dict[str, str]:
        """Return why cases have lost a run or a seed, the first reason of each."""
        return {self.joined[name]: next(iter(runs.values())).reason for name, runs in reversed(self.lost.items())}


def gather(sources: Iterable[Source]) -> Side:
    """Gather the runs of one side, oldest first.

    Raises NotFoundError when there are none, InvalidInputError when they are not of one machine, context and scale.
    """
    runs = sorted(sources, key=lambda source: source.record.datetime)
    if not runs:
        raise NotFoundError("no records on one side; name at least one for each")
    surroundings = _surroundings(runs[0])
    selection = frozenset(tuple(benchmark.name for benchmark in source.record.benchmarks) for source in runs)
    side = Side(runs, surroundings, {}, {}, {}, {}, {}, selection)
    for source in runs:
        here = _surroundings(source)
        if not here.is_like(surroundings):
            reason = "are of one side, but not of one machine, scale and context; name fewer records"
            raise InvalidInputError(f"{source.path} and {runs[0].path} {reason}")
        surroundings.kind.update(here.kind)
        _add(source, side)
        for name in names.repeated(source.record.benchmarks):
            side.repeated[side.joined[name]] = f"several cases of {source.path} have this name"
    return side


def _lost(source: Source) -> Iterator[tuple[str, Lost]]:
    """List the cases that a run skipped, failed or kept in no readable form."""
    run = source.record.autoenc
    listed = {"failed": run.failed, "skipped": run.skipped} if run else {}
    for what, entries in {**listed, "unreadable": source.left_out}.items():
        yield from ((entry.case, Lost(what, entry.reason)) for entry in entries)


def _surroundings(source: Source) -> Surroundings:
    run = source.record.autoenc
    facts = {MACHINE: source.machine, **source.facts}
    return Surroundings(run.scale if run else None, facts, source.machine_info.kind)


class Differences(NamedTuple):
    """The names of the facts in which two sides differ, and in words those that must not and those that may."""

    facts: set[str]
    forbidden: str
    allowed: str


def compare_surroundings(base: Surroundings, head: Surroundings, across: Collection[str]) -> Differences:
    """List in what two sides differ; ``across`` names the facts that may, ``env`` all variables.

    Machines whose CPU nobody knows differ, even from themselves. Raises NotFoundError for one that neither side has.
    """
    known = {*base.facts, *head.facts}
    variables = {name for name in known if name.isupper()}
    for name in across:
        if name != "env" and name not in known:
            raise NotFoundError(f"unknown part {name!r}; choose from env, {', '.join(sorted(known - variables))}")
    may_differ = set(across) | (variables if "env" in across else set())
    if "backend" in across:  # each has packages of its own
        may_differ |= {package for packages in BACKENDS.values() for package in packages}

    def part(side: Surroundings, *, allowed: bool) -> dict[str, Fact]:
        return {name: fact for name, fact in side.facts.items() if (name in may_differ) is allowed}

    scales = differences({"scale": base.scale}, {"scale": head.scale})  # other work, whatever is under test
    differing = {name for name in known if base.facts.get(name) != head.facts.get(name)}
    forbidden = [*scales, *differences(part(base, allowed=False), part(head, allowed=False))]
    allowed = differences(part(base, allowed=True), part(head, allowed=True))
    if base.facts[MACHINE] == head.facts[MACHINE] and base.conflicts(head):
        differing.add(MACHINE)
        known_as: list[dict[str, Fact]] = [
            {MACHINE: f"{side.facts[MACHINE]} ({cpu_kind(side.kind)})"} for side in (base, head)
        ]
        (allowed if MACHINE in may_differ else forbidden).extend(differences(*known_as))
    elif base.facts[MACHINE] is None and head.facts[MACHINE] is None:
        differing.add(MACHINE)
        if MACHINE in may_differ:
            allowed.append("machine unknown, taken for one")
        else:
            forbidden.append("machine unknown, for no record names its CPU (--across machine takes it for one)")
    return Differences(differing, "; ".join(forbidden), "; ".join(allowed))


def under_test(base: Side, head: Side) -> set[str]:
    """Return the facts in which the sides of a live comparison may differ: all, for both ran on one machine."""
    differing = compare_surroundings(base.surroundings, head.surroundings, ()).facts - {MACHINE}
    return differing | ({MACHINE} if base.surroundings.facts[MACHINE] is None else set())  # whatever it is called


def _add(source: Source, side: Side) -> None:
    """Add a run."""
    is_ours = source.record.autoenc is not None
    pair = source.record.autoenc.pair if source.record.autoenc else None
    for name, lost in _lost(source):
        side.joined[name] = without_seed(name) if is_ours else name
        side.lost.setdefault(name, {})[source.path] = lost
    by_case: dict[str, list[Benchmark]] = {}
    for benchmark in source.record.benchmarks:
        name = identity(benchmark)
        case = without_seed(name) if benchmark.extra_info.autoenc else name  # others may mean something else by "seed"
        side.joined[name] = case
        side.measured.setdefault(name, set()).add(source.path)
        by_case.setdefault(case, []).append(benchmark)
    for name, benchmarks in by_case.items():
        noted = [one.extra_info.autoenc for one in benchmarks if one.extra_info.autoenc]
        observed = side.cases.setdefault(name, Observed(noted[0].experiment or None if noted else None))
        rounds = benchmarks[0].stats.data or [0.0]
        is_interleaved = bool(noted) and all(case.between for case in noted) and all(rounds)
        if pair and is_interleaved:
            observed.pairs[pair] = np.log(rounds)
        observed.runs.append(_execution(benchmarks, pair is not None, is_interleaved))
        observed.usage += filter(None, map(_usage, benchmarks))


def _execution(benchmarks: Sequence[Benchmark], is_live: bool, is_interleaved: bool) -> Execution:
    noted = [one.extra_info.autoenc for one in benchmarks if one.extra_info.autoenc]
    peaks = [case.memory.peak for case in noted if case.memory and case.memory.peak]
    seeds = {case.seed if (case := one.extra_info.autoenc) else 0: _sample(one) for one in benchmarks}
    counts = next((case.counts for case in noted if case.counts), None)
    return Execution(
        seeds,
        is_live,
        is_timed=is_interleaved or not is_live,
        peak=log(max(peaks)) if peaks else None,
        counts=counts,
        readings=None if noted else readings(benchmarks[0]),
    )


def _sample(benchmark: Benchmark) -> Sample:
    case, referenced = benchmark.extra_info.autoenc, benchmark.referenced
    error = case.error.absolute if case and case.error else None
    return Sample(log(benchmark.stats.median), log(referenced) if referenced else None, error)


def _usage(benchmark: Benchmark) -> Usage | None:
    """Return how one benchmark's rounds used the machine."""
    case, rounds = benchmark.extra_info.autoenc, benchmark.stats.data or [0.0]
    if not (case and case.cpu and all(rounds)):
        return None
    waiting = case.off_cpu(rounds)
    return Usage(sum(case.cpu) / sum(rounds), None if waiting is None else waiting * len(rounds) / sum(rounds))


def not_measured(base: Side, head: Side) -> dict[str, str]:
    """Map what was not measured on both sides, in every run and for every seed, to the reason.

    Each run must have what another run of its side has, and the head what the base has. What the head alone has is new.
    A run of a live comparison leaves out what is decided, so it must only not name the case as lost.
    """
    joined, reasons = {**base.joined, **head.joined}, {}
    for name, case in joined.items():
        in_base = name in base.measured
        gaps = [_gap(name, case, "the head", head, is_expected=in_base), _gap(name, case, "the base", base)]
        alike = {_gap(name, case, "each side", head, is_expected=in_base), _gap(name, case, "each side", base)}
        if found := [*alike] if len(alike) == 1 else [*filter(None, gaps)]:
            reasons[name] = "; ".join(found)
    return {name: why for name, why in reasons.items() if why}


def _gap(name: str, case: str, who: str, side: Side, *, is_expected: bool = False) -> str:
    """Return in words in which runs of a side a case was not measured.

    Returns nothing if it was in all; if it is only in the other side and not expected in this one; and if no run names
    it, nor any other seed of the case: then the case is missing.
    """
    if not (is_expected or name in side.measured or name in side.lost):
        return ""
    measured, lost = side.measured.get(name, set()), side.lost.get(name, {})
    absent = [source.path for source in side.sources if source.path not in measured and source.path not in lost]
    is_live = all(source.record.autoenc and source.record.autoenc.pair for source in side.sources)
    if case not in side.cases or (is_live and (measured or lost)):
        absent = []
    kinds: dict[Lost, list[Path]] = {}
    for path, why in lost.items():
        kinds.setdefault(why, []).append(path)
    parts = [f"{why.what} in {_runs(paths, who, side)}: {why.reason}" for why, paths in kinds.items()]
    return "; ".join([*parts, *([f"absent from {_runs(absent, who, side)}"] if absent else [])])


def _runs(paths: Sequence[Path], who: str, side: Side) -> str:
    total = len(side.sources)
    if len(paths) < total:
        return f"{len(paths)} of {total} runs of {who} ({few([path.name for path in paths])})"
    return who if total == 1 else f"all {total} runs of {who}"
