"""Change points: where they are, seldom where none are, whatever the unit; short or constant timelines have none."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoenc_bench.history import change_points

NOISE = 0.03


def noisy(seed, length, at=None, step=0.1):
    """Make times with lognormal noise, and a step from run ``at`` on."""
    logs = np.random.default_rng([seed, length]).normal(0, NOISE, length)
    logs[length if at is None else at :] += np.log1p(step)
    return np.exp(logs).tolist()


def places(values, smallest=0.01):
    """Find changes; return where."""
    return [change.index for change in change_points.find(values, smallest)]


@pytest.mark.parametrize(("length", "least"), [(20, 90), (50, 95), (100, 95)])
def test_a_step_is_found(length, least):
    """A step of 10 % in noise of 3 % is found within one run of its place, in 95 of 100 where there are 50 runs."""
    found = 0
    for seed in range(100):
        at = int(np.random.default_rng(seed).integers(5, length - 4))
        found += any(abs(place - at) <= 1 for place in places(noisy(seed, length, at)))
    assert found >= least


@pytest.mark.parametrize("length", [7, 20, 50, 100])
def test_flat_timelines(length):
    """In noise alone a change is seen at most once in 100 timelines."""
    assert sum(bool(places(noisy(seed, length))) for seed in range(100)) <= 1


@pytest.mark.parametrize("step", [0.1, -0.1, 1.0, -0.5])
def test_size_and_interval(step):
    """A change has its size, and an interval around it, at 95 % of about ± 1.5 % for 2 × 30 runs."""
    inside = 0
    for seed in range(40):
        change = min(change_points.find(noisy(seed, 60, 30, step), 0.01), key=lambda found: abs(found.index - 30))
        assert change.low < change.ratio < change.high
        assert (change.high - change.low) / change.ratio < 0.045
        inside += change.low <= 1 + step <= change.high
    assert inside >= 34


def test_several_steps():
    """Each of several steps is found, and there and back are two."""
    values = np.concatenate([noisy(1, 30), np.array(noisy(2, 30)) * 1.2, np.array(noisy(3, 30))]).tolist()
    up, down = places(values)
    assert abs(up - 30) <= 1
    assert abs(down - 60) <= 1


@pytest.mark.parametrize("slow", [1.5, 3.0, 100.0])
def test_single_slow_runs(slow):
    """Single slow runs are no change, wherever they are, and hide none."""
    for seed in range(20):
        values = noisy(seed, 40)
        for place in (3, 17, 18, 39):
            values[place] *= slow
        assert places(values) == []
    stepped = noisy(0, 60, 30)
    stepped[10] *= slow
    stepped[45] *= slow
    (place,) = places(stepped)
    assert abs(place - 30) <= 1


def test_short_timelines():
    """Five runs or fewer have no change, however far apart they are."""
    for length in range(6):
        assert places([10.0**power for power in range(length)]) == []
    assert places([1.0, 1.0, 1.0, 2.0, 2.0]) == []


def test_values_that_repeat_to_the_bit():
    """Without noise a move is found at its place and its size is exact; one too small to matter is none."""
    (change,) = change_points.find([7.5] * 9 + [7.515] * 3, 0.001)
    assert change.index == 9
    assert change.ratio == pytest.approx(1.002)
    assert (change.low, change.high) == pytest.approx((1.002, 1.002))
    assert places([7.5] * 9 + [7.505] * 9, 0.001) == []
    assert places([7.5] * 9 + [7.505] * 4 + [7.6] + [7.505] * 4, 0.001) == []
    assert places([7.5] * 9 + [7.9] + [7.5] * 9, 0.001) == []
    assert places([7.5] * 50) == []


def test_two_values_in_turn():
    """A figure that takes one of two values by chance does not change."""
    for seed in range(20):
        values = np.random.default_rng(seed).choice([7.5, 7.6], 60, p=[0.7, 0.3]).tolist()
        assert places(values, 0.001) == []


def test_zeros():
    """Zeros are a level: none of them changes, a rise from them is infinite, and a fall to them is to nothing."""
    assert places([0.0] * 20) == []
    (rise,) = change_points.find([0.0] * 10 + [1.0] * 10, 0.001)
    assert (rise.index, rise.ratio) == (10, float("inf"))
    (fall,) = change_points.find([1.0] * 10 + [0.0] * 10, 0.001)
    assert (fall.index, fall.ratio) == (10, 0.0)


@pytest.mark.parametrize("length", [20, 100])
def test_penalty(length):
    """A cut is a candidate where it lowers the sum of squares by more than 2 log n + 2, in squares of the noise."""
    for gain, found in ((2 * np.log(length) + 1.9, []), (2 * np.log(length) + 2.1, [length // 2])):
        values = np.zeros(length)
        values[length // 2 :] = 2 * np.sqrt(gain / length)
        assert change_points._candidates(values) == found


@settings(max_examples=50)
@given(st.integers(0, 1000), st.sampled_from([1e-9, 1e-3, 7.0, 1e6]))
def test_the_unit_does_not_matter(seed, factor):
    """Times in another unit change at the same runs by the same ratios."""
    values = noisy(seed, 40, 20)
    here, there = change_points.find(values, 0.01), change_points.find([factor * value for value in values], 0.01)
    assert [change.index for change in here] == [change.index for change in there]
    assert [change.ratio for change in here] == pytest.approx([change.ratio for change in there])


@settings(max_examples=50)
@given(st.floats(1e-9, 1e9), st.integers(1, 60))
def test_equal_values_never_change(value, length):
    """Equal values have no change."""
    assert places([value] * length) == []


@settings(max_examples=100)
@given(st.lists(st.floats(0, 1e12), max_size=40))
@example([0.0, 5e-324, 5e-324, 1.0, 1.0, 281710.0])  # a rise whose interval ends past the largest number
@example([0.0] * 5 + [5e-324])  # nothing lies between zero and the smallest number
def test_any_values(values):
    """Whatever the values, changes are in order, apart from each other and from the ends, and large enough."""
    found = change_points.find(values, 0.01)
    cuts = [0, *(change.index for change in found), len(values)]
    assert not found or min(np.diff(cuts)) >= change_points.SHORTEST
    assert all(abs(np.log(change.ratio or 1e-9)) > 0.0 for change in found)


def test_level():
    """A level is the median of its newest ten runs."""
    assert change_points.level([100.0] * 5 + [1.0] * 5 + [3.0] * 5) == 2.0
    assert change_points.level([4.0]) == 4.0
