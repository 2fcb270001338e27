"""Run commands and the suite as child processes, none of which stays behind."""

import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from time import monotonic
from typing import Self

from autoenc_bench.exceptions import InvalidInputError, RunFailedError
from autoenc_bench.formatting import plain
from autoenc_bench.plugin.messages import PARENT

PREFIX = r"(E  |ERROR:? |INTERNALERROR> (?=\w*Error)|.*pytest: error: )\s*"  # of a line that gives a reason
SAVED = r"^record: (.+\.json(?:\.gz)?)\r?$"  # the line that names the record
CONCLUSION = r"(?m)^=+ autoenc-bench =+$"  # the suite's own last lines follow
ENDING = r"[\W\d]*(no tests ran|\d+ \w+).* in [\d.]+s|=+"  # pytest's last line, and headings
OUTPUT = 32_000_000  # bytes that a process may print
TICK = 0.5  # seconds between looks at a process

Tick = Callable[[], None]  # called while a process runs


def output(command: Sequence[str], variables: Mapping[str, str], folder: Path | None = None) -> str:
    """Run a command with these environment variables alone; return what it prints.

    Raises OSError when it does not start, and InvalidInputError with its last error message when it fails.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=variables,
        stdin=DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    if done.returncode:
        lines = plain(done.stderr).strip().splitlines() or [f"it ended with status {done.returncode}"]
        errors = [line[6:].strip() for line in lines if line.lower().startswith("error:")]
        errors = [] if errors[-1:] == ["Exception:"] else errors  # pip prints a traceback after this line
        raise InvalidInputError((errors or lines)[-1])
    return done.stdout


@dataclass(frozen=True, kw_only=True)
class Suite:
    """A suite to run: a project folder, an interpreter and environment variables."""

    name: str  # such as "base" or "head"
    description: str  # of its code
    folder: Path
    python: Path = Path(sys.executable)
    environment: Mapping[str, str] = field(default_factory=dict)  # on top of os.environ

    def __str__(self) -> str:
        return f"the {self.name}, {self.description}"


class SuiteFailedError(RunFailedError):
    """The process of a suite failed, hung, or had to be killed."""

    def __init__(self, suite: Suite, reason: str) -> None:
        super().__init__(f"{suite}, {reason}")


class Process:
    """A suite that runs with pytest's options, until this context ends.

    It is a process group of its own: a Ctrl-C reaches the process that started it alone. On Linux it also ends when
    that process is killed. Its record goes below ``store``, and its output into a temporary file. The variables
    ``defaults`` are set where neither os.environ nor the suite sets them.
    """

    def __init__(
        self,
        suite: Suite,
        options: Sequence[str],
        store: Path,
        descriptors: Sequence[int] = (),
        defaults: Mapping[str, str] | None = None,
    ) -> None:
        self.suite, self.store = suite, store
        command = [str(suite.python), "-m", "pytest", *options, "-q", "--no-report", "-p", "no:cacheprovider"]
        # No colours, even with FORCE_COLOR set, because the output is parsed.
        command += ["--color=no", f"--benchmark-storage=file://{store.resolve()}"]
        with ExitStack() as stack:
            self._output = stack.enter_context(tempfile.TemporaryFile())
            with _deferred_signals():
                self._process = Popen(
                    command,
                    cwd=suite.folder,
                    env={**(defaults or {}), **os.environ, **suite.environment, PARENT: str(os.getpid())},
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

    def check(self, deadline: float) -> None:
        """Raise TimeoutError after ``deadline`` (monotonic), SuiteFailedError when the output exceeds ``OUTPUT``."""
        if os.fstat(self._output.fileno()).st_size > OUTPUT:
            raise SuiteFailedError(self.suite, f"printed more than {OUTPUT / 1e6:.0f} MB")
        if monotonic() > deadline:
            raise TimeoutError

    def record(self, seconds: float, tick: Tick) -> Path:
        """Wait at most so many seconds for the end of the process; return the record whose path it prints.

        Other runs may save records in the same folder meanwhile. Raises TimeoutError, or SuiteFailedError where the
        process leaves no record.
        """
        deadline = monotonic() + seconds
        while self._process.poll() is None:
            self.check(deadline)
            tick()
            with suppress(TimeoutExpired):
                self._process.wait(TICK)
        for line in re.findall(SAVED, self._printed(), re.MULTILINE):
            path = self.store.joinpath(*Path(line).parts[-2:])  # pytest may print the folders before with escapes
            if path.is_file():
                return path
        raise self.failure()

    def _printed(self) -> str:
        """Return the last 100,000 bytes of the output."""
        self._output.seek(max(0, os.fstat(self._output.fileno()).st_size - 100_000))
        return plain(self._output.read().decode(errors="replace"))

    def failure(self) -> SuiteFailedError:
        """Return why the process ended: the signal, or the line of pytest's output that gives a reason."""
        with suppress(TimeoutExpired):
            self._process.wait(10)
        status = self._process.poll()
        if status is not None and status < 0:
            hint = ", as when memory runs out" if -status == signal.SIGKILL else ""
            return SuiteFailedError(self.suite, f"was killed by {signal.Signals(-status).name}{hint}")
        reason = _reason(self._printed(), status)
        if added := {**os.environ, **self.suite.environment}.get("PYTEST_ADDOPTS"):
            reason += f" ({added!r} comes from PYTEST_ADDOPTS)"
        return SuiteFailedError(self.suite, f"could not run the suite: {reason}")

    def pin(self, cores: Sequence[int]) -> None:
        """Move all threads to these cores, where the system can; threads inherit the cores of their creator."""
        if not (cores and hasattr(os, "sched_setaffinity")):
            return
        for _ in range(2):  # a thread may have been created during the first pass
            with suppress(OSError):
                for thread in Path(f"/proc/{self._process.pid}/task").iterdir():
                    with suppress(ProcessLookupError):  # the thread has ended meanwhile
                        os.sched_setaffinity(int(thread.name), cores)


def run(suite: Suite, options: Sequence[str], store: Path, seconds: float, tick: Tick = lambda: None) -> Path:
    """Run a suite once; return the record that it saved below ``store``.

    ``tick`` is called about once a second. Raises TimeoutError when it takes more than ``seconds``, SuiteFailedError
    with the reason when it leaves no record.
    """
    with Process(suite, options, store) as process:
        return process.record(seconds, tick)


@contextmanager
def _deferred_signals() -> Iterator[None]:
    """Defer SIGINT and SIGTERM to the end of this context, so that a process that is being started can be ended."""
    received: list[int] = []
    numbers = signal.SIGINT, signal.SIGTERM
    handlers = [signal.signal(number, lambda sent, _: received.append(sent)) for number in numbers]
    try:
        yield
    finally:
        for number, handler in zip(numbers, handlers, strict=True):
            signal.signal(number, handler)
        for sent in received:
            signal.raise_signal(sent)


def _reason(printed: str, status: int | None) -> str:
    """Return the line of pytest's output that gives the reason for a missing record."""
    lines = [line.strip() for line in printed.splitlines() if line.strip()] or [f"status {status}"]
    if status == 5:  # pytest's status where no test was selected
        return f"no case was selected ({lines[-1]})"
    errors = [line for line in lines if re.match(PREFIX, line)]
    causes = [line for line in errors if line.startswith("E  ")]  # the summary after them has only names
    own_lines = re.split(CONCLUSION, "\n".join(lines))[-1].splitlines()
    closing = [line for line in own_lines if not re.match(ENDING, line)]
    return re.sub(f"^{PREFIX}", "", (causes or errors or closing or lines)[-1])
