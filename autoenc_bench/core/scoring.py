"""Score a trained model: the errors that a record keeps, beside those of two methods without a network."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.core import metrics
from autoenc_bench.core.data.split import Array, Split
from autoenc_bench.core.models import Autoencoder
from autoenc_bench.core.training import Inference
from autoenc_bench.records import case

SHOWN = 10  # the notebook shows as many first, best and worst samples


class Score(NamedTuple):
    """The errors of a trained model, its first reconstruction, and pictures."""

    error: case.Error
    sample: case.Sample
    pictures: dict[str, NDArray[np.uint8]]  # first, best, worst: originals and reconstructions, (2, n, features)


def score(autoencoder: Autoencoder, split: Split, components: int) -> Score:
    """Reconstruct the test samples, shape (m, features), and score them; PCA gets that many components."""
    reconstructions = Inference(autoencoder).reconstruct(split.test)  # (m, features)
    absolute = metrics.absolute(split.test, reconstructions)  # (m,)
    shown = {
        "first": np.arange(min(SHOWN, len(absolute))),
        "best": metrics.best(absolute, SHOWN),
        "worst": metrics.worst(absolute, SHOWN),
    }
    extremes = {
        name: [case.Extreme(int(index), float(absolute[index])) for index in shown[name]] for name in ("best", "worst")
    }
    error = case.Error(
        absolute=metrics.statistics(absolute),
        mean_squared=metrics.statistics(metrics.mean_squared(split.test, reconstructions)),
        psnr=metrics.statistics(metrics.psnr(split.test, reconstructions)),
        yardsticks={
            "constant mean": _reference(split, metrics.constant_mean(split)),
            "PCA": _reference(split, metrics.pca(split, components), components),
        },
        **extremes,
    )
    both = np.stack([split.test, reconstructions])  # (2, m, features)
    first = ([float(f"{value:.7g}") for value in values] for values in both[:, 0])  # 7 digits, as a float32 has
    pictures = {name: np.rint(both[:, indices] * 255).astype(np.uint8) for name, indices in shown.items()}
    return Score(error, case.Sample(*first), pictures)


def _reference(split: Split, reconstructions: Array, components: int | None = None) -> case.ReferenceValue:
    absolute = metrics.absolute(split.test, reconstructions)
    return case.ReferenceValue(
        mean=float(absolute.mean()),
        std=float(absolute.std()),
        mean_squared=float(metrics.mean_squared(split.test, reconstructions).mean()),
        components=components,
    )
