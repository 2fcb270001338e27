"""One side of a comparison, from its records: what each case measured, run by run and seed by seed."""

import re
from collections.abc import Collection, Iterable, Sequence
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
from autoenc_bench.records.record import BACKENDS, Benchmark, Fact, differences
from autoenc_bench.verdicts.counts import Usage
from autoenc_bench.verdicts.intervals import Values

MACHINE = "machine"  # the fact that identifies it
UNKNOWN = "machine unknown: no record names its CPU (--across machine assumes one machine)"

# The facts that move the reference workload as well: these, and variables that do not belong to a backend.
UNREFERENCED = re.compile(
    r"machine|threads|reference|python|numpy|blas|core_kind|interpreter|huge_pages"
    r"|(?!(XLA|TF|JAX|TORCH|PYTORCH|CUDA|NVIDIA)_)[A-Z]\w*"
)


@dataclass(frozen=True)
class RunResult:
    """What one run measured of a case, by seed; a case without seeds has only seed 0."""

    times: dict[int, float]  # the logarithms of the median seconds
    referenced: dict[int, float]  # the same in units of the reference workload, for the seeds that have them
    errors: dict[int, Statistics]
    is_live: bool  # the run belongs to a live comparison
    is_timed: bool  # its times count; a live comparison times interleaved rounds only
    memory: float | None  # the logarithm of the largest peak of its seeds, in bytes
    counts: Counts | None
    plain: Benchmark | None  # in a record of plain pytest-benchmark, which does not state the step of its clock

    @property
    def error(self) -> bool:
        """Return whether the run has an error for every seed."""
        return self.errors.keys() == self.times.keys()


@dataclass
class CaseResult:
    """What all runs of one side measured of a case."""

    experiment: str | None
    runs: list[RunResult] = field(default_factory=list)
    pairs: dict[str, Values] = field(default_factory=dict)  # live: by name, the logarithms of interleaved rounds
    usage: list[Usage] = field(default_factory=list)

    @property
    def seeds(self) -> set[int]:
        """Return the seeds that every run measured."""
        return set.intersection(*(set(run.times) for run in self.runs))

    @property
    def time(self) -> list[RunResult]:
        """Return the runs whose times count."""
        return [run for run in self.runs if run.is_timed]

    @property
    def memory(self) -> list[float]:
        """Return the logarithms of the peaks that the runs recorded."""
        return [run.memory for run in self.runs if run.memory is not None]

    @property
    def error(self) -> dict[int, list[Statistics]]:
        """Return the errors of all runs, by seed."""
        seeds = dict.fromkeys(seed for run in self.runs for seed in run.errors)
        return {seed: [run.errors[seed] for run in self.runs if seed in run.errors] for seed in seeds}

    @property
    def counts(self) -> list[Counts]:
        """Return the different counts of the runs: only one if the runs agree."""
        different: list[Counts] = []
        for run in self.runs:
            if run.counts and run.counts not in different:
                different.append(run.counts)
        return different

    def times(self, seeds: Collection[int]) -> list[float]:
        """Return the logarithm of each timed run's seconds, the mean over these seeds."""
        return [fmean(run.times[seed] for seed in seeds) for run in self.time]

    def referenced(self, seeds: Collection[int]) -> list[float] | None:
        """Return the same in units of the reference workload, ``None`` unless all runs have them."""
        if not all(run.referenced.keys() >= set(seeds) for run in self.time):
            return None
        return [fmean(run.referenced[seed] for seed in seeds) for run in self.time]


class Context(NamedTuple):
    """What all runs of a side must share, because their times depend on it."""

    scale: str | None
    facts: dict[str, Fact]  # the machine and the context
    kind: dict[str, str]  # what distinguishes CPUs of one name; records may lack parts of it

    def conflicts(self, other: "Context") -> bool:
        """Return whether both name a part of their CPU's kind in which they differ."""
        return any(self.kind[name] != other.kind[name] for name in self.kind.keys() & other.kind.keys())


class Lost(NamedTuple):
    """Why one run has no measurement of a case: what happened, and the reason in the record."""

    what: str  # "failed", "skipped" or "unreadable"
    reason: str


ABSENT = Lost("absent", "")


