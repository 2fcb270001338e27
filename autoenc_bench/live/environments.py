"""What a side of a live comparison runs in: an interpreter, environment variables, and packages of its own.

Releases of packages are kept in the user's cache, and checked before each use.
"""

import ast
import json
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import time
from typing import NamedTuple

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version
from platformdirs import user_cache_dir

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import few
from autoenc_bench.live.processes import output

NEEDED = ("pytest", "pytest_benchmark", "keras", "msgspec")

# find_spec, because importing them takes seconds.
_MISSING = f"from importlib.util import find_spec; print(*(name for name in {NEEDED} if find_spec(name) is None))"
RELEASE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)")
DAYS = 30  # that an unused installation is kept

# Prints whether the interpreter has pip, and the facts that decide which file of a release it takes or builds.
_TAGS = """
import sys, sysconfig
from importlib.util import find_spec
print("pip" if find_spec("pip") else "")
print(sys.implementation.name, sys.version, sysconfig.get_platform(), sysconfig.get_config_var("SOABI"))
"""
# Prints for each distribution in a folder its version, the files that are not as pip installed them, and the modules
# that Python would import from another folder.
_CHECK = """
import csv, json, os, sys
from importlib.metadata import distributions
from importlib.util import find_spec

folder, installed = os.path.realpath(sys.argv[1]), {}
for distribution in distributions(path=[folder]):
    # Each line of RECORD has a path, a hash and a size; Distribution.files leaves out missing files.
    lines = csv.reader((distribution.read_text("RECORD") or "").splitlines())
    sizes = {path: int(size) for path, _, size in lines if size and not path.startswith("..")}
    lost = [path for path, size in sizes.items()
            if not os.path.isfile(os.path.join(folder, path)) or os.path.getsize(os.path.join(folder, path)) != size]
    elsewhere = []
    for name in sorted({path.partition("/")[0].partition(".")[0] for path in sizes if path.endswith(".py")}):
        spec = find_spec(name)
        places = [spec.origin] if spec and spec.origin else list(spec.submodule_search_locations or ()) if spec else []
        if not places or not os.path.realpath(places[0]).startswith(folder + os.sep):
            elsewhere.append(name)
    installed[distribution.metadata["Name"]] = [distribution.version, lost if sizes else ["RECORD"], elsewhere]
print(json.dumps(installed))
"""
# Options of pip that decide where packages go, what else is installed, or how much pip prints. We set these ourselves.
_OURS = {
    *("target", "prefix", "root", "user", "dry-run", "python", "require-virtualenv"),
    *("requirement", "editable", "group", "upgrade", "no-deps", "ignore-installed"),
    *("quiet", "verbose", "report"),
}


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


def install(python: Path, packages: Sequence[str], target: Path, environment: Mapping[str, str]) -> Path:
    """Install packages for an interpreter, without their dependencies, by its pip or by uv; return their folder.

    That is ``target``; or a folder in the user's cache where all packages are releases, because releases never change.
    A kept folder is used only if it holds these releases complete. Raises InvalidInputError where installing fails.
    """
    failure = f"{python} could not install {' '.join(packages)}"
    installer = _installer(python, environment, failure)
    folder = target
    if all(map(RELEASE.fullmatch, packages)):
        kept = _kept(installer, packages)
        for earlier in sorted(kept.parent.glob(f"{kept.name}-*")):
            with suppress(InvalidInputError):  # another process may be installing into it
                if not _fault(installer, earlier, packages):
                    with suppress(OSError):
                        os.utime(earlier)  # the time of its last use
                    return earlier
        folder = _make_room(kept) or target
    try:
        command = (*installer.command, "--quiet", "--no-deps", "--target", str(folder), "--", *packages)
        run(command, installer.variables, None, failure)
        if fault := _fault(installer, folder, packages):
            raise InvalidInputError(f"{failure}: after the installation, {fault}")
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return folder


class Installer(NamedTuple):
    """The command that installs packages for an interpreter, and what it depends on."""

    python: Path
    command: tuple[str, ...]
    variables: dict[str, str]  # its whole environment
    key: str  # everything that decides which files it installs


def _installer(python: Path, environment: Mapping[str, str], failure: str) -> Installer:
    """Return the interpreter's pip or, where it has none, uv; raise InvalidInputError where there is neither.

    The user's configuration of pip counts, such as an index or a proxy, but for the options in ``_OURS``.
    """
    variables = {**os.environ, **environment}
    has_pip, _, tags = run((str(python), "-c", _TAGS), variables, None, failure).partition("\n")
    uv = None if has_pip else shutil.which("uv")
    if has_pip:
        command = (*_pip(python), "install")
        variables = _configured(python, variables, "install", failure)
    elif uv:
        command = (uv, "pip", "install", "--python", str(python))
    else:
        mend = f"add pip with '{python} -m ensurepip', or install uv"
        raise InvalidInputError(f"{failure}: this Python has no pip, and uv is not installed; {mend}")
    own = [(name, value) for name, value in sorted(variables.items()) if name.startswith("UV_" if uv else "PIP_")]
    return Installer(python, command, variables, repr((command, tags, own, sorted(environment.items()))))


