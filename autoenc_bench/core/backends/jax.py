"""JAX: each program is one jitted function; state goes in and comes out, and Keras's variables get it back."""

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import lax
from jax.sharding import NamedSharding, PartitionSpec
from numpy.typing import NDArray

State = tuple[list[jax.Array], list[jax.Array], list[jax.Array]]  # what is trained, what is not, the optimizer's


def configure(threads: int | None) -> None:
    """Limit the CPU's thread pool, which is made at JAX's first use and as large as this variable says."""
    if threads is not None:
        os.environ["NPROC"] = str(threads)


def accelerators() -> list[str]:
    """Name the devices that are no CPUs."""
    return [device.device_kind for device in jax.local_devices() if device.platform != "cpu"]


def reset_peak_memory() -> None:
    """Do nothing: JAX counts from the process's begin, and cannot begin anew."""


def peak_memory() -> None:
    """Give nothing: the peak of the process is not that of a case."""


def put(values: NDArray[Any]) -> jax.Array:
    """Copy an array to the device."""
    shared = keras.distribution.distribution()
    if shared is None:
        placed: jax.Array = jax.device_put(values)
        return placed
    everywhere = NamedSharding(shared.device_mesh.backend_mesh, PartitionSpec())
    return jax.make_array_from_callback(values.shape, everywhere, lambda index: values[index])


def compile_call(function: Callable[[jax.Array], jax.Array]) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Compile a function of one tensor, once per input shape."""
    program = jax.jit(function)

    def call(values: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.asarray(program(values))

    return call


def compile_epoch(
    model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer, batch_size: int
) -> Callable[[jax.Array, jax.Array, NDArray[np.int32]], tuple[float, float]]:
    """Compile an epoch: a ``lax.scan`` over gathered batches, then the partial batch, then validation."""
    step = _step(model, loss, optimizer)

    def take(values: jax.Array, rows: jax.Array) -> jax.Array:
        return values.at[rows].get(mode="promise_in_bounds")  # else each value is checked for a row that is not there

    @jax.jit
    def epoch(state: State, train: jax.Array, test: jax.Array, order: jax.Array) -> tuple[State, jax.Array, jax.Array]:
        steps, rest = divmod(len(train), batch_size)
        whole = order[: steps * batch_size].reshape(steps, batch_size)
        state, losses = lax.scan(lambda state, rows: step(state, take(train, rows)), state, whole)
        total = losses.sum() * batch_size
        if rest:
            state, last = step(state, take(train, order[steps * batch_size :]))
            total += rest * last
        weights, fixed, _ = state
        test = _spread(test)
        predicted, _ = model.stateless_call(weights, fixed, test, training=False)
        return state, total / len(train), loss(test, predicted)

    program = _in_place(epoch, model, optimizer)

    def run(train: jax.Array, test: jax.Array, order: NDArray[np.int32]) -> tuple[float, float]:
        train_loss, test_loss = program(train, test, order)
        return float(train_loss), float(test_loss)

    return run


def compile_stream(
    model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer, draw: Callable[[jax.Array, int], jax.Array]
) -> tuple[Callable[[int, int, int], float], Callable[[jax.Array], float]]:
    """Compile a ``lax.fori_loop`` over batches that are drawn inside it, and validation."""
    step = _step(model, loss, optimizer)

    @partial(jax.jit, static_argnums=3)
    def train(state: State, first: jax.Array, steps: jax.Array, batch_size: int) -> tuple[State, jax.Array]:
        def body(index: jax.Array, held: tuple[State, jax.Array]) -> tuple[State, jax.Array]:
            state, value = step(held[0], draw(first + (index * batch_size).astype("uint32"), batch_size))
            return state, held[1] + value

        result: tuple[State, jax.Array] = lax.fori_loop(0, steps, body, (state, jnp.zeros(())))
        return result

    @jax.jit
    def validation(state: State, test: jax.Array) -> tuple[State, jax.Array]:
        test = _spread(test)
        predicted, _ = model.stateless_call(*state[:2], test, training=False)
        return state, loss(test, predicted)

    training, validating = _in_place(train, model, optimizer), _in_place(validation, model, optimizer)

    def run(first: int, steps: int, batch_size: int) -> float:
        return float(training(np.uint32(first), np.int32(steps), batch_size)[0])

    return run, lambda test: float(validating(test)[0])


def compile_all_reduce(size: int, times: int) -> Callable[[], float]:
    """Compile means of so many numbers over the devices that Keras distributes over, one after another.

    That is what a step of data-parallel training adds to the arithmetic: the mean of the gradients.
    """
    shared = keras.distribution.distribution()
    devices = shared.num_model_replicas
    parted = NamedSharding(shared.device_mesh.backend_mesh, PartitionSpec(*shared.device_mesh.axis_names))
    start = np.ones((devices, size), np.float32)
    values = jax.make_array_from_callback(start.shape, parted, lambda index: start[index])  # a row on each device

    @jax.jit
    def reduce(values: jax.Array) -> jax.Array:
        def again(_: int, values: jax.Array) -> jax.Array:
            mean = jnp.broadcast_to(values.mean(axis=0), values.shape)
            kept: jax.Array = lax.with_sharding_constraint(mean, parted)
            return kept

        result: jax.Array = lax.fori_loop(0, times, again, values).mean()
        return result

    return lambda: float(reduce(values))


def _step(
    model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer
) -> Callable[[State, jax.Array], tuple[State, jax.Array]]:
    """Return a training step from state to state on a batch (b, d), which gives the loss before it, too."""

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


def _spread(batch: jax.Array) -> jax.Array:
    """Let each device have its part of a batch where Keras distributes, unless it cannot be parted evenly."""
    shared = keras.distribution.distribution()
    if shared is None or len(batch) % shared.num_model_replicas:
        return batch
    spread: jax.Array = keras.distribution.distribute_tensor(batch, shared.get_data_layout(batch.shape))
    return spread


def _in_place(
    program: Callable[..., tuple[Any, ...]], model: keras.Model, optimizer: keras.Optimizer
) -> Callable[..., tuple[Any, ...]]:
    """Give a program of states the variables' values, and the variables its new state; return what else it gave."""
    variables = model.trainable_variables, model.non_trainable_variables, optimizer.variables

    def run(*arguments: Any) -> tuple[Any, ...]:
        before = tuple([variable.value for variable in kind] for kind in variables)
        after, *rest = program(before, *arguments)
        for kind, values in zip(variables, after, strict=True):
            for variable, value in zip(kind, values, strict=True):
                variable.assign(value)
        return tuple(rest)

    return run
