"""JAX: each program is one jitted function; state goes in and comes out, and Keras's variables get it back."""

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

from autoenc_bench.backends import (
    Call,
    EpochProgram,
    Program,
    StreamPrograms,
    Trainable,
    block,
    keep_each,
    packaged_versions,
)

State = tuple[list[jax.Array], list[jax.Array], list[jax.Array]]  # what is trained, what is not, the optimizer's


def configure(threads: int | None) -> None:
    if threads is not None:
        os.environ["NPROC"] = str(threads)  # as large as this the CPU's thread pool is made, at JAX's first use
    jax.config.update("jax_enable_compilation_cache", False)  # else a first call may load what an earlier run compiled


def accelerators() -> list[str]:
    return [device.device_kind for device in jax.local_devices() if device.platform != "cpu"]


versions = packaged_versions


def reset_peak_memory() -> None:
    """Do nothing: JAX counts from the process's begin, and cannot begin anew."""


def peak_memory() -> None:
    """Return nothing: the peak of the process is not that of a case."""


def put(values: NDArray[Any]) -> Any:
    shared = keras.distribution.distribution()
    if shared is None:
        return jax.device_put(values)
    everywhere = NamedSharding(shared.device_mesh.backend_mesh, PartitionSpec())
    return jax.make_array_from_callback(values.shape, everywhere, lambda index: values[index])


keep = keep_each


def compile_call(function: Callable[[jax.Array], jax.Array]) -> Call:
    program = jax.jit(function)
    return Program(lambda values: np.asarray(program(values)), partial(_text, program))


