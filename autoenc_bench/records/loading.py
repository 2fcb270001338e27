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
    """A record, its file, its pictures, and the parts that were left out.

    The keys of pictures are ``CASE/first``, ``CASE/best`` and ``CASE/worst``; CASE is the text in the brackets of the
    case's name. Arrays have shape (2, n, features): originals, then reconstructions, as bytes 0..255.
    """

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

    The result, a ``Source``, has ``record``, ``pictures`` and ``left_out`` (see docs/record-format.md).

    Raises NotFoundError if there is no such file, and InvalidInputError, with file and field, if it holds no record
    or no valid case.
    """
    try:
        record, left_out = validation.decode(storage.read(path))
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
    side = storage.side_file(source.path)
    try:
        pictures = storage.read_arrays(side, "side file") if side.exists() else {}
        for benchmark in source.record.benchmarks:
            case = benchmark.extra_info.autoenc
            if case and case.image and (error := _picture_error(names.bracketed(benchmark.name), case, pictures)):
                raise InvalidInputError(f"{side}: {error}")
    except InvalidInputError as problem:
        return replace(source, left_out=[*source.left_out, NotRun("pictures", str(problem))])
    return replace(source, pictures=pictures)


def _picture_error(name: str, case: Case, pictures: storage.Pictures) -> str | None:
    """Return what is wrong with the first picture of a case that is missing or not what the record says."""
    features = prod(case.image or ())
    for kind in storage.PICTURE_KINDS:
        key = f"{name}/{kind}"
        if key not in pictures:
            return f"{key} is missing; expected the pictures of each case that has an image size"
        found = pictures[key]
        # The record does not say how many first samples there are.
        samples = found.size // (2 * features) if kind == "first" or not case.error else len(getattr(case.error, kind))
        expected = (2, max(1, samples), features)
        if found.dtype != "uint8" or found.shape != expected:
            return f"{key} is {found.dtype} of shape {found.shape}; expected uint8 of shape {expected}"
    return None


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
