"""One session of a live comparison: a suite in a child process that runs cases on request (see plugin/messages.py)."""

import os
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from multiprocessing import Pipe
from pathlib import Path
from time import monotonic

from autoenc_bench.live.processes import TICK, Process, Suite, SuiteFailedError, Tick
from autoenc_bench.plugin.messages import Collected, Ended, Item, Reply, Request, Saved, Waiting, decode_reply, encode
from autoenc_bench.records import storage

# Addresses differ from process to process, and with them cache misses. Huge pages leave less of that to chance.
ENVIRONMENT = {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}


class Member(Process):
    """A session of a suite, until this context ends; no other process saves in its ``store``."""

    def __init__(self, suite: Suite, options: Sequence[str], store: Path, pair: str) -> None:
        self.cases: dict[str, Item] = {}  # by node id
        self.cores: list[int] | None = None  # to which the suite pins the process
        self._pipe, theirs = Pipe()
        with theirs, ExitStack() as stack:
            stack.enter_context(self._pipe)  # closed also where the process cannot be started
            live = (f"--turns={theirs.fileno()}", f"--pair={pair}", f"--side={suite.name}", "--no-roofs", "-s")
            super().__init__(suite, [*options, *live], store, [theirs.fileno()], ENVIRONMENT)
            stack.pop_all()

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        self._pipe.close()

    def send(self, request: Request) -> None:
        """Send a request; where the process has ended, ``receive`` raises the reason."""
        with suppress(OSError):
            self._pipe.send_bytes(encode(request))

    def receive(self, seconds: float, tick: Tick = lambda: None) -> Reply:
        """Wait for a reply; ``tick`` is called meanwhile.

        Raises SuiteFailedError when the process ends, prints too much, or sends no reply within the seconds.
        """
        deadline = monotonic() + seconds
        while not self._pipe.poll(TICK):
            tick()
            try:
                self.check(deadline)
            except TimeoutError as problem:
                raise SuiteFailedError(self.suite, f"sent no reply for {seconds:.0f} s") from problem
        try:
            return decode_reply(self._pipe.recv_bytes())
        except (EOFError, OSError):
            raise self.failure() from None

    def follow(self, seconds: float, tick: Tick = lambda: None) -> Waiting | Ended:
        """Wait until the visited case waits for its next round, or has ended."""
        reply = self.receive(seconds, tick)
        if not isinstance(reply, Waiting | Ended):  # such as Saved, where another plugin ends the session
            raise SuiteFailedError(self.suite, f"ended before its case, by {type(reply).__name__}")
        return reply

    def collect(self, seconds: float, tick: Tick) -> None:
        """Wait until the process is ready for visits; raise SuiteFailedError where it has no cases."""
        reply = self.receive(seconds, tick)
        if not (isinstance(reply, Collected) and reply.cases):
            self._pipe.close()  # so the session ends
            raise self.failure()
        self.cases, self.cores = reply.cases, reply.cores

    def finish(self, seconds: float, tick: Tick) -> Path | None:
        """Wait until the record is saved; return its path, ``None`` where nothing was timed."""
        while not isinstance(self.receive(seconds, tick), Saved):
            pass  # the end of an interrupted case
        return next(storage.within(self.store), None)


def usable_cores() -> list[int]:
    """List the cores that this process may use; the list is empty where the system does not pin."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
