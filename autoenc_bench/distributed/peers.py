"""The processes of a distributed run: they find each other before JAX does, and learn at once when one is gone.

JAX ends a process by a stack trace when another one does not come, or dies. So they first meet here, at the
coordinator's address, which JAX's own service takes over afterwards; the connections stay, and tell who is there.
"""

import selectors
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from time import monotonic, sleep

ARRIVAL = 60.0  # seconds to wait for all to come
SILENCE = 30.0  # seconds without a sign of life after which a process counts as lost
BEAT = 5.0  # seconds between signs of life
ALIVE, BYE, GO, LOST = b".", b"bye", b"go", b"lost "


@dataclass(frozen=True)
class Group:
    """Name the processes of a run and this one of them: 0, the coordinator, to ``processes`` - 1.

    Raises ValueError when they cannot be such.
    """

    host: str
    port: int
    processes: int
    process: int

    def __post_init__(self) -> None:
        if self.processes < 2:
            raise ValueError(f"{self.processes} processes; a distributed run has at least 2")
        if not 0 <= self.process < self.processes:
            raise ValueError(f"process {self.process} of {self.processes}; number them 0 to {self.processes - 1}")

    @property
    def address(self) -> str:
        """Give the coordinator's address."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(coordinator: str, processes: str | None, process: str | None) -> Group:
    """Read the three options of a distributed run; raise ValueError for what they cannot be."""
    host, _, port = coordinator.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")  # of an IPv6 address
    if not host or not port.isdecimal() or not 0 < int(port) < 2**16:
        raise ValueError(f"coordinator {coordinator!r}; give host and port of process 0, such as 10.0.0.1:1234")
    numbers = {"number of processes": processes, "process id": process}
    for name, text in numbers.items():
        if text is None or not text.isdecimal():
            got = "missing" if text is None else repr(text)
            raise ValueError(f"{name} {got}; --coordinator needs --num-processes N and --process-id I")
    return Group(host, int(port), int(processes or 0), int(process or 0))


class Peers:
    """Hold connections to the others: process 0 to each of them, each of them to process 0."""

    def __init__(self, group: Group, lost: Callable[[str], object], kind: str = "") -> None:
        """Wait for all; ``lost`` is called from a thread with a sentence when one is gone before it said goodbye.

        Raises ValueError when somebody does not come within a minute, or comes with other numbers or for a run of
        another ``kind``.
        """
        self._group = group
        self._lost = lost
        self._lines = _gather(group, _digest(kind)) if group.process == 0 else {0: _come(group, _digest(kind))}
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="peers", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait until all others have said goodbye, or one of them is lost."""
        self._thread.join()

    def leave(self) -> None:
        """Say goodbye: what ends now is no loss."""
        self._left.set()
        self._thread.join()
        for line in self._lines.values():
            with suppress(OSError):
                line.sendall(BYE + b"\n")
            line.detach()  # open while the process lives: closed now, a reset could overtake the goodbye

    def abandon(self) -> None:
        """Be gone without a goodbye, so that nobody waits for this one, which cannot go on.

        What ended it may be that another one is gone; then ``lost`` says so within a second.
        """
        self._thread.join(1)
        self._left.set()
        self._thread.join()
        for line in self._lines.values():
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _watch(self) -> None:
        heard = dict.fromkeys(self._lines, monotonic())
        beaten = 0.0
        with selectors.DefaultSelector() as selector:
            for process, line in self._lines.items():
                selector.register(line, selectors.EVENT_READ, process)
            while not self._left.is_set() and selector.get_map():
                if monotonic() - beaten > BEAT:
                    beaten = monotonic()
                    self._tell(ALIVE)
                for key, _ in selector.select(0.2):
                    said = _read(self._lines[key.data])
                    heard[key.data] = monotonic()
                    told = [int(word[5:]) for word in said.split(b"\n") if word.startswith(LOST)]
                    if told or not said:
                        self._end(told[0] if told else key.data, "ended")
                    elif BYE in said:
                        selector.unregister(key.fileobj)
                        del heard[key.data]
                for process, when in heard.items():
                    if monotonic() - when > SILENCE:
                        self._end(process, f"was silent for {SILENCE:.0f} s")

    def _end(self, process: int, what: str) -> None:
        self._tell(LOST + b"%d" % process)
        self._lost(f"process {process} of {self._group.processes} {what} before the run did; no record was saved")

    def _tell(self, word: bytes) -> None:
        for line in self._lines.values():
            with suppress(OSError):
                line.sendall(word + b"\n")


