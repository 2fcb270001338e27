"""A seed gives three independent streams, the same each time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoenc_bench.core.seeds import STREAMS, generator


@given(st.integers(0, 2**32), st.sampled_from(STREAMS))
def test_same_seed_same_stream(seed, stream):
    """The same seed and purpose draw the same numbers."""
    np.testing.assert_array_equal(generator(seed, stream).random(4), generator(seed, stream).random(4))


@given(st.integers(0, 2**32))
def test_purposes_are_independent(seed):
    """Different purposes of a seed draw different numbers, and so do different seeds."""
    draws = [tuple(generator(seed, stream).random(4)) for stream in STREAMS]
    assert len({*draws, tuple(generator(seed + 1, "data").random(4))}) == len(STREAMS) + 1


def test_refuses_a_negative_seed():
    """A negative seed is refused."""
    with pytest.raises(ValueError, match="seed is -1; it must be 0 or more"):
        generator(-1, "data")
