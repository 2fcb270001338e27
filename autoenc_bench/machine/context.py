"""What one process measures on: its threads and cores, and the facts that make two times comparable."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

from autoenc_bench.backends import selection
from autoenc_bench.distributed.runtime import Distribution
from autoenc_bench.formatting import count
from autoenc_bench.instruments import clock, reference_workload
from autoenc_bench.machine import conditions, fingerprint, threads, variables
from autoenc_bench.machine.cores import kind_of, kinds
from autoenc_bench.machine.fingerprint import or_none
from autoenc_bench.records.record import Fact, Roofs, Survey


class MeasuringContext:
    """A process's threads and surroundings; make it before a framework is loaded, which changes the environment."""

    def __init__(self, thread_count: int | None, distribution: Distribution | None = None) -> None:
        self.threads = thread_count
        self.cores: list[int] | None = None  # that the process is pinned to
        self.tracer: str | None = None  # which slows the measured code down; known after ``enter``
        self._distribution = distribution
        self._environment = variables.tuning(os.environ)
        self._usable = threads.usable_cores()

    def enter(self) -> None:
        """Limit the threads of libraries and backend, load Keras, and take the first reading of the conditions.

        Raises InvalidInputError for variables with which a run would do other work, NotFoundError if Keras cannot be
        loaded.
        """
        variables.refuse(os.environ)
        place = self._distribution.process or 0 if self._distribution else 0
        self.cores = threads.limit(self.threads, self._usable, place)
        selection.load().configure(self.threads)
        self.tracer = fingerprint.tracer()
        self._begin = conditions.readings(self._own_cores)

    @property
    def _own_cores(self) -> list[int]:
        return self._usable if self.cores is None else self.cores

    def _during(self) -> conditions.Facts:
        """Return the conditions from ``enter`` until now."""
        return conditions.during(self._begin, conditions.readings(self._own_cores))

    @cached_property
    def preflight(self) -> conditions.Preflight:
        """Return the conditions just before measuring; the first access takes a third of a second."""
        return conditions.preflight(self._own_cores)

    def survey(self, cpu: str | None, roofs: Roofs | None) -> Survey:
        """Return what a record holds of this machine; ``cpu`` is the model's name, which takes a second to find out."""
        preflight = self.preflight.facts if "preflight" in self.__dict__ else {}
        return Survey(
            machine=fingerprint.identify(cpu, selection.current().accelerators()),
            context=self.context,
            conditions={**self._during(), **preflight, "cores": list(self.cores or [])},
            roofs=roofs,
        )

    def problems(self) -> Iterator[str]:
        """Yield a sentence for each fact that could not be read, and for heat that slowed the run down."""
        if problem := fingerprint.nvidia().problem:
            yield fingerprint.UNKNOWN.format(problem)
        if throttled := self._during()["throttled"]:
            occasions = count(throttled, "occasion")
            yield f"during the run, heat slowed the measuring cores down on {occasions}; let them cool, and run again"

    @cached_property
    def context(self) -> dict[str, Fact]:
        """Return the facts that must be equal for two times to be comparable."""
        set_here = (*threads.POOL_VARIABLES, "NPROC") if self.threads is not None else ()  # or by the backend
        return {
            "backend": selection.name(),
            "device": selection.device(),
            "precision": or_none(selection.precision),
            "threads": self.threads,
            "pinned": self.cores is not None,
            "usable_cores": len(self._usable),
            "cpu_limit": or_none(fingerprint.cpu_limit),
            **fingerprint.libraries(selection.name()),
            "blas": or_none(fingerprint.blas),
            "clock": clock.VERSION,
            "reference": reference_workload.VERSION,
            **(self._distribution.context if self._distribution else {}),
            **self._unusual,
            **{name: value for name, value in self._environment.items() if name not in set_here},
        }

    @property
    def _unusual(self) -> dict[str, Fact]:
        """Return the facts that a context has only if they differ from the usual."""
        facts = {
            "core_kind": kind_of(self._own_cores, kinds()),
            "interpreter": fingerprint.interpreter(),
            "keras_settings": or_none(selection.settings),
            "huge_pages": or_none(fingerprint.huge_pages),
            "tracer": self.tracer,
        }
        if selection.current().accelerators():
            facts |= {"driver": fingerprint.nvidia().version, **(or_none(selection.current().versions) or {})}
        return {name: fact for name, fact in facts.items() if fact is not None}

    def __str__(self) -> str:
        backend = selection.name()
        used = "all threads" if self.threads is None else count(self.threads, "thread")
        pinned = f" pinned to core {', '.join(map(str, self.cores))}" if self.cores else ""
        pinned += f" ({kind})" if pinned and (kind := kind_of(self._own_cores, kinds())) else ""
        traced = f", traced by {self.tracer}; compare only with runs under the same tracer" if self.tracer else ""
        return f"{backend} {fingerprint.libraries(backend)[backend]} on {selection.device()}, {used}{pinned}{traced}"


def survey(thread_count: str) -> Survey:
    """Return what a record would hold of this machine with that value of ``--threads``, roofs included.

    Raises InvalidInputError for an impossible number of threads, NotFoundError for an unknown backend.
    """
    context = MeasuringContext(threads.parse(thread_count))
    selection.name()
    with _silent():
        context.enter()
        from autoenc_bench.machine import roofs  # imported here because it loads Keras, which must see the limits

        context.preflight  # noqa: B018 - read before anything here uses the cores
        return context.survey(fingerprint.cpu_model(), roofs.measure())


@contextmanager
def _silent() -> Iterator[None]:
    """Discard what TensorFlow's C++ writes to standard error when it finds no GPU."""
    stderr = os.dup(2)
    with Path(os.devnull).open("w") as nowhere:
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)
