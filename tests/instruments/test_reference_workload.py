"""The reference workload is the same computation in every call and process."""

import numpy as np

from autoenc_bench.instruments import reference_workload


def test_seconds(monkeypatch):
    """The clock is read before and after all training, which leaves the arrays unchanged."""
    events, train = [], reference_workload._train
    monkeypatch.setattr(reference_workload, "_train", lambda *problem: events.append("train") or train(*problem))
    monkeypatch.setattr(reference_workload, "perf_counter", lambda: events.append("clock") or float(len(events)))
    before = [array.copy() for array in (*reference_workload._SMALL, *reference_workload._LARGE)]
    assert reference_workload.seconds() == 3
    assert events == ["clock", "train", "train", "clock"]
    for array, copy in zip((*reference_workload._SMALL, *reference_workload._LARGE), before, strict=True):
        np.testing.assert_array_equal(array, copy)
        assert array.dtype == np.float32


def test_problems_are_fixed():
    """The arrays are drawn from a fixed seed, so every process and every release computes the same."""
    samples, encoder, decoder = reference_workload._problem(*reference_workload.SMALL)
    assert (samples.shape, encoder.shape, decoder.shape) == ((100, 32), (32, 8), (8, 32))
    np.testing.assert_array_equal(samples, reference_workload._SMALL[0])
    assert float(samples[0, 0]) == np.float32(0.85062420)
