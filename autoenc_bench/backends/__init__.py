"""The one seam to Keras's backends: each module here implements the protocol ``Backend`` its own way."""

import os
import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import distributions
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.exceptions import NotFoundError
from autoenc_bench.records.record import BACKENDS

if TYPE_CHECKING:
    import keras

DEFAULT = "tensorflow"
EPSILON = 1e-7  # Keras's usual one, to which the loss clips probabilities

P = ParamSpec("P")
T = TypeVar("T")
BLOCK = 1_024, 2**17  # test rows and values that are validated at once, at most: they stay in a cache


@dataclass(frozen=True)
class Program(Generic[P, T]):
    """A function that is compiled once per shape of its arguments."""

    run: Callable[P, T]
    text: Callable[P, str] | None = None  # of the optimised program, as XLA prints it, where there is one


Call = Program[[NDArray[np.float32]], NDArray[np.float32]]
EpochProgram = Program[[Any, Any, NDArray[np.int32], int, int], tuple[float, float]]
StreamPrograms = tuple[Program[[int, int, int], float], Program[[Any, int], float]]


class Trainable(NamedTuple):
    """A model with the loss that its training lowers and the optimizer that does so."""

    model: "keras.Model"
    loss: "keras.losses.Loss"
    optimizer: "keras.Optimizer"


class Backend(Protocol):
    """A backend's module, documented here for all of them."""

    def configure(self, threads: int | None) -> None:
        """Limit the backend to that many threads (``None``: as many as it likes) before it runs anything."""

    def accelerators(self) -> list[str]:
        """List the accelerators that the backend sees; it runs models on the first, else on the CPU."""

    def versions(self) -> dict[str, str]:
        """Return the versions of ``cuda``, ``cudnn`` or ``rocm`` that it runs accelerators with, as far as known."""

    def reset_peak_memory(self) -> None:
        """Forget the first accelerator's peak of memory, where there is one and it can be forgotten."""

    def peak_memory(self) -> int | None:
        """Return the most bytes that were allocated on the first accelerator since; ``None`` where nobody counts."""

    def put(self, values: NDArray[Any]) -> Any:
        """Copy an array to the device, once, outside every clock."""

    def keep(self, variables: Sequence["keras.Variable"]) -> Callable[[], None]:
        """Return what brings variables back to the values that they have now, in less than a millisecond."""

    def compile_call(self, function: Callable[[Any], Any]) -> Call:
        """Compile a function of one tensor, once per input shape: host array in, host array out."""

    def compile_epoch(self, trainable: Trainable, batch_size: int) -> EpochProgram:
        """Compile a training epoch and its validation into one program, for slices as well.

        The program takes train (n, d) and test (m, d) on the device, the order of the n training rows, how many of
        these to train on, whole batches or all, and on how many test rows to validate. It updates the model's and the
        optimizer's variables in place, and returns plain floats: the loss averaged over the training rows as they were
        met, and the loss on the test rows afterwards. Both numbers are arguments on a CPU; an accelerator gets a
        program for each, since nobody has measured there what loops of unknown length cost.
        """

    def compile_stream(self, trainable: Trainable, draw: Callable[[Any, int], Any]) -> StreamPrograms:
        """Compile training on rows that the program itself draws, and validation.

        ``draw`` returns a batch (rows, d) from the number of its first row, a uint32 scalar of the backend's, and its
        size. The first program takes the number of its first row, how many steps to do and the batch size, updates
        the variables in place, and returns the sum of the steps' losses; the second one returns the loss on the first
        rows of test (m, d) on the device, so many. Raises NotFoundError where no program is compiled.
        """

    def seed(self, seed: int) -> None:
        """Seed the generator that Keras's ``fit`` shuffles with.

        ``keras.utils.set_random_seed`` would load TensorFlow on every backend, which takes four seconds.
        """

    def without_tuning(self) -> AbstractContextManager[None]:
        """Keep pipelines of data from tuning themselves: the tuning thread sleeps, and their end waits for it."""


def keep_each(variables: Sequence["keras.Variable"]) -> Callable[[], None]:
    """Keep variables on the host, as ``Backend.keep`` does: ``fit`` on JAX deletes the arrays that it is given."""
    values = [np.asarray(variable).copy() for variable in variables]

    def restore() -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return restore


def packaged_versions() -> dict[str, str]:
    """Return the versions of CUDA and cuDNN where they are installed as packages, as ``jax[cuda12]`` does it."""
    kinds = {"nvidia-cuda-runtime": "cuda", "nvidia-cudnn": "cudnn"}
    found = {}
    for distribution in distributions():
        package = re.sub(r"-cu\d+$", "", str(distribution.metadata["Name"]).lower())
        if package in kinds:
            found[kinds[package]] = distribution.version
    return found


def block(test: Any) -> int:
    """Return how many of these test rows (m, d) are validated at once: on an accelerator all."""
    if current().accelerators():
        return int(test.shape[0])
    rows, values = BLOCK
    return max(1, min(int(test.shape[0]), rows, values // int(test.shape[1])))


def name() -> str:
    """Return the backend that Keras will use, ``KERAS_BACKEND`` or else TensorFlow, once it is checked."""
    chosen = os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or DEFAULT  # an empty one is none
    check(chosen)
    return chosen


def check(backend: str) -> None:
    """Raise NotFoundError for a backend that this suite cannot run, or that is not installed."""
    if backend not in BACKENDS:
        raise NotFoundError(f"unknown backend {backend!r}; choose from {', '.join(BACKENDS)}")
    if not is_installed(backend):
        raise NotFoundError(f'backend {backend} is not installed; pip install -e ".[{backend}]"')


def is_installed(backend: str) -> bool:
    """Return whether a backend's packages are there, without importing them."""
    return all(map(find_spec, BACKENDS[backend]))


def choose(backend: str | None) -> str:
    """Make Keras use a backend, or the usual one for ``None``; return its name. Call it before Keras is loaded."""
    if backend is not None:
        os.environ["KERAS_BACKEND"] = backend
    return name()


def load() -> Backend:
    """Load Keras, and return the module of the backend in use; raise NotFoundError where Keras cannot be loaded."""
    try:
        import keras  # noqa: F401 - loaded for its error alone
    except ImportError as problem:  # as with KERAS_NNX_ENABLED and no flax
        raise NotFoundError(f"Keras could not be loaded with the backend {name()}; it says: {problem}") from problem
    return current()


def current() -> Backend:
    """Return the module of the backend in use."""
    return cast(Backend, import_module(f"autoenc_bench.backends.{name()}"))


def device() -> str:
    """Return the name of the device that runs the models."""
    return next(iter(current().accelerators()), "CPU")


def settings() -> str | None:
    """Return in words what Keras is configured to do otherwise than usual, as by keras.json; ``None`` for nothing."""
    from keras import config

    is_nnx = getattr(config, "is_nnx_enabled", lambda: False)
    modes = {
        f"epsilon {config.epsilon():g}": config.epsilon() != EPSILON,
        config.image_data_format(): config.image_data_format() != "channels_last",
        "NNX": is_nnx(),
    }
    return ", ".join(word for word, is_unusual in modes.items() if is_unusual) or None


def precision() -> str:
    """Return the type of the numbers that Keras computes with: ``float32``, ``mixed_float16``, …."""
    from keras import config

    return str(config.dtype_policy().name)
