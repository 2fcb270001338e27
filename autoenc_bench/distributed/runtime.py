"""On which devices a run trains, in how many processes: JAX's distributed runtime, begun and ended."""

import atexit
import multiprocessing.pool
import os
import socket
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from autoenc_bench.backends import selection
from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.records.record import Fact

if TYPE_CHECKING:
    import jax

EXPERIMENTS = ("crude-simple", "crude-complex", "mnist")  # unless others are chosen
DETECT = "auto"  # the coordinator that a cluster's own variables tell of
PATIENCE = 60  # seconds for all processes to come, and later to leave
HEARTBEAT = 10  # seconds without a sign of life of one, after which JAX aborts the others


def parse(
    devices: int | None, coordinator: str | None, processes: int | None, process: int | None
) -> "Distribution | None":
    """Check the four options of a distributed run together; ``None`` where none was given.

    Raises InvalidInputError for what they cannot be, NotFoundError when Keras's backend is not JAX.
    """
    if coordinator in (None, DETECT) and (processes, process) != (None, None):
        raise InvalidInputError("--num-processes and --process-id need --coordinator HOST:PORT; auto finds the others")
    if devices is None and coordinator is None:
        return None
    if selection.name() != "jax":
        raise NotFoundError(f"backend {selection.name()} trains on one device here; add --backend jax for several")
    if coordinator not in (None, DETECT):
        host, _, port = str(coordinator).rpartition(":")
        if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
            raise InvalidInputError(f"coordinator {coordinator!r}; give HOST:PORT of process 0, such as 10.0.0.1:1234")
        if processes is None or process is None:
            raise InvalidInputError("--coordinator HOST:PORT needs --num-processes N and --process-id I")
        if process >= processes:
            raise InvalidInputError(f"process {process} of {processes}; number them 0 to {processes - 1}")
    return Distribution(devices, coordinator, processes, process)


@dataclass(eq=False, repr=False)  # most is not known before it started
class Distribution:
    """The devices of this process and of others that train together; the options, and what ``start`` finds."""

    devices: int | None
    coordinator: str | None
    processes: int | None
    process: int | None  # None: JAX's cluster knows, or there is no other
    writes: bool = field(init=False)  # whether this process writes the record: of several the first does
    counts: list[int] = field(init=False)  # of devices to train on: powers of two within this process, and all
    context: dict[str, Fact] = field(init=False)  # for the record: times on other devices are not comparable
    _own: "list[jax.Device]" = field(init=False)
    _all: "list[jax.Device]" = field(init=False)

    @property
    def several(self) -> bool:
        return self.coordinator is not None

    def start(self, kind: str) -> None:
        """Let JAX have its devices and join the other processes; call it before JAX runs anything.

        ``kind`` is what must be the same in all of them. Raises InvalidInputError when one does not come or is of
        another kind, or when there are not so many devices.
        """
        import jax

        if self.devices is not None:
            jax.config.update("jax_num_cpu_devices", self.devices)
        if self.several:
            self._join()
            _agree(kind)
        count = self.devices or jax.local_device_count()
        if count > jax.local_device_count():
            raise InvalidInputError(f"{count} devices; this process has {jax.local_device_count()}")
        self._own = jax.local_devices()[:count]
        self._all = [device for one in range(jax.process_count()) for device in jax.local_devices(one)[:count]]
        self.writes = jax.process_index() == 0
        self.counts = sorted({*(2**power for power in range(count.bit_length())), count, len(self._all)})
        virtual = self._own[0].platform == "cpu" and count > 1
        self.context = {"devices": len(self._all), "processes": jax.process_count(), "virtual_devices": virtual}
        if self.counts == [1]:
            raise InvalidInputError("1 device, and nothing to scale to; give --devices N or --coordinator HOST:PORT")

    def choose(self, count: int) -> "list[jax.Device]":
        """Choose so many devices: of this process where it has them, as each process then does, else all."""
        return self._own[:count] if count <= len(self._own) else self._all

    def _join(self) -> None:
        import jax

        jax.config.update("jax_enable_preemption_service", False)  # which keeps SIGTERM from ending a process
        address = None if self.coordinator == DETECT else self.coordinator
        bind_address = os.environ.get("JAX_COORDINATOR_BIND_ADDRESS", address)  # JAX would listen on all interfaces
        if self.process == 0 and bind_address:
            _check_free(bind_address)
        where = (address, self.processes, self.process)
        timeouts = {
            "coordinator_bind_address": bind_address,
            "initialization_timeout": 2 * PATIENCE,  # after which JAX aborts, with a stack trace
            "heartbeat_timeout_seconds": HEARTBEAT,
            "shutdown_timeout_seconds": PATIENCE,
        }
        try:
            with multiprocessing.pool.ThreadPool(1) as pool:  # where JAX itself waits, it does not notice Ctrl-C
                pool.apply_async(jax.distributed.initialize, where, timeouts).get(PATIENCE)
        except multiprocessing.TimeoutError as problem:
            raise InvalidInputError(
                f"not all processes came to {self.coordinator} in {PATIENCE} s; start each with its own --process-id"
            ) from problem
        except ValueError as problem:
            raise InvalidInputError(
                f"JAX knows no cluster here ({problem}); give HOST:PORT, --num-processes N and --process-id I"
            ) from problem

    def leave(self) -> None:
        """Leave, once all others do so; where one is lost before, JAX aborts this process."""
        import jax

        jax.distributed.shutdown()

    def abandon(self, status: int) -> None:
        """Let Python exit with ``status``, unless it has left, without waiting for the others as JAX would.

        They end as well: by an error where they wait for this one, else when they miss its heartbeat.
        """
        import jax

        if jax.distributed.is_initialized():
            atexit.register(os._exit, status)
            atexit.register(sys.stdout.flush)  # Python calls first what was registered last


def _check_free(address: str) -> None:
    """Raise InvalidInputError where JAX's service cannot listen, of which it would crash."""
    host, _, port = address.rpartition(":")
    try:
        family, *_, place = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        socket.create_server(place[:2], family=family).close()
    except OSError as problem:
        raise InvalidInputError(
            f"process 0 cannot listen at {address}: {problem.strerror}; choose another port or address of this machine"
        ) from problem


def _agree(kind: str) -> None:
    """Raise InvalidInputError, in all processes at a time, unless they are of one kind and have as many devices."""
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    if len({len(jax.local_devices(process)) for process in range(jax.process_count())}) == 1:  # else JAX cannot compare
        with suppress(AssertionError):
            multihost_utils.assert_equal(np.frombuffer(sha256(kind.encode()).digest(), np.uint32))
            return
    jax.distributed.shutdown()
    raise InvalidInputError("the processes run other cases, versions or numbers of devices; give all the same options")
