"""What a report is drawn from: a record and its pictures, checked to fit each other and to hold what figures need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.records import record as records
from autoenc_bench.records import storage
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import Benchmark, Fact, NotRun, Record
from autoenc_bench.text import count

Pictures = dict[str, NDArray[np.uint8]]
YARDSTICKS = ("constant mean", "PCA")
VERSIONED = ("keras", "python", "numpy", "scikit-learn")


class Origin(msgspec.Struct, frozen=True):
    """Hold what pytest-benchmark says of the machine, in whatever form it says it."""

    machine_info: Any = None

    def machine(self) -> list[str]:
        """Name CPU, system and Python, as far as they are known."""
        info = self.machine_info if isinstance(self.machine_info, dict) else {}
        cpu = info.get("cpu")
        python = " ".join(str(info[key]) for key in ("python_implementation", "python_version") if info.get(key))
        system = " ".join(str(info[key]) for key in ("system", "machine") if info.get(key))
        named = [str(info["node"])] if info.get("node") else []
        return [*named, str(cpu.get("brand_raw") or "") if isinstance(cpu, dict) else "", system, python]


@dataclass(frozen=True)
class Source:
    """Hold one record, its pictures (see ``storage.pictures``) and the file that it came from."""

    path: Path
    record: Record
    pictures: Pictures
    origin: "Origin"

    @property
    def setting(self) -> str:
        """Say in one line on what the record was made: machine, device, backend, threads, scale and versions."""
        return " · ".join(words for words in self._setting() if words)

    def _setting(self) -> Iterator[str]:
        run = self.record.autoenc
        if run is None:
            yield from (*self.origin.machine(), f"pytest-benchmark {self.record.version}")
            return
        machine, context = run.machine, run.context
        yield f"{machine.cpu or 'unnamed CPU'}, {count(machine.logical_cores, 'core')}"
        yield f"{machine.memory_gib} GiB, {machine.system} {machine.architecture}"
        yield f"machine {machine.id}"
        yield f"{context.get('backend')} on {context.get('device')}{_devices(context)}"
        threads = context.get("threads")
        yield ("all threads" if threads is None else count(threads, "thread")) + (
            " pinned" if context.get("pinned") else ""
        )
        yield f"scale {run.scale}, {count(run.seeds, 'seed')}"
        yield ", ".join(f"{name} {version}" for name, version in self.versions().items())

    def versions(self) -> dict[str, str]:
        """Give the versions of the backend, Keras, Python and what else the timings depend on."""
        context = self.record.autoenc.context if self.record.autoenc else {}
        names = dict.fromkeys([str(context.get("backend")), *VERSIONED])
        return {name: str(context[name]) for name in names if name in context}

    @property
    def cases(self) -> list[tuple[Benchmark, Case]]:
        """List this suite's cases, each with its timing."""
        found = ((benchmark, benchmark.extra_info.autoenc) for benchmark in self.record.benchmarks)
        return [(benchmark, case) for benchmark, case in found if case]

    def wholes(self) -> dict[str, tuple[Benchmark, Case]]:
        """Give each experiment's whole training that is drawn: the fused trainer's where it ran, its first seed's."""
        scored = [(benchmark, case) for benchmark, case in self.cases if case.error]
        scored.sort(key=lambda found: (found[1].trainer != "fused", found[1].seed))
        first: dict[str, tuple[Benchmark, Case]] = {}
        for benchmark, case in scored:
            first.setdefault(case.experiment, (benchmark, case))
        return {name: first[name] for name in dict.fromkeys(case.experiment for _, case in self.cases) if name in first}


def _devices(context: dict[str, Fact]) -> str:
    """Say how many devices a distributed run had."""
    devices, processes = context.get("devices"), context.get("processes")
    if not (isinstance(devices, int) and isinstance(processes, int)):
        return ""
    words = count(devices, "virtual device" if context.get("virtual_devices") else "device")
    return f", {words}" + (f" in {processes} processes" if processes > 1 else "")


