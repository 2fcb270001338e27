"""A process of a live comparison: one side's suite, whose cases run when they are asked for (see plugin/turns.py)."""

import json
import os
import socket
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from time import monotonic
from typing import Any, Self

from autoenc_bench.live.checkouts import Checkout
from autoenc_bench.live.processes import TICK, Process, SideFailedError, Tick

# Where memory lies differs from process to process, and with it what caches hold; in huge pages, less of it is chance.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class Member:
    """A session of the suite on one side, until the end of this context."""

    def __init__(self, side: Checkout, options: Sequence[str], store: Path, pair: str) -> None:
        self.cases: dict[str, dict[str, Any]] = {}  # node id -> facts
        self.cores: list[int] | None = None  # that it is pinned to where it measures
        self._received = b""
        self._first: dict[str, Any] = {}
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(TICK)
        with theirs, ExitStack() as stack:
            stack.enter_context(self._socket)  # which nobody else closes when the process cannot be started
            descriptor = theirs.fileno()
            turns = (f"--turns={descriptor}", f"--pair={pair}", f"--side={side.name}", "--no-roofs", "-s")
            self._process = Process(side, [*options, *turns], store, [descriptor], ENVIRONMENT)
            stack.pop_all()

    def __enter__(self) -> Self:
        self._process.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.__exit__()
        self._socket.close()

    def ask(self, **message: Any) -> None:
        """Send a message; where nobody listens, the answer tells."""
        with suppress(OSError):
            self._socket.sendall(json.dumps(message).encode() + b"\n")

    def answer(self, seconds: float, tick: Tick = lambda: None) -> dict[str, Any]:
        """Wait for a message; ``tick`` is called now and then.

        Raises SideFailedError when the process ends, prints without end, or gives no answer within the seconds.
        """
        until = monotonic() + seconds
        while b"\n" not in self._received:
            try:
                part = self._socket.recv(65536)
            except TimeoutError:
                tick()
                try:
                    self._process.check(until)
                except TimeoutError as problem:
                    reason = f"gave no sign for {seconds:.0f} s"
                    raise SideFailedError(self._process.side, reason) from problem
                continue
            except OSError:
                part = b""
            if not part:
                raise self._process.failure()
            self._received += part
        text, _, self._received = self._received.partition(b"\n")
        message: dict[str, Any] = json.loads(text)
        return message

    def configure(self, seconds: float, tick: Tick) -> None:
        """Wait until the process has read its options, and which cores it may use; it is not to be pinned before.

        A suite from before it told that lists its cases at once.
        """
        self._first = self.answer(seconds, tick)

    def begin(self, seconds: float, tick: Tick) -> None:
        """Wait until the process has loaded what it needs, and lists its cases."""
        begun = self._first if "cases" in self._first else self.answer(seconds, tick)
        if not begun.get("cases"):  # it has none, or could not collect them
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_WR)  # nothing will be asked
            raise self._process.failure()
        self.cases, self.cores = begun["cases"], begun["cores"]

    def pin(self, cores: Sequence[int]) -> None:
        self._process.pin(cores)

    def record(self, seconds: float, tick: Tick) -> Path | None:
        """Wait until a process that was told to save has done so; return its record's path, ``None`` without any."""
        while not self.answer(seconds, tick).get("saved"):
            pass  # it asks for a turn that it will not get
        return self._process.saved


def usable_cores() -> list[int]:
    """List the cores that this process may use, none where the system does not pin."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
