"""The devices and processes of a distributed run: its options, and how it starts and ends JAX's distributed runtime."""

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

EXPERIMENTS = ("crude-simple", "crude-complex", "mnist")  # the default of a distributed run
DETECT = "auto"  # a coordinator that JAX finds in the variables of a cluster
PATIENCE = 60  # seconds in which all processes must join, and later leave
HEARTBEAT = 10  # seconds without a heartbeat of a process, after which JAX aborts the others


def parse(
    devices: int | None, coordinator: str | None, processes: int | None, process: int | None
) -> "Distribution | None":
    """Check the four options of a distributed run together; return ``None`` when all are ``None``.

    Raises InvalidInputError for values that do not fit together, NotFoundError when Keras's backend is not JAX.
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


@dataclass(eq=False, repr=False)
class Distribution:
    """The devices of this process and of the others that train together. The first four fields are the options."""

    devices: int | None
    coordinator: str | None
    processes: int | None
    process: int | None  # None: there is no other process, or JAX finds the number in a cluster's variables
    # ``start`` sets the other fields.
    writes: bool = field(init=False)  # whether this process writes the record, as the first one does
    counts: list[int] = field(init=False)  # the numbers of devices to train on: powers of two in this process, and all
    context: dict[str, Fact] = field(init=False)  # for the record: times on other devices are not comparable
    _devices: "dict[int, list[jax.Device]]" = field(init=False)  # by their number

    @property
    def several(self) -> bool:
        return self.coordinator is not None

    def start(self, kind: str) -> None:
        """Find the devices and join the other processes. Call this before JAX runs anything.

        All processes must give the same ``kind``. Raises InvalidInputError when one does not join or gives another
        kind, and when there are fewer devices.
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
        own = jax.local_devices()[:count]
        every = [device for number in range(jax.process_count()) for device in jax.local_devices(number)[:count]]
        sizes = {*(2**power for power in range(count.bit_length())), count}
        self._devices = {size: own[:size] for size in sizes} | {len(every): every}
        self.counts = sorted(self._devices)
        self.writes = jax.process_index() == 0
        virtual = own[0].platform == "cpu" and count > 1
        self.context = {"devices": len(every), "processes": jax.process_count(), "virtual_devices": virtual}
        if self.counts == [1]:
            raise InvalidInputError("1 device, and nothing to scale to; give --devices N or --coordinator HOST:PORT")

    def choose(self, count: int) -> "list[jax.Device]":
        """Return one of ``counts`` devices: the first ones of this process, or all of all processes."""
        return self._devices[count]

    def leave(self) -> None:
        """Leave when all other processes do. JAX aborts this process when one of them is lost before."""
        import jax

        jax.distributed.shutdown()

    def abandon(self, status: int) -> None:
        """Make Python exit with ``status`` at once, unless this process has left. JAX would wait for the others.

        The others end too: with an error if they wait for this one, else when they miss its heartbeat.
        """
        import jax

        if jax.distributed.is_initialized():
            atexit.register(os._exit, status)
            atexit.register(sys.stdout.flush)  # Python calls the last registered function first

    def _join(self) -> None:
        import jax

        jax.config.update("jax_enable_preemption_service", False)  # it keeps SIGTERM from ending a process
        address = None if self.coordinator == DETECT else self.coordinator
        bind_address = os.environ.get("JAX_COORDINATOR_BIND_ADDRESS", address)  # JAX would listen on all interfaces
        if self.process == 0 and bind_address:
            _check_free(bind_address)
        options = {
            "coordinator_bind_address": bind_address,
            "initialization_timeout": 2 * PATIENCE,  # after this time JAX aborts with a stack trace
            "heartbeat_timeout_seconds": HEARTBEAT,
            "shutdown_timeout_seconds": PATIENCE,
        }
        arguments = (address, self.processes, self.process)
        try:
            with multiprocessing.pool.ThreadPool(1) as pool:  # JAX waits without reacting to Ctrl-C; this thread reacts
                pool.apply_async(jax.distributed.initialize, arguments, options).get(PATIENCE)
        except multiprocessing.TimeoutError as problem:
            missing = f"not all processes came to {self.coordinator} in {PATIENCE} s"
            raise InvalidInputError(f"{missing}; start each with its own --process-id") from problem
        except ValueError as problem:
            advice = "give HOST:PORT, --num-processes N and --process-id I"
            raise InvalidInputError(f"JAX finds no cluster here ({problem}); {advice}") from problem


def _check_free(address: str) -> None:
    """Raise InvalidInputError when JAX's service cannot listen at the address. JAX itself would crash."""
    host, _, port = address.rpartition(":")
    try:
        family, *_, place = socket.getaddrinfo(host.strip("[]"), port, type=socket.SOCK_STREAM)[0]
        socket.create_server(place[:2], family=family).close()
    except OSError as problem:
        advice = "choose another port or address of this machine"
        raise InvalidInputError(f"process 0 cannot listen at {address}: {problem.strerror}; {advice}") from problem


def _agree(kind: str) -> None:
    """Raise InvalidInputError in all processes unless they have the same kind and the same number of devices."""
    import jax
    import numpy as np
    from jax.experimental import multihost_utils

    # JAX can compare only where all processes have the same number of devices.
    if len({len(jax.local_devices(process)) for process in range(jax.process_count())}) == 1:
        with suppress(AssertionError):
            multihost_utils.assert_equal(np.frombuffer(sha256(kind.encode()).digest(), np.uint32))
            return
    jax.distributed.shutdown()
    raise InvalidInputError("the processes run other cases, versions or numbers of devices; give all the same options")
