"""Records are read back typed, without what of them cannot be read, or refused by file and field."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from contents import CASE, RUN, TIMING, content
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import case, reading, storage
from autoenc_bench.records import record as records

NAN, INF = float("nan"), float("inf")


def written(folder, found):
    """Write a record, of what JSON has not as well; return its path."""
    path = folder / "0001_x.json"
    path.write_text(found if isinstance(found, str) else json.dumps(found))
    return path


def plain(**changes):
    """Return the content of a record by plain pytest-benchmark, with fields of its benchmark changed."""
    entry = {"name": "test_n", "fullname": "f.py::test_n", "stats": TIMING, "extra_info": {}, **changes}
    found = content(benchmarks=[entry])
    del found["autoenc"]
    return found


def entry(name="good", timing=None, **changes):
    """Return an entry of a record of this suite, with fields of its timing and of its case changed."""
    stats, own = {**TIMING, **(timing or {})}, {**CASE, **changes}
    return {"name": f"test_{name}", "fullname": f"f.py::test_{name}", "stats": stats, "extra_info": {"autoenc": own}}


def test_round_trip(tmp_path):
    """What was saved is read back, and other plugins' fields are passed over."""
    record, left_out = reading.read(storage.save(content(), tmp_path, "smoke", {}))
    assert left_out == []
    assert record.timed() == [(msgspec.convert(CASE, case.Case), 0.5)]
    assert record.benchmarks[0].stats.data == [0.4, 0.6]
    assert record.autoenc == msgspec.convert(RUN, records.Run)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "missing required field `benchmarks`"),
        (content(benchmarks={"name": 1}), r"Expected `array`, got `object` - at `\$.benchmarks`"),
        (content(autoenc={**RUN, "seeds": "two"}), r"Expected `int`, got `str` - at `\$.autoenc.seeds`"),
        (content(autoenc={**RUN, "schema_version": 99}), "schema version 99, this version .* reads 2"),
        (content(autoenc={"schema_version": 99}), "schema version 99, this version .* reads 2"),
        (content(autoenc={**RUN, "context": {"x": NAN}}), r"nan - at `\$.autoenc.context.x`; expected a finite number"),
        (content(autoenc={**RUN, "conditions": {"load": [0.5, INF]}}), r"inf - at `\$.autoenc.conditions.load\[1\]`"),
        (json.dumps(content())[:-20], "truncated"),
        ('{"x": ' + "[" * 100_000, "recursion depth"),
    ],
)
def test_refuses_to_read(tmp_path, text, said):
    """What is no record is refused with file, field and expectation."""
    with pytest.raises(ValueError, match=f"0001_x.json: not a readable record: .*{said}"):
        reading.read(written(tmp_path, text))


ODD = [
    (1, "Expected `object`, got `int`"),
    ({"name": 1}, r"Expected `str`, got `int` - at `$.name`"),
    ({"name": "n"}, "missing required field `fullname`"),
    (entry("odd", {"median": "fast"}), "Expected `float`, got `str` - at `$.stats.median`"),
    (entry("odd", {"median": -1.0}), "Expected `float` >= 1e-15 - at `$.stats.median`"),
    (entry("odd", {"median": 1e10}), "Expected `float` <= 1000000000.0 - at `$.stats.median`"),
    (entry("odd", {"median": 0}), "its median is 0 s; the clock is too coarse for it"),
    (entry("odd", {"median": NAN}), "nan - at `$.stats.median`; expected a finite number"),
    (entry("odd", {"data": [0.1, "fast"]}), "Expected `float`, got `str` - at `$.stats.data[1]`"),
    (entry("odd", {"data": [0.1, INF]}), "inf - at `$.stats.data[1]`; expected a finite number"),
    (entry("odd", {"data": [0.1, -0.1]}), "Expected `float` >= 0.0 - at `$.stats.data[1]`"),
    (entry("odd", {"rounds": 0}), "Expected `int` >= 1 - at `$.stats.rounds`"),
    (entry("odd", rows=0), "Expected `int` >= 1 - at `$.extra_info.autoenc.rows`"),
    (entry("odd", val_loss=NAN), "nan - at `$.extra_info.autoenc.val_loss`; expected a finite number"),
]


@pytest.mark.parametrize(("odd", "reason"), ODD)
def test_leaves_out_what_cannot_be_read(tmp_path, odd, reason):
    """A benchmark that cannot be read is left out by name, with its field, whatever it is; the others are read."""
    record, (left,) = reading.read(written(tmp_path, content(benchmarks=[odd, entry("good")])))
    assert [one.name for one in record.benchmarks] == ["test_good"]
    assert reason in left.reason


def test_numbers_that_are_too_large(tmp_path):
    """A number that JSON can write and no computer can keep is infinite, and left out as such."""
    text = json.dumps(content(benchmarks=[entry("odd", val_loss=0.125), entry("good")])).replace("0.125", "1e999")
    record, (left,) = reading.read(written(tmp_path, text))
    assert [one.name for one in record.benchmarks] == ["test_good"]
    assert left.reason == "inf - at `$.extra_info.autoenc.val_loss`; expected a finite number"


