"""Records compute referenced times and the roof that limits a case, and name the commit."""

import msgspec
import pytest
import recordings
from contents import CASE, TIMING

from autoenc_bench.records import case
from autoenc_bench.records import record as records


def test_referenced():
    """A referenced time is the median over rounds, each divided by its own reference."""
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
    """The roof with the longest time limits a case; efficiency is that time over the measured time."""
    case = {**CASE, "work": {"flops": 0, "bytes": 0, "exponentials": 0, "calls": 0, **work}}
    found = {"name": "n", "fullname": "f::n", "stats": TIMING, "extra_info": {"autoenc": case}}
    benchmark = msgspec.convert(found, records.Benchmark)
    assert benchmark.bound(recordings.ROOFS) == bound
    assert benchmark.bound(None) is None
    assert msgspec.convert({**found, "extra_info": {}}, records.Benchmark).bound(recordings.ROOFS) is None


def test_roofs_that_could_not_be_measured():
    """If a roof was not measured, another one limits a case; without any there is no efficiency."""
    work = case.Work(flops=1e11, bytes=1e9, exponentials=0, calls=0)
    unmeasured = msgspec.structs.replace(recordings.ROOFS, flops=None)
    assert unmeasured.bound(work) == ("memory", 0.1)
    assert msgspec.structs.replace(unmeasured, bytes=None).bound(work) is None


def test_commit():
    """A commit has a short name; pytest-benchmark's words for no commit are none."""
    assert str(records.Commit("0123456789abcdef", "main", True)) == "0123456789ab on main, with changes"
    assert str(records.Commit("0123456789abcdef")) == "0123456789ab"
    assert records.Commit("0123456789abcdef").known
    assert not any(records.Commit(word).known for word in (None, "", "unversioned", "unknown"))
