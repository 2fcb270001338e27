"""The backend in use: ``KERAS_BACKEND`` selects it. Also its device, and what Keras is configured to do."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import cast

from autoenc_bench.backends.protocol import Backend
from autoenc_bench.exceptions import NotFoundError
from autoenc_bench.records.record import BACKENDS

DEFAULT = "tensorflow"
EPSILON = 1e-7  # Keras's default, to which the loss clips probabilities


def name() -> str:
    """Return the backend that Keras will use: ``KERAS_BACKEND``, or TensorFlow. Raises as ``check`` does."""
    chosen = os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or DEFAULT  # an empty value counts as unset
    check(chosen)
    return chosen


def check(backend: str) -> None:
    """Raise NotFoundError for a backend that this suite cannot run, or that is not installed."""
    if backend not in BACKENDS:
        raise NotFoundError(f"unknown backend {backend!r}; choose from {', '.join(BACKENDS)}")
    if not is_installed(backend):
        raise NotFoundError(f'backend {backend} is not installed; pip install "autoenc-bench[{backend}]"')


def is_installed(backend: str) -> bool:
    """Return whether a backend's packages are installed, without importing them."""
    return all(map(find_spec, BACKENDS[backend]))


def choose(backend: str | None) -> str:
    """Select a backend, or the default for ``None``; return its name. Call this before Keras is imported."""
    if backend is not None:
        os.environ["KERAS_BACKEND"] = backend
    return name()


def load() -> Backend:
    """Import Keras and return the module of the backend in use. Raises NotFoundError when the import fails."""
    try:
        import keras  # noqa: F401 - imported for its error alone
    except ImportError as problem:  # as with KERAS_NNX_ENABLED and no flax
        raise NotFoundError(f"Keras could not be loaded with the backend {name()}: {problem}") from problem
    return current()


def current() -> Backend:
    """Return the module of the backend in use."""
    return cast(Backend, import_module(f"autoenc_bench.backends.{name()}"))


def device() -> str:
    """Return the name of the device that runs the models."""
    return next(iter(current().accelerators()), "CPU")


def settings() -> str | None:
    """Return the settings of Keras that are not its defaults, as from keras.json, in words; ``None`` if all are."""
    from keras import config

    is_nnx = getattr(config, "is_nnx_enabled", lambda: False)
    modes = {
        f"epsilon {config.epsilon():g}": config.epsilon() != EPSILON,
        config.image_data_format(): config.image_data_format() != "channels_last",
        "NNX": is_nnx(),
    }
    return ", ".join(mode for mode, is_unusual in modes.items() if is_unusual) or None


def precision() -> str:
    """Return the type of the numbers that Keras computes with, such as ``float32`` or ``mixed_float16``."""
    from keras import config

    return str(config.dtype_policy().name)
