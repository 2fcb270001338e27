"""Start the suite as a process: one side, one run, one record."""

import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import monotonic

from autoenc_bench.gate.live.checkouts import Side

NOTHING_SELECTED = 5  # pytest's exit status


def run(side: Side, options: Sequence[str], store: Path, seconds: float, tick: Callable[[], None]) -> Path:
    """Run the suite once on a side, with pytest's options; return the record that it saved below ``store``.

    ``tick`` is called about once a second. The run is a process group of its own, which ends with this call, however
    it ends. Raises TimeoutError when it takes more than so many seconds, ValueError with the reason when it leaves no
    record.
    """
    before = set(store.rglob("*.json"))
    command = [side.python, "-m", "pytest", *options, "-q", "--no-report", "-p", "no:cacheprovider"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            [*map(str, command), f"--benchmark-storage=file://{store.resolve()}"],
            cwd=side.folder,
            env={**os.environ, **side.environment},
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # a Ctrl-C is for this process to answer
        )
        try:
            _wait(process, seconds, tick)
        finally:
            _end(process)
        made = set(store.rglob("*.json")) - before
        if not made:
            said.seek(0)
            reason = _reason(said.read().decode(errors="replace"), process.returncode)
            raise ValueError(f"the {side.name}, {side.words}, could not run the suite: {reason}")
    return made.pop()


def _wait(process: subprocess.Popen[bytes], seconds: float, tick: Callable[[], None]) -> None:
    until = monotonic() + seconds
    while process.poll() is None:
        if monotonic() > until:
            raise TimeoutError(f"a run took more than {seconds:.0f} s")
        tick()
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind that the run started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _reason(said: str, status: int) -> str:
    """Pick from what pytest wrote the line that says why."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    if status == NOTHING_SELECTED:
        return f"no case was selected ({lines[-1] if lines else 'none ran'})"
    told = [line for line in lines if re.match(r"(E  |ERROR:? |INTERNALERROR> \w*Error|.*pytest: error: )", line)]
    return (
        re.sub(r"^(E|ERROR:?|INTERNALERROR>|.*pytest: error:)\s+", "", [*lines[-1:], *told[-1:]][-1])
        if lines
        else f"status {status}"
    )
