"""Records and their side files on disk: written atomically, numbered without races, and found by name."""

import gzip
import io
import json
import os
import platform
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from glob import glob
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import packing
from autoenc_bench.records.places import expanded
from autoenc_bench.records.record import Record
from autoenc_bench.records.validation import parse_datetime

Pictures = dict[str, NDArray[np.uint8]]
PICTURE_KINDS = ("first", "best", "worst")
ENDINGS = (".json", ".json.gz")
NUMBERED = "[0-9][0-9][0-9][0-9]*_*"
GZIP = b"\x1f\x8b"  # the first bytes of a compressed file


def platform_folder() -> str:
    """Return the name of pytest-benchmark's folder for this system and Python."""
    version = ".".join(platform.python_version_tuple()[:2])
    return "-".join((platform.system(), platform.python_implementation(), version, platform.architecture()[0]))


def within(folder: Path, pattern: str = "**/*") -> Iterator[Path]:
    """Yield the record files in a folder and in the folders below it."""
    return filter(_is_record, folder.glob(pattern))


def _is_record(path: Path) -> bool:
    return path.name.endswith(ENDINGS)


def stem(path: Path) -> str:
    """Return the name of a record file without its ending."""
    return Path(path.name.removesuffix(".gz")).stem


def side_file(path: Path) -> Path:
    """Return where the pictures of a record are."""
    return path.with_name(f"{stem(path)}.npz")


def read(path: Path) -> bytes:
    """Return the text of a record, decompressed if necessary; raise InvalidInputError if it cannot be decompressed."""
    data = path.read_bytes()
    try:
        return gzip.decompress(data) if data.startswith(GZIP) else data
    except (OSError, EOFError, zlib.error) as problem:
        raise InvalidInputError(f"damaged gzip file: {problem}; expected a record's JSON, compressed") from problem


def newest(folder: Path) -> Path:
    """Return the record of the highest number, between systems and Pythons the last recorded; NotFoundError if none."""
    newest = {path.parent: path for path in sorted(within(folder, f"*/{NUMBERED}"), key=place)}
    if newest:
        return max(newest.values(), key=lambda path: (_recorded(path), path))
    raise NotFoundError(f"{folder}: no records yet; run 'autoenc-bench run' first, or name one")


def _recorded(path: Path) -> datetime:
    """Return when a record was made, in UTC, or the earliest time if it does not say. A clone changes file times."""
    try:
        return parse_datetime(json.loads(read(path))["datetime"])
    except (OSError, ValueError, RecursionError, TypeError, KeyError):
        return datetime.min.replace(tzinfo=UTC)


def find(name: str, stores: Sequence[Path]) -> list[Path]:
    """List the records that a name stands for, folder by folder, lowest number first.

    The name is a file, a folder or a pattern. Otherwise the first of the ``stores`` that knows it counts: it may be the
    value of ``--benchmark-save`` (for all runs saved under it), a record's number, its whole name or a folder's name.
    Raises NotFoundError if the name stands for no record.
    """
    name = str(expanded(name))
    path = Path(name)
    if path.is_file():
        return [path]
    matches = glob(name, recursive=True, include_hidden=True)  # noqa: PTH207 - Path.glob refuses some patterns
    files = within(path) if path.is_dir() else filter(_is_record, map(Path, matches))
    if records := sorted((path for path in files if path.is_file()), key=place):
        return records
    for store in stores:
        saved = (path for path in within(store) if _has_name(path.relative_to(store), name))
        if records := sorted(saved, key=place):
            return records
    places = ", ".join(f"{store}/" for store in stores)
    raise NotFoundError(f"{name}: no such record; give a file, a folder, a pattern, or a name saved in {places}")


def _has_name(path: Path, name: str) -> bool:
    numbered = re.fullmatch(r"(\d{4,})_(.+)", stem(path))
    return name in (stem(path), *(numbered.groups() if numbered else ()), *path.parts[:-1])


def new_folder(path: Path) -> Path:
    """Create a folder that no other process has created, and return it: ``path``, ``path-2``, ``path-3``, ..."""
    for number in count(1):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError


def save(content: dict[str, Any], folder: Path, name: str, pictures: Pictures, *, compress: bool = False) -> Path:
    """Write a record as ``NNNN_name.json`` under pytest-benchmark's naming, or as ``.json.gz``; return its path.

    Processes that save at the same moment get different numbers. The side file with the pictures appears before the
    record. Raises InvalidInputError, and writes nothing, if the content is no valid record.
    """
    try:
        data = json.dumps(content, allow_nan=False, default=_refuse).encode()
        msgspec.json.decode(data, type=Record)
    except ValueError as problem:  # of json for NaN and infinities
        raise InvalidInputError(f"record {name}: {problem}") from problem
    data = packing.encode(json.loads(data))
    if compress:
        data = gzip.compress(data, mtime=0)  # equal records have equal files
    folder.mkdir(parents=True, exist_ok=True)
    with _claim(folder) as number:
        path = folder / f"{number:04}_{name}{ENDINGS[compress]}"
        if pictures:
            packed = io.BytesIO()
            np.savez_compressed(packed, **dict[str, Any](pictures))
            write_whole(packed.getvalue(), side_file(path))
        write_whole(data, path)
    return path


def read_arrays(path: Path, kind: str) -> dict[str, NDArray[Any]]:
    """Return the arrays of an ``.npz`` file by name; raise InvalidInputError, with its kind, if it is damaged."""
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except (OSError, ValueError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as problem:
        raise InvalidInputError(f"{path}: not a readable {kind}: {problem}") from problem


def _refuse(value: object) -> None:
    raise InvalidInputError(f"{value!r} of type {type(value).__name__} does not belong in a record; use plain numbers")


def write_whole(data: bytes, path: Path) -> None:
    """Write a file atomically: it appears whole or not at all, even if the process is killed."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        whole = Path(folder, "whole")
        with whole.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        whole.replace(path)


@contextmanager
def _claim(folder: Path) -> Iterator[int]:
    """Reserve the next free number, by a file that only one process can create."""
    for number in count(_last_number(folder) + 1):
        claim = folder / f".claim-{number:04}"
        try:
            claim.touch(exist_ok=False)
        except FileExistsError:
            continue
        try:
            if number > _last_number(folder):  # otherwise another process saved it and deleted its claim in between
                yield number
                return
        finally:
            claim.unlink()


def _last_number(folder: Path) -> int:
    return max(map(_number, within(folder, NUMBERED)), default=0)


def place(path: Path) -> tuple[Path, int, str]:
    """Return the sort key of a record: its folder, its number and its name. 10000 follows 9999."""
    return path.parent, _number(path), path.name


def _number(path: Path) -> int:
    number = path.name.split("_")[0]
    return int(number) if number.isdecimal() else 0
