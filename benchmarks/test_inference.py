"""How fast are encoding, decoding and reconstructing, for the test rows in one call and for one row at a time?"""

import numpy as np
import pytest

from autoenc_bench.core.training import repeat
from autoenc_bench.machine import roofline


@pytest.fixture
def rows(batch, split):
    """Return the samples of one call."""
    return split.test if batch == "bulk" else split.test[:1]


@pytest.fixture
def measure_calls(experiment, inference, rows, scale, measure):
    """Return a function that times calls on these values, as many as the rows allow in a round."""
    calls = scale.repeats(rows)
    done = roofline.inference(experiment, measure.phase, rows=len(rows), calls=calls)

    def run(call, values):
        def count():
            return inference.count(measure.phase, values)  # which older code has none of

        return measure(repeat, call, values, calls, rows=calls * len(rows), work=done, counts=count)

    return run


def test_encode(experiment, inference, rows, measure_calls):
    """Give the codes of samples."""
    codes = measure_calls(inference.encode, rows)
    assert codes.shape == (len(rows), experiment.code)


def test_decode(experiment, inference, rows, measure_calls):
    """Give the samples that codes stand for."""
    samples = measure_calls(inference.decode, inference.encode(rows))
    assert samples.shape == (len(rows), experiment.features)


def test_reconstruct(inference, rows, measure_calls):
    """Encode and decode samples in one program."""
    samples = measure_calls(inference.reconstruct, rows)
    np.testing.assert_allclose(samples, inference.decode(inference.encode(rows)), atol=1e-5)
