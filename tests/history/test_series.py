"""A series is one case at one scale on one machine in one context. Its times are referenced if all can be."""

import histories
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autoenc_bench.history.history import read_history
from autoenc_bench.history.series import latest

EPOCH = "epoch[digits-fused]"


def series(found, case=EPOCH):
    """Pick the series of a case."""
    return [one for one in found.series if one.case.name == case]


def test_what_makes_a_series(tmp_path):
    """Another machine, scale or context is another series; a context that returns continues its series."""
    made = [
        histories.content(0),
        histories.content(1, keras="3.2"),
        histories.content(2),
        histories.content(3, machine=histories.OTHER),
        histories.content(4, scale="smoke"),
    ]
    found = series(histories.read(tmp_path, made))
    assert [[run.when.day for run in one.runs] for one in found] == [[1, 3], [2], [4], [5]]
    assert [one.context for one in found] == [1, 2, 1, 1]


def test_referenced_times(tmp_path):
    """Referenced times are seconds at the machine's usual speed; a slow moment of the machine does not show."""
    made = [histories.content(day, 0.2 * slow, reference=0.01 * slow) for day, slow in enumerate((1, 1, 1, 3, 1))]
    (one,) = series(histories.read(tmp_path, made))
    assert one.referenced
    assert one.time.values == pytest.approx([0.21] * 5)
    assert one.efficiency.values == pytest.approx([0.01 / 0.21] * 5)


def test_raw_where_one_run_has_no_reference(tmp_path):
    """If one run has no reference, all times of the series are raw."""
    made = [histories.content(day, 0.2 * (1 + day)) for day in range(3)]
    del made[1]["benchmarks"][0]["extra_info"]["autoenc"]["reference"]
    (one,) = series(histories.read(tmp_path, made))
    assert not one.referenced
    assert one.time.values == pytest.approx([0.21, 0.42, 0.63])


def test_efficiency_by_one_definition_only(tmp_path):
    """Efficiencies by an older definition of the roofs are left out."""
    made = [histories.content(day) for day in range(4)]
    for found in made[2:]:
        found["autoenc"]["roofs"]["version"] = 2
        found["autoenc"]["roofs"]["flops"] *= 7
        found["autoenc"]["roofs"]["bytes"] *= 7
    (one,) = series(histories.read(tmp_path, made))
    assert [run.when.day for run in one.efficiency.runs] == [3, 4]
    assert len(one.time.runs) == 4


def test_memory_of_one_selection_only(tmp_path):
    """Memory peaks of another selection of cases are left out, because they depend on the cases before."""
    made = [histories.content(day) for day in range(4)]
    for found in made[:2]:
        del found["benchmarks"][1]
    (one,) = series(histories.read(tmp_path, made))
    assert [run.when.day for run in one.memory.runs] == [3, 4]
    assert len(one.time.runs) == 4


def test_timelines_of_what_is_known(tmp_path):
    """An epoch has time, efficiency and memory; a whole experiment of these records has time and error."""
    epoch, whole = histories.read(tmp_path, [histories.content(0)]).series
    assert [line.kind for line in epoch.timelines] == ["time", "efficiency", "memory"]
    assert [line.kind for line in whole.timelines] == ["time", "error"]


def test_levels_and_growth(tmp_path):
    """The growth of a series is its newest level over the first."""
    (one,) = series(histories.read(tmp_path, histories.slower()))
    (change,) = one.time.changes
    assert change.index == 8
    assert one.time.growth == pytest.approx(1.1, rel=0.02)
    assert latest(one.time) == pytest.approx(0.22 * 1.05 * 1.01, rel=0.02)
    assert one.memory.growth is None


def test_an_error_that_moves_once(tmp_path):
    """Errors repeat to the bit, so a change of half a per cent is found."""
    made = [histories.content(day, error=4.0 if day < 6 else 4.02) for day in range(10)]
    (one,) = series(histories.read(tmp_path, made), "experiment[digits-fused-seed0]")
    (change,) = one.error.changes
    assert one.error.runs[change.index].when.day == 7
    assert change.ratio == pytest.approx(1.005, rel=1e-3)


@settings(max_examples=8)
@given(st.permutations(range(8)))
def test_the_order_of_files_does_not_matter(tmp_path_factory, order):
    """The order of files does not change the series."""
    made = histories.slower(8, 5)
    there = read_history([histories.write(tmp_path_factory.mktemp("any"), [made[place] for place in order])])
    ours = [(one.case, one.context, one.results) for one in there.series]
    here = read_history([histories.write(tmp_path_factory.mktemp("order"), made)])
    assert ours == [(one.case, one.context, one.results) for one in here.series]
