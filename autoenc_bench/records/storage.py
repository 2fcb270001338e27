"""Where records lie: saved whole or not at all, numbered without a race, found again, with their side files."""

import io
import json
import os
import platform
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.records import record

# In the project's folder, as pytest-benchmark has it.
SAVED = Path(".benchmarks")
LIVE = Path(".continuous")  # for two sides by turns are no history
REPORTS = Path("reports")
BASELINES = REPORTS / "baselines"


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
    msgspec.json.decode(data, type=record.Record)
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
        with side.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            found = {name: arrays[name] for name in arrays.files}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, EOFError, AttributeError, zlib.error, zipfile.BadZipFile) as problem:
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
