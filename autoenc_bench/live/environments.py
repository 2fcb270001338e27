"""What a side of a live comparison runs in: an interpreter that has what the suite needs, packages, variables."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from subprocess import DEVNULL

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import plain

NEEDED = ("pytest", "pytest_benchmark", "keras", "msgspec")

# Importing them would tell more, and take seconds.
_MISSING = f"from importlib.util import find_spec; print(*(name for name in {NEEDED} if find_spec(name) is None))"


def output(command: Sequence[str], env: Mapping[str, str], folder: Path | None = None) -> str:
    """Return what a command prints, with no variables but ``env``.

    Raises OSError when it does not start, InvalidInputError, in its words, when it fails.
    """
    done = subprocess.run(
        command,
        cwd=folder,
        env=env,
        stdin=DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )
    if done.returncode:
        lines = plain(done.stderr).strip().splitlines() or [f"it ended with status {done.returncode}"]
        errors = [line[6:].strip() for line in lines if line.lower().startswith("error:")]
        errors = [] if errors[-1:] == ["Exception:"] else errors  # of pip's, whose traceback follows
        raise InvalidInputError((errors or lines)[-1])
    return done.stdout


def interpreter(python: Path | None) -> Path:
    """Return the absolute path of an interpreter, by default of this one; raise NotFoundError when there is none.

    Links are kept, for a virtual environment's interpreter is a link, and found by where the link lies.
    """
    if python is None:
        return Path(sys.executable)
    path = python if python.is_file() else shutil.which(python)
    if not path:
        raise NotFoundError(f"{python}: no such interpreter; name a Python's path, such as .venv/bin/python")
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the link


def variables(folder: Path, installed: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a side sets on top of this process's environment.

    Its PYTHONPATH begins with the side's project, since the project may be installed in editable form from
    elsewhere; then come the packages installed for it, then what was there before.
    """
    before = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    return {**environment, "PYTHONPATH": os.pathsep.join(str(path) for path in (folder, installed, before) if path)}


def check(python: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Raise NotFoundError when an interpreter, started in a folder, would not find what the suite needs."""
    known, failure = {**os.environ, **environment}, f"{python}: no interpreter that runs"
    missing = run([str(python), "-c", _MISSING], known, folder, failure).split()
    if missing:
        mend = f"install autoenc-bench's dependencies there: {python} -m pip install -e ."
        raise NotFoundError(f"{python} lacks {', '.join(missing)}; {mend}")


def run(command: Sequence[str], variables: Mapping[str, str], folder: Path | None, failure: str) -> str:
    """Return what a command prints, with no variables but these.

    Raises InvalidInputError, which begins with ``failure``, where it fails, or does not start.
    """
    try:
        return output(command, variables, folder)
    except OSError as problem:
        raise InvalidInputError(f"{command[0]}: no interpreter that runs: {problem.strerror}") from problem
    except InvalidInputError as problem:
        raise InvalidInputError(f"{failure}: {problem}") from problem
