"""The contract between measuring and reading: what a run says, how it is written, read and checked.

A record is pytest-benchmark's JSON with raw rounds. What this suite adds stands in each benchmark's
``extra_info["autoenc"]`` (a ``Case``) and in one top-level block ``autoenc`` (a ``Run``). Every number is a plain
float or int, and what has no finite value is null. Pictures stand in a side file beside it, ``NNNN_name.npz``.
"""

import io
import json
import os
import platform
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

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

    ``rows`` counts the samples that one timed call processed, so rows / seconds is its throughput.
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


def platform_folder() -> str:
    """Name the folder for this system and Python, as pytest-benchmark does."""
    major, minor, _ = platform.python_version_tuple()
    bits = platform.architecture()[0]
    return f"{platform.system()}-{platform.python_implementation()}-{major}.{minor}-{bits}"


def newest(folder: Path) -> Path:
    """Return the newest record in a storage folder; raise LookupError when it holds none."""
    found = sorted(folder.glob("*/[0-9][0-9][0-9][0-9]_*.json"), key=lambda path: path.stat().st_mtime)
    if not found:
        raise LookupError(f"{folder}: no records yet; run 'pytest benchmarks/' first, or name one")
    return found[-1]


def save(content: dict[str, Any], folder: Path, name: str, pictures: Mapping[str, NDArray[np.uint8]]) -> Path:
    """Write a record as ``NNNN_name.json`` under pytest-benchmark's naming; return its path.

    The number belongs to no other record, also when several runs save at once, and a file appears whole or not
    at all; ``pictures`` (see ``pictures``) appear before the record that they belong to. Raises ValueError, and
    writes nothing, when the content is not a record.
    """
    data = json.dumps(content, indent=1, allow_nan=False, default=_refuse).encode()
    msgspec.json.decode(data, type=Record)
    folder.mkdir(parents=True, exist_ok=True)
    with _claim(folder) as number:
        path = folder / f"{number:04}_{name}.json"
        if pictures:
            packed = io.BytesIO()
            arrays: dict[str, Any] = dict(pictures)
            np.savez_compressed(packed, **arrays)
            _write(packed.getvalue(), path.with_suffix(".npz"))
        _write(data, path)
    return path


def pictures(path: Path) -> dict[str, NDArray[np.uint8]]:
    """Read the side file of a record: ``CASE/first``, ``CASE/best`` and ``CASE/worst`` -> pictures.

    CASE is the case's name within its brackets. Each array has shape (2, n, features): originals, then
    reconstructions, as bytes 0..255. A record without pictures has no side file and gives none.

    Raises ValueError when the side file is damaged or holds something else.
    """
    side = path.with_suffix(".npz")
    try:
        with np.load(side, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, EOFError, AttributeError, zipfile.BadZipFile) as problem:
        raise ValueError(f"{side}: not a readable side file: {problem}") from problem
    for name, array in found.items():
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[0] != 2:
            raise ValueError(
                f"{side}: {name} is {array.dtype} of shape {array.shape}; expected uint8 of shape (2, n, features)"
            )
    return found


def _refuse(value: object) -> None:
    raise ValueError(f"{value!r} of type {type(value).__name__} does not belong in a record; use plain numbers")


def _write(data: bytes, path: Path) -> None:
    """Let the file appear whole or not at all, whenever the process ends."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).chmod(0o644)
        Path(temporary).replace(path)
    finally:
        Path(temporary).unlink(missing_ok=True)


@contextmanager
def _claim(folder: Path) -> Iterator[int]:
    """Hold a number that no other process gets, by a file that only one process can create."""
    number = 0
    while True:
        number = max(number, _last_number(folder)) + 1
        claim = folder / f".claim-{number:04}"
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            continue
        try:
            if number > _last_number(folder):  # else its holder saved and let go between our two looks
                yield number
                return
        finally:
            claim.unlink()


def _last_number(folder: Path) -> int:
    numbers = (path.name.split("_")[0] for path in folder.glob("[0-9][0-9][0-9][0-9]*_*.json"))
    return max((int(number) for number in numbers if number.isdecimal()), default=0)
