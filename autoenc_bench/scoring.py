"""A trained model and its data -> the errors that a record keeps, beside their yardsticks."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoenc_bench import cases, errors, yardsticks
from autoenc_bench.data import Split
from autoenc_bench.models import Autoencoder
from autoenc_bench.training import Inference

SHOWN = 10  # as many first, best and worst samples as the notebook shows


class Score(NamedTuple):
    """Hold what a record keeps of a trained model's reconstructions.

    ``pictures`` maps first, best and worst to originals and reconstructions, bytes of shape (2, n, features).
    """

    error: cases.Error
    sample: cases.Sample
    pictures: dict[str, NDArray[np.uint8]]


def score(autoencoder: Autoencoder, split: Split, components: int) -> Score:
    """Score the reconstructions of the test samples, and keep some of them beside their originals.

    ``components`` is the width of the code, for the PCA that stands beside it.
    """
    reconstructions = Inference(autoencoder).reconstruct(split.test)  # (m, features)
    absolute = errors.absolute(split.test, reconstructions)
    best, worst = errors.best(absolute, SHOWN), errors.worst(absolute, SHOWN)
    error = cases.Error(
        absolute=errors.statistics(absolute),
        mean_squared=errors.statistics(errors.mean_squared(split.test, reconstructions)),
        psnr=errors.statistics(errors.psnr(split.test, reconstructions)),
        best=_extremes(absolute, best),
        worst=_extremes(absolute, worst),
        yardsticks={
            "constant mean": _yardstick(split, yardsticks.constant_mean(split)),
            "PCA": _yardstick(split, yardsticks.pca(split, components), components),
        },
    )
    both = np.stack([split.test, reconstructions])  # (2, m, features)
    shown = {"first": np.arange(min(SHOWN, len(absolute))), "best": best, "worst": worst}
    return Score(
        error=error,
        sample=cases.Sample(_rounded(split.test[0]), _rounded(reconstructions[0])),
        pictures={name: np.rint(both[:, indices] * 255).astype(np.uint8) for name, indices in shown.items()},
    )


def _extremes(values: errors.Values, indices: NDArray[np.intp]) -> list[cases.Extreme]:
    return [cases.Extreme(int(index), float(values[index])) for index in indices]


def _yardstick(split: Split, reconstructions: NDArray[Any], components: int | None = None) -> cases.Yardstick:
    absolute = errors.absolute(split.test, reconstructions)
    return cases.Yardstick(
        mean=float(absolute.mean()),
        std=float(absolute.std()),
        mean_squared=float(errors.mean_squared(split.test, reconstructions).mean()),
        components=components,
    )


def _rounded(values: NDArray[np.float32]) -> list[float]:
    """Round to the digits that a float32 holds."""
    return [float(f"{value:.7g}") for value in values]
