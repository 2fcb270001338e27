"""What one process measures on: its threads limited, its machine, context and conditions told."""

import os

from autoenc_bench import backends
from autoenc_bench.machine import fingerprint, threads
from autoenc_bench.records import Fact, Machine


class Setting:
    """Hold a process's setting; make it before a framework is loaded, which adds to the environment."""

    def __init__(self, wanted: int | None) -> None:
        self.threads = wanted
        self.cores: list[int] | None = None
        self._environment = fingerprint.tuning(os.environ)
        self._usable = len(threads.usable_cores())

    def enter(self) -> None:
        """Limit the threads of libraries and backend, and begin to watch the conditions."""
        self.cores = threads.limit(self.threads)
        backends.current().configure(self.threads)
        self._begin = fingerprint.readings()

    def machine(self, cpu: str | None) -> Machine:
        """Identify the machine; finding out the ``cpu`` is left to the caller, for it takes a second."""
        return fingerprint.identify(cpu, backends.current().accelerators())

    def context(self) -> dict[str, Fact]:
        """Give what must be equal for times to be comparable."""
        own = threads.POOL_VARIABLES if self.threads is not None else ()
        return {
            "backend": backends.name(),
            "device": backends.device(),
            "precision": fingerprint.readable(backends.precision),
            "threads": self.threads,
            "pinned": self.cores is not None,
            "usable_cores": self._usable,
            "cpu_limit": fingerprint.readable(fingerprint.cpu_limit),
            **fingerprint.libraries(),
            "blas": fingerprint.readable(fingerprint.blas),
            **{name: value for name, value in self._environment.items() if name not in own},
        }

    def conditions(self) -> dict[str, Fact | list[Fact]]:
        """Say what was so between ``enter`` and now."""
        return {**fingerprint.conditions(self._begin, fingerprint.readings()), "cores": list(self.cores or [])}

    def __str__(self) -> str:
        """Say in one line what runs where."""
        backend, libraries = backends.name(), fingerprint.libraries()
        count = "all threads" if self.threads is None else f"{self.threads} thread{'s'[: self.threads > 1]}"
        pinned = f" pinned to core {', '.join(map(str, self.cores))}" if self.cores else ""
        return f"{backend} {libraries[backend]} on {backends.device()}, {count}{pinned}"
