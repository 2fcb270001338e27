"""What a report is drawn from: a record and its pictures, checked to fit each other and to hold what figures need."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.records import record as records
from autoenc_bench.records import storage
from autoenc_bench.records.case import Case, Extreme
from autoenc_bench.records.record import Benchmark, Fact, NotRun, Record
from autoenc_bench.text import count

Pictures = dict[str, NDArray[np.uint8]]
YARDSTICKS = ("constant mean", "PCA")
VERSIONED = ("keras", "python", "numpy", "scikit-learn")


class Origin(msgspec.Struct, frozen=True):
    """What pytest-benchmark notes about the machine, in whatever form."""

    machine_info: Any = None

    def machine(self) -> list[str]:
        """Return CPU, system and Python, each empty where it is unknown, after the host's name where it is known."""
        info = self.machine_info if isinstance(self.machine_info, dict) else {}
        cpu = info["cpu"].get("brand_raw") if isinstance(info.get("cpu"), dict) else None
        pairs = [("system", "machine"), ("python_implementation", "python_version")]
        known = (" ".join(str(info[key]) for key in pair if info.get(key)) for pair in pairs)
        return [*([str(info["node"])] if info.get("node") else []), str(cpu or ""), *known]


@dataclass(frozen=True)
class Source:
    """A record, its pictures (see ``storage.pictures``) and the file that it came from."""

    path: Path
    record: Record
    pictures: Pictures
    origin: Origin

    @property
    def setting(self) -> str:
        """Return in one line what the record was made on: machine, device, backend, threads, scale and versions."""
        run = self.record.autoenc
        if run is None:
            return " · ".join(filter(None, (*self.origin.machine(), f"pytest-benchmark {self.record.version}")))
        machine, context = run.machine, run.context
        threads, pinned = context.get("threads"), " pinned" if context.get("pinned") else ""
        parts = (
            f"{machine.cpu or 'unnamed CPU'}, {count(machine.logical_cores, 'core')}",
            f"{machine.memory_gib} GiB, {machine.system} {machine.architecture}",
            f"machine {machine.id}",
            f"{context.get('backend')} on {context.get('device')}{_devices(context)}",
            ("all threads" if threads is None else count(threads, "thread")) + pinned,
            f"scale {run.scale}, {count(run.seeds, 'seed')}",
            ", ".join(f"{name} {version}" for name, version in self.versions().items()),
        )
        return " · ".join(filter(None, parts))

    def versions(self) -> dict[str, str]:
        """Return the versions of the backend, Keras, Python and what else the timings depend on."""
        context = self.record.autoenc.context if self.record.autoenc else {}
        names = dict.fromkeys([str(context.get("backend")), *VERSIONED])
        return {name: str(context[name]) for name in names if name in context}

    @property
    def cases(self) -> list[tuple[Benchmark, Case]]:
        """Return this suite's cases, each with its timing."""
        return [(one, case) for one in self.record.benchmarks if (case := one.extra_info.autoenc)]

    def wholes(self) -> dict[str, tuple[Benchmark, Case]]:
        """Return each experiment's whole training that is drawn: of the fused trainer if it ran, of its first seed."""
        scored = [(benchmark, case) for benchmark, case in self.cases if case.error]
        scored.sort(key=lambda one: (one[1].trainer != "fused", one[1].seed))
        first = {case.experiment: (benchmark, case) for benchmark, case in reversed(scored)}
        return {name: first[name] for name in dict.fromkeys(case.experiment for _, case in self.cases) if name in first}


def _devices(context: dict[str, Fact]) -> str:
    devices, processes = context.get("devices"), context.get("processes")
    if not (isinstance(devices, int) and isinstance(processes, int)):
        return ""
    shown = count(devices, "virtual device" if context.get("virtual_devices") else "device")
    return f", {shown}" + (f" in {processes} processes" if processes > 1 else "")


