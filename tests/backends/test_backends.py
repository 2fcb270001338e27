"""KERAS_BACKEND selects the backend, and each backend implements the protocol."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from suite_runs import QUICK, TIMING

from autoenc_bench.backends import protocol, selection

TESTS = Path(__file__).parents[1]


def test_default(monkeypatch):
    """The default is TensorFlow, also for Keras; an empty variable counts as unset."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert selection.name() == "tensorflow"
    assert selection.os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "")
    assert selection.name() == selection.os.environ["KERAS_BACKEND"] == "tensorflow"


def test_unknown(monkeypatch):
    """The error for a backend that the suite cannot run lists those that it can."""
    monkeypatch.setenv("KERAS_BACKEND", "mxnet")
    with pytest.raises(LookupError, match="unknown backend 'mxnet'; choose from tensorflow, jax, torch"):
        selection.name()


def test_protocol():
    """The module in use has each function of the protocol, with its parameters."""
    module = selection.current()
    for name, function in inspect.getmembers(protocol.Backend, inspect.isfunction):
        if not name.startswith("_"):
            parameters = list(inspect.signature(function).parameters)[1:]
            assert list(inspect.signature(getattr(module, name)).parameters) == parameters, name


def test_device_and_put():
    """The device has a name, and arrays arrive on it unchanged."""
    module = selection.current()
    assert selection.device() in ("CPU", *module.accelerators())
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(np.asarray(module.put(values)), values)


def test_key_of_the_hlo_cache(monkeypatch):
    """The HLO cache depends on the source and on its constants, also on those too long to be printed."""
    module = selection.current()
    if selection.name() != "tensorflow" or module.accelerators():
        pytest.skip("only TensorFlow on a CPU uses the HLO cache")
    keys = []
    monkeypatch.setattr(module.hlo_cache, "text", lambda facts, make: keys.append(repr(facts)) or make())

    def text(factors):
        return module.compile_call(lambda values: values * factors).texts(factors)

    factors = np.arange(100, dtype=np.float32)
    for constants in (factors, factors, factors[:50], factors + 1):
        text(constants)
    assert keys[0] == keys[1]
    monkeypatch.setenv("XLA_FLAGS", "")
    module._compiler.cache_clear()
    text(factors)
    assert len(set(keys)) == 4


def test_choose(monkeypatch):
    """``choose`` replaces the value of the variable, which Keras reads."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert selection.choose("tensorflow") == "tensorflow"
    assert selection.os.environ["KERAS_BACKEND"] == "tensorflow"


def test_not_installed(monkeypatch):
    """The error for a backend that is not installed says how to install it."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # monkeypatch then undoes the choice too
    monkeypatch.setattr(selection, "find_spec", lambda name: name != "jaxlib")
    with pytest.raises(LookupError, match=r'backend jax is not installed; pip install "autoenc-bench\[jax\]"'):
        selection.choose("jax")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend):
    """On each backend both trainers do the same arithmetic, resets undo it, and the protocol is implemented."""
    if not selection.is_installed(backend):
        pytest.skip(f"{backend} is not installed")
    chosen = "equals and not complex or loads or reset or warm or history or blocks or protocol or device"
    files = TESTS / "core" / "test_training.py", __file__
    tests = [*files, "-k", chosen, "-W", "default", "-p", "no:cacheprovider", *TIMING]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *map(str, tests)],
        cwd=TESTS.parent,
        env={**os.environ, **QUICK, "KERAS_BACKEND": backend},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout
