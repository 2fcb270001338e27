"""The schema of a record. docs/record-format.md describes each field."""

from collections.abc import Iterable
from statistics import median
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from autoenc_bench.formatting import fact, line
from autoenc_bench.records.case import Case, Count, Positive, Work
from autoenc_bench.records.counts import Tables

SCHEMA_VERSION = 3
READABLE = (2, 3)  # versions
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # name -> packages
SIDE_NAMES = ("base", "head")  # of a live comparison
Fact = str | bool | int | float | None

# A clock can measure these: from less than one cycle of any CPU to decades.
Seconds = Annotated[float, Meta(ge=1e-15, le=1e9)]
Round = Annotated[float, Meta(ge=0, le=1e9)]


class NotRun(msgspec.Struct, frozen=True):
    """A case that did not run, that failed or that cannot be read, and the reason."""

    case: str
    reason: str


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """Facts that stay the same in every run on a machine, and their hash ``id``; ``None`` is an unknown fact."""

    id: str
    cpu: str | None
    physical_cores: int | None
    logical_cores: int | None
    memory_gib: int | None
    accelerators: list[str] | None
    architecture: str | None
    system: str | None


class Roofs(msgspec.Struct, frozen=True, kw_only=True):
    """Maximum rates of a machine on the threads of a run; ``None`` is a rate that could not be measured."""

    version: int  # of the method; efficiencies by different methods are not compared
    flops: Positive | None  # float32 operations per second, of matrix products
    bytes: Positive | None  # per second, read or written
    exponentials: Positive | None  # per second
    dispatch: Positive | None  # seconds per call of an empty compiled program

    def bound(self, work: Work) -> tuple[str, float] | None:
        """Return the roof that limits this work most, and the seconds that the work takes at that roof.

        Source: the roofline model (Williams, Waterman and Patterson 2009), with two more roofs. All of them overlap.
        Returns ``None`` if no roof limits the work.
        """
        seconds = {
            "compute": self.flops and work.flops / self.flops,
            "memory": self.bytes and work.bytes / self.bytes,
            "exponentials": self.exponentials and work.exponentials / self.exponentials,
            "dispatch": self.dispatch and work.calls * self.dispatch,
        }
        return max(((name, time) for name, time in seconds.items() if time), key=lambda roof: roof[1], default=None)


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """Machine, context and conditions of a run."""

    machine: Machine
    context: dict[str, Fact]  # equal if times are comparable: versions, threads, limits, environment variables
    conditions: dict[str, Fact | list[Fact]]  # clock, load, temperature, …: they only explain a difference
    roofs: Roofs | None


class Run(Survey, frozen=True, kw_only=True):
    """One run: machine and context, scale, and the cases that did not run."""

    schema_version: int
    suite_version: str
    scale: str
    seeds: int
    skipped: list[NotRun]
    failed: list[NotRun]
    pair: str | None = None  # in a live comparison: the name that both records of the pair share
    side: str | None = None  # in a live comparison: base or head
    tables: Tables | None = None  # only in files: what the counts of the cases refer to


class Timing(msgspec.Struct, frozen=True):
    """The statistics of pytest-benchmark that this suite reads, in seconds per call."""

    median: Seconds
    min: Round
    rounds: Count
    iterations: Count = 1
    data: list[Round] | None = None

    @property
    def times(self) -> list[float]:
        """Return the seconds of each round, or the smallest and the median if the record holds no rounds.

        Rounds of zero seconds, which a coarse clock measures, are left out.
        """
        return list(filter(None, self.data or sorted({self.min, self.median})))


class ExtraInfo(msgspec.Struct, frozen=True):
    """The fields beside the timing of a benchmark. Keys of other plugins are ignored."""

    autoenc: Case | None = None


class Benchmark(msgspec.Struct, frozen=True):
    """One timed case."""

    name: str
    fullname: str
    stats: Timing
    extra_info: ExtraInfo = ExtraInfo()
    options: Any = None  # of pytest-benchmark, not validated

    @property
    def timer(self) -> str | None:
        """Return the name of the clock without its module, ``None`` if the record names none."""
        timer = self.options.get("timer") if isinstance(self.options, dict) else None
        return timer.rpartition(".")[2] if isinstance(timer, str) else None

    @property
    def disables_gc(self) -> bool:
        """Return whether Python's garbage collection was off during the timed rounds."""
        return isinstance(self.options, dict) and self.options.get("disable_gc") is True

    @property
    def reference(self) -> float | None:
        """Return the median seconds of the reference workload beside the rounds."""
        case = self.extra_info.autoenc
        return median(case.reference) if case and case.reference else None

    @property
    def quotients(self) -> list[float] | None:
        """Return the referenced time of each round, ``None`` if a round or its reference is missing."""
        case, data = self.extra_info.autoenc, self.stats.data
        if not (case and case.reference and data and all(data) and len(data) == len(case.reference)):
            return None
        return [time / reference for time, reference in zip(data, case.reference, strict=True)]

    @property
    def referenced(self) -> float | None:
        """Return the median referenced time of the rounds."""
        return median(self.quotients) if self.quotients else None

    def bound(self, roofs: Roofs | None) -> tuple[str, float] | None:
        """Return the roof that limits the case, and its efficiency: time at the roof / measured time."""
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
        """Return whether the record names a commit; pytest-benchmark has two words for none."""
        return self.id not in (None, "", "unversioned", "unknown")

    def __str__(self) -> str:
        branch = f" on {self.branch}" if self.branch else ""
        return f"{str(self.id)[:12]}{branch}{', with changes' if self.dirty else ''}"


class Record(msgspec.Struct, frozen=True):
    """One run as a file. A record of plain pytest-benchmark has no ``autoenc``."""

    benchmarks: list[Benchmark]
    datetime: str
    version: str
    autoenc: Run | None = None
    commit_info: Commit | None = None
    machine_info: Any = None  # of pytest-benchmark, not validated

    def timed(self) -> list[tuple[Case, float]]:
        """List the cases that belong to an experiment, each with its median seconds per call."""
        cases = [(benchmark.extra_info.autoenc, benchmark.stats.median) for benchmark in self.benchmarks]
        return [(case, seconds) for case, seconds in cases if case and case.experiment]


def differences(before: dict[str, Fact], after: dict[str, Fact]) -> list[str]:
    """List the facts in which two contexts differ: ``keras 3.11 → 3.12``. A missing fact is shown as "absent"."""
    pairs = [(name, before.get(name, "absent"), after.get(name, "absent")) for name in {**before, **after}]
    # repr, because 1 and True are equal but different facts
    return [line(f"{name} {fact(name, old)} → {fact(name, new)}") for name, old, new in pairs if repr(old) != repr(new)]


def by_reason(entries: Iterable[NotRun]) -> dict[str, list[str]]:
    """Group cases by their reason."""
    reasons: dict[str, list[str]] = {}
    for entry in entries:
        reasons.setdefault(entry.reason, []).append(entry.case)
    return reasons