def read(path: Path, *, pictured: bool = True) -> Source:
    """Read a record and its pictures; not ``pictured``, the record alone.

    Raises LookupError when there is none, and ValueError with file, field and expectation when it cannot be drawn.
    """
    record, pictures = records.read(path), storage.pictures(path) if pictured else {}
    # What pytest-benchmark says of the machine is asked for only where the record does not say it itself.
    origin = Origin() if record.autoenc else msgspec.json.decode(path.read_bytes(), type=Origin)
    source = Source(path, record, pictures, origin)
    for misfit in (*_misfits(source), *(_picture_misfits(source) if pictured else ())):
        raise ValueError(misfit)
    return source


def read_all(paths: Iterable[Path]) -> tuple[list[Source], list[NotRun]]:
    """Read what can be read; name the others and why they cannot.

    Raises LookupError or ValueError, that of the first, when none can.
    """
    sources, unreadable, problems = [], [], []
    for path in dict.fromkeys(paths):
        try:
            sources.append(read(path))
        except (LookupError, ValueError) as problem:
            problems.append(problem)
            unreadable.append(NotRun(str(path), str(problem).removeprefix(f"{path}: ")))
    if not sources:
        raise problems[0] if problems else LookupError("no record to draw; name at least one")
    return sources, unreadable


def _misfits(source: Source) -> Iterator[str]:
    """Name what a record of the right shape holds that no run can have written."""
    if not source.record.benchmarks:
        yield f"{source.path}: benchmarks: there are none; expected at least one"
    for index, benchmark in enumerate(source.record.benchmarks):
        case = benchmark.extra_info.autoenc
        for field, problem in _case_misfits(case) if case else ():
            yield f"{source.path}: benchmarks[{index}].extra_info.autoenc.{field}: {problem}"
    if source.cases and source.record.autoenc is None:
        yield f"{source.path}: autoenc: missing beside cases of this suite; expected the block that describes the run"


def _case_misfits(case: Case) -> Iterator[tuple[str, str]]:
    if case.sample and len(case.sample.original) != len(case.sample.reconstruction):
        yield "sample", "original and reconstruction differ in length; expected as many numbers in both"
    if not case.error:
        return
    for name in YARDSTICKS:
        if name not in case.error.yardsticks:
            yield "error.yardsticks", f"{name!r} is missing; expected {' and '.join(YARDSTICKS)}"
    absolute = case.error.absolute
    if absolute.mean is not None and absolute.mean < 0:
        yield "error.absolute.mean", f"{absolute.mean}; expected a number of at least 0"
    if absolute.counts and None in (
        absolute.mean,
        absolute.std,
        absolute.quantiles.get("0"),
        absolute.quantiles.get("1"),
    ):
        yield "error.absolute", "counts without mean, std and the quantiles '0' and '1'; expected all of them"
    counts = absolute.counts
    if len(counts) % 4 or min(counts, default=0) < 0 or (counts and not any(counts)):
        yield "error.absolute.counts", "no histogram; expected a multiple of four counts, none below 0, some above"


def _picture_misfits(source: Source) -> Iterator[str]:
    side = source.path.with_suffix(".npz")
    for benchmark, case in source.cases:
        for name in ("first", "best", "worst") if case.image else ():
            key = f"{bracketed(benchmark.name)}/{name}"
            if not source.pictures:
                yield f"{side}: no such side file; expected one beside the record with {key}"
            elif key not in source.pictures:
                yield f"{side}: {key} is missing; expected the pictures of every case that has an image size"
            else:
                yield from _shape_misfits(side, key, case, source.pictures[key].shape)


def _shape_misfits(side: Path, key: str, case: Case, shape: tuple[int, ...]) -> Iterator[str]:
    assert case.image
    extremes = {"best": case.error.best, "worst": case.error.worst} if case.error else {}
    named = extremes.get(key.rpartition("/")[2])
    samples = shape[1] if named is None else len(named)
    expected = (2, max(1, samples), case.image[0] * case.image[1])
    if shape != expected:
        yield f"{side}: {key} has shape {shape}; expected {expected}, as the record says"


def bracketed(name: str) -> str:
    """Return what stands within the brackets of a case's name, the whole name where there are none."""
    return name.partition("[")[2].removesuffix("]") if "[" in name else name
