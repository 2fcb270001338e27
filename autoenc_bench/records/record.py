"""The contract between measuring and reading: what a run says, and how it is read and checked.

A record is pytest-benchmark's JSON with raw rounds. What this suite adds stands in each benchmark's
``extra_info["autoenc"]`` (a ``cases.Case``) and in one top-level block ``autoenc`` (a ``Run``). Every number is a plain
float or int, and what has no finite value is null. Pictures stand in a side file beside it (see storage.py).
"""

import json
from collections.abc import Iterable, Iterator
from math import isfinite
from pathlib import Path
from statistics import median

import msgspec

from autoenc_bench import text
from autoenc_bench.records.case import Case, Count, Positive, Work

SCHEMA_VERSION = 2
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # with their packages


class NotRun(msgspec.Struct, frozen=True):
    """Name a case that did not run, or did not hold, and why."""

    case: str
    reason: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """State what stays the same from one run on a machine to the next; ``None`` is what could not be read.

    ``id`` is a hash of the other fields, so any two records of equal machines share it.
    """

    id: str
    cpu: str | None
    physical_cores: int | None
    logical_cores: int | None
    memory_gib: int | None
    accelerators: list[str] | None
    architecture: str | None
    system: str | None


class Roofs(msgspec.Struct, frozen=True, kw_only=True):
    """State what a machine does at most on the threads of a run; ``None`` is what could not be measured.

    ``version`` changes with the way of measuring; efficiencies by different versions are not compared.
    """

    version: int
    flops: Positive | None  # float32 operations per second, of matrix products
    bytes: Positive | None  # per second, read or written
    exponentials: Positive | None  # per second
    dispatch: Positive | None  # seconds per call of an empty compiled program

    def bound(self, work: Work) -> tuple[str, float] | None:
        """Name the roof that limits this work most, and the seconds that the work takes there at least.

        That is the roofline model (Williams, Waterman and Patterson 2009) with two more roofs; it takes what could
        go on at the same time to do so. ``None`` without any roof.
        """
        seconds = {
            "compute": self.flops and work.flops / self.flops,
            "memory": self.bytes and work.bytes / self.bytes,
            "exponentials": self.exponentials and work.exponentials / self.exponentials,
            "dispatch": self.dispatch and work.calls * self.dispatch,
        }
        known = [(name, time) for name, time in seconds.items() if time]
        return max(known, key=lambda found: found[1], default=None)


Fact = str | bool | int | float | None


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Say what runs the suite.

    ``context`` must be equal for times to be comparable: versions, threads, limits, and the environment variables
    that matter, under their own names. ``conditions`` (clock, load, temperature, …) only explain.
    """

    machine: Machine
    context: dict[str, Fact]
    conditions: dict[str, Fact | list[Fact]]
    roofs: Roofs | None


class Run(Survey, frozen=True, kw_only=True):
    """Say what one run was: its surroundings, its scale, and what it left out."""

    schema_version: int
    suite_version: str
    scale: str
    seeds: int
    skipped: list[NotRun]
    failed: list[NotRun]


class Timing(msgspec.Struct, frozen=True):
    """Hold pytest-benchmark's statistics that are read here, in seconds per call."""

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
    """Hold what a benchmark says beside its timing; other plugins' keys are passed over."""

    autoenc: Case | None = None


class Benchmark(msgspec.Struct, frozen=True):
    """Hold one timed case."""

    name: str
    fullname: str
    stats: Timing
    extra_info: ExtraInfo = ExtraInfo()

    @property
    def reference(self) -> float | None:
        """Give the median seconds of the reference workload beside the rounds."""
        case = self.extra_info.autoenc
        return median(case.reference) if case and case.reference else None

    @property
    def quotients(self) -> list[float] | None:
        """Give each round's time in units of the reference workload beside it."""
        case, data = self.extra_info.autoenc, self.stats.data
        if not (case and case.reference and data and len(data) == len(case.reference)):
            return None
        return [time / reference for time, reference in zip(data, case.reference, strict=True)]

    @property
    def referenced(self) -> float | None:
        """Give the median over rounds of the time in units of the reference workload beside it."""
        return median(self.quotients) if self.quotients else None

    def bound(self, roofs: Roofs | None) -> tuple[str, float] | None:
        """Name the roof that limits the case, and the case's efficiency there: roof time / measured time."""
        case = self.extra_info.autoenc
        found = roofs.bound(case.work) if roofs and case and case.work else None
        return found and (found[0], found[1] / self.stats.median)


