"""Files -> records with their pictures. Invalid cases, pictures and files are left out, with the reasons."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.formatting import few, line
from autoenc_bench.records import description, names, storage, validation
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import Benchmark, Fact, NotRun, Record, by_reason


@dataclass(frozen=True)
class Source:
    """A record, its file, its pictures (see ``storage.pictures``), and the parts that were left out."""

    path: Path
    record: Record
    pictures: storage.Pictures
    left_out: list[NotRun] = field(default_factory=list)  # invalid cases and pictures

    @property
    def setting(self) -> str:
        """Return machine, context and scale of the record in one line."""
        run = self.record.autoenc
        noted = filter(None, (str(self.machine_info), f"pytest-benchmark {self.record.version}"))
        return line(description.run_setting(run) if run else " · ".join(noted))

    @property
    def machine_info(self) -> description.MachineInfo:
        return description.MachineInfo(self.record.machine_info)

    @property
    def machine(self) -> str | None:
        """Return the machine's id, or its CPU's name in a record without an id, ``None`` if the CPU is unknown.

        ``None`` equals no other machine. Two machines are equal only if their ``machine_info.kind`` does not differ.
        """
        if run := self.record.autoenc:
            return run.machine.id if description.cpu_name(run.machine.cpu) else None
        return self.machine_info.cpu

    @property
    def facts(self) -> dict[str, Fact]:
        """Return the context: times are comparable if it is equal."""
        benchmarks, run = self.record.benchmarks, self.record.autoenc
        without_gc = {"disable_gc": True} if any(benchmark.disables_gc for benchmark in benchmarks) else {}
        if run:
            return {**run.context, **without_gc}
        timers = sorted({benchmark.timer for benchmark in benchmarks if benchmark.timer})
        return {**self.machine_info.facts, **({"timer": ", ".join(timers)} if timers else {}), **without_gc}

    @cached_property
    def labels(self) -> list[str]:
        """Return the shortest unique name of each benchmark."""
        identities = names.identities(self.record.benchmarks)
        shown = names.shown(identities)
        return [shown[identity] for identity in identities]

    @property
    def cases(self) -> list[tuple[Benchmark, Case]]:
        """Return the cases that belong to an experiment. All others have times only, as in plain records."""
        cases = [(benchmark, benchmark.extra_info.autoenc) for benchmark in self.record.benchmarks]
        return [(benchmark, case) for benchmark, case in cases if case and case.experiment]

    def wholes(self) -> dict[str, tuple[Benchmark, Case]]:
        """Return the whole training of each experiment to draw: the fused trainer's if it ran, with the first seed."""
        scored = [(benchmark, case) for benchmark, case in self.cases if case.error]
        scored.sort(key=lambda pair: (pair[1].trainer != "fused", pair[1].seed))
        first = {case.experiment: (benchmark, case) for benchmark, case in reversed(scored)}
        return {name: first[name] for name in dict.fromkeys(case.experiment for _, case in self.cases) if name in first}


def read_record(path: Path, *, pictured: bool = True) -> Source:
    """Read a record, with its pictures unless ``pictured`` is false. Invalid cases and pictures are left out.

    Raises NotFoundError if there is no such file, and InvalidInputError, with file and field, if it holds no record
    or no valid case.
    """
    try:
        record, left_out = validation.decode(path.read_bytes())
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such record") from None
    except InvalidInputError as problem:
        raise InvalidInputError(f"{path}: {problem}") from problem
    except (OSError, ValueError) as problem:  # a ValueError for a name with a null character
        reason = getattr(problem, "strerror", None) or problem
        raise InvalidInputError(f"{path}: cannot be read: {reason}; name a record's JSON file") from problem
    source = Source(path, record, {}, left_out)
    return _with_pictures(source) if pictured else source


def _with_pictures(source: Source) -> Source:
    """Add the pictures of the cases that have an image size. If a picture is missing or invalid, all are left out."""
    try:
        pictures = storage.pictures(source.path)
        for benchmark in source.record.benchmarks:
            case = benchmark.extra_info.autoenc
            if case and case.image:
                _check_pictures(names.bracketed(benchmark.name), case, prod(case.image), pictures)
    except InvalidInputError as problem:
        side = source.path.with_suffix(".npz")
        reason = f"{side}: {str(problem).removeprefix(f'{side}: ')}"
        return replace(source, left_out=[*source.left_out, NotRun("pictures", reason)])
    return replace(source, pictures=pictures)


def _check_pictures(name: str, case: Case, features: int, pictures: storage.Pictures) -> None:
    """Raise InvalidInputError if a picture of a case is missing or has another shape than the record says."""
    for kind in storage.PICTURE_KINDS:
        key = f"{name}/{kind}"
        if key not in pictures:
            raise InvalidInputError(f"{key} is missing; expected the pictures of each case that has an image size")
        shape = pictures[key].shape
        # The record does not say how many first samples there are.
        samples = shape[1] if kind == "first" or not case.error else len(getattr(case.error, kind))
        expected = (2, max(1, samples), features)
        if shape != expected:
            raise InvalidInputError(f"{key} has shape {shape}; expected {expected}, as the record says")


def read_records(paths: Iterable[Path], *, pictured: bool = True) -> tuple[list[Source], list[NotRun]]:
    """Read the records among these files; list the files that cannot be read, with the reasons.

    Raises the error of the first file if none can be read.
    """
    sources: list[Source] = []
    problems: dict[Path, AutoencBenchError] = {}
    for path in dict.fromkeys(paths):
        try:
            sources.append(read_record(path, pictured=pictured))
        except AutoencBenchError as problem:
            problems[path] = problem
    if not sources:
        raise next(iter(problems.values()), NotFoundError("no records; name at least one"))
    return sources, unreadable(problems)


def unreadable(problems: Mapping[Path, AutoencBenchError]) -> list[NotRun]:
    """List files that cannot be read, with the reasons."""
    return [NotRun(str(path), str(problem).removeprefix(f"{path}: ")) for path, problem in problems.items()]


def left_out(sources: Iterable[Source], files: Iterable[NotRun] = ()) -> Iterator[str]:
    """Return a line for each unreadable file, and for each reason why parts of a record were left out."""
    for entry in files:
        yield line(f"left out {entry.case}: {entry.reason}")
    for source in sources:
        for reason, cases in by_reason(source.left_out).items():
            yield line(f"left out of {source.path}: {few(cases)}: {reason}")
