"""A trained model and its data -> the errors that a record keeps, beside their yardsticks."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoenc_bench import errors, records, yardsticks
from autoenc_bench.data import Split
from autoenc_bench.models import Autoencoder
from autoenc_bench.training import Inference

EXTREMES = 10  # as many best and worst samples as the notebook shows


def score(autoencoder: Autoencoder, split: Split, components: int) -> tuple[records.Error, records.Sample]:
    """Score the reconstructions of the test samples, and keep the first one beside its original.

    ``components`` is the width of the code, for the PCA that stands beside it.
    """
    reconstructions = Inference(autoencoder).reconstruct(split.test)  # (m, features)
    absolute = errors.absolute(split.test, reconstructions)
    error = records.Error(
        absolute=errors.statistics(absolute),
        mean_squared=errors.statistics(errors.mean_squared(split.test, reconstructions)),
        psnr=errors.statistics(errors.psnr(split.test, reconstructions)),
        best=_extremes(absolute, errors.best(absolute, EXTREMES)),
        worst=_extremes(absolute, errors.worst(absolute, EXTREMES)),
        yardsticks={
            "constant mean": _yardstick(split, yardsticks.constant_mean(split)),
            "PCA": _yardstick(split, yardsticks.pca(split, components), components),
        },
    )
    return error, records.Sample(_rounded(split.test[0]), _rounded(reconstructions[0]))


def _extremes(values: errors.Values, indices: NDArray[np.intp]) -> list[records.Extreme]:
    return [records.Extreme(int(index), float(values[index])) for index in indices]


def _yardstick(split: Split, reconstructions: NDArray[Any], components: int | None = None) -> records.Yardstick:
    absolute = errors.absolute(split.test, reconstructions)
    return records.Yardstick(
        mean=float(absolute.mean()),
        std=float(absolute.std()),
        mean_squared=float(errors.mean_squared(split.test, reconstructions).mean()),
        components=components,
    )


def _rounded(values: NDArray[np.float32]) -> list[float]:
    """Round to the digits that a float32 holds."""
    return [float(f"{value:.7g}") for value in values]