def _digest(kind: str) -> bytes:
    return sha256(kind.encode()).hexdigest()[:16].encode()


def _gather(group: Group, digest: bytes) -> dict[int, socket.socket]:
    """Wait, as process 0, until all others have come."""
    lines: dict[int, socket.socket] = {}
    until = monotonic() + ARRIVAL
    both = socket.has_dualstack_ipv6()
    family = socket.AF_INET6 if both else socket.AF_INET
    try:
        listening = socket.create_server(("", group.port), family=family, dualstack_ipv6=both)
    except OSError as problem:
        raise ValueError(f"port {group.port} cannot be opened: {problem.strerror}; choose another") from problem
    with listening:
        while len(lines) < group.processes - 1:
            listening.settimeout(max(0.01, until - monotonic()))
            try:
                line, _ = listening.accept()
                line.settimeout(BEAT)
                came = _read(line).split()
            except TimeoutError:
                missing = ", ".join(str(one) for one in range(1, group.processes) if one not in lines)
                for line in lines.values():
                    line.close()
                raise ValueError(
                    f"process {missing} of {group.processes} did not come within {ARRIVAL:.0f} s; start each with "
                    f"--coordinator {group.address} --num-processes {group.processes} and its own --process-id"
                ) from None
            answer = _answer(group, lines, came, digest)
            if answer == GO:
                lines[int(came[1])] = line
            else:
                with suppress(OSError):
                    line.sendall(answer)
                line.close()
    for line in lines.values():
        line.sendall(GO + b"\n")
    return lines


def _answer(group: Group, lines: dict[int, socket.socket], came: list[bytes], digest: bytes) -> bytes:
    """Say what is wrong with somebody that came with (processes, process, digest), or that all is well."""
    if len(came) != 3 or not all(number.isdigit() for number in came[:2]):
        return b"process 0 did not understand"
    processes, process = map(int, came[:2])
    if processes != group.processes:
        return b"process 0 runs with --num-processes %d, this one with %d" % (group.processes, processes)
    if process in lines or process == 0:
        return b"there are two processes with --process-id %d" % process
    if came[2] != digest:
        return b"process 0 runs other cases, or another version; give all the same options"
    return GO


def _come(group: Group, digest: bytes) -> socket.socket:
    """Come to process 0, and wait for its word."""
    until = monotonic() + ARRIVAL
    while True:
        try:
            line = socket.create_connection((group.host, group.port), timeout=ARRIVAL)
            break
        except OSError as problem:
            if monotonic() > until:
                raise ValueError(
                    f"process 0 did not answer at {group.address} within {ARRIVAL:.0f} s ({problem}); start it there"
                ) from problem
            sleep(0.2)
    line.sendall(b"%d %d %s\n" % (group.processes, group.process, digest))
    line.settimeout(ARRIVAL)
    said = _read(line).strip()
    line.settimeout(BEAT)
    if said.split()[:1] != [GO]:  # signs of life may follow it at once
        line.close()
        reason = said.decode(errors="replace") or "process 0 did not wait for the others"
        raise ValueError(f"process {group.process} cannot join: {reason}")
    return line


def _read(line: socket.socket) -> bytes:
    """Read what was said; nothing from a connection that is closed, broken or silent."""
    try:
        return line.recv(4096)
    except OSError:
        return b""
