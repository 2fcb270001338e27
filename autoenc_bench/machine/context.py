"""What one process measures on: it limits the threads, and reads machine, context and conditions."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from autoenc_bench import backends
from autoenc_bench.distributed.runtime import Distribution
from autoenc_bench.formatting import count
from autoenc_bench.instruments import clock, reference_workload
from autoenc_bench.machine import conditions, fingerprint, threads, variables
from autoenc_bench.machine.cores import kind_of, kinds
from autoenc_bench.records.record import Fact, Roofs, Survey


class MeasuringContext:
    """A process's threads and surroundings; make it before a framework is loaded, which adds to the environment."""

    def __init__(self, thread_count: int | None, distribution: Distribution | None = None) -> None:
        self.threads = thread_count
        self._distribution = distribution
        self.cores: list[int] | None = None
        self._environment = variables.tuning(os.environ)
        self._usable = threads.usable_cores()
        self.tracer: str | None = None  # that slows what is measured, from ``enter`` on

    def enter(self) -> None:
        """Limit the threads of libraries and backend, load Keras, and begin to watch the conditions.

        Raises InvalidInputError for variables with which it would do other work, NotFoundError where Keras cannot be
        loaded.
        """
        variables.refuse(os.environ)
        place = self._distribution.process or 0 if self._distribution else 0
        self.cores = threads.limit(self.threads, self._usable, place)
        backends.load().configure(self.threads)
        self.tracer = fingerprint.tracer()
        self._begin = conditions.readings(self._own_cores)

    @property
    def _own_cores(self) -> list[int]:
        """Return the cores that this process may use from now on."""
        return self._usable if self.cores is None else self.cores

    @cached_property
    def preflight(self) -> conditions.Preflight:
        """Look at the machine just before measuring, for a third of a second."""
        return conditions.preflight(self._own_cores)

    def survey(self, cpu: str | None, roofs: Roofs | None) -> Survey:
        """Return what runs here; ``cpu`` is the model's name, which takes a second to find out."""
        begin, end = self._begin, conditions.readings(self._own_cores)
        return Survey(
            machine=fingerprint.identify(cpu, backends.current().accelerators()),
            context=self.context,
            conditions={
                **conditions.during(begin, end),
                **(self.preflight.facts if "preflight" in self.__dict__ else {}),
                "cores": list(self.cores or []),
            },
            roofs=roofs,
        )

    def problems(self) -> Iterator[str]:
        """Say in a sentence each what of the machine could not be known, or slowed it down, until now."""
        if problem := fingerprint.nvidia().problem:
            yield fingerprint.UNKNOWN.format(problem)
        if throttled := conditions.during(self._begin, conditions.readings(self._own_cores))["throttled"]:
            occasions = count(throttled, "occasion")
            yield f"during the run, heat slowed the measuring cores down on {occasions}; let them cool, and run again"

    @cached_property
    def context(self) -> dict[str, Fact]:
        own = (*threads.POOL_VARIABLES, "NPROC") if self.threads is not None else ()  # set here or by the backend
        return {
            "backend": backends.name(),
            "device": backends.device(),
            "precision": fingerprint.readable(backends.precision),
            "threads": self.threads,
            "pinned": self.cores is not None,
            "usable_cores": len(self._usable),
            "cpu_limit": fingerprint.readable(fingerprint.cpu_limit),
            **fingerprint.libraries(backends.name()),
            "blas": fingerprint.readable(fingerprint.blas),
            "clock": clock.VERSION,
            "reference": reference_workload.VERSION,
            **(self._distribution.context if self._distribution else {}),
            **self._unusual,
            **{name: value for name, value in self._environment.items() if name not in own},
        }

    @property
    def _unusual(self) -> dict[str, Fact]:
        """Return the facts that a context has only where they are not as usual."""
        facts = {
            "core_kind": kind_of(self._own_cores, kinds()),
            "interpreter": fingerprint.interpreter(),
            "keras_settings": fingerprint.readable(backends.settings),
            "huge_pages": fingerprint.readable(fingerprint.huge_pages),
            "tracer": self.tracer,  # whose times compare with others traced so alone
            **self._drivers(),
        }
        return {name: fact for name, fact in facts.items() if fact is not None}

    def _drivers(self) -> dict[str, Fact]:
        """Return the versions of what runs accelerators, none without them."""
        if not backends.current().accelerators():
            return {}
        return {"driver": fingerprint.nvidia().version, **(fingerprint.readable(backends.current().versions) or {})}

    def __str__(self) -> str:
        """Return in one line what runs where."""
        backend = backends.name()
        used = "all threads" if self.threads is None else count(self.threads, "thread")
        pinned = f" pinned to core {', '.join(map(str, self.cores))}" if self.cores else ""
        pinned += f" ({kind})" if pinned and (kind := kind_of(self._own_cores, kinds())) else ""
        traced = f", traced by {self.tracer}, so times compare with others traced so alone" if self.tracer else ""
        return f"{backend} {fingerprint.libraries(backend)[backend]} on {backends.device()}, {used}{pinned}{traced}"


def survey(thread_count: str) -> Survey:
    """Return what runs here on so many threads (as for ``--threads``), with its roofs measured.

    Raises InvalidInputError for threads that cannot be had, NotFoundError for an unknown backend.
    """
    context = MeasuringContext(threads.parse(thread_count))
    backends.name()
    with _silent():
        context.enter()
        from autoenc_bench.machine import roofs  # here, for it loads Keras, which must see the limits

        context.preflight  # noqa: B018 - read before anything here uses the cores
        return context.survey(fingerprint.cpu_model(), roofs.measure())


@contextmanager
def _silent() -> Iterator[None]:
    """Keep from the terminal what TensorFlow's C++ writes to standard error when it finds no GPU."""
    kept = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
