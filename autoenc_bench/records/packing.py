"""Packed records: each compiled program and each table of Python calls is in the file once, and cases refer to it."""

import json
from collections.abc import Iterable
from functools import cache
from typing import Any

from msgspec.structs import replace

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.counts import Counts, Tables
from autoenc_bench.records.record import SCHEMA_VERSION, Benchmark, NotRun, Record


def encode(content: dict[str, Any]) -> bytes:
    """Return the text of a record with a line per benchmark and per table; ``content``, plain JSON, is packed."""
    run = content.get("autoenc")
    if run and not run.get("tables"):
        cases = (benchmark.get("extra_info", {}).get("autoenc") for benchmark in content["benchmarks"])
        run |= {"schema_version": SCHEMA_VERSION, "tables": _pack(filter(None, cases))}
    return _text(content, "\n").encode()


def _pack(cases: Iterable[dict[str, Any]]) -> dict[str, list[Any]]:
    """Replace the counts of each case by references; return the tables."""
    functions: dict[str, int] = {}  # these map an entry to its place
    programs: dict[str, int] = {}  # as JSON
    tables: dict[tuple[tuple[int, int], ...], int] = {}

    def table(numbers: dict[str, int]) -> int:
        pairs = tuple((functions.setdefault(name, len(functions)), number) for name, number in numbers.items())
        return tables.setdefault(pairs, len(tables))

    for case in cases:
        counts = case.pop("counts", None)
        if counts is not None:
            texts = map(json.dumps, counts.get("programs", []))
            case["counted"] = {
                "programs": [programs.setdefault(text, len(programs)) for text in texts],
                "calls": {unit: table(numbers) for unit, numbers in counts.get("calls", {}).items()},
            }
    return {"functions": list(functions), "programs": list(map(json.loads, programs)), "calls": list(tables)}


def _text(value: Any, newline: str) -> str:
    """Return JSON in which each field of an object has its own lines, and each entry of a list has one line."""
    if not value or not isinstance(value, dict | list):
        return json.dumps(value)
    inner = f"{newline} "
    if isinstance(value, list):
        return f"[{inner}{f',{inner}'.join(map(json.dumps, value))}{newline}]"
    fields = (f"{json.dumps(name)}: {_text(entry, inner)}" for name, entry in value.items())
    return f"{{{inner}{f',{inner}'.join(fields)}{newline}}}"


def unpack(record: Record) -> tuple[Record, list[NotRun]]:
    """Return a record with the counts in its cases, without the benchmarks that refer to no table, and these."""
    if not record.autoenc:
        return record, []
    tables = record.autoenc.tables or Tables()

    @cache
    def calls(place: int) -> dict[str, int]:
        return {_entry(tables, "functions", function): number for function, number in _entry(tables, "calls", place)}

    benchmarks: list[Benchmark] = []
    left_out: list[NotRun] = []
    for benchmark in record.benchmarks:
        case = benchmark.extra_info.autoenc
        if not (case and case.counted):
            benchmarks.append(benchmark)
            continue
        try:
            counts = Counts(
                programs=[_entry(tables, "programs", place) for place in case.counted.programs],
                calls={unit: calls(place) for unit, place in case.counted.calls.items()},
            )
        except InvalidInputError as problem:
            left_out.append(NotRun(benchmark.name.removeprefix("test_"), str(problem)))
            continue
        extra_info = replace(benchmark.extra_info, autoenc=replace(case, counts=counts, counted=None))
        benchmarks.append(replace(benchmark, extra_info=extra_info))
    return replace(record, benchmarks=benchmarks, autoenc=replace(record.autoenc, tables=None)), left_out


def _entry(tables: Tables, name: str, place: int) -> Any:
    entries = getattr(tables, name)
    if place >= len(entries):
        raise InvalidInputError(f"counted: no entry {place} in autoenc.tables.{name}, which has {len(entries)}")
    return entries[place]