class Commit(msgspec.Struct, frozen=True):
    """Name the commit that was measured."""

    id: str | None = None
    branch: str | None = None
    dirty: bool | None = None

    @property
    def known(self) -> bool:
        """Tell whether there was a commit; pytest-benchmark has two words for none."""
        return self.id not in (None, "", "unversioned", "unknown")

    def __str__(self) -> str:
        """Name the commit, its branch, and whether files had changed since."""
        branch = f" on {self.branch}" if self.branch else ""
        return f"{str(self.id)[:12]}{branch}{', with changes' if self.dirty else ''}"


class Record(msgspec.Struct, frozen=True):
    """Hold one run. ``autoenc`` is missing from a record by plain pytest-benchmark."""

    benchmarks: list[Benchmark]
    datetime: str
    version: str
    autoenc: Run | None = None
    commit_info: Commit | None = None

    def timed(self) -> list[tuple[Case, float]]:
        """List this suite's cases, each with its median seconds per call."""
        return [
            (benchmark.extra_info.autoenc, benchmark.stats.median)
            for benchmark in self.benchmarks
            if benchmark.extra_info.autoenc
        ]


def read(path: Path) -> Record:
    """Read a record.

    Raises ValueError with file, field and expectation when it is not one, LookupError when it is not there.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise LookupError(f"{path}: no such record") from None
    except OSError as problem:
        raise ValueError(f"{path}: cannot be read: {problem.strerror}; name a record's JSON file") from problem
    try:
        found = msgspec.json.decode(content, type=_Versioned).autoenc
        if found is not None and found.schema_version != SCHEMA_VERSION:
            raise ValueError(
                f"schema version {found.schema_version}, this version of autoenc-bench reads {SCHEMA_VERSION}; "
                "read it with the version that wrote it"
            )
        return msgspec.json.decode(content, type=Record)
    except (ValueError, RecursionError) as problem:  # msgspec's errors are ValueErrors
        reason = _not_finite(content) or problem
        raise ValueError(f"{path}: not a readable record: {reason}") from problem


def _not_finite(content: bytes) -> str | None:
    """Name the first NaN or infinity, which Python's json writes, also for pytest-benchmark, but JSON has not."""
    try:
        found = next(_infinities(json.loads(content)), None)
    except (ValueError, RecursionError):
        return None
    return found and f"{found[1]} - at `${found[0]}`; expected a finite number"


def _infinities(value: object, at: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, float) and not isfinite(value):
        yield at, value
    elif isinstance(value, dict):
        for key, held in value.items():
            yield from _infinities(held, f"{at}.{key}")
    elif isinstance(value, list):
        for index, held in enumerate(value):
            yield from _infinities(held, f"{at}[{index}]")


class _Version(msgspec.Struct):
    schema_version: int


class _Versioned(msgspec.Struct):
    autoenc: _Version | None = None


def differences(before: dict[str, Fact], after: dict[str, Fact]) -> list[str]:
    """List the facts in which two contexts differ: ``keras 3.11 → 3.12``; what one of them lacks is absent there."""
    absent = "absent"
    return [
        text.line(f"{name} {text.fact(name, before.get(name, absent))} → {text.fact(name, after.get(name, absent))}")
        for name in dict.fromkeys([*before, *after])
        if repr(before.get(name, absent)) != repr(after.get(name, absent))
    ]


def by_reason(entries: Iterable[NotRun]) -> dict[str, list[str]]:
    """Group the cases that did not run by the reason that they share."""
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        reasons.setdefault(entry.reason, []).append(entry.case)
    return reasons
