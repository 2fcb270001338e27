"""Files in, runs out: what history keeps of a record, a few numbers per case, so that a thousand fit into memory."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

import msgspec

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.formatting import count, line
from autoenc_bench.records import loading, names
from autoenc_bench.records.loading import Source
from autoenc_bench.records.reading import moment
from autoenc_bench.records.record import Benchmark, Fact, NotRun, Roofs

UNNAMED = "unnamed CPU"


@dataclass(frozen=True)
class MachineIdentity:
    """What ran: a machine with its id, or a CPU as pytest-benchmark names it, without one.

    Where nobody knows the CPU, the machine is that of its run alone, whose mark ``alone`` is.
    """

    id: str | None
    name: str  # CPU, cores, first accelerator
    kind: str = ""  # which CPU of that name
    alone: str = ""

    @property
    def origin(self) -> str:
        """Return where the name comes from, where there is no id."""
        return "so alone" if self.alone else "as pytest-benchmark names it"

    @property
    def key(self) -> str:
        return self.alone or f"{self.id or 'plain'} {self.name} {self.kind}"


@dataclass(frozen=True)
class CaseName:
    """The name of a case, as shortly as is unique, and what it is a case of: known of this suite's own."""

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


def read(named: Iterable[Path]) -> tuple[list[PastRun], list[NotRun], list[str]]:
    """Read every record among the named files and folders, oldest first.

    Returns with them the files that cannot be read and why, and in lines what else was left out. A record that lies
    there twice counts once. Raises NotFoundError or InvalidInputError when there is none.
    """
    runs: dict[tuple[object, ...], PastRun] = {}
    problems: dict[Path, AutoencBenchError] = {}
    left_out: list[str] = []
    # In an order that the file system has no part in; a name that holds no JSON file stands for itself.
    for path in sorted({file for name in named for file in set(name.rglob("*.json")) or {name}}):
        try:
            if path.is_dir() or not path.exists():
                reason = "holds no records" if path.is_dir() else "no such folder or record"
                raise NotFoundError(f"{path}: {reason}")
            source = loading.read(path, pictured=False)
            run = _run(source)
            runs.setdefault(run.key, run)
            left_out += loading.left_out([source])
        except AutoencBenchError as problem:
            problems[path] = problem
    if not runs:
        nothing = NotFoundError("no records; name a folder that holds some, or run 'pytest benchmarks/' first")
        first, *others = problems.values() or [nothing]
        number = f"none of {len(problems)} files can be read as a record; the first: "
        raise InvalidInputError(number + str(first)) if others else first
    unreadable = loading.unreadable(problems)
    ordered = sorted(runs.values(), key=lambda run: (run.when, run.machine.key, str(run.path)))
    return _with_short_names(ordered), unreadable, [*loading.left_out([], unreadable), *left_out]


def _with_short_names(runs: list[PastRun]) -> list[PastRun]:
    """Return the runs with names of cases that are as short as is unique in all of them together."""
    shown = names.shown(dict.fromkeys(case.name for run in runs for case in run.results))
    short = {case: replace(case, name=shown[case.name]) for run in runs for case in run.results}
    return [replace(run, results={short[case]: result for case, result in run.results.items()}) for run in runs]


def _run(source: Source) -> PastRun:
    record, run = source.record, source.record.autoenc
    commit, roofs = record.commit_info, run.roofs if run else None
    return PastRun(
        path=source.path,
        when=_when(source),
        commit=line(str(commit)) if commit and commit.known else None,
        machine=_machine(source),
        context=source.facts,
        scale=run.scale if run else None,
        roofs=roofs.version if roofs else None,
        results={
            _case_name(identity, benchmark): _result(benchmark, roofs)
            for identity, benchmark in zip(names.identities(record.benchmarks), record.benchmarks, strict=True)
        },
    )


def _when(source: Source) -> datetime:
    try:
        return moment(source.record.datetime)
    except InvalidInputError as problem:
        raise InvalidInputError(f"{source.path}: {problem}") from problem


def _machine(source: Source) -> MachineIdentity:
    run, mark, kind = source.record.autoenc, "", loading.cpu_kind(source.origin.kind)
    if source.machine is None:  # a copy of the record has the same mark
        times = sum(one.stats.median for one in source.record.benchmarks)
        mark = f"unknown {source.record.datetime} {source.origin} {times!r}"
    if run is None:
        return MachineIdentity(None, line(source.machine or UNNAMED), kind, mark)
    cores = [count(run.machine.logical_cores, "core")] if run.machine.logical_cores else []
    parts = [loading.named(run.machine.cpu) or UNNAMED, *cores, *(run.machine.accelerators or [])[:1]]
    return MachineIdentity(run.machine.id, line(", ".join(parts)), kind, mark)


def _case_name(identity: str, benchmark: Benchmark) -> CaseName:
    case = benchmark.extra_info.autoenc
    return CaseName(identity, case.experiment or None if case else None, case.phase if case else None)


def _result(benchmark: Benchmark, roofs: Roofs | None) -> CaseResult:
    case = benchmark.extra_info.autoenc
    roof, efficiency = benchmark.bound(roofs) or (None, None)
    times = benchmark.stats.median, benchmark.referenced, benchmark.reference
    error = case.error.absolute.mean if case and case.error else None
    memory = case.memory.peak if case and case.memory else None
    return CaseResult(*times, efficiency, roof, error, memory)