@pytest.mark.parametrize(
    ("odd", "name"),
    [
        (None, "#2"),
        ({"name": 1, "fullname": []}, "#2"),
        ({"name": "test_n", "extra_info": {"autoenc": {}}}, "n"),
        ({"name": "test_n", "fullname": "f.py::test_n", "stats": {}}, "f.py::test_n"),
        ({"name": "test_n"}, "test_n"),
    ],
)
def test_names_what_cannot_be_read(tmp_path, odd, name):
    """What cannot be read is named by as much as can: this suite's cases by id, others by file, else by their place."""
    _, (left,) = reading.read(written(tmp_path, content(benchmarks=[entry(), odd])))
    assert left.case == name


def test_nothing_left(tmp_path):
    """A record of which nothing can be read is refused with the first reason; so is one without any benchmark."""
    bad = [entry("a", {"median": 0}), entry("b", {"median": -1})]
    said = "benchmarks: none of 2 can be read; expected at least one; the first, a: its median is 0 s"
    with pytest.raises(InvalidInputError, match=f"0001_x.json: {said}"):
        reading.read(written(tmp_path, content(benchmarks=bad)))
    with pytest.raises(InvalidInputError, match=r"0001_x\.json: benchmarks: there are none; expected at least one$"):
        reading.read(written(tmp_path, content(benchmarks=[])))


def test_rounds_of_zero_seconds(tmp_path):
    """A round of zero seconds, by a coarse clock, is left out of the times; the benchmark is read."""
    timing = {"median": 0.4, "min": 0.0, "data": [0.0, 0.4, 0.6]}
    record, left_out = reading.read(written(tmp_path, content(benchmarks=[entry("a", timing)])))
    assert left_out == []
    assert record.benchmarks[0].stats.times == [0.4, 0.6]
    without = msgspec.structs.replace(record.benchmarks[0].stats, data=None)
    assert without.times == [0.4]


@pytest.mark.parametrize("odd", [None, NAN, 1, "x", [], {"own": NAN}, {"autoenc": NAN}, {"autoenc": {"rows": "few"}}])
def test_what_strangers_keep(tmp_path, odd):
    """Whatever other plugins keep beside a time of plain pytest-benchmark is passed over; the time is read."""
    record, left_out = reading.read(written(tmp_path, plain(extra_info=odd)))
    assert left_out == []
    assert record.timed() == []
    assert record.benchmarks[0].stats.data == [0.4, 0.6]


@pytest.mark.parametrize("name", ["commit_info", "machine_info", "other"])
@pytest.mark.parametrize("odd", [None, NAN, 1, "x", [[]], {"id": 1}, {"x": NAN, "cpu": [INF]}])
def test_odd_notes_of_pytest_benchmark(tmp_path, name, odd):
    """An odd commit or machine, and fields that nobody knows, do not keep a record from being read."""
    record, left_out = reading.read(written(tmp_path, {**content(), name: odd}))
    assert left_out == []
    assert len(record.benchmarks) == 1
    if name == "commit_info":
        assert record.commit_info is None or not record.commit_info.known


@given(st.permutations(range(4)))
def test_order(tmp_path_factory, order):
    """What is left keeps its order, and so does what is left out."""
    four = [entry("a"), entry("b", {"median": 0}), entry("c"), entry("d", {"median": 0})]
    path = written(tmp_path_factory.mktemp("order"), content(benchmarks=[four[place] for place in order]))
    record, left_out = reading.read(path)
    assert [one.name for one in record.benchmarks] == ["test_" + "abcd"[place] for place in order if place in (0, 2)]
    assert [one.case for one in left_out] == ["abcd"[place] for place in order if place in (1, 3)]


def test_reads_plain_records(tmp_path):
    """A record by plain pytest-benchmark reads as well, with time only."""
    record, left_out = reading.read(written(tmp_path, plain()))
    assert record.autoenc is None
    assert record.timed() == left_out == []
    assert record.benchmarks[0].stats.median == 0.5


MINUTES = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), MINUTES)
def test_moment(naive, minutes):
    """A moment is read into UTC from any zone; one that names none is in UTC already."""
    when = naive.replace(tzinfo=UTC)
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    there = (naive + timedelta(minutes=minutes)).isoformat() + zone
    for text in (naive.isoformat(), there, naive.isoformat() + "Z"):
        assert reading.moment(text) == when
        assert reading.moment(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "now", "2026-13-40", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-12:00"])
def test_no_moment(text):
    """What is no moment, or none that the calendar has, is refused with what was expected."""
    with pytest.raises(InvalidInputError, match=r"^datetime: '.*' is no ISO 8601 date and time"):
        reading.moment(text)


def test_when(tmp_path):
    """A record tells when it was made; what does not, or is no record, is the earliest of all."""
    path = written(tmp_path, content(datetime="2026-01-02T03:04:05+01:00"))
    assert reading.when(path) == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    for text in (content(datetime="now"), content(datetime=None), "{", "[]"):
        assert reading.when(written(tmp_path, text)) == datetime.min.replace(tzinfo=UTC)
    assert reading.when(tmp_path / "none.json") == datetime.min.replace(tzinfo=UTC)


def test_no_record(tmp_path):
    """A record that is not there, or a folder without any, is named."""
    with pytest.raises(LookupError, match="no such record"):
        reading.read(tmp_path / "0001_x.json")
    with pytest.raises(LookupError, match="no records yet"):
        storage.newest(tmp_path)


def test_cannot_be_opened(tmp_path):
    """What cannot be opened is named with the system's reason."""
    with pytest.raises(ValueError, match=f"{tmp_path.name}: cannot be read: Is a directory"):
        reading.read(tmp_path)
