"""Per-sample reconstruction errors and their statistics (pure NumPy).

Every function takes samples and reconstructions in [0, 1] of equal shape (n, features) and computes in float64.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

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
    """Give the peak signal-to-noise ratio in dB, 10 log10(1 / MSE) for a peak of 1; infinite where equal."""
    with np.errstate(divide="ignore"):
        return -10 * np.log10(mean_squared(samples, reconstructions))


def _difference(samples: NDArray[Any], reconstructions: NDArray[Any]) -> Values:
    if samples.shape != reconstructions.shape or samples.ndim != 2:
        raise ValueError(
            f"samples have shape {samples.shape}, reconstructions {reconstructions.shape}; "
            "both must be (n, features) and equal"
        )
    difference: Values = np.subtract(samples, reconstructions, dtype=np.float64)
    return difference


def statistics(values: Values) -> Statistics:
    """Summarise errors, in a way that does not depend on their order. Raises ValueError when there are none."""
    if not values.size:
        raise ValueError("no errors to summarise; score at least one sample")
    ordered = np.sort(values)
    finite = bool(np.isfinite(ordered[[0, -1]]).all())
    if not finite:
        return Statistics(mean=None, std=None, quantiles=_quantiles(ordered), counts=[])
    return Statistics(
        mean=float(ordered.mean()),
        std=float(ordered.std()),
        quantiles=_quantiles(ordered),
        counts=np.histogram(ordered, _edges(ordered[0], ordered[-1]))[0].tolist(),
    )


def _quantiles(ordered: Values) -> dict[str, float | None]:
    # 'lower' takes values that occurred: no arithmetic between a finite and an infinite one.
    found = np.quantile(ordered, QUANTILES, method="lower")
    return {f"{share:g}": _finite(value) for share, value in zip(QUANTILES, found, strict=True)}


def _edges(low: float, high: float) -> Values:
    """Give BINS + 1 edges; np.histogram's own choice fails where the errors differ by a few ulp only."""
    edges = np.linspace(low, high, BINS + 1)
    return edges if high > low else np.linspace(low - 0.5, high + 0.5, BINS + 1)


def _finite(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None


def best(values: Values, n: int) -> NDArray[np.intp]:
    """Return the indices of the n smallest errors, smallest first; equal errors in order of their index."""
    return np.argsort(values, kind="stable")[:n]


def worst(values: Values, n: int) -> NDArray[np.intp]:
    """Return the indices of the n largest errors, largest first; equal errors in order of their index."""
    return np.argsort(-values, kind="stable")[:n]
