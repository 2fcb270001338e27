"""Records in, one side of a comparison out: what each case did, run by run and seed by seed."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from math import log, pi, sqrt
from statistics import fmean, median
from typing import NamedTuple

from autoenc_bench.records.case import Case, Statistics
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import BACKENDS, Benchmark, Fact, differences

# What a run's time spreads by between runs, where fewer than three runs a side tell (docs/noise.md).
SPREAD = 0.05
FIT_SPREAD = 0.35  # it has two speeds on a pinned core
SINGLE_SPREAD = 0.12  # of one long round
MEMORY_SPREAD = 0.015  # of peaks
NORMAL_MAD = 1.4826  # of a normal distribution: its standard deviation over its median absolute deviation

# What moves the reference workload as well: these facts, and variables that are not a backend's own.
UNREFERENCED = re.compile(
    r"machine|threads|reference|python|numpy|blas|(?!(XLA|TF|JAX|TORCH|PYTORCH|CUDA|NVIDIA)_)[A-Z]\w*"
)


@dataclass
class Observed:
    """Hold what one case did on one side: logarithms of times and peaks per run, and errors per seed."""

    case: Case | None
    raw: list[float] = field(default_factory=list)
    referenced: list[float | None] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    errors: dict[int, Statistics] = field(default_factory=dict)
    spread: float = SPREAD


@dataclass(frozen=True)
class Alike:
    """Hold what all runs of a side must share."""

    machine: str
    scale: str | None
    context: dict[str, Fact]


@dataclass(frozen=True)
class Side:
    """Hold one side of a comparison. ``lost`` says why a case is not there; ``selection`` which cases ran."""

    sources: Sequence[Source]
    alike: Alike
    cases: dict[str, Observed]
    lost: dict[str, str]
    selection: frozenset[tuple[str, ...]]


def gather(sources: Iterable[Source]) -> Side:
    """Gather the runs of one side, oldest first.

    Raises LookupError when there are none, ValueError when they are not of one machine, context and scale.
    """
    runs = sorted(sources, key=lambda source: source.record.datetime)
    if not runs:
        raise LookupError("no records on one side; name at least one for each")
    first = alike(runs[0])
    for source in runs[1:]:
        if alike(source) != first:
            raise ValueError(
                f"{source.path} and {runs[0].path} are of one side, but not of one machine, scale and context; "
                "name fewer records"
            )
    cases: dict[str, Observed] = {}
    for source in runs:
        _add(source, cases)
    blocks = [source.record.autoenc for source in runs if source.record.autoenc]
    lost = {_seedless(left.case): left.reason for block in blocks for left in (*block.skipped, *block.failed)}
    selection = frozenset(tuple(benchmark.name for benchmark in source.record.benchmarks) for source in runs)
    return Side(runs, first, cases, lost, selection)


def alike(source: Source) -> Alike:
    """Say what a run's times depend on besides its code; of a plain record, what pytest-benchmark says."""
    if run := source.record.autoenc:
        return Alike(run.machine.id, run.scale, run.context)
    return Alike(" ".join(source.origin.machine()[-3:]), None, {})


class Differences(NamedTuple):
    """Hold the names of the facts in which two sides differ, and in words those that must not and those that may."""

    facts: set[str]
    forbidden: str
    allowed: str


def unlike(base: Alike, head: Alike, across: Collection[str]) -> Differences:
    """Say in what two sides differ.

    ``across`` names the facts that may differ, ``env`` all variables, ``backend`` its packages as well. Raises
    LookupError for one that neither side has.
    """
    before = {"machine": base.machine, **base.context}
    after = {"machine": head.machine, **head.context}
    known = set(before) | set(after)
    variables = {name for name in known if name.isupper()}
    for name in across:
        if name != "env" and name not in known:
            raise LookupError(f"unknown part {name!r}; choose from env, {', '.join(sorted(known - variables))}")
    allowed = set(across) | (variables if "env" in across else set())
    if "backend" in across:  # each has packages of its own
        allowed |= {package for packages in BACKENDS.values() for package in packages}
    facts = {name for name in known if before.get(name) != after.get(name)}

    def words(names: set[str]) -> list[str]:
        ours, theirs = ({name: held[name] for name in held if name in names} for held in (before, after))
        return differences(ours, theirs)

    scales = differences({"scale": base.scale}, {"scale": head.scale})  # other work, whatever is under test
    return Differences(facts, "; ".join([*scales, *words(facts - allowed)]), "; ".join(words(facts & allowed)))


def _add(source: Source, cases: dict[str, Observed]) -> None:
    """Add a run; the seeds of a case are one case, whose time is their mean."""
    found: dict[str, list[Benchmark]] = {}
    for benchmark in source.record.benchmarks:
        found.setdefault(case_name(benchmark), []).append(benchmark)
    for name, benchmarks in found.items():
        case = benchmarks[0].extra_info.autoenc
        observed = cases.setdefault(name, Observed(case))
        observed.raw.append(fmean(log(benchmark.stats.median) for benchmark in benchmarks))
        referenced = [benchmark.referenced for benchmark in benchmarks]
        known = [log(value) for value in referenced if value]
        observed.referenced.append(fmean(known) if len(known) == len(referenced) else None)
        held = [one.extra_info.autoenc for one in benchmarks if one.extra_info.autoenc]
        peaks = [one.memory.peak for one in held if one.memory and one.memory.peak]
        observed.memory += [log(max(peaks))] if peaks else []
        for one in held:
            if one.error:
                observed.errors.setdefault(one.seed, one.error.absolute)
        observed.spread = max(observed.spread, *map(_spread, benchmarks))


def case_name(benchmark: Benchmark) -> str:
    """Name the case that a benchmark is; the seeds of a whole experiment are one."""
    return _seedless(benchmark.name.removeprefix("test_"))


def _seedless(name: str) -> str:
    return re.sub(r"-seed\d+\]$", "]", name)


def _spread(benchmark: Benchmark) -> float:
    """Assume by how much a run's time spreads between runs: what is usual, and what its own rounds add to that."""
    case, times = benchmark.extra_info.autoenc, benchmark.quotients or benchmark.stats.data or []
    usual = FIT_SPREAD if case and case.trainer == "fit" else SPREAD if benchmark.stats.rounds > 1 else SINGLE_SPREAD
    if len(times) < 2:
        return usual
    rounds = list(map(log, times))
    middle = median(rounds)
    away = NORMAL_MAD * median(abs(value - middle) for value in rounds)
    return sqrt(usual**2 + pi / 2 * away**2 / len(rounds))  # the variance of a median of n normal values is pi / 2 / n
