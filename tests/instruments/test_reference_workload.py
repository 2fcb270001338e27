"""The reference workload is the same computation each time."""

import numpy as np

from autoenc_bench.instruments import reference_workload


def test_seconds(monkeypatch):
    """Its seconds are those from its begin to its end, and it leaves what it computes with as it was."""
    did, train = [], reference_workload._train
    monkeypatch.setattr(reference_workload, "_train", lambda *problem: did.append("train") or train(*problem))
    monkeypatch.setattr(reference_workload, "perf_counter", lambda: did.append("look") or float(len(did)))
    before = [array.copy() for array in (*reference_workload._SMALL, *reference_workload._LARGE)]
    assert reference_workload.seconds() == 3
    assert did == ["look", "train", "train", "look"]
    for array, kept in zip((*reference_workload._SMALL, *reference_workload._LARGE), before, strict=True):
        np.testing.assert_array_equal(array, kept)
        assert array.dtype == np.float32


def test_problems_are_fixed():
    """The problem is drawn from one seed, so that every process and every release computes the same."""
    samples, encoder, decoder = reference_workload._problem(*reference_workload.SMALL)
    assert (samples.shape, encoder.shape, decoder.shape) == ((100, 32), (32, 8), (8, 32))
    np.testing.assert_array_equal(samples, reference_workload._SMALL[0])
    assert float(samples[0, 0]) == np.float32(0.85062420)
