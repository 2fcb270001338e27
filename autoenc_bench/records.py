"""The contract between measuring and reading: what a run says, and how it is read and checked.

A record is pytest-benchmark's JSON with raw rounds. What this suite adds stands in each benchmark's
``extra_info["autoenc"]`` (a ``Case``) and in one top-level block ``autoenc`` (a ``Run``). Every number is a plain
float or int, and what has no finite value is null. Pictures stand in a side file beside it (see storage.py).
"""

from pathlib import Path
from typing import Any

import msgspec

SCHEMA_VERSION = 1


class Statistics(msgspec.Struct, frozen=True):
    """Summarise one error per test sample; what is not finite (the PSNR of a perfect one) is ``None``.

    ``quantiles`` maps shares, "0" to "1", to values. ``counts`` are a histogram of equal bins from the smallest
    to the largest error; empty when one of them is not finite.
    """

    mean: float | None
    std: float | None
    quantiles: dict[str, float | None]
    counts: list[int]


class Yardstick(msgspec.Struct, frozen=True):
    """Say how well a method without a network reconstructs the same test samples."""

    mean: float  # absolute error
    std: float
    mean_squared: float
    components: int | None = None  # of PCA


class Extreme(msgspec.Struct, frozen=True):
    """Name a test sample and its absolute error."""

    index: int
    error: float


class Error(msgspec.Struct, frozen=True):
    """Say how well the trained model reconstructs the test samples."""

    absolute: Statistics
    mean_squared: Statistics
    psnr: Statistics
    best: list[Extreme]
    worst: list[Extreme]
    yardsticks: dict[str, Yardstick]


class Epoch(msgspec.Struct, frozen=True):
    """Say how one epoch went: both losses, and the seconds it took, validation included."""

    loss: float
    val_loss: float
    seconds: float


class Sample(msgspec.Struct, frozen=True):
    """Keep the first test sample beside its reconstruction, as the notebook prints them."""

    original: list[float]
    reconstruction: list[float]


class Case(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Say what one benchmark did.

    ``rows`` counts the samples that one timed call processed, so rows / seconds is its throughput; 1 where there
    are none, as in building a model.
    """

    experiment: str
    phase: str
    backend: str
    seed: int
    rows: int
    trainer: str | None = None
    batch: str | None = None  # of an inference call: bulk or one
    epochs: int | None = None
    error: Error | None = None
    val_loss: float | None = None
    curve: list[Epoch] | None = None
    sample: Sample | None = None
    image: tuple[int, int] | None = None  # rows and columns, of samples that are pictures


class Left(msgspec.Struct, frozen=True):
    """Name a case that did not run, or did not hold, and why."""

    case: str
    reason: str


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """Say what one run was: its scale, its surroundings, and what it left out."""

    schema_version: int
    suite_version: str
    scale: str
    seeds: int
    machine: dict[str, str | int | None]
    context: dict[str, str | int | list[int] | None]
    skipped: list[Left]
    failed: list[Left]


class Timing(msgspec.Struct, frozen=True):
    """Hold pytest-benchmark's statistics that are read here, in seconds per call."""

    median: float
    min: float
    rounds: int
    iterations: int = 1
    data: list[float] | None = None


class ExtraInfo(msgspec.Struct, frozen=True):
    """Hold what a benchmark says beside its timing; other plugins' keys are passed over."""

    autoenc: Case | None = None


class Benchmark(msgspec.Struct, frozen=True):
    """Hold one timed case."""

    name: str
    fullname: str
    stats: Timing
    extra_info: ExtraInfo = ExtraInfo()


class Record(msgspec.Struct, frozen=True):
    """Hold one run. ``autoenc`` is missing from a record by plain pytest-benchmark."""

    benchmarks: list[Benchmark]
    datetime: str
    version: str
    autoenc: Run | None = None

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
    try:
        found = msgspec.json.decode(content, type=_Versioned).autoenc
        if found is not None and found.schema_version != SCHEMA_VERSION:
            raise ValueError(
                f"schema version {found.schema_version}, this version of autoenc-bench reads {SCHEMA_VERSION}; "
                "read it with the version that wrote it"
            )
        return msgspec.json.decode(content, type=Record)
    except (ValueError, OSError) as problem:  # msgspec's errors are ValueErrors
        raise ValueError(f"{path}: not a readable record: {problem}") from problem


class _Version(msgspec.Struct):
    schema_version: int


class _Versioned(msgspec.Struct):
    autoenc: _Version | None = None


def case(extra_info: dict[str, Any]) -> Case:
    """Return what a benchmark's ``extra_info`` says, checked; raise ValueError when it says it wrongly."""
    return msgspec.convert(extra_info["autoenc"], Case)
