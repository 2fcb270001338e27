"""Per-sample reconstruction errors, their statistics, and the yardsticks beside them.

Errors are taken between samples and reconstructions in [0, 1] of equal shape (n, features), in float64.
"""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.core.data.split import Array, Split
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.case import Statistics

Values = NDArray[np.float64]  # mostly one error per sample, shape (n,)
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BINS = 400  # the notebook's 100 bins, each in four, so that several histograms can be drawn on common bins


def absolute(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    """Sum the absolute differences over the features: the notebook's error, in units of the data."""
    values: Values = np.abs(_difference(samples, reconstructions)).sum(axis=1)
    return values


def mean_squared(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    """Average the squared differences over the features."""
    values: Values = np.square(_difference(samples, reconstructions)).mean(axis=1)
    return values


def psnr(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    """Return the peak signal-to-noise ratio in dB, 10 log10(1 / MSE) for a peak of 1; infinite where equal."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mean_squared(samples, reconstructions))


def _difference(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    if samples.shape != reconstructions.shape or samples.ndim != 2:
        shapes = f"samples have shape {samples.shape}, reconstructions {reconstructions.shape}"
        raise InvalidInputError(f"{shapes}; both must be (n, features) and equal")
    difference: Values = np.subtract(samples, reconstructions, dtype=np.float64)
    return difference


def statistics(values: Values) -> Statistics:
    """Summarise errors, whatever their order. Raises InvalidInputError when there are none."""
    if not values.size:
        raise InvalidInputError("no errors to summarise; score at least one sample")
    ordered = np.sort(values)
    low, high = ordered[[0, -1]]
    if not (isfinite(low) and isfinite(high)):
        return Statistics(mean=None, std=None, quantiles=_quantiles(ordered), counts=[])
    margin = 0 if high > low else 0.5
    edges = np.linspace(
        low - margin, high + margin, BINS + 1
    )  # np.histogram's own fail where errors are a few ulp apart
    counts = np.histogram(ordered, edges)[0].tolist()
    return Statistics(float(ordered.mean()), float(ordered.std()), _quantiles(ordered), counts)


def _quantiles(ordered: Values) -> dict[str, float | None]:
    # 'lower' takes values that occurred: no arithmetic between a finite and an infinite one.
    quantiles = np.quantile(ordered, QUANTILES, method="lower").tolist()
    return {f"{share:g}": value if isfinite(value) else None for share, value in zip(QUANTILES, quantiles, strict=True)}


def best(values: Values, n: int) -> NDArray[np.intp]:
    """Return the indices of the n smallest errors, smallest first; equal errors in order of their index."""
    return np.argsort(values, kind="stable")[:n]


def worst(values: Values, n: int) -> NDArray[np.intp]:
    """Return the indices of the n largest errors, largest first; equal errors in order of their index."""
    return np.argsort(-values, kind="stable")[:n]


def constant_mean(split: Split) -> Array:
    """Reconstruct every test sample as the mean training sample, shape (m, features)."""
    mean = split.train.mean(axis=0, dtype=np.float64).astype(np.float32)
    return np.broadcast_to(mean, split.test.shape)


def pca(split: Split, components: int) -> Array:
    """Reconstruct the test samples from their principal components, clipped to [0, 1], shape (m, features).

    The components are fitted on the training samples. There are never more than features or samples; a single sample
    has none, and stands for all.
    """
    if len(split.train) < 2:
        return constant_mean(split)
    from sklearn.decomposition import PCA  # here, for it loads SciPy

    components = min(components, *split.train.shape)
    fitted = PCA(components, svd_solver="covariance_eigh").fit(split.train)
    reconstruction = fitted.inverse_transform(fitted.transform(split.test))
    clipped: Array = np.clip(reconstruction, 0, 1, dtype=np.float32)
    return clipped
