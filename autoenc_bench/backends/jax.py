"""JAX: each program is one jitted function of the variables' values; Keras's variables are assigned the new values."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec
from numpy.typing import NDArray

from autoenc_bench.backends import protocol
from autoenc_bench.backends.adam_step import JaxState, jax_step
from autoenc_bench.backends.protocol import CompiledCall, CompiledEpoch, CompiledFunction, CompiledStream, Trainable


def configure(threads: int | None) -> None:
    if threads is not None:
        os.environ["NPROC"] = str(threads)  # the size of the CPU's thread pool, which JAX reads at its first use
    jax.config.update("jax_enable_compilation_cache", False)  # a first call must compile, not load an earlier program


def accelerators() -> list[str]:
    return [device.device_kind for device in jax.local_devices() if device.platform != "cpu"]


versions = protocol.packaged_versions


def reset_peak_memory() -> None:
    """Do nothing: JAX cannot reset the peak of a process."""


def peak_memory() -> None:
    """Return ``None``: JAX counts from the start of the process, so its peak is not that of one case."""


def put(values: NDArray[Any]) -> Any:
    distribution = keras.distribution.distribution()
    if distribution is None:
        return jax.device_put(values)
    replicated = NamedSharding(distribution.device_mesh.backend_mesh, PartitionSpec())
    return jax.make_array_from_callback(values.shape, replicated, lambda index: values[index])


keep = protocol.keep_each


def compile_call(function: Callable[[jax.Array], jax.Array]) -> CompiledCall:
    program = jax.jit(function)
    return CompiledFunction(lambda values: np.asarray(program(values)), partial(_texts, program))


def compile_epoch(trainable: Trainable, batch_size: int) -> CompiledEpoch:
    step, validate = jax_step(trainable), _validation(trainable)

    def take(values: jax.Array, rows: jax.Array) -> Any:
        return _shard(values.at[rows].get(mode="promise_in_bounds"))  # without the promise, XLA checks each index

    def epoch(state: JaxState, train: Any, test: Any, order: Any, rows: Any, test_rows: Any) -> tuple[Any, ...]:
        rest = len(train) % batch_size

        def body(index: jax.Array, carry: tuple[JaxState, jax.Array]) -> tuple[JaxState, jax.Array]:
            state, value = step(carry[0], take(train, lax.dynamic_slice_in_dim(order, index * batch_size, batch_size)))
            return state, carry[1] + value

        total = jnp.zeros(())
        if len(train) >= batch_size:
            state, total = lax.fori_loop(0, rows // batch_size, body, (state, total))
            total *= batch_size
        if rest:
            last, zero = take(train, order[-rest:]), jnp.zeros(())
            has_last = rows == len(train)
            state, value = lax.cond(has_last, lambda state: step(state, last), lambda state: (state, zero), state)
            total += rest * value
        return state, total / rows, validate(state, test, test_rows)

    numbers = (4, 5) if accelerators() else ()  # an accelerator's program has these arguments compiled in
    run_epoch, texts = _in_place(jax.jit(epoch, static_argnums=numbers), trainable)

    def run(train: Any, test: Any, order: NDArray[np.int32], rows: int, test_rows: int) -> tuple[float, float]:
        train_loss, test_loss = run_epoch(train, test, order, rows, test_rows)
        return float(train_loss), float(test_loss)

    return CompiledFunction(run, texts)


def compile_stream(trainable: Trainable, draw: Callable[[jax.Array, int], jax.Array]) -> CompiledStream:
    step, validate = jax_step(trainable), _validation(trainable)

    @partial(jax.jit, static_argnums=3)
    def train(state: JaxState, first: jax.Array, steps: jax.Array, batch_size: int) -> Any:
        def body(index: jax.Array, carry: tuple[JaxState, jax.Array]) -> tuple[JaxState, jax.Array]:
            batch = draw(first + (index * batch_size).astype("uint32"), batch_size)
            state, value = step(carry[0], _shard(batch))
            return state, carry[1] + value

        return lax.fori_loop(0, steps, body, (state, jnp.zeros(())))

    def evaluate(state: JaxState, test: jax.Array, rows: Any) -> Any:
        return state, validate(state, test, rows)

    run_steps, steps_texts = _in_place(train, trainable)
    numbers = (2,) if accelerators() else ()  # as in compile_epoch
    run_validation, validation_texts = _in_place(jax.jit(evaluate, static_argnums=numbers), trainable)
    return (
        CompiledFunction(
            lambda first, steps, batch_size: float(run_steps(np.uint32(first), np.int32(steps), batch_size)[0]),
            lambda first, steps, batch_size: steps_texts(np.uint32(first), np.int32(steps), batch_size),
        ),
        CompiledFunction(lambda test, rows: float(run_validation(test, rows)[0]), validation_texts),
    )


def seed(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002 - Keras draws from it


def without_tuning() -> AbstractContextManager[None]:
    return nullcontext()  # nothing tunes itself


def compile_all_reduce(size: int, times: int) -> Callable[[], float]:
    """Compile a function that averages ``size`` numbers over the devices of Keras's distribution, ``times`` times.

    A step of data-parallel training adds one such mean, of the gradients, to the arithmetic of one device.
    """
    distribution = keras.distribution.distribution()
    mesh = distribution.device_mesh
    sharded = NamedSharding(mesh.backend_mesh, PartitionSpec(*mesh.axis_names))
    start = np.ones((distribution.num_model_replicas, size), np.float32)
    values = jax.make_array_from_callback(start.shape, sharded, lambda index: start[index])  # a row on each device

    @jax.jit
    def reduce(values: jax.Array) -> Any:
        def average(_: int, values: jax.Array) -> Any:
            return lax.with_sharding_constraint(jnp.broadcast_to(values.mean(axis=0), values.shape), sharded)

        return lax.fori_loop(0, times, average, values).mean()

    return lambda: float(reduce(values))


def _validation(trainable: Trainable) -> Callable[[JaxState, jax.Array, Any], Any]:
    """Return a function of the state, test (m, d) and a number: the loss on that many first rows, block by block."""

    def validate(state: JaxState, test: jax.Array, rows: Any) -> Any:
        is_distributed = keras.distribution.distribution() is not None
        size = len(test) if is_distributed else protocol.block(test, accelerators())

        def body(index: jax.Array, total: jax.Array) -> Any:
            first = jnp.minimum(index * size, len(test) - size)  # the last block overlaps
            indices = first + jnp.arange(size)
            batch = _shard(lax.dynamic_slice_in_dim(test, first, size))
            predicted, _ = trainable.model.stateless_call(*state[:2], batch, training=False)
            losses = trainable.loss.call(batch, predicted)  # (size,)
            return total + jnp.where((index * size <= indices) & (indices < rows), losses, 0).sum()

        return lax.fori_loop(0, (rows + size - 1) // size, body, jnp.zeros(())) / rows

    return validate


def _shard(batch: jax.Array) -> Any:
    """Shard a batch over the devices of Keras's distribution. Return it unchanged where it does not divide evenly."""
    distribution = keras.distribution.distribution()
    if distribution is None or len(batch) % distribution.num_model_replicas:
        return batch
    return keras.distribution.distribute_tensor(batch, distribution.get_data_layout(batch.shape))


def _texts(program: Any, *arguments: Any) -> list[str]:
    return [program.lower(*arguments).compile().as_text()]  # from JAX's cache if it has run on such arguments


def _in_place(
    program: Callable[..., tuple[Any, ...]], trainable: Trainable
) -> tuple[Callable[..., tuple[Any, ...]], Callable[..., list[str]]]:
    """Bind a program (state, ...) -> (state, ...) to the variables; return functions that run it and print it.

    The first function runs the program on the variables' values, assigns the new ones and returns the other results.
    """
    model, _, optimizer = trainable
    variables = model.trainable_variables, model.non_trainable_variables, optimizer.variables

    def state() -> JaxState:
        weights, fixed, moments = ([variable.value for variable in kind] for kind in variables)
        return weights, fixed, moments

    def run(*arguments: Any) -> tuple[Any, ...]:
        after, *results = program(state(), *arguments)
        for kind, values in zip(variables, after, strict=True):
            for variable, value in zip(kind, values, strict=True):
                variable.assign(value)
        return tuple(results)

    return run, lambda *arguments: _texts(program, state(), *arguments)
