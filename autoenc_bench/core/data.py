"""Named, seeded data as read-only float32 arrays, split into train and test."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from autoenc_bench.core import backends, mnist
from autoenc_bench.core.seeds import generator

if TYPE_CHECKING:
    from autoenc_bench.core.streams import Stream

Array = NDArray[np.float32]
TEST_SHARE = 0.1
SPLIT_STATE = 42  # the notebook's random_state


@dataclass(frozen=True, eq=False)
class Split:
    """Hold the rows to train on and the rows to test on: float32 in [0, 1], read-only, shape (n, features).

    Raises ValueError when a part is empty, is not two-dimensional, or holds NaN or a value out of [0, 1],
    which binary cross-entropy and a sigmoid output cannot use.
    """

    train: Array
    test: Array

    def __post_init__(self) -> None:
        for part in ("train", "test"):
            object.__setattr__(self, part, _checked(getattr(self, part), part))

    @property
    def rows(self) -> int:
        """Count the training rows."""
        return len(self.train)

    def sample(self) -> "Split":
        """Return itself: all its rows are in memory (those of a stream are not)."""
        return self

    def head(self, train_rows: int, test_rows: int | None = None) -> "Split":
        """Return the first rows, with so many test rows at most, or as large a share of them (at least one).

        Raises ValueError when the slice is empty or longer than the data.
        """
        if not 1 <= train_rows <= len(self.train):
            raise ValueError(f"slice of {train_rows} rows; there are {len(self.train)}, ask for 1 to that many")
        test_rows = test_rows or ceil(len(self.test) * train_rows / len(self.train))
        return Split(self.train[:train_rows], self.test[:test_rows])


def _checked(values: NDArray[Any], part: str) -> Array:
    values = np.asarray(values, dtype=np.float32)
    if values.ndim != 2 or not values.size:
        raise ValueError(f"{part} data has shape {values.shape}; it needs at least one row and one column")
    if not (values.min() >= 0 and values.max() <= 1):  # also false for NaN
        row, column = np.argwhere(~((values >= 0) & (values <= 1)))[0]
        raise ValueError(
            f"{part} data holds {values[row, column]} at row {row}, column {column}; "
            "values must be finite and within [0, 1], so scale or clean them first"
        )
    values = values.view()
    values.flags.writeable = False
    return values


def split_rows(values: NDArray[Any]) -> Split:
    """Split like the notebook: a tenth for testing, shuffled with ``random_state=42``."""
    return Split(*train_test_split(values, test_size=TEST_SHARE, random_state=SPLIT_STATE))


def uniform(rows: int, features: int, seed: int) -> Split:
    """Draw independent uniform values, shape (rows, features), and split them."""
    return split_rows(generator(seed, "data").random((rows, features), dtype=np.float32))


def digits(rows: int, features: int, seed: int) -> Split:  # noqa: ARG001 - real data know no seed
    """Take scikit-learn's bundled 8 x 8 digits, scaled from 0..16 to [0, 1], and split them."""
    values = load_digits().data / 16
    _require("digits", rows, features, values.shape)
    return split_rows(values[:rows])


def mnist_images(rows: int, features: int, seed: int) -> Split:  # noqa: ARG001 - real data know no seed
    """Take MNIST's own 60,000 train and 10,000 test images, scaled from 0..255 to [0, 1] and flattened.

    Fewer rows keep the ratio of train to test. Raises LookupError when no source has the images.
    """
    train, test = mnist.images()
    _require("mnist", rows, features, (len(train) + len(test), train.shape[1]))
    whole = Split(*(part.astype(np.float32) / np.float32(255) for part in (train, test)))
    return whole.head(round(rows * len(train) / (len(train) + len(test))))


def stream(rows: int, features: int, seed: int) -> "Stream":
    """Stand for independent uniform values that are drawn as they are needed: ``rows`` of them to train on.

    Raises LookupError on PyTorch, whose words of 32 bits are not whole in Keras, and which compiles no program here.
    """
    if backends.name() == "torch":
        raise LookupError("streamed rows are drawn by a compiled program, and torch runs none here")
    from autoenc_bench.core.streams import Stream  # here, for it needs Split, and loads Keras

    return Stream(rows, features, seed)


def _require(name: str, rows: int, features: int, shape: tuple[int, int]) -> None:
    if rows > shape[0] or features != shape[1]:
        raise ValueError(f"{name} data has {shape[0]} rows of {shape[1]}; asked for {rows} of {features}")


Source = Callable[[int, int, int], "Split | Stream"]
SOURCES: dict[str, Source] = {
    "uniform": uniform,
    "stream": stream,
    "digits": digits,
    "mnist": mnist_images,
}


def register(name: str, source: Source) -> None:
    """Add a named source of data: a function (rows, features, seed) -> Split.

    Raises ValueError when another source has the name.
    """
    if SOURCES.setdefault(name, source) is not source:
        raise ValueError(f"data {name!r} has a source already; choose another name")


def load(name: str, *, rows: int, features: int, seed: int) -> "Split | Stream":
    """Return the named data, the same for the same seed.

    Raises LookupError for a name without a source and for MNIST that cannot be had, ValueError when the
    data do not have that many rows and features.
    """
    if name not in SOURCES:
        raise LookupError(f"unknown data {name!r}; choose from {', '.join(SOURCES)}")
    if rows < 2 or features < 1:
        raise ValueError(f"{rows} rows of {features} features cannot be split; take at least 2 rows of 1")
    return SOURCES[name](rows, features, seed)
