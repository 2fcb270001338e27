"""What a side of a live comparison runs in: an interpreter that has what the suite needs, packages, variables."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

NEEDED = ("pytest", "pytest_benchmark", "keras", "msgspec")

# Importing them would tell more, and take seconds.
_LOOK = f"from importlib.util import find_spec; print(*(name for name in {NEEDED} if find_spec(name) is None))"


def interpreter(python: Path | None) -> Path:
    """Return the absolute path of an interpreter, by default of this one; raise LookupError when there is none.

    Links are kept, for a virtual environment's interpreter is a link, and found by where the link lies.
    """
    if python is None:
        return Path(sys.executable)
    found = python if python.is_file() else shutil.which(python)
    if not found:
        raise LookupError(f"{python}: no such interpreter; name a Python's path, such as .venv/bin/python")
    return Path(os.path.abspath(found))  # noqa: PTH100 - resolve() would follow the link


def variables(folder: Path, installed: Path | None, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what a side sets on top of this process's environment.

    Its PYTHONPATH begins with the side's project, since the project may be installed in editable form from
    elsewhere; then come the packages installed for it, then what was there before.
    """
    before = environment.get("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    paths = [str(folder), *([str(installed)] if installed else []), *([before] if before else [])]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


def install(python: Path, packages: Sequence[str], target: Path, environment: Mapping[str, str]) -> None:
    """Let an interpreter's pip install packages, without what they depend on; raise ValueError when it cannot."""
    pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--no-deps"]
    done = _run(python, [*pip, "--target", str(target), "--", *packages], environment)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        errors = [line.removeprefix("ERROR:").strip() for line in lines if line.startswith("ERROR:")]
        reason = (errors or lines or [f"pip ended with status {done.returncode}"])[-1]
        raise ValueError(f"{python} could not install {' '.join(packages)}: {reason}")


def check(python: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Raise LookupError when an interpreter, started in a folder, would not find what the suite needs."""
    done = _run(python, ["-c", _LOOK], environment, folder)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        raise ValueError(f"{python}: no interpreter that runs: {reason}")
    if missing := done.stdout.split():
        raise LookupError(
            f"{python} lacks {', '.join(missing)}; "
            f"install autoenc-bench's dependencies there: {python} -m pip install -e ."
        )


def _run(
    python: Path, arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [str(python), *arguments],
            cwd=folder,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
        )
    except OSError as problem:
        raise ValueError(f"{python}: no interpreter that runs: {problem.strerror}") from problem
