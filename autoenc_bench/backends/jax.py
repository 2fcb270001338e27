"""JAX: each program is one jitted function; state goes in and comes out, and Keras's variables get it back."""

import os
from collections.abc import Callable
from typing import Any

import jax
import keras
import numpy as np
from jax import lax
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
    placed: jax.Array = jax.device_put(values)
    return placed


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
    variables = model.trainable_variables, model.non_trainable_variables, optimizer.variables

    def objective(weights: list[jax.Array], fixed: list[jax.Array], batch: jax.Array) -> tuple[jax.Array, Any]:
        predicted, fixed = model.stateless_call(weights, fixed, batch, training=True)
        return loss(batch, predicted), fixed

    def step(state: State, batch: jax.Array) -> tuple[State, jax.Array]:  # (b, d) -> scalar
        weights, fixed, slots = state
        (value, fixed), gradients = jax.value_and_grad(objective, has_aux=True)(weights, fixed, batch)
        weights, slots = optimizer.stateless_apply(slots, gradients, weights)
        return (weights, fixed, slots), value

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
        predicted, _ = model.stateless_call(weights, fixed, test, training=False)
        return state, total / len(train), loss(test, predicted)

    def run(train: jax.Array, test: jax.Array, order: NDArray[np.int32]) -> tuple[float, float]:
        before = tuple([variable.value for variable in kind] for kind in variables)
        after, train_loss, test_loss = epoch(before, train, test, order)
        for kind, values in zip(variables, after, strict=True):
            for variable, value in zip(kind, values, strict=True):
                variable.assign(value)
        return float(train_loss), float(test_loss)

    return run
