"""Two sides of a live comparison are compared pair by pair."""

import json
from math import inf

import histories
import numpy as np
import pytest
import recordings
from histories import by_case

from autoenc_bench import exit_codes
from autoenc_bench.verdicts import comparison, status, tables
from autoenc_bench.verdicts.comparison import Outcome

EPOCH, WHOLE = "epoch[digits-fused]", "experiment[digits-fused]"


SPEEDS = (0.2, 0.31, 0.24, 0.36, 0.27, 0.22)  # seconds of a round, of the machine in each pair's stretch of time


def live_side(folder, speeds, slowdown=0.0, rounds=12, seed=0, name="pair-{}", **context):
    """Write a side's records of a live comparison, one per pair and its speed; only epochs are interleaved."""
    random, contents = np.random.default_rng(seed), []
    for number, speed in enumerate(speeds):
        times = (speed * (1 + slowdown) * np.exp(random.normal(0, 0.01, rounds))).tolist()
        found = histories.content(number, **context)
        found["autoenc"]["pair"] = name and name.format(number)
        epoch = found["benchmarks"][0]
        epoch["stats"] |= recordings.plain("test", times)["stats"]
        epoch["extra_info"]["autoenc"] |= {"between": [0.01] * rounds, "reference": [0.01] * rounds}
        contents.append(found)
    return histories.side(folder, contents)


def both_live(tmp_path, speeds=SPEEDS, slowdown=0.05, names=("pair-{}", "pair-{}")):
    """Compare two live sides; each side names its pairs by its own pattern."""
    base = live_side(tmp_path / "base", speeds, name=names[0])
    return comparison.compare(base, live_side(tmp_path / "head", speeds, slowdown, seed=1, name=names[1]))


def test_live(tmp_path):
    """A slowdown is found although each pair ran at another speed of the machine, which hides it between runs."""
    found = both_live(tmp_path / "live_side")
    time = by_case(found)[EPOCH].time
    assert time.outcome is Outcome.REGRESSED
    assert time.interval.estimate == pytest.approx(np.log(1.05), abs=0.01)
    assert time.interval.runs == (6, 6)
    assert time.paired.pairs == 6
    assert found.control == ""
    assert status.of(found) == (exit_codes.REGRESSED, f"regressed: {EPOCH}")
    apart = by_case(both_live(tmp_path / "apart", names=(None, None)))[EPOCH].time
    assert (apart.outcome, apart.paired) == (Outcome.UNDECIDED, None)


def test_equal_live_sides(tmp_path):
    """Pairs of equal processes are unchanged, whatever the machine's speed."""
    found = both_live(tmp_path, slowdown=0.0)
    assert by_case(found)[EPOCH].time.outcome is Outcome.UNCHANGED
    assert status.of(found).code == exit_codes.PASSED


def test_live_sides_need_no_control(tmp_path):
    """A machine that is slow in every other pair fails the control of plain runs, but pairs need none."""
    speeds = (0.2, 0.3) * 6
    assert both_live(tmp_path / "live_side", speeds).control == ""
    assert EPOCH in both_live(tmp_path / "apart", speeds, names=(None, None)).control


def test_live_with_itself(tmp_path):
    """A live side compared with itself differs by nothing, and the status is 0."""
    base = live_side(tmp_path, SPEEDS)
    found = comparison.compare(base, base)
    assert by_case(found)[EPOCH].time.interval.estimate == 0
    assert status.of(found).code == exit_codes.PASSED


def test_needed_pairs(tmp_path):
    """An undecided time states how many pairs would decide it; a decided one does not."""
    few, many = (both_live(tmp_path / str(number), SPEEDS[:number], 0.06) for number in (2, 6))
    undecided, decided = (by_case(one)[EPOCH].time for one in (few, many))
    assert undecided.outcome is Outcome.UNDECIDED
    assert 2 < undecided.needed < inf
    assert (decided.outcome, decided.needed) == (Outcome.REGRESSED, None)


def test_not_interleaved(tmp_path):
    """A whole experiment of a live comparison has an error and no time in all formats."""
    found = both_live(tmp_path)
    whole = by_case(found)[WHOLE]
    assert (whole.time, whole.error.outcome, whole.joined) == (None, Outcome.UNCHANGED, "unchanged")
    (row,) = [line for line in tables.text(found).split("\n") if line.startswith(WHOLE)]
    assert row.split()[1:3] == ["unchanged", "–"]
    assert f"`{WHOLE}`" in tables.markdown(found, "result")
    whole_document = json.loads(tables.document(found, status.of(found)))
    (written,) = [one for one in whole_document["verdicts"] if one["case"] == WHOLE]
    assert (written["time"], written["error"]["outcome"], written["joined"]) == (None, "unchanged", "unchanged")


def test_one_pair(tmp_path):
    """A single pair decides no time and is shown without an interval, also in JSON."""
    found = both_live(tmp_path, SPEEDS[:1], 0.5)
    time = by_case(found)[EPOCH].time
    assert (time.outcome, time.interval.high) == (Outcome.UNDECIDED, inf)
    assert "inf" not in tables.text(found)
    ended = status.of(found)
    assert ended.code == exit_codes.UNDECIDED
    written = json.loads(tables.document(found, ended))["verdicts"][0]["time"]
    assert (written["outcome"], written["spread"], written["low"], written["high"]) == ("undecided", None, None, None)


def test_pairs_of_other_names(tmp_path):
    """Without a common pair, live runs are compared as plain runs, and only interleaved cases have a time."""
    for speeds in (SPEEDS, (0.2,) * 6):
        found = by_case(both_live(tmp_path / f"{speeds[1]}", speeds, names=("pair-{}", "another-{}")))
        apart = by_case(both_live(tmp_path / f"{speeds[1]}-apart", speeds, names=(None, None)))
        ours, theirs = (one[EPOCH].time.interval for one in (found, apart))
        assert (ours.estimate, ours.spread, ours.runs) == (theirs.estimate, theirs.spread, theirs.runs)
        assert found[EPOCH].time.paired is None
        assert found[WHOLE].time is None
    assert found[EPOCH].time.outcome is Outcome.REGRESSED


def test_some_pairs_in_common(tmp_path):
    """A pair of which one process is missing does not count."""
    base, head = live_side(tmp_path / "base", SPEEDS), live_side(tmp_path / "head", SPEEDS, 0.05, seed=1)
    found = comparison.compare(base[1:], head[:-1])
    time = by_case(found)[EPOCH].time
    assert (time.outcome, time.interval.runs) == (Outcome.REGRESSED, (4, 4))


def test_pairs_of_other_contexts(tmp_path):
    """Pairs in different contexts are incomparable, unless the difference is under test."""
    base = live_side(tmp_path / "base", SPEEDS)
    head = live_side(tmp_path / "head", SPEEDS, 0.05, seed=1, keras="3.2")
    time, tested = (by_case(comparison.compare(base, head, across=across))[EPOCH].time for across in ((), ["keras"]))
    assert (time.outcome, time.paired) == (Outcome.INCOMPARABLE, None)
    assert tested.outcome is Outcome.REGRESSED
