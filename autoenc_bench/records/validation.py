"""The content of a file -> a record. Invalid benchmarks are left out with the reason; an invalid record is refused.

The schema states what is valid: bounds of one field in its type, conditions between fields in ``__post_init__``.
"""

import json
from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import packing
from autoenc_bench.records.case import Case
from autoenc_bench.records.record import READABLE, Benchmark, Commit, NotRun, Record

T = TypeVar("T")
UNREADABLE = (
    ValueError,
    RecursionError,
)  # msgspec, json and bytes that are not UTF-8 raise ValueErrors


def decode(content: bytes) -> tuple[Record, list[NotRun]]:
    """Return the record in a file's content, and its invalid benchmarks with the reasons.

    Raises InvalidInputError, with the field and the expected value, if it is no record or has no valid benchmark.
    """
    left_out: list[NotRun] = []
    try:
        try:
            record = msgspec.json.decode(content, type=Record)
        except UNREADABLE as problem:
            record, left_out = _decode_one_by_one(content, problem)
        if record.autoenc:
            _check_version(record.autoenc.schema_version)  # of another version, but the same shape
    except UNREADABLE as problem:
        raise InvalidInputError(f"not a readable record: {problem}") from problem
    record, unresolved = packing.unpack(record)
    left_out += unresolved
    if not record.benchmarks:
        reason = f"; the first, {left_out[0].case}: {left_out[0].reason}" if left_out else ""
        found = f"none of {len(left_out)} can be read" if left_out else "there are none"
        raise InvalidInputError(f"benchmarks: {found}; expected at least one{reason}")
    if not record.autoenc and any(benchmark.extra_info.autoenc for benchmark in record.benchmarks):
        reason = "missing beside cases of this suite; expected the block that describes the run"
        raise InvalidInputError(f"autoenc: {reason}")
    return record, left_out


def _decode_one_by_one(content: bytes, problem: Exception) -> tuple[Record, list[NotRun]]:
    """Decode each benchmark separately, with Python's json, which also reads the NaN that it writes.

    Raises a ValueError if the rest of the record is invalid; ``problem`` itself if the content is not JSON.
    """
    try:
        # NaN and infinities become texts, which no number accepts; lone surrogates, which only Python has, become "?".
        text = json.dumps(json.loads(content, parse_constant=str), ensure_ascii=False)
        found = msgspec.json.decode(text.encode(errors="replace"))
    except UNREADABLE:
        raise problem from None
    outline = msgspec.convert(found, _Outline)
    if outline.autoenc:
        _check_version(outline.autoenc.schema_version)
    rest = {**found, "benchmarks": [], "commit_info": _valid(found.get("commit_info"), Commit)}
    record, left_out = msgspec.convert(rest, Record), []
    for index, entry in enumerate(outline.benchmarks):
        try:
            record.benchmarks.append(_benchmark(entry, is_ours=record.autoenc is not None))
        except UNREADABLE as reason:
            left_out.append(NotRun(_name(entry, index), str(reason)))
    return record, left_out


def _benchmark(content: Any, *, is_ours: bool) -> Benchmark:
    """Return one benchmark of a record of this suite or of a third party; raise a ValueError if it is invalid.

    The ``extra_info`` of a third party may hold any value.
    """
    fields = msgspec.convert(content, dict[str, Any])
    if isinstance(stats := fields.get("stats"), dict) and stats.get("median") == 0:
        raise InvalidInputError("its median is 0 s; the clock is too coarse for it")
    extra_info = fields.get("extra_info")
    case = extra_info.get("autoenc") if isinstance(extra_info, dict) else None
    fields["extra_info"] = {"autoenc": case if is_ours else _valid(case, Case)}
    return msgspec.convert(fields, Benchmark, from_attributes=True)


def convert_case(extra_info: dict[str, Any]) -> Case:
    """Return the case in a benchmark's ``extra_info``; raise InvalidInputError, with the field, if it is invalid."""
    try:
        return msgspec.convert(json.loads(json.dumps(extra_info["autoenc"]), parse_constant=str), Case)
    except (ValueError, TypeError) as problem:  # of json for other types than plain numbers
        raise InvalidInputError(str(problem)) from problem


def parse_datetime(text: str) -> datetime:
    """Parse a record's date and time, as UTC if it has no zone; raise InvalidInputError for another text."""
    try:
        parsed = datetime.fromisoformat(text)
        return (parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise InvalidInputError(f"datetime: {text!r} is no ISO 8601 date and time") from None


def _check_version(version: int) -> None:
    if version not in READABLE:
        readable = " and ".join(map(str, READABLE))
        versions = f"schema version {version}, this version of autoenc-bench reads {readable}"
        raise InvalidInputError(f"{versions}; read it with the version that wrote it")


def _valid(value: Any, kind: type[T]) -> T | None:
    try:
        return msgspec.convert(value, kind)
    except UNREADABLE:
        return None


def _name(entry: Any, index: int) -> str:
    """Return the name of an invalid benchmark: its id, its full name, its name or its number, the first that exists."""
    fields = entry if isinstance(entry, dict) else {}
    extra_info = fields.get("extra_info")
    if isinstance(extra_info, dict) and "autoenc" in extra_info and isinstance(fields.get("name"), str):
        return str(fields["name"].removeprefix("test_"))
    return next((fields[key] for key in ("fullname", "name") if isinstance(fields.get(key), str)), f"#{index + 1}")


class _Version(msgspec.Struct):
    schema_version: int


class _Outline(msgspec.Struct):
    benchmarks: list[Any]
    autoenc: _Version | None = None
