"""A trained model and its data -> the errors that a record keeps, beside their yardsticks."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.core import metrics
from autoenc_bench.core.data.split import Split
from autoenc_bench.core.models import Autoencoder
from autoenc_bench.core.training import Inference
from autoenc_bench.records import case

SHOWN = 10  # as many first, best and worst samples as the notebook shows


class Score(NamedTuple):
    """What a record keeps of a trained model's reconstructions."""

    error: case.Error
    sample: case.Sample
    pictures: dict[str, NDArray[np.uint8]]  # first, best, worst: originals and reconstructions, (2, n, features)


def score(autoencoder: Autoencoder, split: Split, components: int) -> Score:
    """Score the reconstructions of the test samples; ``components`` is the code's width, for the PCA beside it."""
    reconstructions = Inference(autoencoder).reconstruct(split.test)  # (m, features)
    absolute = metrics.absolute(split.test, reconstructions)
    best, worst = metrics.best(absolute, SHOWN), metrics.worst(absolute, SHOWN)
    error = case.Error(
        absolute=metrics.statistics(absolute),
        mean_squared=metrics.statistics(metrics.mean_squared(split.test, reconstructions)),
        psnr=metrics.statistics(metrics.psnr(split.test, reconstructions)),
        best=_extremes(absolute, best),
        worst=_extremes(absolute, worst),
        yardsticks={
            "constant mean": _yardstick(split, metrics.constant_mean(split)),
            "PCA": _yardstick(split, metrics.pca(split, components), components),
        },
    )
    both = np.stack([split.test, reconstructions])  # (2, m, features)
    shown = {"first": np.arange(min(SHOWN, len(absolute))), "best": best, "worst": worst}
    return Score(
        error=error,
        # rounded to the digits that a float32 holds
        sample=case.Sample(*([float(f"{value:.7g}") for value in values] for values in both[:, 0])),
        pictures={name: np.rint(both[:, indices] * 255).astype(np.uint8) for name, indices in shown.items()},
    )


def _extremes(values: metrics.Values, indices: NDArray[np.intp]) -> list[case.Extreme]:
    return [case.Extreme(int(index), float(values[index])) for index in indices]


def _yardstick(split: Split, reconstructions: NDArray[Any], components: int | None = None) -> case.ReferenceValue:
    absolute = metrics.absolute(split.test, reconstructions)
    return case.ReferenceValue(
        mean=float(absolute.mean()),
        std=float(absolute.std()),
        mean_squared=float(metrics.mean_squared(split.test, reconstructions).mean()),
        components=components,
    )
