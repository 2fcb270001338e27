"""What a side of a live comparison runs in: an interpreter that has what the suite needs, packages, variables."""

import os
import re
import shutil
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from subprocess import DEVNULL, run

from packaging.version import InvalidVersion, Version
from platformdirs import user_cache_dir

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.text import few

RELEASE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)")
NEEDED = ("pytest", "pytest_benchmark", "keras", "msgspec")

# Importing them would tell more, and take seconds.
_MISSING = f"from importlib.util import find_spec; print(*(name for name in {NEEDED} if find_spec(name) is None))"

# What decides which file of a release an interpreter takes, or how pip builds one for it.
_TAGS = """
import sys, sysconfig
print(sys.implementation.name, sys.version, sysconfig.get_platform(), sysconfig.get_config_var("SOABI"))
"""


def output(command: Sequence[str], env: Mapping[str, str], folder: Path | None = None) -> str:
    """Return what a command prints, with no variables but ``env``.

    Raises OSError when it does not start, InvalidInputError, in its words, when it fails.
    """
    done = run(
        command, cwd=folder, env=env, stdin=DEVNULL, capture_output=True, encoding="utf-8", errors="surrogateescape"
    )
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"]
        errors = [line[6:].strip() for line in lines if line.lower().startswith("error:")]
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


def install(python: Path, packages: Sequence[str], target: Path, environment: Mapping[str, str]) -> Path:
    """Install packages by an interpreter's pip, without what they depend on; return where they are.

    That is ``target`` or, where all are releases, which never change, a folder in the user's cache that is kept. Raises
    InvalidInputError where pip cannot, or where the system refuses to keep them.
    """
    failure = f"{python} could not install {' '.join(packages)}"
    kept = _kept(python, packages, environment, failure)
    folder = kept.with_name(f"{kept.name}-{os.getpid()}") if kept else target
    command = (*_pip(python), "install", "--quiet", "--no-deps", "--target", str(folder), "--", *packages)
    if kept is None:
        _run(command, environment, None, failure)
        return target
    try:
        if not kept.is_dir():
            _run(command, environment, None, failure)
            _rename(folder, kept)
    except OSError as problem:
        raise InvalidInputError(f"{failure}: {problem}") from problem
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return kept


def _rename(folder: Path, kept: Path) -> None:
    try:
        folder.rename(kept)
    except OSError:
        if not kept.is_dir():  # else another process was faster
            raise


def _kept(python: Path, packages: Sequence[str], environment: Mapping[str, str], failure: str) -> Path | None:
    """Return where releases are kept once they are installed, ``None`` for what may change.

    The folder belongs to one Python, which may be upgraded at its path, and to one configuration of pip, which lies in
    variables and files. Raises InvalidInputError, which begins with ``failure``, where either cannot be read.
    """
    if not all(map(RELEASE.fullmatch, packages)):
        return None
    tags = _run((str(python), "-c", _TAGS), environment, None, failure)
    configuration = _run((*_pip(python), "config", "list"), environment, None, failure)
    key = repr((str(python), tags, configuration, sorted(packages), sorted(environment.items())))
    return Path(user_cache_dir("autoenc-bench")) / "packages" / sha256(key.encode()).hexdigest()[:16]


def releases(package: str, first: str, last: str) -> list[str]:
    """List the releases of a package from one to another that pip knows of here, oldest first.

    Raises NotFoundError where one of the two is not among them, InvalidInputError where they are not in this order or
    pip lists none.
    """
    versions = _versions(package)
    ends = []
    for text in (first, last):
        try:
            ends.append(versions.index(Version(text)))
        except ValueError as problem:  # it is none of them, or no version at all
            known = few([str(version) for version in reversed(versions)])
            reason = f"no release that pip can install here; it lists {known}"
            raise NotFoundError(f"{package}=={text}: {reason}") from problem
    if ends[0] >= ends[1]:
        mend = "give the older one, which was good, first"
        raise InvalidInputError(f"{package}=={first} is not older than {package}=={last}; {mend}")
    chosen = versions[ends[0] : ends[1] + 1]
    return [str(one) for one in chosen if not one.is_prerelease or one in (chosen[0], chosen[-1])]


def _versions(package: str) -> list[Version]:
    """List a package's releases that pip can install here, oldest first; raise InvalidInputError without any."""
    failure = f"pip cannot tell which releases {package} has"
    command = (*_pip(Path(sys.executable)), "index", "versions", "--pre", package)
    printed = _run(command, {}, None, failure)
    listed = re.search(r"Available versions:(.*)", printed)
    versions = []
    for text in re.findall(r"[^\s,]+", listed[1]) if listed else ():
        with suppress(InvalidVersion):  # old packages have names such as 2004d, which no order holds
            versions.append(Version(text))
    if not versions:
        expected = "expected a line 'Available versions:' with versions such as 1.0"
        raise InvalidInputError(f"pip lists no release of {package}: {expected}; update pip, or look at the index")
    return sorted(versions)


def _pip(python: Path) -> tuple[str, ...]:
    return (str(python), "-m", "pip", "--disable-pip-version-check", "--no-input")


def check(python: Path, environment: Mapping[str, str], folder: Path) -> None:
    """Raise NotFoundError when an interpreter, started in a folder, would not find what the suite needs."""
    missing = _run([str(python), "-c", _MISSING], environment, folder, f"{python}: no interpreter that runs").split()
    if missing:
        mend = f"install autoenc-bench's dependencies there: {python} -m pip install -e ."
        raise NotFoundError(f"{python} lacks {', '.join(missing)}; {mend}")


def _run(command: Sequence[str], environment: Mapping[str, str], folder: Path | None, failure: str) -> str:
    try:
        return output(command, {**os.environ, **environment}, folder)
    except OSError as problem:
        raise InvalidInputError(f"{command[0]}: no interpreter that runs: {problem.strerror}") from problem
    except InvalidInputError as problem:
        raise InvalidInputError(f"{failure}: {problem}") from problem
