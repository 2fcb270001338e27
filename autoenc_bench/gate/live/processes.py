"""Start the suite as a process: one side, one run, one record."""

import os
import re
import signal
import tempfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from subprocess import DEVNULL, STDOUT, Popen, TimeoutExpired
from time import monotonic

from autoenc_bench.exceptions import RunFailedError
from autoenc_bench.gate.live.checkouts import Checkout

PREFIX = r"(E  |ERROR:? |INTERNALERROR> (?=\w*Error)|.*pytest: error: )\s*"  # of a line that says why


def run(side: Checkout, options: Sequence[str], store: Path, seconds: float, tick: Callable[[], None]) -> Path:
    """Run the suite once on a side, with pytest's options; return the record that it saved below ``store``.

    ``tick`` is called about once a second. The run is a process group, which ends with this call, however it ends.
    Raises TimeoutError when it takes more than ``seconds``, RunFailedError with the reason when it leaves no record.
    """
    before = set(store.rglob("*.json"))
    command = [str(side.python), "-m", "pytest", *options, "-q", "--no-report", "-p", "no:cacheprovider"]
    command.append(f"--benchmark-storage=file://{store.resolve()}")
    env = {**os.environ, **side.environment}
    until = monotonic() + seconds
    with tempfile.TemporaryFile() as output:
        # A session of its own, since a Ctrl-C is for this process to answer.
        process = Popen(
            command, cwd=side.folder, env=env, stdin=DEVNULL, stdout=output, stderr=STDOUT, start_new_session=True
        )
        try:
            while process.poll() is None:
                if monotonic() > until:
                    raise TimeoutError(f"a run took more than {seconds:.0f} s")
                tick()
                with suppress(TimeoutExpired):
                    process.wait(1)
        finally:  # leave nothing behind that the run started
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        records = set(store.rglob("*.json")) - before
        if not records:
            output.seek(0)
            reason = _reason(output.read().decode(errors="replace"), process.returncode)
            raise RunFailedError(f"the {side.name}, {side.description}, could not run the suite: {reason}")
    return records.pop()


def _reason(output: str, status: int) -> str:
    """Return the line of pytest's output that says why it left no record."""
    lines = [line.strip() for line in output.splitlines() if line.strip()] or [f"status {status}"]
    if status == 5:  # pytest's, where nothing was selected
        return f"no case was selected ({lines[-1]})"
    errors = [line for line in lines if re.match(PREFIX, line)]
    return re.sub(f"^{PREFIX}", "", (errors or lines)[-1])
