"""A session that runs cases when they are asked for, and whose rounds take turns with those of other processes.

A live comparison starts several such sessions at once and speaks with each over a socket (``--turns FD``), in lines of
JSON. A session tells when it is ``configured``, for only from then on may it be pinned, and lists its ``cases``. By
``{"visit": node id, "rounds": n, "turns": true, "aside": ""}`` it runs one of them: it asks for its turn before each
round, by ``{"between": CPU seconds since its last}``, begins the round at any answer, and ends with ``{"outcome",
"reason", "times"}``. Without turns, it runs whatever the others do; without rounds, as many as it would alone.
``aside``, outside the clock, it counts as well what the case does (``"counts"``), or samples where its time goes
(``"profile"``). By ``{"save": true}`` it saves its record and says that it has; what it is asked then is in no record.
It ends when nobody will ask any more.
"""

import argparse
import ctypes
import json
import os
import signal
import socket
from contextlib import suppress
from time import process_time
from typing import Any

import pytest

from autoenc_bench.plugin.session import SESSION, axes, is_case, phase

PARENT = "AUTOENC_BENCH_PARENT"  # a variable that live.processes sets
PR_SET_PDEATHSIG = 1  # prctl(2): the signal that a process gets when its parent dies


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare what only a live comparison gives."""
    parser.addoption("--turns", type=int, help=argparse.SUPPRESS)
    for name in ("--pair", "--side"):
        parser.addoption(name, help=argparse.SUPPRESS)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take the socket over, where there is one, and tell that this process knows which cores it may use."""
    _end_with_parent()
    if config.option.turns is not None:
        os.set_inheritable(config.option.turns, False)  # what this process starts must not keep it open
        config.stash[TURNS] = turns = Turns(config.option.turns)
        turns.send(configured=True)


def _end_with_parent() -> None:
    """End when the command that started this process, and reads its output, is killed; Linux alone can do it."""
    parent, libc = os.environ.pop(PARENT, ""), ctypes.CDLL(None)
    if parent and hasattr(libc, "prctl"):
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != int(parent):  # it was killed before
            os.kill(os.getpid(), signal.SIGKILL)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Serve visits, each with fixtures of its own but for the session's and the experiment's."""
    turns, run = session.config.stash.get(TURNS, None), session.config.stash[SESSION]
    if turns is None or session.testsfailed:  # what could not be collected is pytest's own loop's to refuse
        return None
    try:
        turns.send(cases={item.nodeid: _facts(item) for item in session.items if is_case(item)}, cores=run.cores)
        _serve(turns, session)
    finally:
        run.leave_out_what_did_not_begin()
    return True


def _serve(turns: "Turns", session: pytest.Session) -> None:
    """Run the cases that are asked for, until the record is to be saved or nobody asks any more."""
    items, run = {item.nodeid: item for item in session.items}, session.config.stash[SESSION]
    while visit := turns.receive():
        item = items[visit["visit"]]
        turns.begin(visit["rounds"], visit["turns"], visit["aside"])
        # Which item is next is not known yet; the session stands for all, so its fixtures stay.
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=item.session)
        turns.send(**run.outcome(item.nodeid))


def _facts(item: Any) -> dict[str, Any]:
    return {"phase": phase(item), "trainer": axes(item).get("trainer"), "name": item.name}


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Announce that the record is saved, or that there is none, and run what is still asked for."""
    turns = session.config.stash.get(TURNS, None)
    if turns and exitstatus != pytest.ExitCode.INTERNAL_ERROR:
        turns.send(saved=True)
        _serve(turns, session)


@pytest.hookimpl(optionalhook=True, trylast=True)
def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Note which other process this one is to be held against."""
    if config.option.turns is not None:
        output_json["autoenc"].update(pair=config.option.pair, side=config.option.side)


class Turns:
    """The session's end of the socket, and what is asked of the case that runs."""

    def __init__(self, descriptor: int) -> None:
        self.rounds = 0  # of the case that runs, after one to warm up; 0 for as many as it would have alone
        self.are_taken = False
        self.aside = ""  # what else is to be known of it: "counts" or "profile"
        self.between: list[float] = []  # CPU seconds of this process from each of its turns to the next
        with socket.socket(fileno=descriptor) as connection:  # which is closed with its lines
            self._lines = connection.makefile("rw", encoding="utf-8", newline="\n")

    def begin(self, rounds: int, are_taken: bool, aside: str) -> None:
        self.rounds, self.are_taken, self.aside, self.between = rounds, are_taken, aside, []

    def wait(self) -> None:
        """Wait for a turn, while others have theirs; end the session when nobody asks for anything any more."""
        begun = process_time()
        self.send(between=self.between[-1] if self.between else 0.0)
        if self.receive() is None:
            pytest.exit("the live comparison ended")
        self.between.append(process_time() - begun)

    def send(self, **message: Any) -> None:
        """Send a message, also when nobody listens, as the next answer tells."""
        with suppress(OSError):
            self._lines.write(json.dumps(message) + "\n")
            self._lines.flush()

    def receive(self) -> dict[str, Any] | None:
        """Wait for a message; return ``None`` where it is to save, or when there will be none."""
        with suppress(OSError):
            if line := self._lines.readline():
                message: dict[str, Any] = json.loads(line)
                return None if message.get("save") else message
        return None


TURNS = pytest.StashKey[Turns]()
