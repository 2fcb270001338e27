"""TensorFlow: each program is one ``tf.function`` compiled by XLA."""

import os
import platform
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from itertools import chain
from operator import attrgetter
from pathlib import Path
from typing import Any, cast

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from autoenc_bench.backends import protocol
from autoenc_bench.backends.adam_step import tensorflow_step
from autoenc_bench.backends.protocol import CompiledCall, CompiledEpoch, CompiledFunction, CompiledStream, Trainable
from autoenc_bench.instruments import hlo, hlo_cache


def configure(threads: int | None) -> None:
    if threads is not None:  # TensorFlow raises an error when it has run before
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        tf.config.threading.set_inter_op_parallelism_threads(threads)


def accelerators() -> list[str]:
    details = tf.config.experimental.get_device_details
    return [str(details(gpu).get("device_name", "GPU")) for gpu in tf.config.list_physical_devices("GPU")]


def versions() -> dict[str, str]:
    build = tf.sysconfig.get_build_info()
    built = {name: str(build[f"{name}_version"]) for name in ("cuda", "cudnn", "rocm") if build.get(f"{name}_version")}
    return built | protocol.packaged_versions()


def reset_peak_memory() -> None:
    if tf.config.list_physical_devices("GPU"):
        tf.config.experimental.reset_memory_stats("GPU:0")


def peak_memory() -> int | None:
    if not tf.config.list_physical_devices("GPU"):
        return None  # TensorFlow has no counter for CPUs
    return int(tf.config.experimental.get_memory_info("GPU:0")["peak"])


def put(values: NDArray[Any]) -> tf.Tensor:
    return tf.constant(values)


def keep(variables: Sequence[keras.Variable]) -> Callable[[], None]:
    # One program: a separate assignment takes 50 µs, and Adam has three variables per weight.
    return cast(Callable[[], None], tf.function(protocol.keep_each(variables), autograph=False))


def compile_call(function: Callable[[tf.Tensor], tf.Tensor]) -> CompiledCall:
    program = _compiled(function)
    return CompiledFunction(
        lambda values: program(tf.constant(values)).numpy(), lambda values: _texts(program, tf.constant(values))
    )


