"""How fast are encoding, decoding and reconstructing, for the test rows in one call and for one row at a time?"""

import numpy as np
import pytest

from autoenc_bench.training import repeat


@pytest.fixture
def rows(batch, split):
    """Return the samples of one call."""
    return split.test if batch == "bulk" else split.test[:1]


def test_encode(experiment, inference, rows, scale, measure):
    """Give the codes of samples."""
    times = scale.repeats(rows)
    codes = measure(repeat, inference.encode, rows, times, rows=times * len(rows))
    assert codes.shape == (len(rows), experiment.code)


def test_decode(experiment, inference, rows, scale, measure):
    """Give the samples that codes stand for."""
    codes = inference.encode(rows)
    times = scale.repeats(rows)
    samples = measure(repeat, inference.decode, codes, times, rows=times * len(rows))
    assert samples.shape == (len(rows), experiment.features)


def test_reconstruct(inference, rows, scale, measure):
    """Encode and decode samples in one program."""
    times = scale.repeats(rows)
    samples = measure(repeat, inference.reconstruct, rows, times, rows=times * len(rows))
    np.testing.assert_allclose(samples, inference.decode(inference.encode(rows)), atol=1e-5)
