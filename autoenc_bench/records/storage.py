"""Where records lie: saved whole or not at all, numbered without a race, found again, with their side files."""

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
from glob import glob
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records import expanded, reading

Pictures = dict[str, NDArray[np.uint8]]


def platform_folder() -> str:
    """Return the name of the folder for this system and Python, as pytest-benchmark has it."""
    version = ".".join(platform.python_version_tuple()[:2])
    return "-".join((platform.system(), platform.python_implementation(), version, platform.architecture()[0]))


def newest(folder: Path) -> Path:
    """Return the newest record in a storage folder; raise NotFoundError when it holds none."""
    newest: dict[Path, Path] = {}  # by the folder of their system and Python, in which numbers grow
    for path in sorted(folder.glob("*/[0-9][0-9][0-9][0-9]*_*.json"), key=place):
        newest[path.parent] = path
    # Not by file time, which a clone or a restored cache rewrites.
    if newest:
        return max(newest.values(), key=lambda path: (reading.when(path), path))
    raise NotFoundError(f"{folder}: no records yet; run 'pytest benchmarks/' first, or name one")


def find(name: str, stores: Sequence[Path]) -> list[Path]:
    """List the records that a name stands for, folder by folder, oldest number first.

    It is a file, a folder, a pattern, or, in the first of the stores that has it, what ``--benchmark-save`` was given
    (all runs saved so), a record's number or its whole name. Raises NotFoundError when it is none of them.
    """
    name = str(expanded(name))
    path = Path(name)
    if path.is_file():
        return [path]
    matches = glob(name, recursive=True, include_hidden=True)  # noqa: PTH207 - Path.glob refuses odd ones
    named = path.rglob("*.json") if path.is_dir() else map(Path, matches)
    if records := sorted((path for path in named if path.suffix == ".json" and path.is_file()), key=place):
        return records
    for store in stores:
        saved = (path for path in store.rglob("*.json") if _is_named(path.relative_to(store), name))
        if records := sorted(saved, key=place):
            return records
    places = ", ".join(f"{store}/" for store in stores)
    raise NotFoundError(f"{name}: no such record; give a file, a folder, a pattern, or a name saved in {places}")


def _is_named(path: Path, name: str) -> bool:
    numbered = re.fullmatch(r"(\d{4,})_(.+)", path.stem)
    return name in (path.stem, *(numbered.groups() if numbered else ()), *path.parts[:-1])


def new_folder(path: Path) -> Path:
    """Make a folder that no other process has made, also at the same moment; its name ends in a number if need be."""
    for number in count(1):
        folder = path if number == 1 else path.with_name(f"{path.name}-{number}")
        with suppress(FileExistsError):
            folder.mkdir(parents=True)
            return folder
    raise AssertionError


def save(content: dict[str, Any], folder: Path, name: str, pictures: Pictures) -> Path:
    """Write a record as ``NNNN_name.json`` under pytest-benchmark's naming; return its path.

    The number belongs to no other record, also when several runs save at once; ``pictures`` (see ``pictures``) appear
    before the record. Raises InvalidInputError, and writes nothing, when the content is not a record.
    """
    try:
        data = json.dumps(content, indent=1, allow_nan=False, default=_refuse).encode()
    except ValueError as problem:  # json's of NaN and infinities
        raise InvalidInputError(f"record {name}: {problem}") from problem
    reading.check(data, f"record {name}")
    folder.mkdir(parents=True, exist_ok=True)
    with _claim(folder) as number:
        path = folder / f"{number:04}_{name}.json"
        if pictures:
            packed = io.BytesIO()
            np.savez_compressed(packed, **dict[str, Any](pictures))
            write_whole(packed.getvalue(), path.with_suffix(".npz"))
        write_whole(data, path)
    return path


def pictures(path: Path) -> Pictures:
    """Read a record's side file, none without one; raise InvalidInputError when it is damaged or holds something else.

    The keys are ``CASE/first``, ``CASE/best`` and ``CASE/worst``, CASE being what the case's name has in brackets. Each
    array has shape (2, n, features): originals, then reconstructions, as bytes 0..255.
    """
    side = path.with_suffix(".npz")
    if not side.exists():
        return {}
    arrays = read_arrays(side, "side file")
    for name, array in arrays.items():
        if array.dtype != np.uint8 or array.ndim != 3 or array.shape[0] != 2:
            what = f"{array.dtype} of shape {array.shape}"
            raise InvalidInputError(f"{side}: {name} is {what}; expected uint8 of shape (2, n, features)")
    return arrays


def read_arrays(path: Path, kind: str) -> dict[str, NDArray[Any]]:
    """Read the arrays of an ``.npz`` file; raise InvalidInputError that names its kind when it cannot be read."""
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file) as arrays:
            return {name: np.asarray(arrays[name]) for name in arrays.files}
    except (OSError, ValueError, EOFError, RuntimeError, zlib.error, zipfile.BadZipFile) as problem:
        raise InvalidInputError(f"{path}: not a readable {kind}: {problem}") from problem


def _refuse(value: object) -> None:
    raise InvalidInputError(f"{value!r} of type {type(value).__name__} does not belong in a record; use plain numbers")


def write_whole(data: bytes, path: Path) -> None:
    """Write a file that appears whole or not at all, whenever the process ends."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        whole = Path(folder, "whole")
        with whole.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        with suppress(OSError):  # a share may refuse it; who may read the file is up to its folder then
            whole.chmod(0o644)
        whole.replace(path)


@contextmanager
def _claim(folder: Path) -> Iterator[int]:
    """Keep a number from every other process, by a file that only one process can create."""
    for number in count(_last_number(folder) + 1):
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
    return max(map(_number, folder.glob("[0-9][0-9][0-9][0-9]*_*.json")), default=0)


def place(path: Path) -> tuple[Path, int, str]:
    """Return what orders records: numbers grow within a folder, and 10000 follows 9999."""
    return path.parent, _number(path), path.name


def _number(path: Path) -> int:
    number = path.name.split("_")[0]
    return int(number) if number.isdecimal() else 0
