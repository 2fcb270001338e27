"""Reconstruction errors, one per sample, their statistics, and two reference reconstructions without a network.

Samples and reconstructions have equal shape (n, features) and values in [0, 1]. Errors are float64, shape (n,).
"""

from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autoenc_bench.core.data.split import Array, Split
from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.records.case import Statistics

Values = NDArray[np.float64]
QUANTILES = (0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0)
BINS = 400  # four per bin of the notebook, so that a figure can draw several histograms in common bins


def absolute(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    """Sum the absolute differences over the features. This is the notebook's error, in units of the data."""
    values: Values = np.abs(_difference(samples, reconstructions)).sum(axis=1)
    return values


def mean_squared(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    """Average the squared differences over the features."""
    values: Values = np.square(_difference(samples, reconstructions)).mean(axis=1)
    return values


def psnr(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    """Return the peak signal-to-noise ratio in dB, 10 log10(1 / MSE) for a peak of 1; infinite where both are equal."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mean_squared(samples, reconstructions))


def _difference(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    if samples.shape != reconstructions.shape or samples.ndim != 2:
        shapes = f"samples have shape {samples.shape}, reconstructions {reconstructions.shape}"
        raise InvalidInputError(f"{shapes}; both must be (n, features) and equal")
    difference: Values = np.subtract(samples, reconstructions, dtype=np.float64)
    return difference


def statistics(values: Values) -> Statistics:
    """Summarise errors; their order has no effect. Raises InvalidInputError when there are none."""
    if not values.size:
        raise InvalidInputError("no errors to summarise; score at least one sample")
    ordered = np.sort(values)
    low, high = ordered[[0, -1]]
    if not (isfinite(low) and isfinite(high)):
        return Statistics(mean=None, std=None, quantiles=_quantiles(ordered), counts=[])
    margin = 0 if high > low else 0.5
    # np.histogram fails to make its own edges where errors are a few ulp apart.
    edges = np.linspace(low - margin, high + margin, BINS + 1)
    counts = np.histogram(ordered, edges)[0].tolist()
    return Statistics(float(ordered.mean()), float(ordered.std()), _quantiles(ordered), counts)


def _quantiles(ordered: Values) -> dict[str, float | None]:
    # 'lower' returns values that occurred, and so never averages a finite and an infinite one.
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

    The components are fitted on the training samples, at most as many as there are features or samples. A single
    training sample has no components and is itself the reconstruction.
    """
    if len(split.train) < 2:
        return constant_mean(split)
    from sklearn.decomposition import PCA  # imported here because it loads SciPy

    components = min(components, *split.train.shape)
    fitted = PCA(components, svd_solver="covariance_eigh").fit(split.train)
    reconstruction = fitted.inverse_transform(fitted.transform(split.test))
    clipped: Array = np.clip(reconstruction, 0, 1, dtype=np.float32)
    return clipped
