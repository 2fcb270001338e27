"""The backend is chosen by KERAS_BACKEND, and each has all that the seam asks for."""

import inspect

import numpy as np
import pytest

from autoenc_bench import backends


def test_default(monkeypatch):
    """Without a choice it is TensorFlow, and Keras is told so."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert backends.name() == "tensorflow"
    assert backends.os.environ["KERAS_BACKEND"] == "tensorflow"


def test_unknown(monkeypatch):
    """A backend that the suite cannot run is answered with those that it can."""
    monkeypatch.setenv("KERAS_BACKEND", "mxnet")
    with pytest.raises(LookupError, match="unknown backend KERAS_BACKEND='mxnet'; choose from tensorflow"):
        backends.name()


def test_offers_the_protocol():
    """The module in use has each function of the protocol, with its parameters."""
    module = backends.current()
    for name, function in inspect.getmembers(backends.Backend, inspect.isfunction):
        if not name.startswith("_"):
            asked = list(inspect.signature(function).parameters)[1:]
            assert list(inspect.signature(getattr(module, name)).parameters) == asked, name


def test_device_and_put():
    """The device has a name, and arrays arrive on it unchanged."""
    module = backends.current()
    assert backends.device() in ("CPU", *module.accelerators())
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(np.asarray(module.put(values)), values)
