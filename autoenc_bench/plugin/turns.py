"""The session's side of a live comparison: run cases on request, and interleave their rounds with other sessions'.

A live comparison starts several sessions at once, each with one end of a pipe (``--turns FD``). Messages are defined in
``messages.py``. A session ends when the other end of its pipe is closed.
"""

import argparse
import ctypes
import os
import signal
from contextlib import suppress
from multiprocessing.connection import Connection
from time import process_time
from typing import Any

import pytest

from autoenc_bench.plugin import messages
from autoenc_bench.plugin.messages import Begin, Collected, Configured, Ended, Item, Reply, Request, Saved, Waiting
from autoenc_bench.plugin.session import SESSION, is_case, phase

PR_SET_PDEATHSIG = 1  # prctl(2): the signal that a process gets when its parent ends


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options that only a live comparison uses."""
    parser.addoption("--turns", type=int, help=argparse.SUPPRESS)
    for name in ("--pair", "--side"):
        parser.addoption(name, help=argparse.SUPPRESS)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Open the pipe where the session has one, and report that this process may be pinned."""
    _end_with_parent()
    if config.option.turns is not None:
        os.set_inheritable(config.option.turns, False)  # child processes must not keep the pipe open
        config.stash[TURNS] = turns = Turns(config.option.turns)
        turns.send(Configured())


def _end_with_parent() -> None:
    """Make the kernel end this process with the command that started it and reads its output; only Linux can."""
    parent, libc = os.environ.pop(messages.PARENT, ""), ctypes.CDLL(None)
    if parent and hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # the parent ended before this call
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the requested cases; fixtures of the session and of an experiment are kept between them."""
    turns, run = session.config.stash.get(TURNS, None), session.config.stash[SESSION]
    if turns is None or session.testsfailed:  # pytest's own loop reports files that cannot be collected
        return None
    try:
        cases = {item.nodeid: Item(item.name, phase(item)) for item in session.items if is_case(item)}
        turns.send(Collected(cases, run.cores))
        _serve(turns, session)
    finally:
        run.leave_out_what_did_not_begin()
    return True


def _serve(turns: "Turns", session: pytest.Session) -> None:
    """Run requested cases until the comparison requests the record or closes the pipe."""
    items, run = {item.nodeid: item for item in session.items}, session.config.stash[SESSION]
    while isinstance(visit := turns.receive(), messages.Visit):
        turns.begin(visit)
        # The next item is not known yet. The session stands for it, so the fixtures of the session stay.
        session.config.hook.pytest_runtest_protocol(item=items[visit.case], nextitem=session)
        turns.send(Ended(**run.outcome(visit.case)))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Report that the record is saved, or that there is none, and run the cases that are requested after that."""
    turns = session.config.stash.get(TURNS, None)
    if turns and exitstatus != pytest.ExitCode.INTERNAL_ERROR:
        turns.send(Saved())
        _serve(turns, session)


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Record the pair and the side of this session."""
    if config.option.turns is not None:
        output_json["autoenc"].update(pair=config.option.pair, side=config.option.side)


class Turns:
    """The session's end of the pipe, and how the current case is measured."""

    def __init__(self, descriptor: int) -> None:
        self._pipe = Connection(descriptor)
        self.begin(messages.Visit(case=""))

    def begin(self, visit: messages.Visit) -> None:
        """Begin a visit; its attributes are those of ``messages.Visit``."""
        self.rounds, self.is_interleaved = visit.rounds, visit.is_interleaved
        self.instrumentation = visit.instrumentation
        self.between: list[float] = []  # CPU seconds of this process between one round and the next

    def wait(self) -> None:
        """Wait for this session's turn; end the session where the comparison requests no further round."""
        begun = process_time()
        self.send(Waiting(self.between[-1] if self.between else 0.0))
        if not isinstance(self.receive(), Begin):
            pytest.exit("the live comparison ended")
        self.between.append(process_time() - begun)

    def send(self, reply: Reply) -> None:
        """Send a reply; where the pipe is closed, do nothing, because ``receive`` returns ``None`` then."""
        with suppress(OSError):
            self._pipe.send_bytes(messages.encode(reply))

    def receive(self) -> Request | None:
        """Wait for a request and return it, or ``None`` where the pipe is closed."""
        with suppress(EOFError, OSError):
            return messages.decode_request(self._pipe.recv_bytes())
        return None


TURNS = pytest.StashKey[Turns]()
