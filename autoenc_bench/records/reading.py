"""A file in, a record out: all of it that can be read, and what of it cannot."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records.case import Case, infinities
from autoenc_bench.records.record import SCHEMA_VERSION, Benchmark, Commit, NotRun, Record, Timing

T = TypeVar("T")
UNREADABLE = (ValueError, RecursionError)  # msgspec's and json's errors are ValueErrors, and that of what is no UTF-8


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
    known["options"] = read.options
    return msgspec.convert(known, Benchmark, from_attributes=True)


def _as(kind: type[T], value: Any) -> T | None:
    try:
        return msgspec.convert(value, kind)
    except UNREADABLE:
        return None


def _name(entry: Any, index: int) -> str:
    """Return the name of a benchmark that cannot be read, by as much of it as can."""
    known = entry if isinstance(entry, dict) else {}
    extra = known.get("extra_info")
    if isinstance(extra, dict) and "autoenc" in extra and isinstance(known.get("name"), str):
        return str(known["name"].removeprefix("test_"))
    return next((known[key] for key in ("fullname", "name") if isinstance(known.get(key), str)), f"#{index + 1}")


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
    options: Any = None
