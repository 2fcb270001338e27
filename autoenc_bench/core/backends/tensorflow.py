"""TensorFlow: each program is one ``tf.function`` compiled by XLA."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray


def configure(threads: int | None) -> None:
    """Limit TensorFlow's two thread pools; too late, and so an error of TensorFlow's, once it has run."""
    if threads is not None:
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def accelerators() -> list[str]:
    """Name the GPUs."""
    details = tf.config.experimental.get_device_details
    return [str(details(gpu).get("device_name", "GPU")) for gpu in tf.config.list_physical_devices("GPU")]


def reset_peak_memory() -> None:
    """Forget how much memory the first GPU held at most."""
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.reset_memory_stats("GPU:0")


def peak_memory() -> int | None:
    """Give the most bytes that were allocated on the first GPU since; TensorFlow keeps no account of CPUs."""
    if not tf.config.list_physical_devices("GPU"):
        return None
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def put(values: NDArray[Any]) -> tf.Tensor:
    """Copy an array to the device."""
    return tf.constant(values)


def compile_call(function: Callable[[tf.Tensor], tf.Tensor]) -> Callable[[NDArray[np.float32]], NDArray[np.float32]]:
    """Compile a function of one tensor, once per input shape."""
    program = tf.function(function, jit_compile=True, autograph=False)

    def call(values: NDArray[np.float32]) -> NDArray[np.float32]:
        result: NDArray[np.float32] = program(tf.constant(values)).numpy()
        return result

    return call


def compile_epoch(
    model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer, batch_size: int
) -> Callable[[tf.Tensor, tf.Tensor, NDArray[np.int32]], tuple[float, float]]:
    """Compile an epoch: a ``tf.while_loop`` over gathered batches, then the partial batch, then validation."""
    step = _step(model, loss, optimizer)

    def epoch(train: tf.Tensor, test: tf.Tensor, order: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        steps, rest = divmod(train.shape[0], batch_size)

        def body(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            rows = tf.slice(order, [index * batch_size], [batch_size])  # (b,)
            return index + 1, total + step(tf.gather(train, rows))

        total = tf.constant(0.0)
        if steps:  # XLA compiles the body of a loop that never runs, too, and refuses its slice
            _, total = tf.while_loop(lambda index, _: index < steps, body, (0, total))
            total *= batch_size
        if rest:
            total += rest * step(tf.gather(train, order[steps * batch_size :]))
        return total / train.shape[0], loss(test, model(test, training=False))

    program = tf.function(epoch, jit_compile=True, autograph=False)

    def run(train: tf.Tensor, test: tf.Tensor, order: NDArray[np.int32]) -> tuple[float, float]:
        train_loss, test_loss = program(train, test, tf.constant(order))
        return float(train_loss), float(test_loss)

    return run


def compile_stream(
    model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer, draw: Callable[[tf.Tensor, int], tf.Tensor]
) -> tuple[Callable[[int, int, int], float], Callable[[tf.Tensor], float]]:
    """Compile a ``tf.while_loop`` over batches that are drawn inside it, and validation."""
    step = _step(model, loss, optimizer)

    def train(first: tf.Tensor, steps: tf.Tensor, batch_size: int) -> tf.Tensor:
        def body(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            batch = draw(first + tf.cast(index * batch_size, tf.uint32), batch_size)
            return index + 1, total + step(batch)

        return tf.while_loop(lambda index, _: index < steps, body, (0, tf.constant(0.0)))[1]

    program = tf.function(train, jit_compile=True, autograph=False)
    validation = tf.function(lambda test: loss(test, model(test, training=False)), jit_compile=True, autograph=False)

    def run(first: int, steps: int, batch_size: int) -> float:
        return float(program(tf.constant(first, tf.uint32), tf.constant(steps), batch_size))

    return run, lambda test: float(validation(test))


def _step(model: keras.Model, loss: keras.losses.Loss, optimizer: keras.Optimizer) -> Callable[[tf.Tensor], tf.Tensor]:
    """Return a training step on a batch (b, d), which gives the loss before it."""
    weights = model.trainable_variables

    def step(batch: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            value = loss(batch, model(batch, training=True))
        optimizer.apply(tape.gradient(value, weights), weights)
        return value

    return step
