"""A record is saved with each program and each table of calls once, and reads as if each case had its own."""

import json

import histories
import pytest

from autoenc_bench import compare
from autoenc_bench.history.runs import read_runs
from autoenc_bench.records import loading, storage, validation
from autoenc_bench.verdicts.judgements import Outcome

PART = {"instructions": {"dot": 1}, "types": {"f32": 1}}
ONE, TWO = ({"identity": identity, "once": PART, "loops": PART} for identity in "ab")
TABLE = {f"module:function{number}": number for number in range(100, 0, -1)}
COUNTS = [
    {"programs": [ONE, TWO, ONE], "calls": {"step": TABLE, "call": {**TABLE, "a:b": 1}}},
    {"programs": [TWO], "calls": {"call": TABLE}},
    {},  # counted, but it executes neither
    None,
]


def content(day=0):
    """Return a record of version 2 with counts."""
    found = histories.content(day)
    found["autoenc"]["schema_version"] = 2
    found["benchmarks"] *= 2
    for place, counts in enumerate(COUNTS):
        entry = json.loads(json.dumps(found["benchmarks"][place]))
        entry["name"] += str(place)
        entry["extra_info"]["autoenc"] |= {"counts": counts} if counts is not None else {}
        found["benchmarks"][place] = entry
    return found


@pytest.fixture
def packed(tmp_path):
    """Save a record; return its path."""
    return storage.save(content(), tmp_path, "x", {})


def test_entries_are_written_once(packed):
    """Programs, tables and names of functions are there once, and cases have their places."""
    saved = json.loads(packed.read_text())
    tables = saved["autoenc"]["tables"]
    assert tables["programs"] == [ONE, TWO]
    assert tables["functions"] == [*TABLE, "a:b"]
    shared = [[place, 100 - place] for place in range(100)]
    assert tables["calls"] == [shared, [*shared, [100, 1]]]
    references = [entry["extra_info"]["autoenc"].get("counted") for entry in saved["benchmarks"]]
    first = {"programs": [0, 1, 0], "calls": {"step": 0, "call": 1}}
    assert references == [first, {"programs": [1], "calls": {"call": 0}}, {"programs": [], "calls": {}}, None]
    assert packed.stat().st_size < len(json.dumps(content()))


def test_lines(packed):
    """A benchmark takes one line, and so does a program."""
    saved = json.loads(packed.read_text())
    lines = {line.strip(" ,") for line in packed.read_text().splitlines()}
    assert lines >= set(map(json.dumps, [*saved["benchmarks"], ONE, TWO]))


def test_records_read_as_before(packed):
    """A packed record reads as the record of version 2 that it was made from; functions keep their order."""
    before, _ = validation.decode(json.dumps(content()).encode())
    after, left_out = validation.decode(packed.read_bytes())
    assert (before.autoenc.schema_version, after.autoenc.schema_version) == (2, 3)
    assert after.benchmarks == before.benchmarks
    assert list(after.benchmarks[1].extra_info.autoenc.counts.calls["call"]) == list(TABLE)
    assert left_out == []


def test_saved_twice(packed, tmp_path):
    """Saving does not change the content, and keeps the tables of content that is packed already."""
    found = content()
    assert storage.save(found, tmp_path, "x", {}).read_bytes() == packed.read_bytes()
    assert found == content()
    again = storage.save(json.loads(packed.read_text()), tmp_path, "x", {})
    assert again.read_bytes() == packed.read_bytes()


@pytest.mark.parametrize(("name", "cases"), [("functions", "0"), ("programs", "01"), ("calls", "0")])
def test_a_reference_to_nothing(packed, name, cases):
    """Benchmarks that refer to a missing entry are left out with the reason; the others are read."""
    saved = json.loads(packed.read_text())
    last = len(saved["autoenc"]["tables"][name]) - 1
    del saved["autoenc"]["tables"][name][last]
    record, left_out = validation.decode(json.dumps(saved).encode())
    assert [left.case[-1] for left in left_out] == list(cases)
    assert left_out[0].case == "epoch[digits-fused]0"
    reason = f"counted: no entry {last} in autoenc.tables.{name}, which has {last}"
    assert {left.reason for left in left_out} == {reason}
    assert [entry.name[-1] for entry in record.benchmarks] == [place for place in "0123" if place not in cases]


def test_without_tables(packed):
    """References in a record without tables lead to nothing as well."""
    saved = json.loads(packed.read_text())
    del saved["autoenc"]["tables"]
    assert [left.case[-1] for left in validation.decode(json.dumps(saved).encode())[1]] == ["0", "1"]


def test_old_and_new_records_together(packed, tmp_path):
    """Records of versions 2 and 3 are compared, with equal counts, and share a history on one machine."""
    old = histories.write(tmp_path / "old", [content(day=1)]) / "0001_standard.json"
    found = compare(*([loading.read_record(path, pictured=False)] for path in (old, packed)))
    judged = [verdict.counts.outcome for verdict in found.verdicts if verdict.counts]
    assert judged == [Outcome.UNCHANGED] * 3
    runs, *problems = read_runs([tmp_path])
    assert [run.path for run in runs] == [packed, old]
    assert problems == [[], []]
    for fact in ("machine", "context_key", "results"):
        assert getattr(runs[0], fact) == getattr(runs[1], fact)
