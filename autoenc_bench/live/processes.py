"""Start the suite as a process, and leave nothing of it behind."""

import os
import re
import signal
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from time import monotonic
from typing import Self

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.formatting import plain
from autoenc_bench.live.checkouts import Checkout

PREFIX = r"(E  |ERROR:? |INTERNALERROR> (?=\w*Error)|.*pytest: error: )\s*"  # of a line that says why
SAVED = r"^record: (.+\.json)\r?$"  # a line that names what was saved
CONCLUSION = r"(?m)^=+ autoenc-bench =+$"  # the suite's own last lines follow
ENDING = r"[\W\d]*(no tests ran|\d+ \w+).* in [\d.]+s|=+"  # pytest's last line, and headings
PARENT = "AUTOENC_BENCH_PARENT"  # tells the plugin whose end is its own
OUTPUT = 32_000_000  # bytes that a process may print
TICK = 0.5  # seconds

Tick = Callable[[], None]


class SideFailedError(RunFailedError):
    """A side's process failed, hung, or had to be ended before its time."""

    def __init__(self, side: Checkout, reason: str) -> None:
        super().__init__(f"the {side.name}, {side.description}, {reason}")


class Process:
    """The suite on one side, with pytest's options, as a process group of its own that ends with this context.

    On Linux it also ends when this process is killed.

    Its record goes below ``store``, and its output into a file. A Ctrl-C is for the process that started it to answer.
    """

    def __init__(
        self,
        side: Checkout,
        options: Sequence[str],
        store: Path,
        descriptors: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,  # below os.environ and the side's
    ) -> None:
        self.side, self._store, self._before = side, store, set(store.rglob("*.json"))
        command = [str(side.python), "-m", "pytest", *options, "-q", "--no-report", "-p", "no:cacheprovider"]
        command.append("--color=no")  # whatever FORCE_COLOR asks for: its output is read here
        command.append(f"--benchmark-storage=file://{store.resolve()}")
        with ExitStack() as stack:
            self._output = stack.enter_context(tempfile.TemporaryFile())
            with _uninterrupted():
                self._process = Popen(
                    command,
                    cwd=side.folder,
                    env={**(environment or {}), **os.environ, **side.environment, PARENT: str(os.getpid())},
                    stdin=DEVNULL,
                    stdout=self._output,
                    stderr=STDOUT,
                    start_new_session=True,
                    pass_fds=descriptors,
                )
                stack.push(self.__exit__)
            stack.pop_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._output.close()

    def check(self, until: float) -> None:
        """Raise TimeoutError when it is later than ``until``, SideFailedError when the process prints without end."""
        if os.fstat(self._output.fileno()).st_size > OUTPUT:
            raise SideFailedError(self.side, f"printed more than {OUTPUT / 1e6:.0f} MB")
        if monotonic() > until:
            raise TimeoutError

    def record(self, seconds: float, tick: Tick) -> Path:
        """Wait for the process to end, at most so many seconds; return the record that it says it saved.

        Other runs may save theirs in the same folder meanwhile. ``tick`` is called about once a second. Raises
        TimeoutError, or SideFailedError where there is no record.
        """
        until = monotonic() + seconds
        while self._process.poll() is None:
            self.check(until)
            tick()
            with suppress(TimeoutExpired):
                self._process.wait(TICK)
        named = {Path(line).parts[-2:] for line in re.findall(SAVED, self._printed(), re.MULTILINE)}
        record = next((path for path in self._new() if path.absolute().parts[-2:] in named), None)
        if record is None:
            raise self.failure()
        return record

    @property
    def saved(self) -> Path | None:
        """Return the record that has come into the process's folder, where no other process saves."""
        return next(iter(self._new()), None)

    def _new(self) -> set[Path]:
        return set(self._store.rglob("*.json")) - self._before

    def _printed(self) -> str:
        """Return the end of what the process has printed."""
        self._output.seek(max(0, os.fstat(self._output.fileno()).st_size - 100_000))
        return plain(self._output.read().decode(errors="replace"))

    def failure(self) -> SideFailedError:
        """Return what the end of the process comes to: the signal, or the line of pytest's output that says why."""
        with suppress(TimeoutExpired):
            self._process.wait(10)
        status = self._process.poll()
        if status is not None and status < 0:
            hint = ", as when memory runs out" if -status == signal.SIGKILL else ""
            return SideFailedError(self.side, f"was killed by {signal.Signals(-status).name}{hint}")
        reason = _reason(self._printed(), status)
        if added := {**os.environ, **self.side.environment}.get("PYTEST_ADDOPTS"):
            reason += f" ({added!r} comes from PYTEST_ADDOPTS)"
        return SideFailedError(self.side, f"could not run the suite: {reason}")

    def pin(self, cores: Sequence[int]) -> None:
        """Move all threads to these cores, where the system can; those to come follow their makers."""
        if not (cores and hasattr(os, "sched_setaffinity")):
            return
        for _ in range(2):  # a thread may have been made meanwhile
            with suppress(OSError):
                for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
                    with suppress(ProcessLookupError):  # it has ended meanwhile
                        os.sched_setaffinity(int(thread.name), cores)


def run(side: Checkout, options: Sequence[str], store: Path, seconds: float, tick: Tick) -> Path:
    """Run the suite once on a side; return the record that it saved below ``store``.

    ``tick`` is called about once a second. Raises TimeoutError when it takes more than ``seconds``, SideFailedError
    with the reason when it leaves no record.
    """
    with Process(side, options, store) as process:
        return process.record(seconds, tick)


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Defer a Ctrl-C, or a job's end, until this is done: a process that is half started, nobody would end."""
    came: list[int] = []
    numbers = signal.SIGINT, signal.SIGTERM
    before = [signal.signal(number, lambda sent, _: came.append(sent)) for number in numbers]
    try:
        yield
    finally:
        for known, handler in zip(numbers, before, strict=True):
            signal.signal(known, handler)
        for sent in came:
            signal.raise_signal(sent)


def _reason(output: str, status: int | None) -> str:
    """Return the line of pytest's output that says why it left no record."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or [f"status {status}"]
    if status == 5:  # pytest's, where nothing was selected
        return f"no case was selected ({lines[-1]})"
    errors = [line for line in lines if re.match(PREFIX, line)]
    causes = [line for line in errors if line.startswith("E  ")]  # of what is only named in the summary
    said = [line for line in re.split(CONCLUSION, "\n".join(lines))[-1].splitlines() if not re.match(ENDING, line)]
    return re.sub(f"^{PREFIX}", "", (causes or errors or said or lines)[-1])
