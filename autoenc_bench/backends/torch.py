"""PyTorch: a training step is recorded once and replayed as plain tensor operations; inference calls run as they are.

A replay skips Keras's own Python, which takes longer than the arithmetic. ``torch.compile`` would need a C++ compiler
on every machine, and half a minute for each program.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NoReturn

import keras
import numpy as np
import torch
from numpy.typing import NDArray
from torch.fx.experimental.proxy_tensor import make_fx

from autoenc_bench.backends import protocol
from autoenc_bench.backends.adam_step import TorchStep, torch_step
from autoenc_bench.backends.protocol import CompiledCall, CompiledEpoch, CompiledFunction, Trainable
from autoenc_bench.exceptions import NotFoundError


def configure(threads: int | None) -> None:
    if threads is not None:  # PyTorch raises an error when it has run before
        torch.set_num_threads(threads)
        torch.set_num_interop_threads(threads)


def accelerators() -> list[str]:
    return [torch.cuda.get_device_name(number) for number in range(torch.cuda.device_count())]


def versions() -> dict[str, str]:
    libraries = {"cuda": torch.version.cuda, "cudnn": torch.backends.cudnn.version(), "rocm": torch.version.hip}
    return {name: str(version) for name, version in libraries.items() if version}


def reset_peak_memory() -> None:
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def peak_memory() -> int | None:
    return torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None


def put(values: NDArray[Any]) -> Any:
    return keras.ops.convert_to_tensor(values)


keep = protocol.keep_each


def compile_call(function: Callable[[torch.Tensor], torch.Tensor]) -> CompiledCall:
    def call(values: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.inference_mode():
            return np.asarray(function(put(values)).cpu())

    return CompiledFunction(call)


def compile_epoch(trainable: Trainable, batch_size: int) -> CompiledEpoch:
    model, loss, optimizer = trainable
    variables = [*model.trainable_variables, *model.non_trainable_variables, *optimizer.variables]
    step = torch_step(trainable, variables)
    recorded: dict[int, TorchStep] = {}  # by batch size

    def epoch(train: Any, test: Any, order: NDArray[np.int32], rows: int, test_rows: int) -> tuple[float, float]:
        values = [variable.value.detach().clone() for variable in variables]
        if not recorded:
            for size in {min(len(train), batch_size), len(train) % batch_size} - {0}:
                with torch.enable_grad():
                    recorded[size] = make_fx(step)([value.clone() for value in values], train[:size])
        total = torch.zeros((), device=train.device)
        for chosen in torch.split(put(order[:rows].astype(np.int64)), batch_size):
            values, value = recorded[len(chosen)](values, train[chosen])
            total += len(chosen) * value
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)
        test = test[:test_rows]
        return float(total) / rows, float(loss(test, model(test, training=False)))

    return CompiledFunction(torch.no_grad()(epoch))


def compile_stream(trainable: Trainable, draw: Callable[[torch.Tensor, int], Any]) -> NoReturn:
    raise NotFoundError("streamed rows need a compiled program, and torch compiles none here; choose another backend")


def seed(seed: int) -> None:
    torch.manual_seed(seed)


def without_tuning() -> AbstractContextManager[None]:
    return nullcontext()  # nothing tunes itself
