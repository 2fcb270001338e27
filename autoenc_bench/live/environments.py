"""The interpreter and the environment variables of a side."""

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.live.processes import output

NEEDED = ("pytest", "pytest_benchmark", "keras", "msgspec")

# find_spec, because importing them takes seconds.
_MISSING = f"from importlib.util import find_spec; print(*(name for name in {NEEDED} if find_spec(name) is None))"


def interpreter(python: Path | None) -> Path:
    """Return the absolute path of an interpreter, by default of this one; raise NotFoundError when there is none.

    Links are kept, because a virtual environment's interpreter is a link and finds its packages beside that.
    """
    if python is None:
        return Path(sys.executable)
    path = python if python.is_file() else shutil.which(python)
    if not path:
        raise NotFoundError(f"{python}: no such interpreter; name a Python's path, such as .venv/bin/python")
    return Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow the link


def variables(folder: Path, installed: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a side sets on top of this process's environment.

    PYTHONPATH begins with the side's project, because the project may be installed in editable form from another
    folder. Then come the packages installed for the side, and the previous value.
    """
    previous = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    return {**environment, "PYTHONPATH": os.pathsep.join(str(path) for path in (folder, installed, previous) if path)}


def check(python: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Raise NotFoundError when an interpreter, started in a folder, does not find a package that the suite needs."""
    failure = f"{python}: no interpreter that runs"
    missing = run([str(python), "-c", _MISSING], {**os.environ, **environment}, folder, failure).split()
    if missing:
        mend = f"install autoenc-bench's dependencies there: {python} -m pip install -e ."
        raise NotFoundError(f"{python} lacks {', '.join(missing)}; {mend}")


def run(command: Sequence[str], variables: Mapping[str, str], folder: Path | None, failure: str) -> str:
    """Run an interpreter or installer with these environment variables alone; return what it prints.

    Raises InvalidInputError when it does not start or, with a message that begins with ``failure``, when it fails.
    """
    try:
        return output(command, variables, folder)
    except OSError as problem:
        raise InvalidInputError(f"{command[0]}: no interpreter that runs: {problem.strerror}") from problem
    except InvalidInputError as problem:
        raise InvalidInputError(f"{failure}: {problem}") from problem
