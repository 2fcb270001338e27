"""The running median that clips a timeline covers every run of it."""

import numpy as np
import pytest

from autoenc_bench.history import change_points


@pytest.mark.parametrize("length", [change_points.WINDOW - 1, change_points.WINDOW, change_points.WINDOW + 1])
def test_timelines_as_long_as_the_window(length):
    """A rise by a fifth is found in timelines about as long as the window, also in those of exactly its length."""
    for seed in range(10):
        values = np.exp(np.random.default_rng(seed).normal(0, 0.01, length))
        values[length // 2 :] *= 1.2
        assert [change.index for change in change_points.find(values.tolist(), 0.01)] == [length // 2]
