"""What a record holds (docs/record-format.md has it field by field), and how it is read and checked."""

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from statistics import median
from typing import TypeVar

import msgspec

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records.case import Case, Count, Positive, Work
from autoenc_bench.text import fact, line

SCHEMA_VERSION = 2
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # with their packages
Fact = str | bool | int | float | None
T = TypeVar("T")


class NotRun(msgspec.Struct, frozen=True):
    """A case that did not run, or did not hold, and why."""

    case: str
    reason: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What stays the same from run to run, and its hash ``id``; ``None`` is what could not be read."""

    id: str
    cpu: str | None
    physical_cores: int | None
    logical_cores: int | None
    memory_gib: int | None
    accelerators: list[str] | None
    architecture: str | None
    system: str | None


class Roofs(msgspec.Struct, frozen=True, kw_only=True):
    """What a machine does at most on the threads of a run; ``None`` is what could not be measured."""

    version: int  # of the way of measuring: efficiencies by different ones are not compared
    flops: Positive | None  # float32 operations per second, of matrix products
    bytes: Positive | None  # per second, read or written
    exponentials: Positive | None  # per second
    dispatch: Positive | None  # seconds per call of an empty compiled program

    def bound(self, work: Work) -> tuple[str, float] | None:
        """Return the roof that limits this work most, and the seconds that the work takes there at least.

        That is the roofline model (Williams, Waterman and Patterson 2009) with two more roofs, all of them overlapping.
        """
        seconds = {
            "compute": self.flops and work.flops / self.flops,
            "memory": self.bytes and work.bytes / self.bytes,
            "exponentials": self.exponentials and work.exponentials / self.exponentials,
            "dispatch": self.dispatch and work.calls * self.dispatch,
        }
        return max(((name, time) for name, time in seconds.items() if time), key=lambda roof: roof[1], default=None)


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """What a run is made on."""

    machine: Machine
    context: dict[str, Fact]  # equal where times are comparable: versions, threads, limits, environment variables
    conditions: dict[str, Fact | list[Fact]]  # clock, load, temperature, …, which only explain
    roofs: Roofs | None


class Run(Survey, frozen=True, kw_only=True):
    """One run: what it was made on, its scale, and what it left out."""

    schema_version: int
    suite_version: str
    scale: str
    seeds: int
    skipped: list[NotRun]
    failed: list[NotRun]


class Timing(msgspec.Struct, frozen=True):
    """Those of pytest-benchmark's statistics that are read here, in seconds per call."""

    median: Positive
    min: Positive
    rounds: Count
    iterations: Count = 1
    data: list[Positive] | None = None

    @property
    def times(self) -> list[float]:
        """Return the seconds of each round; where a record kept none of them, the smallest and the median."""
        return self.data or sorted({self.min, self.median})


class ExtraInfo(msgspec.Struct, frozen=True):
    """What a benchmark has beside its timing; other plugins' keys are passed over."""

    autoenc: Case | None = None


class Benchmark(msgspec.Struct, frozen=True):
    """One timed case."""

    name: str
    fullname: str
    stats: Timing
    extra_info: ExtraInfo = ExtraInfo()

    @property
    def reference(self) -> float | None:
        """Return the median seconds of the reference workload beside the rounds."""
        case = self.extra_info.autoenc
        return median(case.reference) if case and case.reference else None

    @property
    def quotients(self) -> list[float] | None:
        """Return each round's time in units of the reference workload beside it."""
        case, data = self.extra_info.autoenc, self.stats.data
        if not (case and case.reference and data and len(data) == len(case.reference)):
            return None
        return [time / reference for time, reference in zip(data, case.reference, strict=True)]

    @property
    def referenced(self) -> float | None:
        return median(self.quotients) if self.quotients else None

    def bound(self, roofs: Roofs | None) -> tuple[str, float] | None:
        """Return the roof that limits the case, and the case's efficiency there: roof time / measured time."""
        case = self.extra_info.autoenc
        bound = roofs.bound(case.work) if roofs and case and case.work else None
        return bound and (bound[0], bound[1] / self.stats.median)


class Commit(msgspec.Struct, frozen=True):
    """The commit that was measured."""

    id: str | None = None
    branch: str | None = None
    dirty: bool | None = None

    @property
    def known(self) -> bool:
        """Whether there was a commit; pytest-benchmark has two words for none."""
        return self.id not in (None, "", "unversioned", "unknown")

    def __str__(self) -> str:
        branch = f" on {self.branch}" if self.branch else ""
        return f"{str(self.id)[:12]}{branch}{', with changes' if self.dirty else ''}"


class Record(msgspec.Struct, frozen=True):
    """One run; a record by plain pytest-benchmark has no ``autoenc``."""

    benchmarks: list[Benchmark]
    datetime: str
    version: str
    autoenc: Run | None = None
    commit_info: Commit | None = None

    def timed(self) -> list[tuple[Case, float]]:
        """List this suite's cases, each with its median seconds per call."""
        return [(case, one.stats.median) for one in self.benchmarks if (case := one.extra_info.autoenc)]


def read(path: Path) -> Record:
    """Read a record; raise NotFoundError where there is none, InvalidInputError with file, field and expectation."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such record") from None
    except OSError as problem:
        raise InvalidInputError(f"{path}: cannot be read: {problem.strerror}; name a record's JSON file") from problem
    own = decode(content, _Versioned, path).autoenc
    if own is not None and own.schema_version != SCHEMA_VERSION:
        versions = f"schema version {own.schema_version}, this version of autoenc-bench reads {SCHEMA_VERSION}"
        raise InvalidInputError(f"{path}: not a readable record: {versions}; read it with the version that wrote it")
    return decode(content, Record, path)


def decode(content: bytes, kind: type[T], name: object) -> T:
    """Decode a record's JSON, or what is asked of it; raise InvalidInputError with the name, field and expectation."""
    try:
        return msgspec.json.decode(content, type=kind)
    except (ValueError, RecursionError) as problem:  # msgspec's errors are ValueErrors, and that of what is no UTF-8
        raise InvalidInputError(f"{name}: not a readable record: {_not_finite(content) or problem}") from problem


def _not_finite(content: bytes) -> str | None:
    """Locate the first NaN or infinity, which Python's json writes, also for pytest-benchmark, but JSON has not."""
    try:
        return next(_infinities(json.loads(content)), None)
    except (ValueError, RecursionError):
        return None


def _infinities(value: object, at: str = "$") -> Iterator[str]:
    if isinstance(value, float) and not isfinite(value):
        yield f"{value} - at `{at}`; expected a finite number"
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _infinities(part, f"{at}.{key}")
    elif isinstance(value, list):
        for index, part in enumerate(value):
            yield from _infinities(part, f"{at}[{index}]")


class _Version(msgspec.Struct):
    schema_version: int


class _Versioned(msgspec.Struct):
    autoenc: _Version | None = None


def differences(before: dict[str, Fact], after: dict[str, Fact]) -> list[str]:
    """List the facts in which two contexts differ: ``keras 3.11 → 3.12``; what one of them lacks is absent there."""
    pairs = [(name, before.get(name, "absent"), after.get(name, "absent")) for name in {**before, **after}]
    unlike = [pair for pair in pairs if repr(pair[1]) != repr(pair[2])]
    return [line(f"{name} {fact(name, one)} → {fact(name, other)}") for name, one, other in unlike]


def by_reason(entries: Iterable[NotRun]) -> dict[str, list[str]]:
    """Group the cases that did not run by the reason that they share."""
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        reasons.setdefault(entry.reason, []).append(entry.case)
    return reasons
