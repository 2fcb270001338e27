"""A roof is the best rate of several bursts, and None if it cannot be measured."""

from itertools import count

import msgspec
import numpy as np
import pytest
import recordings

from autoenc_bench.machine import roofs


@pytest.fixture
def bursts(monkeypatch):
    """Return a function that makes a burst of amount 6 whose calls take these durations, and the durations left."""
    now = [0.0]
    monkeypatch.setattr(roofs, "perf_counter", lambda: now[0])

    def bursts(*durations):
        left = list(durations)

        def burst():
            now[0] += left.pop(0)

        return (burst, 6.0), left

    return bursts


def test_best_of_five(bursts):
    """The rate is the best of at least five bursts, after one that warms up."""
    burst, left = bursts(0.1, 3, 2, 6, 3, 1, 9)
    assert roofs._rate(lambda: burst, seconds=0) == 6.0
    assert left == [9]


def test_bursts_fill_the_time(bursts):
    """Bursts are repeated until the time is spent."""
    burst, left = bursts(*[1] * 9, 0.5, 1, 7)
    assert roofs._rate(lambda: burst, seconds=9) == 12.0
    assert left == [7]


@pytest.fixture
def ticking(monkeypatch):
    """Let one second pass between any two readings of the clock."""
    now = count()
    monkeypatch.setattr(roofs, "perf_counter", lambda: float(next(now)))


@pytest.mark.usefixtures("ticking")
def test_measure(monkeypatch):
    """A roof is the amount of a burst per second; dispatch is the time of one call."""
    monkeypatch.setattr(roofs, "usable_cores", lambda: [0, 1])
    measured = roofs.measure(seconds=0)
    assert measured.version == roofs.VERSION
    assert measured.flops == 2 * 2 * 1024**3
    assert measured.bytes == 2 * 2 * 4 * 2**25  # twice, each byte read and written
    assert measured.exponentials == 2 * 4000 * 2**12  # on both cores
    assert measured.dispatch == 1 / 10


@pytest.mark.usefixtures("ticking")
def test_what_fails_is_none(monkeypatch):
    """A roof that cannot be measured is None; the others are measured."""

    def fail():
        raise MemoryError

    monkeypatch.setattr(
        roofs, "_host", lambda _: {"flops": fail, "bytes": lambda: (lambda: None, 1.0), "exponentials": fail}
    )
    measured = roofs.measure(seconds=0)
    assert (measured.flops, measured.exponentials) == (None, None)
    assert measured.bytes == 1


@pytest.mark.parametrize("name", ["flops", "bytes", "exponentials"])
def test_accelerator(monkeypatch, name):
    """An accelerator's bursts run the backend's programs, on values that the compiler cannot know."""
    placed = []
    put = roofs.selection.current().put
    monkeypatch.setattr(roofs.selection.current(), "put", lambda values: placed.append(values) or put(values))
    run, amount = roofs._accelerator(side=8, size=64)[name]()
    run()
    assert amount == {"flops": 2 * 8**3, "bytes": 4 * 64, "exponentials": 64}[name]
    assert placed[0].dtype == np.float32


@pytest.mark.usefixtures("ticking")
def test_models_on_an_accelerator(monkeypatch):
    """If the models run on an accelerator, its roofs are measured instead of NumPy's rates."""
    monkeypatch.setattr(roofs.selection, "device", lambda: "A GPU")
    monkeypatch.setattr(
        roofs, "_accelerator", lambda: dict.fromkeys(("flops", "bytes", "exponentials"), lambda: (lambda: None, 1))
    )
    monkeypatch.setattr(roofs, "_host", None)
    assert roofs.measure(seconds=0).flops == 1


def test_higher():
    """The higher of two rates counts, and the shorter of two dispatch times; a single measurement counts as well."""
    first = recordings.ROOFS
    second = msgspec.structs.replace(first, flops=2e11, bytes=None, exponentials=1.0, dispatch=4e-5)
    for higher in (roofs.higher(first, second), roofs.higher(second, first)):
        assert higher == msgspec.structs.replace(first, flops=2e11, dispatch=4e-5)
    none = msgspec.structs.replace(first, flops=None)
    assert roofs.higher(none, none).flops is None