def _configured(python: Path, variables: Mapping[str, str], command: str, failure: str) -> dict[str, str]:
    """Return the environment by which pip runs a command as its user configured it, but for our own options.

    Options in pip's files cannot be unset. So all of them become variables, and pip reads no files.
    """
    own = {name: value for name, value in variables.items() if not _is_ours(name)}
    # Files may hold our options for 'config list' as well, and it must list everything.
    neutral = {**own, **dict.fromkeys(("PIP_USER", "PIP_GLOBAL", "PIP_SITE", "PIP_QUIET"), "0")}
    listed = run((*_pip(python), "config", "list"), neutral, None, failure)
    options = re.findall(r"^([\w-]+)\.([\w-]+)=(['\"].*['\"])$", listed, re.MULTILINE)
    files = {}
    for section in ("global", command):
        for name, value in ((name, value) for place, name, value in options if place == section):
            files[f"PIP_{name.upper().replace('-', '_')}"] = " ".join(str(ast.literal_eval(value)).split("\n")).strip()
    files = {name: value for name, value in files.items() if not _is_ours(name)}
    return {**files, **own, "PIP_CONFIG_FILE": os.devnull}


def _is_ours(name: str) -> bool:
    return name.startswith("PIP_") and name.removeprefix("PIP_").lower().replace("_", "-") in _OURS


def _pip(python: Path) -> tuple[str, ...]:
    return (str(python), "-m", "pip", "--disable-pip-version-check", "--no-input")


def _kept(installer: Installer, packages: Iterable[str]) -> Path:
    """Return how the folders of releases begin in the cache: different for each interpreter and configuration."""
    key = sha256(repr((installer.key, sorted(packages))).encode()).hexdigest()[:16]
    return Path(user_cache_dir("autoenc-bench")) / "packages" / key


def _make_room(kept: Path) -> Path | None:
    """Make a folder in the cache, ``None`` where it cannot be written; remove what has not been used for ``DAYS``."""
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in kept.parent.iterdir():
            with suppress(OSError):
                if time() - old.stat().st_mtime > DAYS * 86_400:
                    shutil.rmtree(old, ignore_errors=True)
        return Path(tempfile.mkdtemp(prefix=f"{kept.name}-", dir=kept.parent))
    except OSError:
        return None


def _fault(installer: Installer, folder: Path, packages: Iterable[str]) -> str:
    """Return why a folder does not hold these packages complete; an empty text where it does."""
    variables = {**installer.variables, "PYTHONPATH": str(folder)}
    failure = f"{installer.python} could not read what is installed"
    command = (str(installer.python), "-c", _CHECK, str(folder))
    printed = run(command, variables, folder.parent, failure)
    distributions = {canonicalize_name(name): facts for name, facts in json.loads(printed).items()}
    for release in filter(None, map(RELEASE.fullmatch, packages)):
        name = release["name"]
        version, lost, elsewhere = distributions.get(canonicalize_name(name), (None, (), ()))
        if version is None:
            return f"{name} is missing"
        if Version(version) != Version(release["version"]):
            return f"{name} is {version}"
        if lost:
            return f"{name} is not whole: {few(lost)}"
        if elsewhere:
            return f"{few(elsewhere)} of {name} would be imported from elsewhere"
    return "" if distributions else "nothing was installed"


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
    variables = dict(os.environ)
    if run((str(python), "-c", _TAGS), variables, None, failure).startswith("\n"):
        mend = f"install it there, for example with 'uv pip install --python {python} pip'"
        raise InvalidInputError(f"{python} has no pip; a bisection needs it to list the releases of {package}; {mend}")
    command = (*_pip(python), "index", "versions", "--pre", package)
    printed = run(command, _configured(python, variables, "index", failure), None, failure)
    listed = re.search(r"Available versions:(.*)", printed)
    versions = []
    for text in re.findall(r"[^\s,]+", listed[1]) if listed else ():
        with suppress(InvalidVersion):  # old packages have names such as 2004d, which have no order
            versions.append(Version(text))
    if not versions:
        expected = "expected a line 'Available versions:' with versions such as 1.0"
        raise InvalidInputError(f"pip lists no release of {package}: {expected}; update pip, or look at the index")
    return sorted(versions)
