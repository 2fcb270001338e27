"""PyTorch: a training step is recorded once, and replayed as its plain tensor operations; calls run as they are.

What a replay leaves out is Keras's own Python, which takes longer than the arithmetic. ``torch.compile`` would need a
C++ compiler on every machine and half a minute for each program.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch.fx.experimental.proxy_tensor import make_fx

from autoenc_bench.backends import Call, EpochProgram, Program, Trainable, keep_each
from autoenc_bench.exceptions import NotFoundError


def configure(threads: int | None) -> None:
    if threads is not None:  # too late, and so an error of PyTorch's, once it has run
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(threads)


def accelerators() -> list[str]:
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def versions() -> dict[str, str]:
    known = {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "rocm": torch.version.hip}
    return {name: str(version) for name, version in known.items() if version}


def reset_peak_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> int | None:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def put(values: NDArray[Any]) -> Any:
    return keras.ops.convert_to_tensor(values)


keep = keep_each


def compile_call(function: Callable[[torch.Tensor], torch.Tensor]) -> Call:
    def call(values: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(function(put(values)).cpu())

    return Program(call)


def compile_epoch(trainable: Trainable, batch_size: int) -> EpochProgram:
    model, loss, optimizer = trainable
    weights = model.trainable_variables
    variables = [*weights, *model.non_trainable_variables, *optimizer.variables]
    recorded: dict[int, Callable[[list[torch.Tensor], torch.Tensor], tuple[list[torch.Tensor], torch.Tensor]]] = {}

    def step(values: list[torch.Tensor], batch: torch.Tensor) -> tuple[list[torch.Tensor], torch.Tensor]:
        """Return the variables' values after a step on a batch (b, d), and the loss before it."""
        trained = [value.detach().requires_grad_() for value in values[: len(weights)]]
        state = [*trained, *values[len(weights) :]]
        with keras.StatelessScope(state_mapping=list(zip(variables, state, strict=True))) as scope:
            value = loss(batch, model(batch, training=True))
            optimizer.apply(torch.autograd.grad(value, trained), weights)
            after = [scope.get_current_value(variable).detach() for variable in variables]
        return after, value.detach()

    def record(train: torch.Tensor, size: int) -> None:
        with torch.enable_grad():
            recorded[size] = make_fx(step)([variable.value.detach().clone() for variable in variables], train[:size])

    def epoch(train: Any, test: Any, order: NDArray[np.int32], rows: int, test_rows: int) -> tuple[float, float]:
        if not recorded:
            for size in {min(len(train), batch_size), len(train) % batch_size} - {0}:
                record(train, size)
        values = [variable.value.detach().clone() for variable in variables]
        total = torch.zeros((), device=train.device)
        for chosen in torch.split(put(order[:rows].astype(np.int64)), batch_size):
            values, value = recorded[len(chosen)](values, train[chosen])
            total += len(chosen) * value
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        test = test[:test_rows]
        return float(total) / rows, float(loss(test, model(test, training=False)))

    return Program(torch.no_grad()(epoch))


def compile_stream(trainable: Trainable, draw: Callable[[torch.Tensor, int], Any]) -> NoReturn:
    raise NotFoundError("streamed rows are drawn by a compiled program, and torch runs none here; take another backend")


def seed(seed: int) -> None:
    torch.manual_seed(seed)


def without_tuning() -> AbstractContextManager[None]:
    return nullcontext()  # nothing tunes itself
