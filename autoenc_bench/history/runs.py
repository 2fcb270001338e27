"""Files in, runs out: what history keeps of a record, a few numbers per case, so that a thousand fit into memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.records import loading
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark, Fact, NotRun, Roofs
from autoenc_bench.text import count, line


@dataclass(frozen=True)
class MachineIdentity:
    """What ran: a machine with its id, or a CPU as pytest-benchmark names it, without one."""

    id: str | None
    name: str  # CPU, cores, first accelerator

    @property
    def key(self) -> str:
        return self.id or f"plain {self.name}"


@dataclass(frozen=True)
class CaseName:
    """The name of a case, and what it is a case of; a benchmark that is none of this suite's has only its name."""

    name: str
    experiment: str | None
    phase: str | None


@dataclass(frozen=True, slots=True)
class CaseResult:
    """What one case did in one run: seconds, shares, errors and bytes, ``None`` where they are not known."""

    time: float
    referenced: float | None  # in units of the reference workload
    reference: float | None
    efficiency: float | None
    roof: str | None  # that binds the case
    error: float | None
    memory: float | None


@dataclass(frozen=True)
class PastRun:
    """One run: when, where, in what context, from which commit, and its cases."""

    path: Path
    when: datetime  # in UTC
    commit: str | None
    machine: MachineIdentity
    context: dict[str, Fact]
    scale: str | None
    roofs: int | None  # version of their definition
    results: dict[CaseName, CaseResult]

    @cached_property
    def context_key(self) -> bytes:
        """Return what tells contexts apart: equal facts in any order give equal bytes."""
        return msgspec.json.encode(self.context, order="sorted")

    @cached_property
    def selection(self) -> int:
        """Return what tells apart which cases ran, in which order."""
        return hash(tuple(case.name for case in self.results))

    @property
    def key(self) -> tuple[object, ...]:
        """Return what tells runs apart: a record that was copied is the same run."""
        return self.when, self.machine.key, tuple((case.name, result.time) for case, result in self.results.items())


def read(named: Iterable[Path]) -> tuple[list[PastRun], list[NotRun]]:
    """Read every record among the named files and folders, oldest first; list the files left out, and why.

    A record that lies there twice counts once. Raises NotFoundError or InvalidInputError when there is none.
    """
    runs: dict[tuple[object, ...], PastRun] = {}
    problems: dict[Path, AutoencBenchError] = {}
    # In an order that the file system has no part in; a name that holds no JSON file stands for itself.
    for path in sorted({file for name in named for file in set(name.rglob("*.json")) or {name}}):
        try:
            if path.is_dir() or not path.exists():
                reason = "holds no records" if path.is_dir() else "no such folder or record"
                raise NotFoundError(f"{path}: {reason}")
            run = _run(loading.read(path, pictured=False))
            runs.setdefault(run.key, run)
        except AutoencBenchError as problem:
            problems[path] = problem
    if not runs:
        nothing = NotFoundError("no records; name a folder that holds some, or run 'pytest benchmarks/' first")
        first, *others = problems.values() or [nothing]
        number = f"none of {len(problems)} files can be read as a record; the first: "
        raise InvalidInputError(number + str(first)) if others else first
    left_out = [NotRun(str(path), str(problem).removeprefix(f"{path}: ")) for path, problem in problems.items()]
    return sorted(runs.values(), key=lambda run: (run.when, run.machine.key, str(run.path))), left_out


def _run(source: Source) -> PastRun:
    record, run = source.record, source.record.autoenc
    commit, roofs = record.commit_info, run.roofs if run else None
    names = Counter(benchmark.name for benchmark in record.benchmarks)
    shared = {name for name, number in names.items() if number > 1}
    *_, system, python = source.origin.machine()
    return PastRun(
        path=source.path,
        when=_when(source),
        commit=line(str(commit)) if commit and commit.known else None,
        machine=_machine(source),
        context=run.context if run else {"system": system, "python": python},
        scale=run.scale if run else None,
        roofs=roofs.version if roofs else None,
        results={_case_name(benchmark, shared): _result(benchmark, roofs) for benchmark in record.benchmarks},
    )


def _when(source: Source) -> datetime:
    text = source.record.datetime
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"{source.path}: datetime: {text!r} is no ISO 8601 date and time") from None


def _machine(source: Source) -> MachineIdentity:
    if not (run := source.record.autoenc):
        return MachineIdentity(None, line(source.origin.machine()[-3]) or "unnamed CPU")
    cores = [count(run.machine.logical_cores, "core")] if run.machine.logical_cores else []
    parts = [run.machine.cpu or "unnamed CPU", *cores, *(run.machine.accelerators or [])[:1]]
    return MachineIdentity(run.machine.id, line(", ".join(parts)))


def _case_name(benchmark: Benchmark, shared: set[str]) -> CaseName:
    """Name a case, without what all names begin with; where two share a name, with their files."""
    case = benchmark.extra_info.autoenc
    name = benchmark.fullname if benchmark.name in shared else benchmark.name.removeprefix("test_")
    return CaseName(name, case.experiment if case else None, case.phase if case else None)


def _result(benchmark: Benchmark, roofs: Roofs | None) -> CaseResult:
    case = benchmark.extra_info.autoenc
    roof, efficiency = benchmark.bound(roofs) or (None, None)
    times = benchmark.stats.median, benchmark.referenced, benchmark.reference
    error = case.error.absolute.mean if case and case.error else None
    memory = case.memory.peak if case and case.memory else None
    return CaseResult(*times, efficiency, roof, error, memory)
