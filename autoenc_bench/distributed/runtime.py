"""On which devices a run trains, in how many processes: JAX's distributed runtime, begun and ended."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from autoenc_bench.core import backends
from autoenc_bench.distributed import peers
from autoenc_bench.distributed.peers import Group, Peers
from autoenc_bench.records.record import Fact

if TYPE_CHECKING:
    import jax

EXPERIMENTS = ("crude-simple", "crude-complex", "mnist")  # unless others are chosen
DETECT = "auto"  # the coordinator that a cluster's own variables tell of


def parse(
    devices: str | None, coordinator: str | None, processes: str | None, process: str | None
) -> "Distribution | None":
    """Read the four options of a distributed run; ``None`` where none was given.

    Raises ValueError for what they cannot be, LookupError when Keras's backend is not JAX.
    """
    if coordinator is None and (processes or process):
        raise ValueError("--num-processes and --process-id need --coordinator HOST:PORT")
    if devices is None and coordinator is None:
        return None
    if backends.name() != "jax":
        raise LookupError(f"backend {backends.name()} trains on one device here; add --backend jax for several")
    if devices is not None and (not devices.isdecimal() or int(devices) < 1):
        raise ValueError(f"devices {devices!r}; give a whole number of at least 1")
    if coordinator == DETECT and (processes or process):
        raise ValueError(
            f"--coordinator {DETECT} finds the processes itself; leave out --num-processes and --process-id"
        )
    group = None if coordinator in (None, DETECT) else peers.parse(coordinator or "", processes, process)
    return Distribution(int(devices) if devices else None, group, detect=coordinator == DETECT)


class Distribution:
    """Hold on what a distributed run trains: devices of this process, and those of others."""

    def __init__(self, devices: int | None, group: Group | None, *, detect: bool) -> None:
        self._devices = devices
        self._group = group
        self._detect = detect
        self._peers: Peers | None = None

    @property
    def place(self) -> int:
        """Number this process among those that may share a machine with it."""
        return self._group.process if self._group else 0

    def start(self, lost: Callable[[str], object], kind: str) -> None:
        """Let JAX have its devices and join the other processes; call it before JAX runs anything.

        ``lost`` is called with a sentence, from another thread, when a process is gone before the run ends; ``kind``
        says what must be the same in all of them. Raises ValueError when one does not come or is of another kind, or
        when there are not so many devices, and what JAX raises when it cannot begin.
        """
        import jax

        if self._devices is not None:
            jax.config.update("jax_num_cpu_devices", self._devices)
        jax.config.update("jax_enable_preemption_service", False)  # which keeps SIGTERM from ending a process
        if self._group:
            self._peers = Peers(self._group, lost, kind)
            jax.config.update("jax_enable_recoverability", True)  # else JAX ends this process when another is gone
            jax.distributed.initialize(
                self._group.address, self._group.processes, self._group.process, shutdown_timeout_seconds=10
            )
        elif self._detect:
            try:
                jax.distributed.initialize(initialization_timeout=60, heartbeat_timeout_seconds=30)
            except ValueError as problem:
                raise ValueError(
                    f"JAX knows no cluster here ({problem}); give --coordinator HOST:PORT, --num-processes N and "
                    "--process-id I"
                ) from problem
        if (self._devices or 0) > jax.local_device_count():
            raise ValueError(f"{self._devices} devices; this process has {jax.local_device_count()}")
        if self.counts == [1]:
            raise ValueError(
                "1 device in 1 process, and nothing to scale to; give --devices N or --coordinator HOST:PORT"
            )

    @property
    def several(self) -> bool:
        """Tell whether other processes take part."""
        return self._group is not None or self._detect

    def leave(self) -> None:
        """Part from the other processes, process 0 last: the others must sign off from JAX's service, which it runs."""
        if self._group and self._peers:
            import jax

            if self._group.process == 0:
                self._peers.wait()
            jax.distributed.shutdown()
            self._peers.leave()

    def abandon(self) -> None:
        """End the run on the other processes, which would wait for what this one cannot do."""
        if self._peers:
            self._peers.abandon()

    @property
    def writes(self) -> bool:
        """Tell whether this process writes the record: of several the first does."""
        import jax

        return bool(jax.process_index() == 0)

    @property
    def local(self) -> int:
        """Count the devices of this process that take part."""
        import jax

        return min(self._devices or jax.local_device_count(), jax.local_device_count())

    @property
    def counts(self) -> list[int]:
        """List on how many devices to train: powers of two within this process, and all there are."""
        import jax

        local = [2**power for power in range(self.local.bit_length())]
        return sorted({*local, self.local, self.local * jax.process_count()})

    def choose(self, count: int) -> "list[jax.Device]":
        """Choose so many devices: of this process where it has them, as each process then does, else of all."""
        import jax

        if count <= self.local:
            return list(jax.local_devices()[:count])
        own = [
            [device for device in jax.devices() if device.process_index == one] for one in range(jax.process_count())
        ]
        return [device for devices in own for device in devices[: self.local]]

    @property
    def context(self) -> dict[str, Fact]:
        """Say what a record must say of it: times on other devices are not comparable."""
        import jax

        virtual = jax.local_devices()[0].platform == "cpu" and self.local > 1
        return {"devices": self.counts[-1], "processes": jax.process_count(), "virtual_devices": virtual}