@dataclass
class Side:
    """One side of a comparison; the seeds of a whole experiment are one case. A full name keeps the seeds apart."""

    sources: Sequence[Source]  # oldest first
    context: Context
    cases: dict[str, CaseResult] = field(default_factory=dict)
    runs: dict[str, dict[Path, Lost | None]] = field(default_factory=dict)  # full name -> record -> why it lost it
    measured: set[str] = field(default_factory=set)  # full names that at least one run measured
    joined: dict[str, str] = field(default_factory=dict)  # the case of each full name
    repeated: dict[str, str] = field(default_factory=dict)  # why a case's name is ambiguous

    @property
    def selection(self) -> set[tuple[str, ...]]:
        """Return the names of the benchmarks of each run."""
        return {tuple(benchmark.name for benchmark in source.record.benchmarks) for source in self.sources}

    @property
    def reasons(self) -> dict[str, str]:
        """Return why cases have lost a run or a seed, the first reason of each."""
        losses = [(self.joined[name], lost) for name, runs in self.runs.items() for lost in runs.values() if lost]
        return {case: lost.reason for case, lost in reversed(losses)}


def gather(sources: Iterable[Source]) -> Side:
    """Gather the runs of one side.

    Raises NotFoundError without runs, InvalidInputError if they differ in machine, context or scale.
    """
    runs = sorted(sources, key=lambda source: source.record.datetime)
    if not runs:
        raise NotFoundError("no records on one side; name at least one for each side")
    side = Side(runs, context(runs[0]))
    for source in runs:
        own = context(source)
        if own[:2] != side.context[:2] or own.conflicts(side.context):
            reason = "are on one side, but differ in machine, scale or context; name fewer records"
            raise InvalidInputError(f"{source.path} and {runs[0].path} {reason}")
        side.context.kind.update(own.kind)
        _add_lost(source, side)
        _add_measured(source, side)
        for name in names.repeated(source.record.benchmarks):
            side.repeated[side.joined[name]] = f"several cases of {source.path} have this name"
    return side


def context(source: Source) -> Context:
    """Return the context of one record."""
    run = source.record.autoenc
    return Context(run.scale if run else None, {MACHINE: source.machine, **source.facts}, source.machine_info.kind)


def _add_lost(source: Source, side: Side) -> None:
    """Add the cases that a run skipped, failed or recorded in an unreadable form."""
    run = source.record.autoenc
    listed = {"failed": run.failed, "skipped": run.skipped} if run else {}
    for what, entries in {**listed, "unreadable": source.left_out}.items():
        for entry in entries:
            side.joined[entry.case] = names.without_seed(entry.case) if run else entry.case
            side.runs.setdefault(entry.case, {})[source.path] = Lost(what, entry.reason)


def _add_measured(source: Source, side: Side) -> None:
    """Add the cases that a run measured."""
    pair = source.record.autoenc.pair if source.record.autoenc else None
    by_case: dict[str, list[Benchmark]] = {}
    for benchmark in source.record.benchmarks:
        name = names.identity(benchmark)
        # Only this suite's names end with a seed; "seed" may mean something else in other projects.
        case = names.without_seed(name) if benchmark.extra_info.autoenc else name
        side.joined[name] = case
        side.measured.add(name)
        side.runs.setdefault(name, {}).setdefault(source.path, None)
        by_case.setdefault(case, []).append(benchmark)
    for case, benchmarks in by_case.items():
        ours = [one.extra_info.autoenc for one in benchmarks if one.extra_info.autoenc]
        result = side.cases.setdefault(case, CaseResult(ours[0].experiment or None if ours else None))
        seeds = {one.extra_info.autoenc.seed if one.extra_info.autoenc else 0: one for one in benchmarks}
        peaks = [one.memory.peak for one in ours if one.memory and one.memory.peak]
        rounds = benchmarks[0].stats.data or [0.0]
        is_interleaved = bool(ours) and all(one.between for one in ours) and all(rounds)
        if pair and is_interleaved:
            result.pairs[pair] = np.log(rounds)
        run = RunResult(
            times={seed: log(one.stats.median) for seed, one in seeds.items()},
            referenced={seed: log(time) for seed, one in seeds.items() if (time := one.referenced)},
            errors={one.seed: one.error.absolute for one in ours if one.error},
            is_live=pair is not None,
            is_timed=is_interleaved or pair is None,
            memory=log(max(peaks)) if peaks else None,
            counts=next((one.counts for one in ours if one.counts), None),
            plain=None if ours else benchmarks[0],
        )
        result.runs.append(run)
        result.usage += filter(None, map(_usage, benchmarks))


