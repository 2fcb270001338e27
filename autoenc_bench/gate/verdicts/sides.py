"""Records in, one side of a comparison out: what each case did, run by run and seed by seed."""

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from math import log
from statistics import fmean
from typing import NamedTuple

import numpy as np

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.gate.verdicts.causes import Usage
from autoenc_bench.gate.verdicts.intervals import Values
from autoenc_bench.records import names
from autoenc_bench.records.case import Statistics
from autoenc_bench.records.counts import Counts
from autoenc_bench.records.loading import Source
from autoenc_bench.records.names import identity, without_seed
from autoenc_bench.records.record import BACKENDS, Benchmark, Fact, NotRun, differences

MEMORY_SPREAD = 0.015  # of peaks, between runs

MACHINE = "machine"  # the fact that says which

# What moves the reference workload as well: these facts, and variables that are not a backend's own.
UNREFERENCED = re.compile(
    r"machine|threads|reference|python|numpy|blas|(?!(XLA|TF|JAX|TORCH|PYTORCH|CUDA|NVIDIA)_)[A-Z]\w*"
)


@dataclass
class Observed:
    """What one case did on one side: logarithms of times and peaks per run, and errors per seed.

    In a live comparison only what took turns has times; ``pairs`` has these round by round, by the name of the pair.
    """

    experiment: str | None
    time: list[float] = field(default_factory=list)
    referenced: list[float | None] = field(default_factory=list)  # times in units of the reference workload
    memory: list[float] = field(default_factory=list)
    error: dict[int, Statistics] = field(default_factory=dict)
    pairs: dict[str, Values] = field(default_factory=dict)
    counts: list[Counts] = field(default_factory=list)  # as often as they differ; once, if all is as it should be
    usage: list[Usage] = field(default_factory=list)


class Surroundings(NamedTuple):
    """What all runs of a side must share, for their times depend on it besides the code."""

    scale: str | None
    facts: dict[str, Fact]  # the machine and its context


class Side(NamedTuple):
    """One side of a comparison, its cases by their identity.

    ``lost`` says why a case is not there, ``repeated`` which cases nobody can tell apart in a record, and ``selection``
    which ran.
    """

    sources: Sequence[Source]
    surroundings: Surroundings
    cases: dict[str, Observed]
    lost: dict[str, str]
    repeated: dict[str, str]
    selection: frozenset[tuple[str, ...]]


def gather(sources: Iterable[Source]) -> Side:
    """Gather the runs of one side, oldest first.

    Raises NotFoundError when there are none, InvalidInputError when they are not of one machine, context and scale.
    """
    runs = sorted(sources, key=lambda source: source.record.datetime)
    if not runs:
        raise NotFoundError("no records on one side; name at least one for each")
    surroundings = _surroundings(runs[0])
    cases: dict[str, Observed] = {}
    for source in runs:
        if _surroundings(source) != surroundings:
            reason = "are of one side, but not of one machine, scale and context; name fewer records"
            raise InvalidInputError(f"{source.path} and {runs[0].path} {reason}")
        _add(source, cases)
    lost = {without_seed(entry.case): entry.reason for source in runs for entry in _lost(source)}
    repeated = {
        without_seed(name): f"several cases of {source.path} have this name"
        for source in runs
        for name in names.repeated(source.record.benchmarks)
    }
    selection = frozenset(tuple(benchmark.name for benchmark in source.record.benchmarks) for source in runs)
    return Side(runs, surroundings, cases, lost, repeated, selection)


def _lost(source: Source) -> Iterator[NotRun]:
    """List the cases that a run skipped, failed or kept in no readable form."""
    if run := source.record.autoenc:
        yield from (*run.skipped, *run.failed)
    yield from source.left_out


def _surroundings(source: Source) -> Surroundings:
    run = source.record.autoenc
    return Surroundings(run.scale if run else None, {MACHINE: source.machine, **source.facts})


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
    if base.facts[MACHINE] is None and head.facts[MACHINE] is None:
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


def _add(source: Source, cases: dict[str, Observed]) -> None:
    """Add a run; the seeds of a case are one case, whose time is their mean."""
    by_case: dict[str, list[Benchmark]] = {}
    for benchmark in source.record.benchmarks:
        by_case.setdefault(without_seed(identity(benchmark)), []).append(benchmark)
    for name, seeds in by_case.items():
        noted = [seed.extra_info.autoenc for seed in seeds if seed.extra_info.autoenc]
        observed = cases.setdefault(name, Observed(noted[0].experiment if noted else None))
        pair = source.record.autoenc.pair if source.record.autoenc else None
        rounds = seeds[0].stats.data or [0.0]
        if pair and noted and all(case.between for case in noted) and all(rounds):
            observed.pairs[pair] = np.log(rounds)
        if pair is None or pair in observed.pairs:
            observed.time.append(fmean(log(seed.stats.median) for seed in seeds))
            referenced = [log(value) for seed in seeds if (value := seed.referenced)]
            observed.referenced.append(fmean(referenced) if len(referenced) == len(seeds) else None)
        peaks = [case.memory.peak for case in noted if case.memory and case.memory.peak]
        observed.memory += [log(max(peaks))] if peaks else []
        for case in noted:
            if case.error:
                observed.error.setdefault(case.seed, case.error.absolute)
            if case.counts and case.counts not in observed.counts:
                observed.counts.append(case.counts)
            if case.cpu and all(rounds):
                waiting = case.waiting(rounds)
                waits = None if waiting is None else waiting * len(rounds) / sum(rounds)
                observed.usage.append(Usage(sum(case.cpu) / sum(rounds), waits))
