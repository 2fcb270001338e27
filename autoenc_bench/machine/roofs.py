"""What this machine does at most, on the threads and the device of the cases: measured, not quoted.

Each roof is the best of at least five bursts. On a CPU both NumPy and the backend try, and the faster counts; on an
accelerator only the backend does, with everything on the device.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from autoenc_bench import backends
from autoenc_bench.machine.fingerprint import readable
from autoenc_bench.machine.threads import usable_cores
from autoenc_bench.records import Roofs

VERSION = 1  # of the definitions below
BURSTS = 5
CALLS = 200  # of the empty program in a burst

Burst = Callable[[], float]  # does something once, and says how much it did


def measure(seconds: float = 6.0) -> Roofs:
    """Measure all roofs in about so many seconds, compiling included; what fails is ``None``."""
    threads, device = len(usable_cores()), backends.device()
    share = seconds / 8
    with ThreadPoolExecutor(threads) as pool:
        ways = (_backend_ways(), _numpy_ways(pool, threads)) if device == "CPU" else (_backend_ways(),)
        rates = {name: _best([way[name] for way in ways], share) for name in ("flops", "bytes", "exponentials")}
    calls = _best([_dispatch], share)
    return Roofs(version=VERSION, **rates, dispatch=calls and 1 / calls)


def _best(makers: list[Callable[[], Burst]], seconds: float) -> float | None:
    rates = [readable(lambda make=make: _rate(make(), seconds)) for make in makers]  # type: ignore[misc]
    return max((rate for rate in rates if rate), default=None)


def _rate(burst: Burst, seconds: float) -> float:
    """Give the best rate per second over the bursts, the first of which warms up."""
    burst()
    rates: list[float] = []
    end = perf_counter() + seconds
    while len(rates) < BURSTS or perf_counter() < end:
        started = perf_counter()
        done = burst()
        rates.append(done / (perf_counter() - started))
    return max(rates)


def _numpy_ways(pool: ThreadPoolExecutor, threads: int) -> dict[str, Callable[[], Burst]]:
    """Use NumPy: its BLAS has threads of its own, other functions get one slice per thread."""

    def flops() -> Burst:
        side, times = 1024, 10
        left, out = _values(side * side).reshape(side, side), np.empty((side, side), np.float32)

        def burst() -> float:
            for _ in range(times):
                np.matmul(left, left, out=out)
            return times * 2.0 * side**3

        return burst

    def sliced(function: Callable[..., object], size: int, times: int, amount: float) -> Burst:
        slices = [(_values(size), np.empty(size, np.float32)) for _ in range(threads)]

        def work(values: tuple[NDArray[np.float32], NDArray[np.float32]]) -> None:
            for _ in range(times):
                function(values[0], out=values[1])

        def burst() -> float:
            list(pool.map(work, slices))
            return amount * threads * times * size

        return burst

    return {
        "flops": flops,
        "bytes": lambda: sliced(np.positive, 2**24 // threads, 4, 8),
        "exponentials": lambda: sliced(np.exp, 2**14, 1000, 1),
    }


def _values(size: int) -> NDArray[np.float32]:
    return np.linspace(0, 1, size, dtype=np.float32)


def _backend_ways() -> dict[str, Callable[[], Burst]]:
    """Use the backend's compiled programs on values that are on the device already; only a sum comes back."""
    large = backends.device() != "CPU"

    def program(function: Callable[[Any], Any], values: NDArray[np.float32], amount: float) -> Burst:
        held, one = backends.current().put(values), np.ones((), np.float32)
        call = backends.current().compile_call(lambda factor: keras.ops.sum(function(held * factor)))

        def burst() -> float:
            call(one)
            return amount

        return burst

    def flops() -> Burst:
        side = 8192 if large else 1024
        return program(lambda held: keras.ops.matmul(held, held), _values(side * side).reshape(side, side), 2 * side**3)

    size = 2**28 if large else 2**22
    return {
        "flops": flops,
        "bytes": lambda: program(lambda held: held, _values(size), 4 * size),
        "exponentials": lambda: program(keras.ops.exp, _values(size), size),
    }


def _dispatch() -> Burst:
    """Call a program that does nothing, from host to host."""
    call, nothing = backends.current().compile_call(lambda values: values), np.zeros(1, np.float32)

    def burst() -> float:
        for _ in range(CALLS):
            call(nothing)
        return CALLS

    return burst
