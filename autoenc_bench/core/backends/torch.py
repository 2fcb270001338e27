"""PyTorch: a training step is recorded once, and replayed as its plain tensor operations; calls run as they are.

What a replay leaves out is Keras's own Python, which takes longer than the arithmetic. ``torch.compile`` would need a
C++ compiler on every machine and half a minute for each program.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch.fx.experimental.proxy_tensor import make_fx


def configure(threads: int | None) -> None:
    """Limit PyTorch's two thread pools; too late, and so an error of PyTorch's, once it has run."""
    if threads is not None:
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(threads)


def accelerators() -> list[str]:
    """Name the GPUs."""
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def reset_peak_memory() -> None:
    """Forget how much memory the first GPU held at most."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> int | None:
    """Give the most bytes that were allocated on the first GPU since; PyTorch keeps no account of CPUs."""
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def put(values: NDArray[Any]) -> torch.Tensor:
    """Copy an array to the device that Keras uses."""
    tensor: torch.Tensor = keras.ops.convert_to_tensor(values)
    return tensor


def compile_call(
    function: Callable[[torch.Tensor], torch.Tensor],
) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Call a function of one tensor without recording gradients."""

    def call(values: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            result: NDArray[np.float32] = function(put(values)).cpu().numpy()
        return result

    return call


def compile_epoch(
    model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer, batch_size: int
) -> Callable[[torch.Tensor, torch.Tensor, NDArray[np.int32]], tuple[float, float]]:
    """Record a step once per batch size; an epoch replays it over gathered batches, the partial one last."""
    weights = model.trainable_variables
    variables = [*weights, *model.non_trainable_variables, *optimizer.variables]
    recorded: dict[int, Callable[[list[torch.Tensor], torch.Tensor], tuple[list[torch.Tensor], torch.Tensor]]] = {}

    def step(values: list[torch.Tensor], batch: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Give the variables' values after a step on a batch (b, d), and the loss before it."""
        trained = [value.detach().requires_grad_() for value in values[: len(weights)]]
        state = [*trained, *values[len(weights) :]]
        with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))) as scope:
            value = loss(batch, model(batch, training=True))
            optimizer.apply(torch.autograd.grad(value, trained), weights)
            after = [scope.get_current_value(variable).detach() for variable in variables]
        return after, value.detach()

    def epoch(train: torch.Tensor, test: torch.Tensor, order: NDArray[np.int32]) -> tuple[float, float]:
        values = [variable.value.detach().clone() for variable in variables]
        total = torch.zeros((), device=train.device)
        for rows in torch.split(put(order.astype(np.int64)), batch_size):
            batch = train[rows]
            if len(rows) not in recorded:
                with torch.enable_grad():
                    recorded[len(rows)] = make_fx(step)([value.clone() for value in values], batch)
            values, value = recorded[len(rows)](values, batch)
            total += len(rows) * value
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        return float(total) / len(train), float(loss(test, model(test, training=False)))

    def run(train: torch.Tensor, test: torch.Tensor, order: NDArray[np.int32]) -> tuple[float, float]:
        with torch.no_grad():
            return epoch(train, test, order)

    return run


def compile_stream(
    model: keras.Model,  # noqa: ARG001 - the seam's parameters
    loss: keras.losses.Loss,  # noqa: ARG001 - the same
    optimizer: keras.Optimizer,  # noqa: ARG001 - the same
    draw: Callable[[torch.Tensor, int], torch.Tensor],  # noqa: ARG001 - the same
) -> tuple[Callable[[int, int, int], float], Callable[[torch.Tensor], float]]:
    """Raise LookupError: there is no compiled program here that could draw rows."""
    raise LookupError("streamed rows are drawn by a compiled program, and torch runs none here; take another backend")
