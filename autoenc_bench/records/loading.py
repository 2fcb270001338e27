"""What a report is drawn from: a record and its pictures, checked to fit each other and to hold what figures need."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from math import prod
from pathlib import Path
from typing import Any

import msgspec

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.formatting import count, few, line
from autoenc_bench.records import names, reading, storage
from autoenc_bench.records.case import Case, Statistics
from autoenc_bench.records.record import Benchmark, ExtraInfo, Fact, NotRun, Record, by_reason

YARDSTICKS = ("constant mean", "PCA")
PICTURES = ("first", "best", "worst")
UNNAMED = ("", "-", "unknown", "none", "n/a", "not available")
CPU_KIND = ("family", "model", "stepping")  # one name may stand for several kinds of CPU
CACHES = {"L2": "l2_cache_size", "L3": "l3_cache_size"}
VERSIONED = ("keras", "python", "numpy", "scikit-learn")


@dataclass(frozen=True)
class Origin:
    """What pytest-benchmark notes about the machine, in whatever form."""

    machine_info: Any

    @property
    def _info(self) -> dict[str, Any]:
        return self.machine_info if isinstance(self.machine_info, dict) else {}

    @property
    def _cpu(self) -> dict[str, Any]:
        cpu = self._info.get("cpu")
        return cpu if isinstance(cpu, dict) else {}

    @property
    def cpu(self) -> str | None:
        """Return the CPU's name; older versions call it ``brand``."""
        return named(self._cpu.get("brand_raw")) or named(self._cpu.get("brand"))

    @property
    def kind(self) -> dict[str, str]:
        """Return what tells CPUs of one name apart, as far as py-cpuinfo found it: family, model, stepping, caches."""
        known = {name: _number(self._cpu.get(name)) for name in CPU_KIND}
        known |= {level: _size(self._cpu.get(key)) for level, key in CACHES.items()}
        return {name: part for name, part in known.items() if part is not None}

    @property
    def facts(self) -> dict[str, Fact]:
        """Return what is known beside the machine that times depend on."""
        pairs = {"system": ("system", "machine"), "python": ("python_implementation", "python_version")}
        known = {
            name: " ".join(str(self._info[key]) for key in keys if self._info.get(key)) for name, keys in pairs.items()
        }
        cores = self._cpu.get("count")
        return {
            **({"cores": cores} if isinstance(cores, int) else {}),
            **{name: one for name, one in known.items() if one},
        }

    def __str__(self) -> str:
        """Return in one line what is known."""
        host = str(self._info["node"]) if self._info.get("node") else None
        texts = (str(value) for name, value in self.facts.items() if name != "cores")
        return " · ".join(filter(None, (host, self.cpu, *texts)))


def _number(value: object) -> str | None:
    """Return a whole number that py-cpuinfo has as a number or as text, ``None`` for anything else."""
    text = str(value) if isinstance(value, str) or type(value) is int else ""
    return text if re.fullmatch(r"\d{1,18}", text) else None


def _size(value: object) -> str | None:
    """Return the size of a cache with its unit; versions of py-cpuinfo have bytes or a text such as 256 KiB."""
    found = re.fullmatch(r"(\d{1,12}(?:\.\d+)?)\s*([KM]?)(?:i?B)?", _number(value) or str(value), re.IGNORECASE)
    if isinstance(value, bool) or not found:
        return None
    size = float(found[1]) * {"": 1, "K": 2**10, "M": 2**20}[found[2].upper()]
    return f"{size / 2**20:g} MiB" if size >= 2**20 else f"{size / 2**10:g} KiB"


def cpu_kind(kind: Mapping[str, str]) -> str:
    """Return in words what tells CPUs of one name apart."""
    return " ".join(f"{name} {part}" for name, part in kind.items())


def named(cpu: object) -> str | None:
    """Return the name of a CPU, ``None`` where it is one of the words for not knowing it."""
    name = cpu.strip() if isinstance(cpu, str) else ""
    return None if name.lower() in UNNAMED else name


