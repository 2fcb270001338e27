"""A change counts from the smallest size that matters on."""

import pytest

from autoenc_bench.history import change_points


@pytest.mark.parametrize(("level", "found"), [(2.0, 1), (1.999, 0)])
def test_smallest_change(level, found):
    """A change of exactly the smallest size is seen, and one just below it is not."""
    values = [1.0] * 9 + [level] * 6 + [3.0] + [level] * 6  # a single slow run, so that the values reach further
    assert len(change_points.find(values, 1.0)) == found