def read(path: Path, *, pictured: bool = True) -> Source:
    """Read a record and its pictures; not ``pictured``, the record alone.

    Raises NotFoundError when there is none, and InvalidInputError with file, field and expectation when it cannot be
    drawn.
    """
    record, pictures = records.read(path), storage.pictures(path) if pictured else {}
    # What pytest-benchmark notes about the machine is read only where the record does not say it itself.
    origin = Origin() if record.autoenc else records.decode(path.read_bytes(), Origin, path)
    source = Source(path, record, pictures, origin)
    _check_record(source)
    if pictured:
        _check_pictures(source)
    return source


def read_all(paths: Iterable[Path]) -> tuple[list[Source], list[NotRun]]:
    """Read what can be read; list the others with the reasons. Raises the first one's error when none can be read."""
    sources: list[Source] = []
    problems: dict[Path, AutoencBenchError] = {}
    for path in dict.fromkeys(paths):
        try:
            sources.append(read(path))
        except AutoencBenchError as problem:
            problems[path] = problem
    if not sources:
        raise next(iter(problems.values()), NotFoundError("no record to draw; name at least one"))
    return sources, [NotRun(str(path), str(why).removeprefix(f"{path}: ")) for path, why in problems.items()]


def _check_record(source: Source) -> None:
    """Refuse what a record of the right shape holds that no run can have written."""
    if not source.record.benchmarks:
        raise InvalidInputError(f"{source.path}: benchmarks: there are none; expected at least one")
    for index, benchmark in enumerate(source.record.benchmarks):
        case = benchmark.extra_info.autoenc
        if case and (misfit := _misfit(case)):
            raise InvalidInputError(f"{source.path}: benchmarks[{index}].extra_info.autoenc.{misfit}")
    if source.cases and source.record.autoenc is None:
        raise InvalidInputError(
            f"{source.path}: autoenc: missing beside cases of this suite; expected the block that describes the run"
        )


def _misfit(case: Case) -> str | None:
    if case.sample and len(case.sample.original) != len(case.sample.reconstruction):
        return "sample: original and reconstruction differ in length; expected as many numbers in both"
    if not case.error:
        return None
    for name in YARDSTICKS:
        if name not in case.error.yardsticks:
            return f"error.yardsticks: {name!r} is missing; expected {' and '.join(YARDSTICKS)}"
    error, counts = case.error.absolute, case.error.absolute.counts
    if error.mean is not None and error.mean < 0:
        return f"error.absolute.mean: {error.mean}; expected a number of at least 0"
    if counts and None in (error.mean, error.std, error.quantiles.get("0"), error.quantiles.get("1")):
        return "error.absolute: counts without mean, std and the quantiles '0' and '1'; expected all of them"
    if len(counts) % 4 or min(counts, default=0) < 0 or (counts and not any(counts)):
        return "error.absolute.counts: no histogram; expected a multiple of four counts, none below 0, some above"
    return None


def _check_pictures(source: Source) -> None:
    """Refuse a side file that lacks pictures of a case with an image size, or has them in another shape."""
    side = source.path.with_suffix(".npz")
    for benchmark, case in source.cases:
        for name in ("first", "best", "worst") if case.image else ():
            key = f"{bracketed(benchmark.name)}/{name}"
            if misfit := _picture_misfit(key, source.pictures, case, getattr(case.error, name, None)):
                raise InvalidInputError(f"{side}: {misfit}")


def _picture_misfit(key: str, pictures: Pictures, case: Case, extremes: list[Extreme] | None) -> str | None:
    assert case.image
    if not pictures:
        return f"no such side file; expected one beside the record with {key}"
    if key not in pictures:
        return f"{key} is missing; expected the pictures of every case that has an image size"
    shape = pictures[key].shape
    samples = shape[1] if extremes is None else len(extremes)  # of the first samples the record holds no number
    expected = (2, max(1, samples), case.image[0] * case.image[1])
    return None if shape == expected else f"{key} has shape {shape}; expected {expected}, as the record says"


def bracketed(name: str) -> str:
    """Return what stands within the brackets of a case's name, the whole name where there are none."""
    return name.partition("[")[2].removesuffix("]") if "[" in name else name
