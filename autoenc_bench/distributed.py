"""Training on several devices and machines: Keras's data parallelism over JAX's distributed runtime."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from autoenc_bench import backends
from autoenc_bench.experiments import Experiment
from autoenc_bench.peers import Group

STEPS = 200  # of a timed round at most: where devices talk over a network a step may take a thousand times as long


def check(devices: str | None, group: Group | None) -> int | None:
    """Read ``--devices``: how many of this process take part, ``None`` for all there are.

    Raises ValueError for what is no such number, LookupError when Keras's backend is not JAX.
    """
    if devices is None and group is None:
        return None
    if backends.name() != "jax":
        raise LookupError(f"backend {backends.name()} runs on one device here; add --backend jax for several")
    if devices is None:
        return None
    if not devices.isdecimal() or int(devices) < 1:
        raise ValueError(f"devices {devices!r}; give a whole number of at least 1")
    return int(devices)


def start(devices: int | None, group: Group | None) -> None:
    """Let JAX have that many devices, and join its processes; call it before JAX runs anything.

    Without an accelerator the devices are virtual: parts of one CPU.
    """
    import jax

    if devices is not None:
        jax.config.update("jax_num_cpu_devices", devices)
    if group is not None:
        jax.config.update("jax_enable_preemption_service", False)  # which keeps SIGTERM from ending a process
        jax.config.update("jax_enable_recoverability", True)  # else the loss of another ends this one by a stack trace
        jax.distributed.initialize(group.address, group.processes, group.process)