def compile_epoch(trainable: Trainable, batch_size: int) -> CompiledEpoch:
    step = tensorflow_step(trainable)

    def epoch(train: Any, test: Any, order: Any, rows: Any, test_rows: Any) -> tuple[tf.Tensor, tf.Tensor]:
        every, rest = train.shape[0], train.shape[0] % batch_size

        def body(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            chosen = tf.slice(order, [index * batch_size], [batch_size])  # (b,)
            return index + 1, total + step(tf.gather(train, chosen))

        total = tf.constant(0.0)
        if every >= batch_size:  # XLA also compiles the body of a loop that never runs, and would refuse its slice
            total = _loop(rows // batch_size, body) * batch_size
        if rest:
            last = tf.cond(tf.equal(rows, every), lambda: step(tf.gather(train, order[-rest:])), lambda: 0.0)
            total += rest * last
        return total / tf.cast(rows, tf.float32), _validate(trainable, test, test_rows)

    program, number = _compiled(epoch), _number()

    def run(train: Any, test: Any, order: NDArray[np.int32], rows: int, test_rows: int) -> tuple[float, float]:
        train_loss, test_loss = program(train, test, tf.constant(order), number(rows), number(test_rows))
        return float(train_loss), float(test_loss)

    def texts(train: Any, test: Any, order: NDArray[np.int32], rows: int, test_rows: int) -> list[str]:
        return _texts(program, train, test, tf.constant(order), number(rows), number(test_rows))

    return CompiledFunction(run, texts)


def compile_stream(trainable: Trainable, draw: Callable[[tf.Tensor, int], tf.Tensor]) -> CompiledStream:
    step = tensorflow_step(trainable)

    def train(first: tf.Tensor, steps: tf.Tensor, batch_size: int) -> tf.Tensor:
        def body(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            return index + 1, total + step(draw(first + tf.cast(index * batch_size, tf.uint32), batch_size))

        return _loop(steps, body)

    training, validation = _compiled(train), _compiled(partial(_validate, trainable))
    number = _number()

    def arguments(first: int, steps: int, batch_size: int) -> tuple[Any, Any, int]:
        return tf.constant(first, tf.uint32), tf.constant(steps), batch_size

    return (
        CompiledFunction(
            lambda first, steps, batch_size: float(training(*arguments(first, steps, batch_size))),
            lambda first, steps, batch_size: _texts(training, *arguments(first, steps, batch_size)),
        ),
        CompiledFunction(
            lambda test, rows: float(validation(test, number(rows))),
            lambda test, rows: _texts(validation, test, number(rows)),
        ),
    )


seed = keras.utils.set_random_seed


@contextmanager
def without_tuning() -> Iterator[None]:
    options = tf.data.Options()
    options.autotune.enabled = False
    iterate = tf.data.Dataset.__iter__
    tf.data.Dataset.__iter__ = lambda dataset: iterate(dataset.with_options(options))
    try:
        yield
    finally:
        tf.data.Dataset.__iter__ = iterate


def _number() -> Callable[[int], Any]:
    """Return how a program gets a number: compiled in (``int``) on an accelerator, as an argument on a CPU."""
    return int if accelerators() else tf.constant


def _compiled(function: Callable[..., Any]) -> Any:
    return tf.function(function, jit_compile=True, autograph=False)


def _texts(program: Any, *arguments: Any) -> list[str]:
    """Return the text of the optimised program. XLA compiles it again unless the HLO cache has it."""
    printed = program.experimental_get_compiler_ir(*arguments)
    if accelerators():  # for these XLA chooses kernels by measuring, so equal sources give different programs
        return [str(printed(stage="optimized_hlo"))]
    source = hlo.renamed(printed(stage="hlo"))
    graph = program.get_concrete_function(*arguments).graph.as_graph_def()
    outside, functions = attrgetter("node", "library.function")(graph)
    nodes = chain(outside, *(function.node_def for function in functions))
    # The source has only the short constants.
    constants = sorted(node.attr["value"].tensor.SerializeToString() for node in nodes if node.op == "Const")
    return [hlo_cache.text((source, constants, *_compiler()), lambda: str(printed(stage="optimized_hlo")))]


@cache
def _compiler() -> tuple[object, ...]:
    """Return the other facts that an optimised program depends on: TensorFlow's build, its settings, and the CPU."""
    libraries = sorted(Path(tf.sysconfig.get_lib()).glob("libtensorflow*"))
    built = [(file.name, file.stat().st_size, file.stat().st_mtime_ns) for file in libraries]
    variables = sorted(item for item in os.environ.items() if item[0].startswith(("TF_", "XLA_")))
    threads = tf.config.threading.get_intra_op_parallelism_threads()
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    info, facts = Path("/proc/cpuinfo"), r"^(?:model name|flags|CPU \w+|Features)\s*:.*"
    described = info.read_text() if info.exists() else ""
    cpu = sorted(set(re.findall(facts, described, re.M))) or platform.processor()
    return tf.version.VERSION, tf.version.GIT_VERSION, built, variables, threads, cores, cpu


def _loop(steps: Any, body: Callable[..., Any]) -> tf.Tensor:
    return tf.while_loop(lambda index, _: index < steps, body, (0, tf.constant(0.0)))[1]


def _validate(trainable: Trainable, test: tf.Tensor, rows: Any) -> tf.Tensor:
    """Return the loss on the first test rows, block by block."""
    size = protocol.block(test, accelerators())

    def body(index: tf.Tensor, total: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        first = tf.minimum(index * size, test.shape[0] - size)  # the last block overlaps
        indices = first + tf.range(size)
        batch = tf.gather(test, indices)
        losses = trainable.loss.call(batch, trainable.model(batch, training=False))  # (size,)
        return index + 1, total + tf.reduce_sum(tf.where((index * size <= indices) & (indices < rows), losses, 0.0))

    return _loop((rows + size - 1) // size, body) / tf.cast(rows, tf.float32)
