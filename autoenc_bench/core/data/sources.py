"""Named data, the same for the same seed: float32 arrays, split into train and test."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from autoenc_bench.backends import selection
from autoenc_bench.core.data import mnist
from autoenc_bench.core.data.split import Split
from autoenc_bench.core.seeds import generator
from autoenc_bench.exceptions import InvalidInputError, NotFoundError

if TYPE_CHECKING:
    from autoenc_bench.core.data.streams import Stream

Source = Callable[[int, int, int], "Split | Stream"]  # (rows, features, seed) -> data


def load(name: str, *, rows: int, features: int, seed: int) -> "Split | Stream":
    """Return the named data.

    Raises NotFoundError for an unknown name and for data that cannot be obtained here, InvalidInputError when the data
    do not have that many rows and features.
    """
    check(name)
    if rows < 2 or features < 1:
        raise InvalidInputError(f"{rows} rows of {features} features cannot be split; take at least 2 rows of 1")
    return SOURCES[name](rows, features, seed)


def check(name: str) -> None:
    """Raise NotFoundError for unknown data."""
    if name not in SOURCES:
        advice = "or add your own with autoenc_bench.register_data"
        raise NotFoundError(f"unknown data {name!r}; choose from {', '.join(SOURCES)}, {advice}")


def register(name: str, source: Callable[[int, int, int], Split]) -> None:
    """Add a function (rows, features, seed) -> Split. Raises InvalidInputError when another one has this name."""
    if SOURCES.setdefault(name, source) is not source:
        raise InvalidInputError(f"data {name!r} has a source already; choose another name")


def split_rows(values: NDArray[Any]) -> Split:
    """Split as the notebook does: shuffle the rows with ``random_state=42`` and keep a tenth of them for testing."""
    return Split(*train_test_split(values, test_size=0.1, random_state=42))


def uniform(rows: int, features: int, seed: int) -> Split:
    """Draw independent uniform values, shape (rows, features), and split them."""
    return split_rows(generator(seed, "data").random((rows, features), dtype=np.float32))


def digits(rows: int, features: int, seed: int) -> Split:  # noqa: ARG001 - these images do not depend on the seed
    """Take scikit-learn's 8 x 8 digits, scaled from 0..16 to [0, 1], and split them."""
    values = load_digits().data / 16
    _check_size("digits", rows, features, values.shape)
    return split_rows(values[:rows])


def mnist_images(rows: int, features: int, seed: int) -> Split:  # noqa: ARG001 - these images do not depend on the seed
    """Take MNIST's own 60,000 train and 10,000 test images, scaled from 0..255 to [0, 1] and flattened.

    Fewer rows keep the ratio of train to test. Raises NotFoundError when no source has the images.
    """
    train, test = mnist.images()
    available = len(train) + len(test)
    _check_size("mnist", rows, features, (available, train.shape[1]))
    whole = Split(*(part.astype(np.float32) / np.float32(255) for part in (train, test)))
    return whole.head(round(rows * len(train) / available))


def stream(rows: int, features: int, seed: int) -> "Stream":
    """Return ``rows`` training rows of independent uniform values, which the training program draws itself.

    Raises NotFoundError on PyTorch: it compiles no program here, and Keras has no whole 32-bit words on it.
    """
    if selection.name() == "torch":
        raise NotFoundError("streamed rows are drawn by a compiled program, and torch compiles none here")
    from autoenc_bench.core.data.streams import Stream  # imported here because it loads Keras

    return Stream(rows, features, seed)


def _check_size(name: str, rows: int, features: int, shape: tuple[int, int]) -> None:
    if rows > shape[0] or features != shape[1]:
        raise InvalidInputError(f"{name} data has {shape[0]} rows of {shape[1]}; asked for {rows} of {features}")


SOURCES: dict[str, Source] = {"uniform": uniform, "stream": stream, "digits": digits, "mnist": mnist_images}
