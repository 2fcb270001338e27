"""The parts of a backend that several backends share."""

import re
from collections.abc import Callable, Sequence
from importlib.metadata import distributions
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

BLOCK = 1_024, 2**17  # the most test rows, and the most values, that a CPU validates at once: they fit in its cache


def keep_each(variables: Sequence["keras.Variable"]) -> Callable[[], None]:
    """Implement ``Backend.keep`` by copies on the host: ``fit`` on JAX deletes the arrays that it gets."""
    values = [np.asarray(variable).copy() for variable in variables]

    def restore() -> None:
        for variable, value in zip(variables, values, strict=True):
            variable.assign(value)

    return restore


def packaged_versions() -> dict[str, str]:
    """Return the versions of CUDA and cuDNN that are installed as Python packages, as ``jax[cuda12]`` installs them."""
    kinds = {"nvidia-cuda-runtime": "cuda", "nvidia-cudnn": "cudnn"}
    packages = {re.sub(r"-cu\d+$", "", str(one.metadata["Name"]).lower()): one.version for one in distributions()}
    return {kind: packages[package] for package, kind in kinds.items() if package in packages}


def block(test: Any, accelerators: list[str]) -> int:
    """Return how many of the test rows (m, d) are validated at once: all of them on an accelerator."""
    if accelerators:
        return int(test.shape[0])
    rows, values = BLOCK
    return max(1, min(int(test.shape[0]), rows, values // int(test.shape[1])))
