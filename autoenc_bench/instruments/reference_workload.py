"""The reference workload: a fixed small computation in NumPy whose seconds show how fast the machine is now.

It trains two autoencoders for a few steps. A neighbour on the core slows the small one down like the crude experiments,
and the large one like MNIST. ``VERSION`` is part of a run's context.
"""

from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]
VERSION = 1
SMALL, SMALL_STEPS = (100, 32, 8), 180  # batch, features, code; half of the time
LARGE, LARGE_STEPS = (256, 784, 32), 4  # the other half


def _problem(batch: int, features: int, code: int) -> tuple[Array, Array, Array]:
    random = np.random.default_rng(0)
    shapes = (batch, features), (features, code), (code, features)
    samples, encoder, decoder = (random.random(shape, dtype=np.float32) for shape in shapes)
    return samples, 0.1 * encoder, 0.1 * decoder


_SMALL, _LARGE = _problem(*SMALL), _problem(*LARGE)


def seconds() -> float:
    """Run the reference workload once; return the seconds that it took, about 0.01."""
    started = perf_counter()
    _train(*_SMALL, SMALL_STEPS)
    _train(*_LARGE, LARGE_STEPS)
    return perf_counter() - started


def _train(samples: Array, encoder: Any, decoder: Any, steps: int) -> None:  # Any, because NumPy's types lose float32
    """Take gradient steps on the squared error of a sigmoid autoencoder; the arguments stay unchanged."""
    rate = np.float32(0.1)
    for _ in range(steps):
        code = _sigmoid(samples @ encoder)  # (batch, code)
        output = _sigmoid(code @ decoder)  # (batch, features)
        error = (output - samples) * np.float32(1 / len(samples))
        back = (error @ decoder.T) * code * (1 - code)
        encoder = encoder - rate * (samples.T @ back)
        decoder = decoder - rate * (code.T @ error)


def _sigmoid(values: Any) -> Any:
    return 1 / (1 + np.exp(-values))
