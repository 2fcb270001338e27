"""The machine's roofs: its highest rates on a run's threads and device (docs/methodology.md defines them)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from time import perf_counter
from typing import Any

import keras
import numpy as np

from autoenc_bench.backends import selection
from autoenc_bench.core.data.split import Array
from autoenc_bench.machine.fingerprint import or_none
from autoenc_bench.machine.threads import usable_cores
from autoenc_bench.records.record import Roofs

VERSION = 1  # of the definitions below

Burst = tuple[Callable[[], object], float]  # a function, and how much work one call of it does


def measure(seconds: float = 6.0) -> Roofs:
    """Measure all roofs in about so many seconds, compilation included; a roof that fails is ``None``."""
    with ThreadPoolExecutor(len(usable_cores())) as pool:
        makers = _host(pool) if selection.device() == "CPU" else _accelerator()
        rates = {name: or_none(partial(_rate, make, seconds / 4)) for name, make in makers.items()}
        calls = or_none(partial(_rate, _dispatch, seconds / 4))
    return Roofs(version=VERSION, **rates, dispatch=calls and 1 / calls)


def higher(first: Roofs, second: Roofs) -> Roofs:
    """Return the higher of two measurements of each roof: a neighbour may have used the machine during one of them."""
    rates = {}
    for name, choose in {"flops": max, "bytes": max, "exponentials": max, "dispatch": min}.items():
        measured = filter(None, (getattr(first, name), getattr(second, name)))
        rates[name] = choose(measured, default=None)
    return Roofs(version=VERSION, **rates)


def _rate(make: Callable[[], Burst], seconds: float) -> float:
    """Return the best rate per second of at least five bursts, after one that warms up."""
    run, amount = make()
    run()
    rates: list[float] = []
    end = perf_counter() + seconds
    while len(rates) < 5 or perf_counter() < end:
        started = perf_counter()
        run()
        rates.append(amount / (perf_counter() - started))
    return max(rates)


def _host(pool: ThreadPoolExecutor) -> dict[str, Callable[[], Burst]]:
    """Use NumPy: its BLAS has threads of its own; its other functions get a slice of the values in each thread."""
    threads = len(usable_cores())

    def flops(side: int = 1024, times: int = 2) -> Burst:
        values, out = _values(side, side), np.empty((side, side), np.float32)
        return lambda: [np.matmul(values, values, out=out) for _ in range(times)], times * 2.0 * side**3

    def sliced(function: Callable[..., object], size: int, times: int, amount: float) -> Burst:
        slices = [(_values(size), np.empty(size, np.float32)) for _ in range(threads)]

        def work(slice_: tuple[Array, Array]) -> None:
            for _ in range(times):
                function(slice_[0], out=slice_[1])

        return lambda: list(pool.map(work, slices)), amount * threads * times * size

    return {
        "flops": flops,
        "bytes": lambda: sliced(np.positive, 2**25 // threads, 2, 2 * 4),  # each byte is read and written
        "exponentials": lambda: sliced(np.exp, 2**12, 4000, 1),
    }


def _accelerator(side: int = 8192, size: int = 2**28) -> dict[str, Callable[[], Burst]]:
    """Use the backend's compiled programs on values that are on the device already; only a sum comes back."""

    def program(function: Callable[[Any], Any], values: Array, amount: float) -> Burst:
        placed, factor = selection.current().put(values), np.ones((), np.float32)
        call = selection.current().compile_call(lambda factor: keras.ops.sum(function(placed * factor))).run
        return lambda: call(factor), amount

    return {
        "flops": lambda: program(lambda square: keras.ops.matmul(square, square), _values(side, side), 2.0 * side**3),
        "bytes": lambda: program(lambda values: values, _values(size), 4.0 * size),
        "exponentials": lambda: program(keras.ops.exp, _values(size), size),
    }


def _values(*shape: int) -> Array:
    return np.full(shape, 0.5, np.float32)


def _dispatch(calls: int = 10) -> Burst:
    """Call an empty program, from host to host, in short bursts, because its speed changes within a second."""
    call, nothing = selection.current().compile_call(lambda values: values).run, np.zeros(1, np.float32)
    return lambda: [call(nothing) for _ in range(calls)], calls
