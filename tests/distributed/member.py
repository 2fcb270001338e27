"""One process of a distributed run, without pytest: ``python member.py JSON`` with what it is and what it does.

It writes a line of JSON before it joins the others, another when it has, and a third on how that ended.
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
    """Join the others, then do a deed; exit with 4 where that is refused, 2 when interrupted, 1 when a deed fails.

    One that is ``watched`` writes a line when JAX begins to wait for the others.
    """
    signal.signal(signal.SIGINT, signal.default_int_handler)  # where tests run in the background it is ignored
    runtime.PATIENCE, runtime.HEARTBEAT = patience, heartbeat
    distribution = runtime.parse(*options)
    try:
        write("joining")
        if watched:
            threading.Thread(target=watch, daemon=True).start()
        distribution.start(kind)
        connections = psutil.Process().net_connections()
        listens = [list(one.laddr) for one in connections if one.status == psutil.CONN_LISTEN]
        write({"listens": listens, "context": distribution.context})
        DEEDS[then](distribution)
    except (Exception, KeyboardInterrupt) as problem:
        write(f"{type(problem).__name__}: {problem}")
        status = {InvalidInputError: 4, KeyboardInterrupt: 2}.get(type(problem), 1)
        distribution.abandon(status)
        sys.exit(status)


def write(what):
    """Write a line of JSON."""
    sys.stdout.write(f"{json.dumps(what)}\n")
    sys.stdout.flush()


def watch():
    """Write when JAX has a client of its service, which then waits for the others."""
    import jax

    while not jax.distributed.is_initialized():
        threading.Event().wait(0.01)
    write("waiting")


def work(_distribution):
    """Do what needs no other process, until a test ends this one."""
    threading.Event().wait()


def meet(_distribution):
    """Wait for the others, again and again."""
    from jax.experimental import multihost_utils

    while True:
        multihost_utils.sync_global_devices("here")


DEEDS = {"work": work, "meet": meet}

if __name__ == "__main__":
    main(**json.loads(sys.argv[1]))
