"""Uniform rows that are drawn when a program needs them. Each row is a function of the seed and of its number."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from keras import ops

from autoenc_bench.catalogue.experiments import MAX_STREAMED_ROWS
from autoenc_bench.core.data.split import Array, Split, check_slice, share
from autoenc_bench.core.seeds import generator
from autoenc_bench.exceptions import InvalidInputError

MOST_TEST_ROWS = 100_000  # as many as a million rows of uniform data have
TEST = 2**31  # this bit in the counter's second word distinguishes test rows from training rows
ROTATIONS = ((13, 15, 26, 6), (17, 29, 16, 24))  # bits, from the paper that ``threefry`` names
PARITY = 0x1BD11BDA  # from the same paper


def threefry(key: tuple[int, int], counter: tuple[Any, Any]) -> tuple[Any, Any]:
    """Turn two uint32 tensors into random words, element by element, by Threefry-2x32 with 20 rounds.

    Equal keys and counters give equal words on every backend, in any order, on any number of workers (Salmon, Moraes,
    Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", 2011).
    """
    keys = (*key, key[0] ^ key[1] ^ PARITY)
    first, second = counter[0] + np.uint32(keys[0]), counter[1] + np.uint32(keys[1])
    for four_rounds in range(5):
        for rotation in ROTATIONS[four_rounds % 2]:
            first = first + second
            left = ops.left_shift(second, np.uint32(rotation))
            rotated = ops.bitwise_or(left, ops.right_shift(second, np.uint32(32 - rotation)))
            second = ops.bitwise_xor(first, rotated)
        first = first + np.uint32(keys[(four_rounds + 1) % 3])
        second = second + np.uint32((keys[(four_rounds + 2) % 3] + four_rounds + 1) % 2**32)
    return first, second


@dataclass(frozen=True, eq=False)
class Stream:
    """Numbered training rows of independent uniform values, and a tenth as many test rows, at most 100,000.

    No test row is a training row. Raises InvalidInputError when there are too many rows or features to number.
    """

    rows: int
    features: int
    seed: int
    test_rows: int | None = None

    def __post_init__(self) -> None:
        if not 1 <= self.rows <= MAX_STREAMED_ROWS:
            raise InvalidInputError(f"{self.rows} streamed rows; take 1 to {MAX_STREAMED_ROWS:,}")
        if not 1 <= self.features <= TEST:
            raise InvalidInputError(f"streamed rows of {self.features} features; take at least 1")

    @cached_property
    def key(self) -> tuple[int, int]:
        """Return the key of ``threefry``, two words from the seed."""
        first, second = generator(self.seed, "data").bit_generator.seed_seq.generate_state(2, np.uint32)
        return int(first), int(second)

    def draw(self, first: Any, rows: int, *, test: bool = False) -> Any:
        """Draw consecutive rows and return them as a tensor, shape (rows, features).

        ``first`` is the number of the first row, a uint32 scalar, which may be traced. Values are float32 multiples of
        2**-24 in [0, 1). Of each two words, one serves the left half of the columns and one the right half.
        """
        half = -(-self.features // 2)
        columns = np.arange(half, dtype=np.uint32) + np.uint32(TEST if test else 0)
        numbers = first + np.arange(rows, dtype=np.uint32)
        zeros = np.zeros((rows, half), np.uint32)  # of the shape of the result
        words = threefry(self.key, (ops.expand_dims(numbers, 1) + zeros, columns + zeros))
        bits = ops.right_shift(ops.concatenate(words, axis=1)[:, : self.features], np.uint32(8))
        return ops.cast(ops.cast(bits, "int32"), "float32") * np.float32(2**-24)

    @cached_property
    def test(self) -> Array:
        """Return the test rows, shape (test_rows, features)."""
        return self._drawn(self.test_rows or -(-min(self.rows, 10 * MOST_TEST_ROWS) // 10), test=True)

    def sample(self) -> Split:
        """Return the first 100,000 training rows (or all) and the test rows, in memory."""
        return Split(self._drawn(min(self.rows, MOST_TEST_ROWS)), self.test)

    def head(self, rows: int, test_rows: int | None = None) -> "Stream":
        check_slice(rows, self.rows)
        return Stream(rows, self.features, self.seed, test_rows or share(len(self.test), rows, self.rows))

    def _drawn(self, rows: int, *, test: bool = False) -> Array:
        values: Array = np.asarray(ops.convert_to_numpy(self.draw(ops.cast(0, "uint32"), rows, test=test)))
        values.flags.writeable = False
        return values