@dataclass(frozen=True)
class Source:
    """A record, its pictures (see ``storage.pictures``), the file that it came from, and what of it is not read."""

    path: Path
    record: Record
    pictures: storage.Pictures
    left_out: list[NotRun] = field(default_factory=list)  # cases, or their pictures, that cannot be read

    @property
    def setting(self) -> str:
        """Return in one line what the record was made on: machine, device, backend, threads, scale and versions."""
        run = self.record.autoenc
        if run is None:
            return line(" · ".join(filter(None, (str(self.origin), f"pytest-benchmark {self.record.version}"))))
        machine, context = run.machine, run.context
        threads, pinned = context.get("threads"), " pinned" if context.get("pinned") else ""
        devices, processes = context.get("devices"), context.get("processes")
        kind = "virtual device" if context.get("virtual_devices") else "device"
        several = f", {count(devices, kind)}" if devices and processes else ""
        apart = f" in {processes} processes" if several and processes != 1 else ""
        parts = (
            f"{machine.cpu or 'unnamed CPU'}, {count(machine.logical_cores, 'core')}",
            f"{machine.memory_gib} GiB, {machine.system} {machine.architecture}",
            f"machine {machine.id}",
            f"{context.get('backend')} on {context.get('device')}{several}{apart}",
            ("all threads" if threads is None else count(threads, "thread")) + pinned,
            f"scale {run.scale}, {count(run.seeds, 'seed')}",
            ", ".join(f"{name} {version}" for name, version in self.versions().items()),
        )
        return line(" · ".join(filter(None, parts)))

    def versions(self) -> dict[str, str]:
        context = self.record.autoenc.context if self.record.autoenc else {}
        names = dict.fromkeys([str(context.get("backend")), *VERSIONED])
        return {name: str(context[name]) for name in names if name in context}

    @property
    def origin(self) -> Origin:
        return Origin(self.record.machine_info)

    @property
    def machine(self) -> str | None:
        """Return the machine's id, or its CPU's name, ``None`` where the record names no CPU: it equals no other.

        Machines are equal if their ``origin.kind`` does not differ either.
        """
        if run := self.record.autoenc:
            return run.machine.id if named(run.machine.cpu) else None
        return self.origin.cpu

    @property
    def facts(self) -> dict[str, Fact]:
        """Return the context in which times are comparable."""
        without = {"disable_gc": True} if any(one.disables_gc for one in self.record.benchmarks) else {}
        if run := self.record.autoenc:
            return {**run.context, **without}
        timers = {one.timer for one in self.record.benchmarks if one.timer}
        return {**self.origin.facts, **({"timer": ", ".join(sorted(timers))} if timers else {}), **without}

    @cached_property
    def labels(self) -> list[str]:
        """Return what to call each benchmark, as shortly as is unique."""
        told_apart = names.identities(self.record.benchmarks)
        shown = names.shown(told_apart)
        return [shown[one] for one in told_apart]

    @property
    def cases(self) -> list[tuple[Benchmark, Case]]:
        """Return the cases that belong to an experiment; any other has times alone, as in plain records."""
        return [(one, case) for one in self.record.benchmarks if (case := one.extra_info.autoenc) and case.experiment]

    def wholes(self) -> dict[str, tuple[Benchmark, Case]]:
        """Return each experiment's whole training that is drawn: of the fused trainer if it ran, of its first seed."""
        scored = [(benchmark, case) for benchmark, case in self.cases if case.error]
        scored.sort(key=lambda one: (one[1].trainer != "fused", one[1].seed))
        first = {case.experiment: (benchmark, case) for benchmark, case in reversed(scored)}
        return {name: first[name] for name in dict.fromkeys(case.experiment for _, case in self.cases) if name in first}


def read(path: Path, *, pictured: bool = True) -> Source:
    """Read a record, with its pictures or without, leaving out the cases and pictures that cannot be read.

    Raises NotFoundError, or InvalidInputError with file and field, when nothing of it can be.
    """
    record, left_out = reading.read(path)
    kept = []
    for benchmark in record.benchmarks:
        case = benchmark.extra_info.autoenc
        if case and record.autoenc is None:
            reason = "missing beside cases of this suite; expected the block that describes the run"
            raise InvalidInputError(f"{path}: autoenc: {reason}")
        if misfit := next(_misfits(case), None) if case else None:
            left_out.append(NotRun(names.identity(benchmark), misfit))
        else:
            kept.append(benchmark)
    if not kept:
        raise InvalidInputError(
            f"{path}: none of its cases can be read; the first, {left_out[0].case}: {left_out[0].reason}"
        )
    record = msgspec.structs.replace(record, benchmarks=kept)
    source = Source(path, record, {}, left_out)
    return _picture(source) if pictured else source


