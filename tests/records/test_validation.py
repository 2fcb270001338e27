"""Validation leaves out invalid benchmarks with the reason, and refuses an invalid record with its field."""

import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from contents import CASE, RUN, TIMING, content
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records import case, validation
from autoenc_bench.records import record as records

NAN, INF = float("nan"), float("inf")


def decode(found):
    """Decode a text, or a record's content with any NaN in it."""
    return validation.decode((found if isinstance(found, str) else json.dumps(found)).encode())


def plain(**changes):
    """Return the content of a record of plain pytest-benchmark, with fields of its benchmark changed."""
    benchmark = {"name": "test_n", "fullname": "f.py::test_n", "stats": TIMING, "extra_info": {}, **changes}
    found = content(benchmarks=[benchmark])
    del found["autoenc"]
    return found


def entry(name="good", timing=None, **changes):
    """Return a benchmark of a record of this suite, with fields of its timing and of its case changed."""
    stats, own = {**TIMING, **(timing or {})}, {**CASE, **changes}
    return {"name": f"test_{name}", "fullname": f"f.py::test_{name}", "stats": stats, "extra_info": {"autoenc": own}}


def test_a_valid_record():
    """All fields of a valid record are read, and fields of other plugins are ignored."""
    record, left_out = decode(content())
    assert left_out == []
    assert record.timed() == [(msgspec.convert(CASE, case.Case), 0.5)]
    assert record.benchmarks[0].stats.data == [0.4, 0.6]
    assert record.autoenc == msgspec.convert(RUN, records.Run)


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        ("", "Input data was truncated"),
        ("[]", "Expected `object`, got `array`"),
        ("{}", "missing required field `benchmarks`"),
        (content(benchmarks={"name": 1}), r"Expected `array`, got `object` - at `\$.benchmarks`"),
        (content(autoenc={**RUN, "seeds": "two"}), r"Expected `int`, got `str` - at `\$.autoenc.seeds`"),
        (content(autoenc={"schema_version": 99}), "schema version 99, this version .* reads 2 and 3; read it with"),
        *(
            (content(autoenc={**RUN, "schema_version": version}), f"schema version {version}, this version .* 2 and 3;")
            for version in (records.READABLE[0] - 1, records.SCHEMA_VERSION + 1)
        ),
        (json.dumps(content())[:-20], "truncated"),
        ('{"x": ' + "[" * 100_000, "recursion depth"),
    ],
)
def test_invalid_records(found, reason):
    """An invalid record is refused with the field and the expected value, also one of an older or newer version."""
    with pytest.raises(InvalidInputError, match=f"^not a readable record: .*{reason}"):
        decode(found)


@pytest.mark.parametrize(
    ("odd", "reason"),
    [
        (1, "Expected `object`, got `int`"),
        ({"name": 1}, r"Expected `str`, got `int` - at `$.name`"),
        ({"name": "n"}, "missing required field `fullname`"),
        (entry("odd", {"median": "fast"}), "Expected `float`, got `str` - at `$.stats.median`"),
        (entry("odd", {"median": -1.0}), "Expected `float` >= 1e-15 - at `$.stats.median`"),
        (entry("odd", {"median": 1e10}), "Expected `float` <= 1000000000.0 - at `$.stats.median`"),
        (entry("odd", {"median": 0}), "its median is 0 s; the clock is too coarse for it"),
        (entry("odd", {"median": NAN}), "Expected `float`, got `str` - at `$.stats.median`"),
        (entry("odd", {"data": [0.1, "fast"]}), "Expected `float`, got `str` - at `$.stats.data[1]`"),
        (entry("odd", {"data": [0.1, INF]}), "Expected `float`, got `str` - at `$.stats.data[1]`"),
        (entry("odd", {"data": [0.1, -0.1]}), "Expected `float` >= 0.0 - at `$.stats.data[1]`"),
        (entry("odd", {"rounds": 0}), "Expected `int` >= 1 - at `$.stats.rounds`"),
        (entry("odd", rows=0), "Expected `int` >= 1 - at `$.extra_info.autoenc.rows`"),
        (entry("odd", val_loss=NAN), "Expected `float | null`, got `str` - at `$.extra_info.autoenc.val_loss`"),
    ],
)
def test_invalid_benchmarks(odd, reason):
    """An invalid benchmark is left out with its field, and the others are read."""
    record, (left,) = decode(content(benchmarks=[odd, entry("good")]))
    assert [benchmark.name for benchmark in record.benchmarks] == ["test_good"]
    assert reason in left.reason


def test_numbers_that_are_too_large():
    """A record with a number that is too large for a float is refused."""
    text = json.dumps(content(benchmarks=[entry("odd", val_loss=0.125), entry("good")])).replace("0.125", "1e999")
    with pytest.raises(InvalidInputError, match="not a readable record: Number out of range"):
        decode(text)


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
def test_names_of_invalid_benchmarks(odd, name):
    """An invalid benchmark is named by its id, its full name, its name or its number, whichever can be read."""
    _, (left,) = decode(content(benchmarks=[entry(), odd]))
    assert left.case == name


