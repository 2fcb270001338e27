"""How fast are encoding, decoding and reconstructing, for all rows in one call and for one row at a time?"""

import numpy as np

from autoenc_bench.training import repeat


def timed(call, batch, values, scale, measure):
    """Time a call on all values, or ``scale.calls`` times on the first one; return what it gives."""
    if batch == "bulk":
        return measure(call, values, rows=len(values))
    measure(repeat, call, values[:1], scale.calls, rows=scale.calls)
    return call(values[:1])


def test_encode(experiment, batch, inference, split, scale, measure):
    """Give the codes of samples."""
    codes = timed(inference.encode, batch, split.train, scale, measure)
    assert codes.shape[1] == experiment.code


def test_decode(experiment, batch, inference, split, scale, measure):
    """Give the samples that codes stand for."""
    codes = inference.encode(split.train)
    samples = timed(inference.decode, batch, codes, scale, measure)
    assert samples.shape[1] == experiment.features


def test_reconstruct(batch, inference, split, scale, measure):
    """Encode and decode samples in one program."""
    samples = timed(inference.reconstruct, batch, split.train, scale, measure)
    again = inference.decode(inference.encode(split.train[: len(samples)]))
    np.testing.assert_allclose(samples, again, atol=1e-5)
