"""One process of a distributed run, without pytest: ``python member.py JSON`` with the arguments of ``main``.

It writes a line of JSON before it joins the others, one when it has joined, and one with the error that ends it.
"""

import json
import os
import signal
import sys
import threading

os.environ.update(KERAS_BACKEND="jax", NPROC="1")

import psutil

from autoenc_bench.distributed import runtime
from autoenc_bench.exceptions import InvalidInputError


def main(options, then="work", kind="", patience=runtime.PATIENCE, heartbeat=runtime.HEARTBEAT, watched=False):
    """Join the others, then run an action. Exit with 4 when joining is refused, 2 when interrupted, 1 on other errors.

    ``watched`` writes a line when JAX begins to wait for the others.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # tests in the background ignore SIGINT
    runtime.PATIENCE, runtime.HEARTBEAT = patience, heartbeat
    distribution = runtime.parse(*options)
    try:
        write("joining")
        if watched:
            threading.Thread(target=watch, daemon=True).start()
        distribution.start(kind)
        connections = psutil.Process().net_connections()
        listens = [list(socket.laddr) for socket in connections if socket.status == psutil.CONN_LISTEN]
        write({"listens": listens, "context": distribution.context})
        ACTIONS[then](distribution)
    except (Exception, KeyboardInterrupt) as problem:
        write(f"{type(problem).__name__}: {problem}")
        status = {InvalidInputError: 4, KeyboardInterrupt: 2}.get(type(problem), 1)
        distribution.abandon(status)
        sys.exit(status)


def write(value):
    """Write a line of JSON."""
    sys.stdout.write(f"{json.dumps(value)}\n")
    sys.stdout.flush()


def watch():
    """Write a line when JAX has made its client, which waits for the others."""
    import jax

    while not jax.distributed.is_initialized():
        threading.Event().wait(0.01)
    write("waiting")


def work(_distribution):
    """Work without the other processes, until a test ends this one."""
    threading.Event().wait()


def meet(_distribution):
    """Wait for the others repeatedly."""
    from jax.experimental import multihost_utils

    while True:
        multihost_utils.sync_global_devices("here")


ACTIONS = {"work": work, "meet": meet}

if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
