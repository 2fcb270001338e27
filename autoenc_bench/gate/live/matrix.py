"""The suite once per backend, each in a process of its own: one record each."""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from time import monotonic

from autoenc_bench.core import backends
from autoenc_bench.gate.live import processes
from autoenc_bench.gate.live.checkouts import Side
from autoenc_bench.records.record import BACKENDS

Tell = Callable[[str], None]  # says what is being run; called about once a second


def choose(wanted: Sequence[str]) -> list[str]:
    """Name the backends to run: those asked for, each once, or all that are installed.

    Raises LookupError for one that is unknown or not installed.
    """
    for backend in wanted:
        backends.check(backend)
    return list(dict.fromkeys(wanted)) or [backend for backend in BACKENDS if backends.is_installed(backend)]


def run(
    chosen: Sequence[str], options: Sequence[str], project: Path, store: Path, tell: Tell
) -> Iterator[tuple[str, Path | ValueError]]:
    """Run the suite of a project on each backend, with pytest's options; yield its record, or why there is none."""
    for place, backend in enumerate(chosen, start=1):
        began = monotonic()
        side = Side(
            name=f"{backend} backend",
            words="in this folder",
            folder=project,
            python=Path(sys.executable),
            environment={},
        )
        where = f"{backend} ({place} of {len(chosen)})"

        def tick(where: str = where, began: float = began) -> None:
            tell(f"{where}, {monotonic() - began:.0f} s")

        try:
            named = [f"--benchmark-save={backend}", *options, f"--backend={backend}"]
            yield backend, processes.run(side, named, store, float("inf"), tick)
        except ValueError as problem:
            yield backend, problem
