"""What each backend's module offers, the types of its compiled functions, and the parts that several backends share."""

import re
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

P = ParamSpec("P")
T = TypeVar("T")
BLOCK = 1_024, 2**17  # the most test rows, and the most values, that a CPU validates at once: they fit in its cache


@dataclass(frozen=True)
class CompiledFunction(Generic[P, T]):
    """A function that is compiled once per shape of its arguments."""

    run: Callable[P, T]
    texts: Callable[P, list[str]] = lambda *_, **__: []  # returns the optimised programs as XLA prints them


CompiledCall = CompiledFunction[[NDArray[np.float32]], NDArray[np.float32]]
CompiledEpoch = CompiledFunction[[Any, Any, NDArray[np.int32], int, int], tuple[float, float]]
CompiledStream = tuple[CompiledFunction[[int, int, int], float], CompiledFunction[[Any, int], float]]


class Trainable(NamedTuple):
    """A model, the loss that training lowers, and the optimizer that updates the weights."""

    model: "keras.Model"
    loss: "keras.losses.Loss"
    optimizer: "keras.Optimizer"


class Backend(Protocol):
    """The functions of a backend's module. They are documented here, for all backends."""

    def configure(self, threads: int | None) -> None:
        """Limit the backend to that many threads (``None``: no limit) before it runs anything."""

    def accelerators(self) -> list[str]:
        """List the accelerators that the backend sees. Models run on the first one, or on the CPU if there is none."""

    def versions(self) -> dict[str, str]:
        """Return the versions of ``cuda``, ``cudnn`` and ``rocm`` that the backend uses, as far as they are known."""

    def reset_peak_memory(self) -> None:
        """Reset the first accelerator's peak memory, where the backend can."""

    def peak_memory(self) -> int | None:
        """Return the peak bytes on the first accelerator since the reset; ``None`` where the backend has no counter."""

    def put(self, values: NDArray[Any]) -> Any:
        """Copy an array to the device. The trainers do this once, before the clock runs."""

    def keep(self, variables: Sequence["keras.Variable"]) -> Callable[[], None]:
        """Save the variables' values; return a function that restores them in less than a millisecond."""

    def compile_call(self, function: Callable[[Any], Any]) -> CompiledCall:
        """Compile a function of one tensor, once per input shape. It takes and returns an array on the host."""

    def compile_epoch(self, trainable: Trainable, batch_size: int) -> CompiledEpoch:
        """Compile one training epoch and its validation into one program, which also serves slices of the rows.

        Its arguments: train (n, d) and test (m, d) on the device; the order of the n training rows, int32; the number
        of rows to train on, whole batches or all; the number of test rows to validate on. It updates the variables of
        the model and the optimizer in place. It returns two plain floats: the training loss, averaged over the rows
        while the weights change, and the loss on the test rows after the last step. On a CPU both numbers are
        arguments of one program. An accelerator gets a program for each number: loops of variable length have not
        been measured there.
        """

    def compile_stream(self, trainable: Trainable, draw: Callable[[Any, int], Any]) -> CompiledStream:
        """Compile training on rows that the program draws itself, and validation.

        ``draw`` takes the number of a batch's first row (a uint32 scalar on the device) and the batch size b, and
        returns the batch (b, d). The first program takes the number of its first row, the number of steps and b; it
        updates the variables in place and returns the sum of the steps' losses. The second takes test (m, d) on the
        device and a number; it returns the loss on that many first rows. Raises NotFoundError without XLA.
        """

    def seed(self, seed: int) -> None:
        """Seed the generator that Keras's ``fit`` shuffles with.

        ``keras.utils.set_random_seed`` would load TensorFlow on every backend, which takes four seconds.
        """

    def without_tuning(self) -> AbstractContextManager[None]:
        """Turn off the autotuning of data pipelines: its thread sleeps, and a pipeline waits for it at its end."""


def keep_each(variables: Sequence["keras.Variable"]) -> Callable[[], None]:
    """Implement ``Backend.keep`` by copies on the host: ``fit`` on JAX deletes the arrays that it gets."""
    values = [np.asarray(variable).copy() for variable in variables]

    def restore() -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return restore


def packaged_versions() -> dict[str, str]:
    """Return the versions of CUDA and cuDNN that are installed as Python packages, as ``jax[cuda12]`` installs them."""
    kinds = {"nvidia-cuda-runtime": "cuda", "nvidia-cudnn": "cudnn"}
    packages = {re.sub(r"-cu\d+$", "", str(one.metadata["Name"]).lower()): one.version for one in distributions()}
    return {kind: packages[package] for package, kind in kinds.items() if package in packages}


def block(test: Any, accelerators: list[str]) -> int:
    """Return how many of the test rows (m, d) are validated at once: all of them on an accelerator."""
    if accelerators:
        return int(test.shape[0])
    rows, values = BLOCK
    return max(1, min(int(test.shape[0]), rows, values // int(test.shape[1])))
