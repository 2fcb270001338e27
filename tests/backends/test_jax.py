"""What the suite asks of JAX beyond the other backends: which devices it has, and how batches are shared among them."""

from types import SimpleNamespace

import numpy as np
import pytest

jax = pytest.importorskip("autoenc_bench.backends.jax", exc_type=ImportError)


def test_accelerators(monkeypatch):
    """Every device but the CPU is an accelerator, under the name of its kind."""
    devices = [("gpu", "An H200"), ("cpu", "cpu"), ("tpu", "A TPU")]
    found = [SimpleNamespace(platform=platform, device_kind=kind) for platform, kind in devices]
    monkeypatch.setattr(jax.jax, "local_devices", lambda: found)
    assert jax.accelerators() == ["An H200", "A TPU"]


@pytest.mark.parametrize(("replicas", "shared"), [(None, False), (1, True), (2, True), (4, True), (3, False)])
def test_batches_are_shared(monkeypatch, replicas, shared):
    """A batch is shared among replicas where Keras distributes, and where each gets as many rows."""
    distribution = SimpleNamespace(num_model_replicas=replicas, get_data_layout=lambda shape: ("layout", shape))
    monkeypatch.setattr(jax.keras.distribution, "distribution", lambda: distribution if replicas else None)
    monkeypatch.setattr(jax.keras.distribution, "distribute_tensor", lambda batch, layout: (batch, layout))
    batch = np.zeros((8, 3), np.float32)
    found = jax._shard(batch)
    assert (found == (batch, ("layout", (8, 3)))) if shared else (found is batch)
