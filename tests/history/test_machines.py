"""Machines have letters and contexts. Pairs compare newest contexts, raw times and errors."""

import histories
import msgspec
import pytest
import recordings

from autoenc_bench.history import tables
from autoenc_bench.records import record


def test_contexts(tmp_path):
    """Machines are in the order of their first runs. Each context lists its differences from the one before."""
    made = [histories.content(0, machine=histories.OTHER), histories.content(1), histories.content(2, keras="3.2")]
    first, second = histories.read(tmp_path, made).machines
    assert (first.letter, first.identity.name, first.label(1)) == ("A", "Another CPU, 2 cores, A GPU", "A")
    assert [second.label(1), second.label(2)] == ["B1", "B2"]
    assert [context.differs for context in second.contexts] == [[], ["keras 3.1 → 3.2"]]
    assert tables.contexts(first) == []  # a single context is not listed
    assert tables.contexts(second) == ["   B1: 1 run", "   B2: 1 run from 2026-01-03, keras 3.1 → 3.2"]


def test_differences():
    """Facts that changed, are new or are gone are listed; 1 and true differ."""
    before = {"threads": None, "pinned": True, "gone": "x", "same": 1}
    after = {"threads": 2, "pinned": 1, "new": None, "same": 1}
    assert record.differences(before, after) == [
        "threads all → 2",
        "pinned yes → 1",
        "gone x → absent",
        "new absent → unknown",
    ]


def test_letters(tmp_path):
    """After Z comes AA."""
    many = [msgspec.structs.replace(recordings.MACHINE, id=f"{number:012}") for number in range(28)]
    found = histories.read(tmp_path, [histories.content(day, machine=one) for day, one in enumerate(many)])
    assert [machine.letter for machine in found.machines][24:] == ["Y", "Z", "AA", "AB"]


def test_side_by_side(tmp_path):
    """A pair has ratios of raw times since the last change, errors equal within 0.1 %, and differences of contexts."""
    ours = histories.slower(12, 8, reference=0.01)
    slow = [1] * 11 + [2] * 10  # the other machine was slow in its latest runs, which raw times show
    theirs = [
        histories.content(day + 0.5, 0.33 * factor, machine=histories.OTHER, reference=0.03 * factor, keras="3.2")
        for day, factor in enumerate(slow)
    ]
    (pair,) = histories.read(tmp_path, ours + theirs).pairs
    assert (pair.scale, pair.base.letter, pair.other.letter) == ("standard", "A", "B")
    assert pair.differs == ["keras 3.1 → 3.2"]
    epoch, whole = pair.cases
    assert epoch.ratio == pytest.approx(3.0, rel=0.02)
    assert epoch.error is None
    assert whole.same_error is True


def test_errors_that_differ(tmp_path):
    """Errors further apart than 0.1 % are not equal."""
    made = [histories.content(0), histories.content(1, error=5.02, machine=histories.OTHER)]
    _, whole = histories.read(tmp_path, made).pairs[0].cases
    assert whole.same_error is False
    assert whole.error == pytest.approx(1.004, rel=1e-3)


def test_scales_are_not_compared(tmp_path):
    """Machines without a common scale are no pair."""
    made = [histories.content(0), histories.content(1, machine=histories.OTHER, scale="smoke")]
    assert histories.read(tmp_path, made).pairs == []


def test_kinds_of_one_name(tmp_path):
    """Two kinds of CPU with one id are two machines, and their names contain the kinds."""
    made = [histories.content(day) for day in range(2)]
    for content, model in zip(made, (79, 85), strict=True):
        content["machine_info"]["cpu"] |= {"family": 6, "model": model}
    first, second = histories.read(tmp_path, made).machines
    assert first.identity.id == second.identity.id
    assert [first.name, second.name] == [f"{first.identity.name} (family 6 model {model})" for model in (79, 85)]
