"""The interval of a change is Student's, for two samples with one variance."""

from math import log

import pytest
from scipy.stats import t

from autoenc_bench.history import change_points


@pytest.mark.parametrize(("before", "after"), [(16, 16), (16, 8), (8, 16)])
def test_interval(before, after):
    """Two levels of the same spread have the textbook's interval, with the variance that clipping takes made good."""
    (change,) = change_points.find([1.0, 1.01] * (before // 2) + [1.2, 1.212] * (after // 2), 0.01)
    squares = (before + after) * (log(1.01) / 2) ** 2  # about their means
    variance = squares / (before + after - 2) / change_points.CLIPPED
    half_width = t.ppf(0.975, before + after - 2) * (variance * (1 / before + 1 / after)) ** 0.5
    assert change.index == before
    assert log(change.ratio) == pytest.approx(log(1.2))
    # A segment counts with its own variance where that is above the pooled one: up to 2 % here.
    assert log(change.high / change.ratio) == pytest.approx(half_width, rel=0.02)
    assert log(change.ratio / change.low) == pytest.approx(half_width, rel=0.02)
