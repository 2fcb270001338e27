"""What a record holds (docs/record-format.md has it field by field), and how it is read and checked."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records.case import Case, Count, Positive, Work, infinities
from autoenc_bench.text import fact, line

SCHEMA_VERSION = 2
BACKENDS = {"tensorflow": ("tensorflow",), "jax": ("jax", "jaxlib"), "torch": ("torch",)}  # with their packages
Fact = str | bool | int | float | None
T = TypeVar("T")
UNREADABLE = (ValueError, RecursionError)  # msgspec's and json's errors are ValueErrors, and that of what is no UTF-8

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
        """List this suite's cases, each with its median seconds per call."""
        return [(case, one.stats.median) for one in self.benchmarks if (case := one.extra_info.autoenc)]


def read(path: Path) -> tuple[Record, list[NotRun]]:
    """Read a record, and list which of its benchmarks cannot be read and why.

    Raises NotFoundError where there is no file, InvalidInputError, with file, field and expectation, where it is no
    record or has nothing that can be read.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFoundError(f"{path}: no such record") from None
    except (OSError, ValueError) as problem:  # a ValueError for a name with a null character
        reason = getattr(problem, "strerror", None) or problem
        raise InvalidInputError(f"{path}: cannot be read: {reason}; name a record's JSON file") from problem
    try:
        record, left_out = msgspec.json.decode(content, type=Record), list[NotRun]()
    except UNREADABLE as problem:
        record, left_out = _readable_part(content, path, problem)
    own = record.autoenc
    if own is not None and own.schema_version != SCHEMA_VERSION:  # of the same shape by chance
        raise InvalidInputError(f"{path}: not a readable record: {_of_version(own.schema_version)}")
    if not record.benchmarks:
        which = f"; the first, {left_out[0].case}: {left_out[0].reason}" if left_out else ""
        found = f"none of {len(left_out)} can be read" if left_out else "there are none"
        raise InvalidInputError(f"{path}: benchmarks: {found}; expected at least one{which}")
    return record, left_out


def when(path: Path) -> datetime:
    """Return when a record was made, in UTC; of what does not say so, the earliest time that there is."""
    try:
        content = path.read_bytes()
        try:
            return moment(msgspec.json.decode(content, type=_Dated).datetime)
        except UNREADABLE:  # for something else in it, such as NaN
            return moment(msgspec.convert(json.loads(content), _Dated).datetime)
    except (OSError, *UNREADABLE):
        return datetime.min.replace(tzinfo=UTC)


def moment(text: str) -> datetime:
    """Read a record's date and time, in UTC where it names no zone; raise InvalidInputError for anything else."""
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"datetime: {text!r} is no ISO 8601 date and time") from None


def check(content: bytes, name: str) -> None:
    """Raise InvalidInputError, with the field and what is expected there, for what is no record, or not all of it."""
    try:
        msgspec.json.decode(content, type=Record)
    except ValueError as problem:
        raise InvalidInputError(f"{name}: not a readable record: {problem}") from problem


def _readable_part(content: bytes, path: Path, problem: Exception) -> tuple[Record, list[NotRun]]:
    """Read benchmark by benchmark what cannot be read as a whole, by Python's json: it takes NaN, as it wrote it."""
    try:
        # Once more without halves of surrogate pairs, which only Python takes for text.
        found = json.loads(json.dumps(json.loads(content), ensure_ascii=False).encode(errors="replace"))
    except UNREADABLE:
        raise InvalidInputError(f"{path}: not a readable record: {problem}") from problem
    try:
        version = msgspec.convert(found, _Versioned).autoenc
        if version is not None and version.schema_version != SCHEMA_VERSION:
            raise InvalidInputError(_of_version(version.schema_version))
        entries = msgspec.convert(found, _Entries).benchmarks
        if misfit := next(infinities({"autoenc": found.get("autoenc")}), None):
            raise InvalidInputError(misfit)
        whole = {**found, "benchmarks": [], "commit_info": _as(Commit, found.get("commit_info"))}
        record = msgspec.convert(whole, Record)
    except UNREADABLE as reason:
        raise InvalidInputError(f"{path}: not a readable record: {reason}") from reason
    left_out = []
    for index, entry in enumerate(entries):
        try:
            record.benchmarks.append(_benchmark(entry, record.autoenc is not None))
        except UNREADABLE as reason:
            left_out.append(NotRun(_name(entry, index), str(reason)))
    return record, left_out


def _benchmark(entry: Any, ours: bool) -> Benchmark:
    """Return one benchmark; raise a ValueError with the field where it cannot be read.

    What strangers keep beside its times is passed over, whatever it is; ``ours``: this suite wrote the record.
    """
    read = msgspec.convert(entry, _Entry)
    stats, extra = {name: read.stats[name] for name in Timing.__struct_fields__ if name in read.stats}, read.extra_info
    case = extra.get("autoenc") if isinstance(extra, dict) else None
    case = case if ours else _as(Case, case)
    if stats.get("median") == 0:
        raise InvalidInputError("its median is 0 s; the clock is too coarse for it")
    if misfit := next(infinities({"stats": stats, "extra_info": {"autoenc": case}}), None):
        raise InvalidInputError(misfit)
    known = {"name": read.name, "fullname": read.fullname, "stats": stats, "extra_info": {"autoenc": case}}
    return msgspec.convert(known, Benchmark, from_attributes=True)


def _as(kind: type[T], value: Any) -> T | None:
    try:
        return msgspec.convert(value, kind)
    except UNREADABLE:
        return None


def _name(entry: Any, index: int) -> str:
    """Name a benchmark that cannot be read, by as much of it as can."""
    known = entry if isinstance(entry, dict) else {}
    extra = known.get("extra_info")
    names = ("name", "fullname") if isinstance(extra, dict) and "autoenc" in extra else ("fullname", "name")
    return next((known[key].removeprefix("test_") for key in names if isinstance(known.get(key), str)), f"#{index + 1}")


def _of_version(version: int) -> str:
    versions = f"schema version {version}, this version of autoenc-bench reads {SCHEMA_VERSION}"
    return f"{versions}; read it with the version that wrote it"


class _Version(msgspec.Struct):
    schema_version: int


class _Versioned(msgspec.Struct):
    autoenc: _Version | None = None


class _Dated(msgspec.Struct):
    datetime: str


class _Entries(msgspec.Struct):
    benchmarks: list[Any]


class _Entry(msgspec.Struct):
    name: str
    fullname: str
    stats: dict[str, Any]
    extra_info: Any = None


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
