"""What a report is drawn from: a record and its pictures, checked to fit each other and to hold what figures need."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import msgspec

from autoenc_bench.exceptions import AutoencBenchError, InvalidInputError, NotFoundError
from autoenc_bench.records import record as records
from autoenc_bench.records import storage
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import Benchmark, NotRun, Record
from autoenc_bench.text import count

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
    pictures: storage.Pictures
    origin: Origin

    @property
    def setting(self) -> str:
        """Return in one line what the record was made on: machine, device, backend, threads, scale and versions."""
        run = self.record.autoenc
        if run is None:
            return " · ".join(filter(None, (*self.origin.machine(), f"pytest-benchmark {self.record.version}")))
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
        return " · ".join(filter(None, parts))

    def versions(self) -> dict[str, str]:
        context = self.record.autoenc.context if self.record.autoenc else {}
        names = dict.fromkeys([str(context.get("backend")), *VERSIONED])
        return {name: str(context[name]) for name in names if name in context}

    @property
    def cases(self) -> list[tuple[Benchmark, Case]]:
        return [(one, case) for one in self.record.benchmarks if (case := one.extra_info.autoenc)]

    def wholes(self) -> dict[str, tuple[Benchmark, Case]]:
        """Return each experiment's whole training that is drawn: of the fused trainer if it ran, of its first seed."""
        scored = [(benchmark, case) for benchmark, case in self.cases if case.error]
        scored.sort(key=lambda one: (one[1].trainer != "fused", one[1].seed))
        first = {case.experiment: (benchmark, case) for benchmark, case in reversed(scored)}
        return {name: first[name] for name in dict.fromkeys(case.experiment for _, case in self.cases) if name in first}


def read(path: Path, *, pictured: bool = True) -> Source:
    """Read a record, with its pictures or without; raise NotFoundError, or InvalidInputError with file and field."""
    record, pictures = records.read(path), storage.pictures(path) if pictured else {}
    # What pytest-benchmark notes about the machine is read only where the record does not say it itself.
    origin = Origin() if record.autoenc else records.decode(path.read_bytes(), Origin, path)
    source = Source(path, record, pictures, origin)
    if misfit := next(_record_misfits(source), None):
        raise InvalidInputError(f"{path}: {misfit}")
    if pictured and (misfit := next(_picture_misfits(source), None)):
        raise InvalidInputError(f"{path.with_suffix('.npz')}: {misfit}")
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


def _record_misfits(source: Source) -> Iterator[str]:
    """Locate what a record of the right shape holds that no run can have written."""
    if not source.record.benchmarks:
        yield "benchmarks: there are none; expected at least one"
    for index, benchmark in enumerate(source.record.benchmarks):
        for misfit in _case_misfits(benchmark.extra_info.autoenc):
            yield f"benchmarks[{index}].extra_info.autoenc.{misfit}"
    if source.cases and source.record.autoenc is None:
        yield "autoenc: missing beside cases of this suite; expected the block that describes the run"


def _case_misfits(case: Case | None) -> Iterator[str]:
    if case and case.sample and len(case.sample.original) != len(case.sample.reconstruction):
        yield "sample: original and reconstruction differ in length; expected as many numbers in both"
    if not (case and case.error):
        return
    for name in YARDSTICKS:
        if name not in case.error.yardsticks:
            yield f"error.yardsticks: {name!r} is missing; expected {' and '.join(YARDSTICKS)}"
    error, counts = case.error.absolute, case.error.absolute.counts
    if error.mean is not None and error.mean < 0:
        yield f"error.absolute.mean: {error.mean}; expected a number of at least 0"
    if counts and None in (error.mean, error.std, error.quantiles.get("0"), error.quantiles.get("1")):
        yield "error.absolute: counts without mean, std and the quantiles '0' and '1'; expected all of them"
    if len(counts) % 4 or min(counts, default=0) < 0 or (counts and not any(counts)):
        yield "error.absolute.counts: no histogram; expected a multiple of four counts, none below 0, some above"


def _picture_misfits(source: Source) -> Iterator[str]:
    """Locate pictures that the side file lacks of a case with an image size, or has in another shape."""
    for benchmark, case in source.cases:
        for name in ("first", "best", "worst") if case.image else ():
            key = f"{bracketed(benchmark.name)}/{name}"
            if not source.pictures:
                yield f"no such side file; expected one beside the record with {key}"
            elif key not in source.pictures:
                yield f"{key} is missing; expected the pictures of every case that has an image size"
            else:
                shape = source.pictures[key].shape
                # Of the first samples the record holds no number.
                samples = shape[1] if name == "first" or not case.error else len(getattr(case.error, name))
                expected = (2, max(1, samples), prod(case.image or ()))
                if shape != expected:
                    yield f"{key} has shape {shape}; expected {expected}, as the record says"


def bracketed(name: str) -> str:
    """Return what stands within the brackets of a case's name, the whole name where there are none."""
    return name.partition("[")[2].removesuffix("]") if "[" in name else name
