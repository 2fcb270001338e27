"""How fast are encoding, decoding and reconstructing, with all test rows in one call and with one row per call?"""

from functools import partial

import numpy as np
import pytest

from autoenc_bench.core.training import repeat
from autoenc_bench.machine import roofline


@pytest.fixture
def rows(batch, split):
    """Return the samples of one call, shape (n, features)."""
    return split.test if batch == "bulk" else split.test[:1]


@pytest.fixture
def measure_calls(experiment, inference, rows, scale, measure):
    """Return a function that times several calls as one round, because one call is too short."""
    calls = scale.repeats(rows)
    work = roofline.inference(experiment, measure.phase, rows=len(rows), calls=calls)

    def run(call, values):
        counts = partial(inference.count, measure.phase, values)
        return measure(repeat, call, values, calls, rows=calls * len(rows), work=work, counts=counts)

    return run


def test_encode(experiment, inference, rows, measure_calls):
    """Encode samples: the notebook's encoder.predict."""
    codes = measure_calls(inference.encode, rows)
    assert codes.shape == (len(rows), experiment.code)


def test_decode(experiment, inference, rows, measure_calls):
    """Decode codes: the notebook's decoder.predict."""
    samples = measure_calls(inference.decode, inference.encode(rows))
    assert samples.shape == (len(rows), experiment.features)


def test_reconstruct(inference, rows, measure_calls):
    """Encode and decode samples in one program."""
    samples = measure_calls(inference.reconstruct, rows)
    np.testing.assert_allclose(samples, inference.decode(inference.encode(rows)), atol=1e-5)
