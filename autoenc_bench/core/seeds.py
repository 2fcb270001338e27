"""Three independent random streams from one seed, the same on every backend."""

from typing import Literal

import numpy as np

from autoenc_bench.exceptions import InvalidInputError

STREAMS = ("data", "weights", "order")


def generator(seed: int, stream: Literal["data", "weights", "order"]) -> np.random.Generator:
    """Return a seed's generator for one purpose (NumPy's ``SeedSequence`` with the purpose's index as spawn key).

    Raises InvalidInputError for a negative seed.
    """
    if seed < 0:
        raise InvalidInputError(f"seed is {seed}; it must be 0 or more")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(STREAMS.index(stream),)))
