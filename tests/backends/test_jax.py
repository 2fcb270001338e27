"""JAX lists its accelerators, and shards batches over the devices of Keras's distribution."""

from types import SimpleNamespace

import numpy as np
import pytest

jax = pytest.importorskip("autoenc_bench.backends.jax", exc_type=ImportError)


def test_accelerators(monkeypatch):
    """Every device except the CPU is an accelerator, named by its kind."""
    devices = [("gpu", "An H200"), ("cpu", "cpu"), ("tpu", "A TPU")]
    devices = [SimpleNamespace(platform=platform, device_kind=kind) for platform, kind in devices]
    monkeypatch.setattr(jax.jax, "local_devices", lambda: devices)
    assert jax.accelerators() == ["An H200", "A TPU"]


@pytest.mark.parametrize(("replicas", "is_sharded"), [(None, False), (1, True), (2, True), (4, True), (3, False)])
def test_shard(monkeypatch, replicas, is_sharded):
    """A batch is sharded where Keras distributes and every replica gets the same number of rows."""
    distribution = SimpleNamespace(num_model_replicas=replicas, get_data_layout=lambda shape: ("layout", shape))
    monkeypatch.setattr(jax.keras.distribution, "distribution", lambda: distribution if replicas else None)
    monkeypatch.setattr(jax.keras.distribution, "distribute_tensor", lambda batch, layout: (batch, layout))
    batch = np.zeros((8, 3), np.float32)
    result = jax._shard(batch)
    assert (result == (batch, ("layout", (8, 3)))) if is_sharded else (result is batch)
