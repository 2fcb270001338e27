"""The one seam to Keras's backends: each module here does the same few things its own way."""

import os
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Protocol, cast

from autoenc_bench.records.record import BACKENDS

if TYPE_CHECKING:
    from collections.abc import Callable

    import keras
    import numpy as np
    from numpy.typing import NDArray

DEFAULT = "tensorflow"


class Backend(Protocol):
    """What a backend's module offers."""

    def configure(self, threads: int | None) -> None:
        """Limit the backend to that many threads (``None``: as many as it likes) before it runs anything."""

    def accelerators(self) -> list[str]:
        """Name the accelerators that the backend sees; it runs models on the first, else on the CPU."""

    def reset_peak_memory(self) -> None:
        """Forget how much memory the first accelerator held at most, where there is one."""

    def peak_memory(self) -> int | None:
        """Give the most bytes that were allocated on the first accelerator since; ``None`` without one."""

    def put(self, values: "NDArray[Any]") -> Any:
        """Copy an array to the device, once, outside every clock."""

    def compile_call(self, function: "Callable[[Any], Any]") -> "Callable[[NDArray[np.float32]], NDArray[np.float32]]":
        """Compile a function of one tensor, once per input shape: host array in, host array out."""

    def compile_epoch(
        self, model: "keras.Model", loss: "keras.losses.Loss", optimizer: "keras.Optimizer", batch_size: int
    ) -> "Callable[[Any, Any, NDArray[np.int32]], tuple[float, float]]":
        """Compile a whole training epoch and its validation into one program.

        The program takes train (n, d) and test (m, d) on the device and the order of the n training rows,
        updates the model's and the optimizer's variables in place, and returns plain floats: the loss
        averaged over the training rows as they were met, and the loss on the test rows afterwards.
        """

    def compile_stream(
        self,
        model: "keras.Model",
        loss: "keras.losses.Loss",
        optimizer: "keras.Optimizer",
        draw: "Callable[[Any, int], Any]",
    ) -> "tuple[Callable[[int, int, int], float], Callable[[Any], float]]":
        """Compile training on rows that the program itself draws, and validation.

        ``draw`` gives a batch (rows, d) from the number of its first row, a uint32 scalar of the backend's, and its
        size. The first program takes the number of its first row, how many steps to do and the batch size, updates
        the variables in place, and returns the sum of the steps' losses; the second one gives the loss on test
        (m, d) on the device. Raises LookupError where no program is compiled.
        """


def name() -> str:
    """Return the backend that Keras will use: ``KERAS_BACKEND``, else TensorFlow.

    Raises LookupError for one that this suite cannot run, or that is not installed.
    """
    chosen = os.environ.setdefault("KERAS_BACKEND", DEFAULT)
    check(chosen)
    return chosen


def check(backend: str) -> None:
    """Raise LookupError for a backend that this suite cannot run, or that is not installed."""
    if backend not in BACKENDS:
        raise LookupError(f"unknown backend {backend!r}; choose from {', '.join(BACKENDS)}")
    if not is_installed(backend):
        raise LookupError(f'backend {backend} is not installed; pip install -e ".[{backend}]"')


def is_installed(backend: str) -> bool:
    """Tell whether a backend's packages are there, without importing them."""
    return all(map(find_spec, BACKENDS[backend]))


def choose(backend: str | None) -> str:
    """Make Keras use a backend, or the usual one for ``None``; return its name. Call it before Keras is loaded.

    Raises LookupError as ``name`` does.
    """
    if backend is not None:
        os.environ["KERAS_BACKEND"] = backend
    return name()


def current() -> Backend:
    """Return the module of the backend in use."""
    return cast(Backend, import_module(f"autoenc_bench.core.backends.{name()}"))


def device() -> str:
    """Name the device that runs the models."""
    return next(iter(current().accelerators()), "CPU")


def precision() -> str:
    """Name the numbers that Keras computes with: ``float32``, ``mixed_float16``, …."""
    from keras import config

    return str(config.dtype_policy().name)
