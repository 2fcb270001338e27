"""The reference workload: a fixed small computation that says how fast the machine is just now."""

from time import perf_counter


def seconds() -> float:
    """Run the reference workload once; return the seconds that it took."""
    started = perf_counter()
    total = 0
    for number in range(200_000):
        total += number * number
    return perf_counter() - started
