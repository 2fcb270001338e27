"""Files -> runs. A run keeps a few numbers per case, so that a thousand records fit into memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.formatting import count, line
from autoenc_bench.records import loading, names, storage
from autoenc_bench.records.description import cpu_kind, cpu_name
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark, Fact, NotRun, Roofs
from autoenc_bench.records.validation import parse_datetime

UNNAMED = "unnamed CPU"


@dataclass(frozen=True)
class MachineIdentity:
    """A machine: by its id, or by the CPU that pytest-benchmark names in a record without an id."""

    id: str | None
    name: str  # CPU, cores, first accelerator
    kind: str = ""  # of the CPU, because one name may stand for several kinds
    alone: str = ""  # identifies the run if its CPU is unknown; it shares the machine with no other run

    @property
    def origin(self) -> str:
        """Return where the name of a machine without an id comes from."""
        return "compared with no other run" if self.alone else "as pytest-benchmark names it"

    @property
    def key(self) -> str:
        return self.alone or f"{self.id or 'plain'} {self.name} {self.kind}"


@dataclass(frozen=True)
class CaseName:
    """The shortest unique name of a case; experiment and phase, if it is a case of this suite."""

    name: str
    experiment: str | None
    phase: str | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """The result of one case in one run; ``None`` is an unknown value."""

    time: float  # seconds
    referenced: float | None  # in units of the reference workload
    reference: float | None  # seconds of the reference workload
    efficiency: float | None
    roof: str | None  # that limits the case
    error: float | None  # mean absolute error
    memory: float | None  # bytes


@dataclass(frozen=True)
class PastRun:
    """One run: when, on which machine, in which context, at which commit, and the results of its cases."""

    path: Path
    when: datetime  # in UTC
    commit: str | None
    machine: MachineIdentity
    context: dict[str, Fact]
    scale: str | None
    roofs: int | None  # version of the definition of the roofs
    results: dict[CaseName, CaseResult]

    @cached_property
    def context_key(self) -> bytes:
        """Return bytes that are equal for equal contexts, in any order of the facts."""
        return msgspec.json.encode(self.context, order="sorted")

    @cached_property
    def selection(self) -> int:
        """Return a hash of the names and the order of the cases."""
        return hash(tuple(case.name for case in self.results))

    @property
    def key(self) -> tuple[object, ...]:
        """Return a key that is equal for copies of one record."""
        return self.when, self.machine.key, tuple((case.name, result.time) for case, result in self.results.items())

    @property
    def order(self) -> tuple[datetime, str, str]:
        """Return the sort key of runs: oldest first, in an order that does not depend on the file system."""
        return self.when, self.machine.key, str(self.path)


def read_runs(paths: Iterable[Path]) -> tuple[list[PastRun], list[NotRun], list[str]]:
    """Read all records in files and folders, oldest first. Copies of one record count once.

    Returns the runs, the files that cannot be read with the reasons, and a line for everything that was left out.
    Raises NotFoundError or InvalidInputError if no file can be read.
    """
    runs: dict[tuple[object, ...], PastRun] = {}
    problems: dict[Path, AutoencBenchError] = {}
    left_out: list[str] = []
    # A path without records below it is read itself.
    for path in sorted({file for root in paths for file in set(storage.within(root)) or {root}}):
        try:
            if path.is_dir() or not path.exists():
                reason = "holds no records" if path.is_dir() else "no such folder or record"
                raise NotFoundError(f"{path}: {reason}")
            source = loading.read_record(path, pictured=False)
            run = _run(source)
            runs.setdefault(run.key, run)
            left_out += loading.left_out([source])
        except AutoencBenchError as problem:
            problems[path] = problem
    if not runs:
        nothing = NotFoundError("no records; name a folder that holds some, or run 'autoenc-bench run' first")
        first, *others = problems.values() or [nothing]
        number = f"none of {len(problems)} files can be read as a record; the first: "
        raise InvalidInputError(number + str(first)) if others else first
    unreadable = loading.unreadable(problems)
    ordered = sorted(runs.values(), key=lambda run: run.order)
    return _with_short_names(ordered), unreadable, [*loading.left_out([], unreadable), *left_out]


def _with_short_names(runs: list[PastRun]) -> list[PastRun]:
    """Return the runs with the shortest names of cases that are unique in all runs together."""
    shown = names.shown(dict.fromkeys(case.name for run in runs for case in run.results))
    short = {case: replace(case, name=shown[case.name]) for run in runs for case in run.results}
    return [replace(run, results={short[case]: result for case, result in run.results.items()}) for run in runs]


def _run(source: Source) -> PastRun:
    record, run = source.record, source.record.autoenc
    commit, roofs = record.commit_info, run.roofs if run else None
    identified = zip(names.identities(record.benchmarks), record.benchmarks, strict=True)
    try:
        when = parse_datetime(record.datetime)
    except InvalidInputError as problem:
        raise InvalidInputError(f"{source.path}: {problem}") from problem
    return PastRun(
        path=source.path,
        when=when,
        commit=line(str(commit)) if commit and commit.known else None,
        machine=_machine(source),
        context=source.facts,
        scale=run.scale if run else None,
        roofs=roofs.version if roofs else None,
        results=dict(_case(identity, benchmark, roofs) for identity, benchmark in identified),
    )


def _machine(source: Source) -> MachineIdentity:
    run, kind, alone = source.record.autoenc, cpu_kind(source.machine_info.kind), ""
    if source.machine is None:  # equal in a copy of the record
        times = sum(benchmark.stats.median for benchmark in source.record.benchmarks)
        alone = f"unknown {source.record.datetime} {source.machine_info} {times!r}"
    if run is None:
        return MachineIdentity(None, line(source.machine or UNNAMED), kind, alone)
    cores = [count(run.machine.logical_cores, "core")] if run.machine.logical_cores else []
    parts = [cpu_name(run.machine.cpu) or UNNAMED, *cores, *(run.machine.accelerators or [])[:1]]
    return MachineIdentity(run.machine.id, line(", ".join(parts)), kind, alone)


def _case(identity: str, benchmark: Benchmark, roofs: Roofs | None) -> tuple[CaseName, CaseResult]:
    case = benchmark.extra_info.autoenc
    roof, efficiency = benchmark.bound(roofs) or (None, None)
    times = benchmark.stats.median, benchmark.referenced, benchmark.reference
    error = case.error.absolute.mean if case and case.error else None
    memory = case.memory.peak if case and case.memory else None
    name = CaseName(identity, case.experiment or None if case else None, case.phase if case else None)
    return name, CaseResult(*times, efficiency, roof, error, memory)