def _picture(source: Source) -> Source:
    """Add the pictures of the cases that have an image size; where they do not fit, the case has none."""
    left_out, side = list(source.left_out), source.path.with_suffix(".npz")
    try:
        pictures = storage.pictures(source.path)
    except InvalidInputError as problem:
        pictures = {}
        left_out.append(NotRun("pictures", str(problem)))
    kept = []
    for benchmark in source.record.benchmarks:
        case = benchmark.extra_info.autoenc
        if case and case.image and (misfit := next(_picture_misfits(benchmark.name, case, pictures), None)):
            if pictures or not side.exists():
                left_out.append(NotRun(f"pictures of {names.identity(benchmark)}", f"{side}: {misfit}"))
            plain = msgspec.structs.replace(case, image=None)
            benchmark = msgspec.structs.replace(benchmark, extra_info=ExtraInfo(plain))
        kept.append(benchmark)
    return replace(
        source, record=msgspec.structs.replace(source.record, benchmarks=kept), pictures=pictures, left_out=left_out
    )


def read_all(paths: Iterable[Path], *, pictured: bool = True) -> tuple[list[Source], list[NotRun]]:
    """Read what can be read; list the files that cannot, and the cases left out of others, with the reasons.

    Raises the first one's error when none can be read.
    """
    sources: list[Source] = []
    problems: dict[Path, AutoencBenchError] = {}
    for path in dict.fromkeys(paths):
        try:
            sources.append(read(path, pictured=pictured))
        except AutoencBenchError as problem:
            problems[path] = problem
    if not sources:
        raise next(iter(problems.values()), NotFoundError("no records; name at least one"))
    return sources, unreadable(problems)


def unreadable(problems: Mapping[Path, AutoencBenchError]) -> list[NotRun]:
    """List files that cannot be read, with the reasons."""
    return [NotRun(str(path), str(why).removeprefix(f"{path}: ")) for path, why in problems.items()]


def left_out(sources: Iterable[Source], files: Iterable[NotRun] = ()) -> Iterator[str]:
    """Return in a line each which files, and which parts of records, were not read and why."""
    for entry in files:
        yield line(f"left out {entry.case}: {entry.reason}")
    for source in sources:
        for reason, cases in by_reason(source.left_out).items():
            yield line(f"left out of {source.path}: {few(cases)}: {reason}")


def _misfits(case: Case) -> Iterator[str]:
    """Locate what a case of the right shape holds that no run can have written."""
    if case.sample and len(case.sample.original) != len(case.sample.reconstruction):
        yield "sample: original and reconstruction differ in length; expected as many numbers in both"
    if not case.error:
        return
    for name in YARDSTICKS:
        if name not in case.error.yardsticks:
            yield f"error.yardsticks: {name!r} is missing; expected {' and '.join(YARDSTICKS)}"
    error, counts = case.error.absolute, case.error.absolute.counts
    if error.mean is not None and error.mean < 0:
        yield f"error.absolute.mean: {error.mean}; expected a number of at least 0"
    if counts and None in (error.mean, error.std, error.quantiles.get("0"), error.quantiles.get("1")):
        yield "error.absolute: counts without mean, std and the quantiles '0' and '1'; expected all of them"
    elif counts and not _is_drawable(error):
        found = f"mean {error.mean:.4g}, std {error.std:.4g}"
        yield f"error.absolute: {found}; expected those of errors between the quantiles '0' and '1'"
    if len(counts) % 4 or min(counts, default=0) < 0 or (counts and not any(counts)):
        yield "error.absolute.counts: no histogram; expected a multiple of four counts, none below 0, some above"


def _is_drawable(error: Statistics) -> bool:
    """Return whether mean and std are of the size of the errors, which no run's exceed; twice that still draws."""
    most = 2 * max(abs(error.quantiles["0"] or 0.0), abs(error.quantiles["1"] or 0.0))
    return (error.mean or 0.0) <= most and 0 <= (error.std or 0.0) <= most


def _picture_misfits(name: str, case: Case, pictures: storage.Pictures) -> Iterator[str]:
    """Locate pictures that the side file lacks of a case with an image size, or has in another shape."""
    for which in PICTURES:
        key = f"{bracketed(name)}/{which}"
        if not pictures:
            yield f"no such side file; expected one beside the record with {key}"
        elif key not in pictures:
            yield f"{key} is missing; expected the pictures of every case that has an image size"
        else:
            shape = pictures[key].shape
            # Of the first samples the record holds no number.
            samples = shape[1] if which == "first" or not case.error else len(getattr(case.error, which))
            expected = (2, max(1, samples), prod(case.image or ()))
            if shape != expected:
                yield f"{key} has shape {shape}; expected {expected}, as the record says"


def bracketed(name: str) -> str:
    """Return what stands within the brackets of a case's name, the whole name where there are none."""
    return name.partition("[")[2].removesuffix("]") if "[" in name else name
