"""Files in, runs out: what history keeps of a record, a few numbers per case, so that a thousand fit into memory."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import msgspec

from autoenc_bench.records import loading
from autoenc_bench.records.loading import Source
from autoenc_bench.records.record import Benchmark, Fact, Machine, NotRun, Roofs
from autoenc_bench.text import count, line


@dataclass(frozen=True)
class Host:
    """Say what ran: a machine with its id, or what pytest-benchmark says of a CPU, without an id."""

    id: str | None
    name: str  # CPU, cores, first accelerator

    @property
    def key(self) -> str:
        """Tell hosts apart."""
        return self.id or f"plain {self.name}"


@dataclass(frozen=True)
class Subject:
    """Say of what a case is; a benchmark that is none of this suite's has only its name."""

    case: str
    experiment: str | None
    phase: str | None


@dataclass(frozen=True, slots=True)
class Point:
    """Hold what one case did in one run: seconds, shares, errors and bytes, ``None`` where they are not known."""

    time: float
    referenced: float | None
    reference: float | None
    efficiency: float | None
    roof: str | None  # that binds the case
    error: float | None
    memory: float | None


@dataclass(frozen=True)
class Run:
    """Hold one run: when, where, in what context, from which commit, and its cases."""

    path: Path
    when: datetime  # in UTC
    commit: str | None
    host: Host
    context: dict[str, Fact]
    scale: str | None
    roofs: int | None  # version of their definition
    points: dict[Subject, Point]

    @cached_property
    def surroundings(self) -> bytes:
        """Tell contexts apart: equal facts in any order give equal bytes."""
        return msgspec.json.encode(self.context, order="sorted")

    @cached_property
    def selection(self) -> int:
        """Tell apart which cases ran, in which order."""
        return hash(tuple(subject.case for subject in self.points))

    @property
    def identity(self) -> tuple[object, ...]:
        """Tell runs apart: a record that was copied is the same run."""
        return self.when, self.host.key, tuple((subject.case, point.time) for subject, point in self.points.items())


def read(named: Iterable[Path]) -> tuple[list[Run], list[NotRun]]:
    """Read every record among the named files and folders, oldest first; name the files left out, and why.

    A record that lies there twice counts once. Raises LookupError or ValueError, in one sentence, when none is there.
    """
    runs: dict[tuple[object, ...], Run] = {}
    left, problems = [], []
    for path in _files(named):
        try:
            found = _read(path)
            runs.setdefault(found.identity, found)
        except (LookupError, ValueError) as problem:
            problems.append(problem)
            left.append(NotRun(str(path), str(problem).removeprefix(f"{path}: ")))
    if not runs:
        raise _nothing(problems)
    return sorted(runs.values(), key=lambda run: (run.when, run.host.key, str(run.path))), left


def _files(named: Iterable[Path]) -> list[Path]:
    """List JSON files, in an order that the file system has no part in; a name without any stands for itself."""
    found: set[Path] = set()
    for path in named:
        found.update(set(path.rglob("*.json")) or {path})
    return sorted(found)


def _read(path: Path) -> Run:
    if path.is_dir():
        raise LookupError(f"{path}: holds no records")
    if not path.exists():
        raise LookupError(f"{path}: no such folder or record")
    return _run(loading.read(path, pictured=False))


def _nothing(problems: list[LookupError | ValueError]) -> LookupError | ValueError:
    if not problems:
        return LookupError("no records; name a folder that holds some, or run 'pytest benchmarks/' first")
    if len(problems) == 1:
        return problems[0]
    return ValueError(f"none of {len(problems)} files can be read as a record; the first: {problems[0]}")


def _run(source: Source) -> Run:
    record, run = source.record, source.record.autoenc
    commit = record.commit_info
    names = Counter(benchmark.name for benchmark in record.benchmarks)
    return Run(
        path=source.path,
        when=_when(source),
        commit=line(str(commit)) if commit and commit.known else None,
        host=_host(run.machine) if run else Host(None, _cpu(source)),
        context=run.context if run else _plain_context(source),
        scale=run.scale if run else None,
        roofs=run.roofs.version if run and run.roofs else None,
        points={
            _subject(benchmark, names[benchmark.name]): _point(benchmark, run.roofs if run else None)
            for benchmark in record.benchmarks
        },
    )


def _when(source: Source) -> datetime:
    said = source.record.datetime
    try:
        found = datetime.fromisoformat(said)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(f"{source.path}: datetime: {said!r} is no ISO 8601 date and time") from None


def _host(machine: Machine) -> Host:
    words = [machine.cpu or "unnamed CPU"]
    words += [count(machine.logical_cores, "core")] if machine.logical_cores else []
    return Host(machine.id, line(", ".join([*words, *(machine.accelerators or [])[:1]])))


def _cpu(source: Source) -> str:
    return line(source.origin.machine()[-3]) or "unnamed CPU"


def _plain_context(source: Source) -> dict[str, Fact]:
    _, system, python = source.origin.machine()[-3:]
    return {"system": system, "python": python}


def _subject(benchmark: Benchmark, times: int) -> Subject:
    """Name a case: its name without what all names begin with; where two share one, the file as well."""
    case = benchmark.extra_info.autoenc
    name = benchmark.name.removeprefix("test_") if times == 1 else benchmark.fullname
    return Subject(name, case.experiment if case else None, case.phase if case else None)


def _point(benchmark: Benchmark, roofs: Roofs | None) -> Point:
    case = benchmark.extra_info.autoenc
    bound = benchmark.bound(roofs)
    return Point(
        time=benchmark.stats.median,
        referenced=benchmark.referenced,
        reference=benchmark.reference,
        efficiency=bound[1] if bound else None,
        roof=bound[0] if bound else None,
        error=case.error.absolute.mean if case and case.error else None,
        memory=case.memory.peak if case and case.memory else None,
    )