def test_no_valid_benchmark():
    """A record is refused if all its benchmarks are invalid, with the first reason, and if it has none."""
    invalid = [entry("a", {"median": 0}), entry("b", {"median": -1})]
    reason = r"^benchmarks: none of 2 can be read; expected at least one; the first, a: its median is 0 s"
    with pytest.raises(InvalidInputError, match=reason):
        decode(content(benchmarks=invalid))
    with pytest.raises(InvalidInputError, match=r"^benchmarks: there are none; expected at least one$"):
        decode(content(benchmarks=[]))


def test_cases_without_their_run():
    """Cases of this suite are refused without the block that describes the run."""
    found = content()
    del found["autoenc"]
    with pytest.raises(InvalidInputError, match=r"^autoenc: missing beside cases of this suite; expected the block"):
        decode(found)


def test_rounds_of_zero_seconds():
    """A round of zero seconds, by a coarse clock, is left out of the times; the benchmark is read."""
    record, left_out = decode(content(benchmarks=[entry("a", {"median": 0.4, "min": 0.0, "data": [0.0, 0.4, 0.6]})]))
    assert left_out == []
    assert record.benchmarks[0].stats.times == [0.4, 0.6]
    assert msgspec.structs.replace(record.benchmarks[0].stats, data=None).times == [0.4]


@pytest.mark.parametrize(
    "odd", [{}, None, NAN, 1, "x", [], {"own": NAN}, {"autoenc": NAN}, {"autoenc": {"rows": "few"}}]
)
def test_plain_records(odd):
    """A record of plain pytest-benchmark has times only; any value of other plugins beside them is ignored."""
    record, left_out = decode(plain(extra_info=odd))
    assert record.autoenc is None
    assert record.timed() == left_out == []
    assert record.benchmarks[0].stats.median == 0.5
    assert record.benchmarks[0].stats.data == [0.4, 0.6]


@pytest.mark.parametrize("name", ["commit_info", "machine_info", "other"])
@pytest.mark.parametrize("odd", [None, NAN, 1, "x", [[]], {"id": 1}, {"x": NAN, "cpu": [INF]}])
def test_odd_notes_of_pytest_benchmark(name, odd):
    """A record with an odd commit or machine, or with an unknown field, is read."""
    record, left_out = decode({**content(), name: odd})
    assert left_out == []
    assert len(record.benchmarks) == 1
    if name == "commit_info":
        assert record.commit_info is None or not record.commit_info.known


@given(st.permutations(range(4)))
def test_order(order):
    """Valid benchmarks keep their order, and so do invalid ones."""
    four = [entry("a"), entry("b", {"median": 0}), entry("c"), entry("d", {"median": 0})]
    record, left_out = decode(content(benchmarks=[four[place] for place in order]))
    assert [one.name for one in record.benchmarks] == ["test_" + "abcd"[place] for place in order if place in (0, 2)]
    assert [one.case for one in left_out] == ["abcd"[place] for place in order if place in (1, 3)]


@given(st.dictionaries(st.sampled_from(["experiment", "rows", "seed"]), st.none() | st.text() | st.lists(st.none())))
def test_types_of_a_case(changes):
    """A case is refused if a field has another type, and read otherwise."""
    found = {**CASE, **changes}
    if isinstance(found["experiment"], str) and {type(found[name]) for name in ("rows", "seed")} == {int}:
        assert validation.convert_case({"autoenc": found}).experiment == found["experiment"]
    else:
        with pytest.raises(InvalidInputError, match="Expected"):
            validation.convert_case({"autoenc": found})


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"rows": 0}, r"Expected .* - at `\$.rows"),
        ({"image": [0, 4]}, r"Expected .* - at `\$.image"),
        ({"reference": [0.1, 0]}, r"Expected .* - at `\$.reference"),
        ({"memory": {"peak": -1}}, r"Expected .* - at `\$.memory"),
        ({"work": {"flops": -1, "bytes": 0, "exponentials": 0, "calls": 0}}, r"Expected .* - at `\$.work"),
        ({"val_loss": NAN}, r"Expected `float \| null`, got `str` - at `\$.val_loss`"),
    ],
)
def test_impossible_cases(changes, reason):
    """A case is refused, with the field, if it holds an impossible value."""
    with pytest.raises(InvalidInputError, match=reason):
        validation.convert_case({"autoenc": {**CASE, **changes}})


MINUTES = st.integers(-23 * 60 - 59, 23 * 60 + 59)


@given(st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)), MINUTES)
def test_datetime(naive, minutes):
    """A date and time of any zone is converted to UTC; without a zone it is in UTC already."""
    when = naive.replace(tzinfo=UTC)
    zone = f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
    there = (naive + timedelta(minutes=minutes)).isoformat() + zone
    for text in (naive.isoformat(), there, naive.isoformat() + "Z"):
        assert validation.parse_datetime(text) == when
        assert validation.parse_datetime(text).tzinfo is UTC


@pytest.mark.parametrize("text", ["", "now", "2026-13-40", "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-12:00"])
def test_invalid_datetime(text):
    """A text that is no date and time in the calendar is refused with what was expected."""
    with pytest.raises(InvalidInputError, match=r"^datetime: '.*' is no ISO 8601 date and time"):
        validation.parse_datetime(text)
