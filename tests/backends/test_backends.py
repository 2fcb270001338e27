"""The backend is chosen by KERAS_BACKEND, and each has all that the seam asks for."""

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
    """Without a choice it is TensorFlow, and Keras is told so."""
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    assert selection.name() == "tensorflow"
    assert selection.os.environ["KERAS_BACKEND"] == "tensorflow"
    monkeypatch.setenv("KERAS_BACKEND", "")  # an empty one is none
    assert selection.name() == selection.os.environ["KERAS_BACKEND"] == "tensorflow"


def test_unknown(monkeypatch):
    """A backend that the suite cannot run is answered with those that it can."""
    monkeypatch.setenv("KERAS_BACKEND", "mxnet")
    with pytest.raises(LookupError, match="unknown backend 'mxnet'; choose from tensorflow, jax, torch"):
        selection.name()


def test_offers_the_protocol():
    """The module in use has each function of the protocol, with its parameters."""
    module = selection.current()
    for name, function in inspect.getmembers(protocol.Backend, inspect.isfunction):
        if not name.startswith("_"):
            asked = list(inspect.signature(function).parameters)[1:]
            assert list(inspect.signature(getattr(module, name)).parameters) == asked, name


def test_device_and_put():
    """The device has a name, and arrays arrive on it unchanged."""
    module = selection.current()
    assert selection.device() in ("CPU", *module.accelerators())
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    np.testing.assert_array_equal(np.asarray(module.put(values)), values)


def test_what_a_kept_program_depends_on(monkeypatch):
    """An optimised program is kept for one source and its constants, also where these are too long to be printed."""
    module = selection.current()
    if selection.name() != "tensorflow" or module.accelerators():
        pytest.skip("nothing is kept")
    asked = []
    monkeypatch.setattr(module.hlo_cache, "text", lambda facts, make: asked.append(repr(facts)) or make())

    def text(factors):
        return module.compile_call(lambda values: values * factors).text(factors)

    factors = np.arange(100, dtype=np.float32)
    for other in (factors, factors, factors[:50], factors + 1):
        text(other)
    assert asked[0] == asked[1]
    monkeypatch.setenv("XLA_FLAGS", "")
    module._compiler.cache_clear()
    text(factors)
    assert len(set(asked)) == 4


def test_chosen(monkeypatch):
    """A choice counts for more than the variable, and Keras is told of it."""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert selection.choose("tensorflow") == "tensorflow"
    assert selection.os.environ["KERAS_BACKEND"] == "tensorflow"


def test_not_installed(monkeypatch):
    """A backend that is not there is answered with how to install it."""
    monkeypatch.setenv("KERAS_BACKEND", "tensorflow")  # which is undone at the end, and the choice with it
    monkeypatch.setattr(selection, "find_spec", lambda name: name != "jaxlib")
    with pytest.raises(LookupError, match=r'backend jax is not installed; pip install -e "\.\[jax\]"'):
        selection.choose("jax")


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend):
    """On each backend both trainers do the same arithmetic, resets undo them, and the seam is all there."""
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
