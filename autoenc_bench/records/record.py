"""What a record holds; docs/record-format.md has it field by field."""

from collections.abc import Iterable
from statistics import median
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from autoenc_bench.formatting import fact, line
from autoenc_bench.records.case import Case, Count, Positive, Work

SCHEMA_VERSION = 2
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # with their packages
SIDES = ("base", "head")  # of a live comparison
Fact = str | bool | int | float | None

# Within what a clock can have measured: from below a cycle of any CPU to decades.
Seconds = Annotated[float, Meta(ge=1e-15, le=1e9)]
Round = Annotated[float, Meta(ge=0, le=1e9)]


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
    pair: str | None = None  # of a live comparison: the two records of this name took turns,
    side: str | None = None  # one of them as the base, the other as the head


class Timing(msgspec.Struct, frozen=True):
    """Those of pytest-benchmark's statistics that are read here, in seconds per call."""

    median: Seconds
    min: Round
    rounds: Count
    iterations: Count = 1
    data: list[Round] | None = None

    @property
    def times(self) -> list[float]:
        """Return the seconds of each round; where a record kept none of them, the smallest and the median.

        A round of zero seconds, by a coarse clock, is left out.
        """
        return list(filter(None, self.data or sorted({self.min, self.median})))


class ExtraInfo(msgspec.Struct, frozen=True):
    """What a benchmark has beside its timing; other plugins' keys are passed over."""

    autoenc: Case | None = None


class Benchmark(msgspec.Struct, frozen=True):
    """One timed case."""

    name: str
    fullname: str
    stats: Timing
    extra_info: ExtraInfo = ExtraInfo()
    options: Any = None  # in whatever form pytest-benchmark has them

    @property
    def timer(self) -> str | None:
        """Return the name of the clock, without its module, ``None`` where the record names none."""
        timer = self.options.get("timer") if isinstance(self.options, dict) else None
        return timer.rpartition(".")[2] if isinstance(timer, str) else None

    @property
    def disables_gc(self) -> bool:
        """Return whether Python's garbage collection was off while the case was timed."""
        return isinstance(self.options, dict) and self.options.get("disable_gc") is True

    @property
    def reference(self) -> float | None:
        """Return the median seconds of the reference workload beside the rounds."""
        case = self.extra_info.autoenc
        return median(case.reference) if case and case.reference else None

    @property
    def quotients(self) -> list[float] | None:
        """Return each round's time in units of the reference workload beside it."""
        case, data = self.extra_info.autoenc, self.stats.data
        if not (case and case.reference and data and all(data) and len(data) == len(case.reference)):
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
    machine_info: Any = None  # in whatever form pytest-benchmark has it

    def timed(self) -> list[tuple[Case, float]]:
        """List the cases that belong to an experiment, each with its median seconds per call."""
        known = [(one.extra_info.autoenc, one.stats.median) for one in self.benchmarks]
        return [(case, seconds) for case, seconds in known if case and case.experiment]


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
