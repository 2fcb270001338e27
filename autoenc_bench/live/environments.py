"""What a side of a live comparison runs in: an interpreter, environment variables, and packages of its own."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib.metadata import distributions
from pathlib import Path

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import few
from autoenc_bench.live.processes import output

NEEDED = ("pytest", "pytest_benchmark", "keras", "msgspec")

# find_spec, because importing them takes seconds.
_MISSING = f"from importlib.util import find_spec; print(*(name for name in {NEEDED} if find_spec(name) is None))"
RELEASE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)")

# With these, pip's own settings change neither where it installs nor what it prints.
_VARIABLES = dict.fromkeys(("PIP_USER", "PIP_DRY_RUN", "PIP_REQUIRE_VIRTUALENV", "PIP_QUIET", "PIP_VERBOSE"), "0")
_PIP = ("-m", "pip", "--disable-pip-version-check", "--no-input", "--python=")
_HAS_PIP = "from importlib.util import find_spec; print(find_spec('pip') or '')"


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


def install(python: Path, packages: Sequence[str], target: Path, environment: Mapping[str, str]) -> None:
    """Install packages for an interpreter, without their dependencies, by its pip or by uv, unless ``target`` exists.

    The user's configuration of pip counts, such as an index or a proxy, but not where and how it would install. Raises
    InvalidInputError where installing fails, or where ``target`` does not hold these packages alone.
    """
    failure = f"{python} could not install {' '.join(packages)}"
    variables = {**os.environ, **environment, **_VARIABLES}
    options = ("--no-deps", "--target", str(target), "--", *packages)
    if not target.exists():
        if run((str(python), "-c", _HAS_PIP), variables, None, failure).strip():
            command = (str(python), *_PIP, "install", "--prefix=", "--root=/", "--report=", *options)
        elif uv := shutil.which("uv"):
            command = (uv, "pip", "install", "--python", str(python), *options)
        else:
            mend = f"add pip with '{python} -m ensurepip', or install uv"
            raise InvalidInputError(f"{failure}: this Python has no pip, and uv is not installed; {mend}")
        run(command, variables, None, failure)
    installed = {canonicalize_name(each.metadata["Name"]): each.version for each in distributions(path=[str(target)])}
    wanted = [(canonicalize_name(match[1]), match[2]) for match in map(RELEASE.fullmatch, packages) if match]
    is_right = all(name in installed and Version(installed[name]) == Version(version) for name, version in wanted)
    if len(installed) != len(packages) or not is_right:
        raise InvalidInputError(f"{failure}: the folder has {few([*map('=='.join, installed.items())]) or 'nothing'}")


def releases(package: str, first: str, last: str, python: Path) -> list[str]:
    """List the releases of a package from one to another that pip can install here, oldest first.

    Raises NotFoundError where one of the two is not among them, InvalidInputError where they are not in this order or
    the interpreter's pip lists none.
    """
    versions = _versions(package, python)
    ends = []
    for text in (first, last):
        try:
            ends.append(versions.index(Version(text)))
        except ValueError as problem:  # it is none of them, or no version at all
            listed = few([str(version) for version in reversed(versions)])
            reason = f"no release that pip can install here; it lists {listed}"
            raise NotFoundError(f"{package}=={text}: {reason}") from problem
    if ends[0] >= ends[1]:
        mend = "give the older one, which was good, first"
        raise InvalidInputError(f"{package}=={first} is not older than {package}=={last}; {mend}")
    chosen = versions[ends[0] : ends[1] + 1]
    return [str(version) for version in chosen if not version.is_prerelease or version in (chosen[0], chosen[-1])]


def _versions(package: str, python: Path) -> list[Version]:
    """List a package's releases that pip can install here, oldest first; raise InvalidInputError without any."""
    failure = f"pip cannot list the releases of {package}"
    variables = {**os.environ, **_VARIABLES}
    printed = run((str(python), *_PIP, "index", "versions", "--pre", package), variables, None, failure)
    listed = re.search(r"Available versions:(.*)", printed)
    versions = []
    for text in re.findall(r"[^\s,]+", listed[1]) if listed else ():
        with suppress(InvalidVersion):  # old packages have names such as 2004d, which have no order
            versions.append(Version(text))
    if not versions:
        raise InvalidInputError(
            f"{failure}: it prints no 'Available versions: 1.0, …'; update pip, or look at the index"
        )
    return sorted(versions)
