"""Names in, record files out: what a command means by a path, a folder, a pattern or a saved name."""

import re
from collections.abc import Sequence
from pathlib import Path


def find(name: str, stores: Sequence[Path]) -> list[Path]:
    """List the records that a name stands for, oldest number first.

    It is a file, a folder, a pattern, or, in the first of the stores that has it, what ``--benchmark-save`` was given
    (all runs saved so), a record's number or its whole name. Raises LookupError when it is none of them.
    """
    path = Path(name)
    if path.is_file():
        return [path]
    found = sorted(path.rglob("*.json")) if path.is_dir() else _matching(path)
    found = [held for held in found if held.suffix == ".json" and held.is_file()]
    for store in stores if not found else ():
        if found := sorted(held for held in store.rglob("*.json") if _is_named(held.relative_to(store), name)):
            break
    if not found:
        places = ", ".join(f"{store}/" for store in stores)
        raise LookupError(f"{name}: no such record; give a file, a folder, a pattern, or a name saved in {places}")
    return found


def _matching(path: Path) -> list[Path]:
    """List what a pattern matches; it may be absolute."""
    anchor = Path(path.anchor)
    pattern = str(path.relative_to(anchor))
    return sorted(anchor.glob(pattern)) if pattern != "." else []


def _is_named(path: Path, name: str) -> bool:
    """Tell whether a stored record or the folder that it lies in has that name."""
    number = re.fullmatch(r"(\d{4,})_(.+)", path.stem)
    return name in (path.stem, *(number.groups() if number else ()), *path.parts[:-1])