def compile_epoch(trainable: Trainable, batch_size: int) -> EpochProgram:
    step, validate = _step(trainable), _validation(trainable)

    def take(values: jax.Array, rows: jax.Array) -> jax.Array:
        return values.at[rows].get(mode="promise_in_bounds")  # else each value is checked for a row that is not there

    def epoch(state: State, train: Any, test: Any, order: Any, rows: Any, test_rows: Any) -> tuple[Any, ...]:
        every, rest = len(train), len(train) % batch_size

        def body(index: jax.Array, carry: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
            state, value = step(carry[0], take(train, lax.dynamic_slice_in_dim(order, index * batch_size, batch_size)))
            return state, carry[1] + value

        total = jnp.zeros(())
        if every >= batch_size:
            state, total = lax.fori_loop(0, rows // batch_size, body, (state, total))
            total *= batch_size
        if rest:
            last, idle = take(train, order[-rest:]), jnp.zeros(())
            state, value = lax.cond(rows == every, lambda state: step(state, last), lambda state: (state, idle), state)
            total += rest * value
        return state, total / rows, validate(state, test, test_rows)

    program = _in_place(jax.jit(epoch, static_argnums=_static(4, 5)), trainable)

    def run(train: Any, test: Any, order: NDArray[np.int32], rows: int, test_rows: int) -> tuple[float, float]:
        train_loss, test_loss = program.run(train, test, order, rows, test_rows)
        return float(train_loss), float(test_loss)

    return Program(run, program.text)


def compile_stream(trainable: Trainable, draw: Callable[[jax.Array, int], jax.Array]) -> StreamPrograms:
    step, validate = _step(trainable), _validation(trainable)

    @partial(jax.jit, static_argnums=3)
    def train(state: State, first: jax.Array, steps: jax.Array, batch_size: int) -> Any:
        def body(index: jax.Array, carry: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
            state, value = step(carry[0], draw(first + (index * batch_size).astype("uint32"), batch_size))
            return state, carry[1] + value

        return lax.fori_loop(0, steps, body, (state, jnp.zeros(())))

    training = _in_place(train, trainable)
    validating = _in_place(
        jax.jit(lambda state, test, rows: (state, validate(state, test, rows)), static_argnums=_static(2)), trainable
    )

    assert training.text
    text = training.text
    return (
        Program(
            lambda first, steps, batch_size: float(training.run(np.uint32(first), np.int32(steps), batch_size)[0]),
            lambda first, steps, batch_size: text(np.uint32(first), np.int32(steps), batch_size),
        ),
        Program(lambda test, rows: float(validating.run(test, rows)[0]), validating.text),
    )


def seed(seed: int) -> None:
    np.random.seed(seed)  # noqa: NPY002 - Keras draws from it


def without_tuning() -> AbstractContextManager[None]:
    return nullcontext()  # nothing tunes itself


def _static(*places: int) -> tuple[int, ...]:
    """Return which arguments, numbers, are a part of the program: on an accelerator these, on a CPU none."""
    return places if accelerators() else ()


def compile_all_reduce(size: int, times: int) -> Callable[[], float]:
    """Compile means of so many numbers over the devices that Keras distributes over, one after another.

    That is what a step of data-parallel training adds to the arithmetic: the mean of the gradients.
    """
    shared = keras.distribution.distribution()
    parted = NamedSharding(shared.device_mesh.backend_mesh, PartitionSpec(*shared.device_mesh.axis_names))
    start = np.ones((shared.num_model_replicas, size), np.float32)
    values = jax.make_array_from_callback(start.shape, parted, lambda index: start[index])  # a row on each device

    @jax.jit
    def reduce(values: jax.Array) -> Any:
        def again(_: int, values: jax.Array) -> Any:
            return lax.with_sharding_constraint(jnp.broadcast_to(values.mean(axis=0), values.shape), parted)

        return lax.fori_loop(0, times, again, values).mean()

    return lambda: float(reduce(values))


def _step(trainable: Trainable) -> Callable[[State, jax.Array], tuple[State, jax.Array]]:
    """Return a training step: from the state and a batch (b, d) to the next state and the loss before it."""
    model, loss, optimizer = trainable

    def objective(weights: list[jax.Array], fixed: list[jax.Array], batch: jax.Array) -> tuple[jax.Array, Any]:
        predicted, fixed = model.stateless_call(weights, fixed, batch, training=True)
        return loss(batch, predicted), fixed

    def step(state: State, batch: jax.Array) -> tuple[State, jax.Array]:
        weights, fixed, slots = state
        batch = _spread(batch)
        (value, fixed), gradients = jax.value_and_grad(objective, has_aux=True)(weights, fixed, batch)
        weights, slots = optimizer.stateless_apply(slots, gradients, weights)
        return (weights, fixed, slots), value

    return step


def _validation(trainable: Trainable) -> Callable[[State, jax.Array, Any], Any]:
    """Return a function of the state, test rows and a number: the loss on so many first rows, block by block."""

    def validate(state: State, test: jax.Array, rows: Any) -> Any:
        size = block(test) if keras.distribution.distribution() is None else len(test)  # which is parted as a whole

        def body(index: jax.Array, total: jax.Array) -> Any:
            first = jnp.minimum(index * size, len(test) - size)  # the last block overlaps
            numbers = first + jnp.arange(size)
            batch = _spread(lax.dynamic_slice_in_dim(test, first, size))
            predicted, _ = trainable.model.stateless_call(*state[:2], batch, training=False)
            losses = trainable.loss.call(batch, predicted)  # (size,)
            return total + jnp.where((index * size <= numbers) & (numbers < rows), losses, 0).sum()

        return lax.fori_loop(0, (rows + size - 1) // size, body, jnp.zeros(())) / rows

    return validate


def _spread(batch: jax.Array) -> Any:
    """Part a batch among the devices where Keras distributes, unless it cannot be parted evenly."""
    shared = keras.distribution.distribution()
    if shared is None or len(batch) % shared.num_model_replicas:
        return batch
    return keras.distribution.distribute_tensor(batch, shared.get_data_layout(batch.shape))


def _text(program: Any, *arguments: Any) -> str:
    return str(program.lower(*arguments).compile().as_text())  # from JAX's cache, where it has run on the like


def _in_place(program: Callable[..., tuple[Any, ...]], trainable: Trainable) -> Program[..., tuple[Any, ...]]:
    """Let a program of states run on the variables' values, assign the new ones, and return what else it returns."""
    model, _, optimizer = trainable
    variables = model.trainable_variables, model.non_trainable_variables, optimizer.variables

    def state() -> State:
        trained, fixed, slots = ([variable.value for variable in kind] for kind in variables)
        return trained, fixed, slots

    def run(*arguments: Any) -> tuple[Any, ...]:
        after, *rest = program(state(), *arguments)
        for kind, values in zip(variables, after, strict=True):
            for variable, value in zip(kind, values, strict=True):
                variable.assign(value)
        return tuple(rest)

    return Program(run, lambda *arguments: _text(program, state(), *arguments))