def _usage(benchmark: Benchmark) -> Usage | None:
    """Return how one benchmark's rounds used the machine, ``None`` if the record does not state it."""
    case, rounds = benchmark.extra_info.autoenc, benchmark.stats.data or [0.0]
    if not (case and case.cpu and all(rounds)):
        return None
    waiting = case.off_cpu(rounds)
    return Usage(sum(case.cpu) / sum(rounds), None if waiting is None else waiting * len(rounds) / sum(rounds))


class Differences(NamedTuple):
    """The names of the facts in which two sides differ; in words, the forbidden differences and the allowed ones."""

    facts: set[str]
    forbidden: str
    allowed: str


def compare_contexts(base: Context, head: Context, across: Collection[str]) -> Differences:
    """Compare two contexts; ``across`` names the facts that may differ, ``env`` stands for all variables.

    An unknown machine differs from every machine. Raises NotFoundError for a fact that neither side has.
    """
    facts = {*base.facts, *head.facts}
    variables = {name for name in facts if name.isupper()}
    if unknown := [name for name in across if name not in {"env", *facts}]:
        raise NotFoundError(f"unknown part {unknown[0]!r}; choose from env, {', '.join(sorted(facts - variables))}")
    may_differ = {*across, *(variables if "env" in across else ())}
    if "backend" in across:  # each backend has its own packages
        may_differ.update(*BACKENDS.values())

    def changes(chosen: set[str]) -> list[str]:
        before, after = ({name: side.facts[name] for name in side.facts if name in chosen} for side in (base, head))
        return differences(before, after)

    differing = {name for name in facts if base.facts.get(name) != head.facts.get(name)}
    allowed = changes(facts & may_differ)
    forbidden = [*differences({"scale": base.scale}, {"scale": head.scale}), *changes(facts - may_differ)]
    of_machine = allowed if MACHINE in may_differ else forbidden
    if base.facts[MACHINE] == head.facts[MACHINE] and base.conflicts(head):
        differing.add(MACHINE)
        before, after = (f"{side.facts[MACHINE]} ({cpu_kind(side.kind)})" for side in (base, head))
        of_machine += differences({MACHINE: before}, {MACHINE: after})
    elif base.facts[MACHINE] is None and head.facts[MACHINE] is None:
        differing.add(MACHINE)
        of_machine.append("machine unknown, assumed to be the same" if MACHINE in may_differ else UNKNOWN)
    return Differences(differing, "; ".join(forbidden), "; ".join(allowed))


def under_test(base: Side, head: Side) -> set[str]:
    """Return the facts in which the sides of a live comparison may differ: all, because both ran on one machine."""
    differing = compare_contexts(base.context, head.context, ()).facts - {MACHINE}
    return differing | ({MACHINE} if base.context.facts[MACHINE] is None else set())


def not_measured(base: Side, head: Side) -> dict[str, str]:
    """Map the full names that were not measured on both sides, in every run and for every seed, to the reasons.

    Each run must have what another run of its side has, and the head what the base has. What only the head has is new.
    A run of a live comparison leaves out decided cases, so it must only not name the case as lost.
    """
    reasons = {}
    for name, case in {**base.joined, **head.joined}.items():
        is_expected = name in base.measured
        gaps = [_gap(name, case, side, word, is_expected) for side, word in ((head, "the head"), (base, "the base"))]
        alike = {_gap(name, case, side, "each side", is_expected) for side in (head, base)}
        reasons[name] = "; ".join(alike if len(alike) == 1 else filter(None, gaps))
    return {name: reason for name, reason in reasons.items() if reason}


def _gap(name: str, case: str, side: Side, word: str, is_expected: bool) -> str:
    """Return in words in which runs of a side a full name was not measured and why, nothing if there are none.

    ``is_expected`` requires a name that no run of this side mentions. There is no gap if this side has no seed of the
    case at all: then the case is missing.
    """
    own, total = side.runs.get(name, {}), len(side.sources)
    if not (is_expected or own):
        return ""
    is_live = all(source.record.autoenc and source.record.autoenc.pair for source in side.sources)
    may_be_absent = case not in side.cases or (is_live and own)
    files: dict[Lost, list[str]] = {}
    for source in side.sources:
        if lost := own.get(source.path, None if may_be_absent else ABSENT):
            files.setdefault(lost, []).append(source.path.name)
    parts = []
    for lost, named in sorted(files.items(), key=lambda item: item[0] is ABSENT):
        where = f"{len(named)} of {total} runs of {word} ({few(named)})"
        if len(named) == total:
            where = word if total == 1 else f"all {total} runs of {word}"
        parts.append(f"absent from {where}" if lost is ABSENT else f"{lost.what} in {where}: {lost.reason}")
    return "; ".join(parts)
