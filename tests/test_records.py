"""Records are read back typed, or refused by file and field."""

import json

import msgspec
import pytest
import recordings
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench import cases, records, storage

TIMING = {"median": 0.5, "min": 0.4, "rounds": 2, "iterations": 1, "data": [0.4, 0.6]}
CASE = {"experiment": "digits", "phase": "epoch", "backend": "tensorflow", "seed": 0, "rows": 10, "trainer": "fit"}
RUN = {
    "schema_version": records.SCHEMA_VERSION,
    "suite_version": "0.1.0",
    "scale": "smoke",
    "seeds": 1,
    "machine": dict.fromkeys(msgspec.structs.asdict(recordings.MACHINE), None) | {"id": "0123456789ab"},
    "context": {"threads": 1, "pinned": True},
    "conditions": {"clock_mhz": [2600.0, None]},
    "roofs": None,
    "skipped": [{"case": "epoch[mnist-fit]", "reason": "no data"}],
    "failed": [],
}


def content(**changes):
    """Return a record's content, with top-level fields changed."""
    benchmark = {"name": "n", "fullname": "f::n", "stats": TIMING, "extra_info": {"autoenc": CASE, "other": 1}}
    plain = {"machine_info": {}, "commit_info": {}, "benchmarks": [benchmark], "datetime": "now", "version": "5.3.1"}
    return {**plain, "autoenc": RUN, **changes}


def test_round_trip(tmp_path):
    """What was saved is read back, and other plugins' fields are passed over."""
    record = records.read(storage.save(content(), tmp_path, "smoke", {}))
    assert record.timed() == [(msgspec.convert(CASE, cases.Case), 0.5)]
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


@given(st.dictionaries(st.sampled_from(["experiment", "rows", "seed"]), st.none() | st.text() | st.lists(st.none())))
def test_case_is_checked(changes):
    """A case with a field of another type is refused, and any other is read."""
    case = {**CASE, **changes}
    fits = isinstance(case["experiment"], str) and {type(case[name]) for name in ("rows", "seed")} == {int}
    if fits:
        assert cases.case({"autoenc": case}).experiment == case["experiment"]
    else:
        with pytest.raises(ValueError, match="Expected"):
            cases.case({"autoenc": case})
