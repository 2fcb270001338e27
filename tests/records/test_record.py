"""Records are read back typed, or refused by file and field."""

import json

import msgspec
import pytest
import recordings
from contents import CASE, RUN, TIMING, content

from autoenc_bench.records import case, storage
from autoenc_bench.records import record as records


def timing(**changes):
    """Return a record's text in which the timing of its benchmark is changed."""
    found = content()
    found["benchmarks"][0] = {**found["benchmarks"][0], "stats": {**TIMING, **changes}}
    return json.dumps(found)


def test_round_trip(tmp_path):
    """What was saved is read back, and other plugins' fields are passed over."""
    record = records.read(storage.save(content(), tmp_path, "smoke", {}))
    assert record.timed() == [(msgspec.convert(CASE, case.Case), 0.5)]
    assert record.benchmarks[0].stats.data == [0.4, 0.6]
    assert record.autoenc == msgspec.convert(RUN, records.Run)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "missing required field `benchmarks`"),
        (json.dumps(content(benchmarks=[{"name": 1}])), r"Expected `str`, got `int` - at `\$.benchmarks\[0\].name`"),
        (json.dumps(content(autoenc={**RUN, "seeds": "two"})), r"Expected `int`, got `str` - at `\$.autoenc.seeds`"),
        (json.dumps(content(autoenc={**RUN, "schema_version": 99})), "schema version 99, this version .* reads 2"),
        (json.dumps(content())[:-20], "truncated"),
        (timing(median=-1.0), r"Expected `float` > 0.0 - at `\$.benchmarks\[0\].stats.median`"),
        (timing(median=0), r"Expected `float` > 0.0 - at `\$.benchmarks\[0\].stats.median`"),
        (timing(data=[0.1, "fast"]), r"Expected `float`, got `str` - at `\$.benchmarks\[0\].stats.data\[1\]`"),
        (timing(median=float("nan")), r"nan - at `\$.benchmarks\[0\].stats.median`; expected a finite number"),
        (timing(data=[0.1, float("inf")]), r"inf - at `\$.benchmarks\[0\].stats.data\[1\]`; expected a finite"),
        (timing().replace("0.5", "1e999"), "inf - at"),
        (timing(rounds=0), r"Expected `int` >= 1 - at `\$.benchmarks\[0\].stats.rounds`"),
        ('{"x": ' + "[" * 100_000, "recursion depth"),
    ],
)
def test_refuses_to_read(tmp_path, text, said):
    """What is no record is refused with file, field and expectation."""
    path = tmp_path / "0001_x.json"
    path.write_text(text)
    with pytest.raises(ValueError, match=f"0001_x.json: not a readable record: .*{said}"):
        records.read(path)


def test_reads_plain_records(tmp_path):
    """A record by plain pytest-benchmark reads as well, with time only."""
    plain = content()
    del plain["autoenc"]
    plain["benchmarks"][0]["extra_info"] = {}
    path = tmp_path / "0001_x.json"
    path.write_text(json.dumps(plain))
    record = records.read(path)
    assert record.autoenc is None
    assert record.timed() == []
    assert record.benchmarks[0].stats.median == 0.5


def test_no_record(tmp_path):
    """A record that is not there, or a folder without any, is named."""
    with pytest.raises(LookupError, match="no such record"):
        records.read(tmp_path / "0001_x.json")
    with pytest.raises(LookupError, match="no records yet"):
        storage.newest(tmp_path)


def test_cannot_be_opened(tmp_path):
    """What cannot be opened is named with the system's reason."""
    with pytest.raises(ValueError, match=f"{tmp_path.name}: cannot be read: Is a directory"):
        records.read(tmp_path)


def test_referenced():
    """A time in units of the reference workload is the median over rounds, each beside its own reference."""
    case = {**CASE, "reference": [0.01, 0.04, 0.02]}
    found = {"name": "n", "fullname": "f::n", "stats": {**TIMING, "data": [1.0, 2.0, 3.0]}}
    benchmark = msgspec.convert({**found, "extra_info": {"autoenc": case}}, records.Benchmark)
    assert benchmark.referenced == 100.0
    assert benchmark.reference == 0.02
    for fewer in ({**CASE, "reference": [0.01]}, CASE):
        benchmark = msgspec.convert({**found, "extra_info": {"autoenc": fewer}}, records.Benchmark)
        assert benchmark.referenced is None
    assert msgspec.convert(found, records.Benchmark).referenced is None


@pytest.mark.parametrize(
    ("work", "bound"),
    [
        ({"flops": 1e11}, ("compute", 2.0)),
        ({"bytes": 1e10}, ("memory", 2.0)),
        ({"exponentials": 1e9}, ("exponentials", 2.0)),
        ({"calls": 1e4}, ("dispatch", 1.0)),
        ({"flops": 1e10, "bytes": 1e10}, ("memory", 2.0)),
        ({}, None),
    ],
)
def test_bound(work, bound):
    """The roof that takes longest binds, and a case's efficiency is the time there over the measured one."""
    case = {**CASE, "work": {"flops": 0, "bytes": 0, "exponentials": 0, "calls": 0, **work}}
    found = {"name": "n", "fullname": "f::n", "stats": TIMING, "extra_info": {"autoenc": case}}
    benchmark = msgspec.convert(found, records.Benchmark)
    assert benchmark.bound(recordings.ROOFS) == bound
    assert benchmark.bound(None) is None
    assert msgspec.convert({**found, "extra_info": {}}, records.Benchmark).bound(recordings.ROOFS) is None


def test_roofs_that_could_not_be_measured():
    """Without a roof the others bind; without any there is no efficiency."""
    work = case.Work(flops=1e11, bytes=1e9, exponentials=0, calls=0)
    unmeasured = msgspec.structs.replace(recordings.ROOFS, flops=None)
    assert unmeasured.bound(work) == ("memory", 0.1)
    assert msgspec.structs.replace(unmeasured, bytes=None).bound(work) is None


def test_commit():
    """A commit is named shortly; pytest-benchmark's words for none are none."""
    assert str(records.Commit("0123456789abcdef", "main", True)) == "0123456789ab on main, with changes"
    assert str(records.Commit("0123456789abcdef")) == "0123456789ab"
    assert records.Commit("0123456789abcdef").known
    assert not any(records.Commit(word).known for word in (None, "", "unversioned", "unknown"))
