"""Packages that one side of a live comparison is given: releases are kept, and checked before they are used again."""

import ast
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from time import time
from typing import NamedTuple

from packaging.version import InvalidVersion, Version
from platformdirs import user_cache_dir

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.formatting import few
from autoenc_bench.live import environments

RELEASE = re.compile(r"(?P<name>[A-Za-z0-9][\w.-]*)==(?P<version>[\w.!+-]+)")
DAYS = 30  # that an installation is kept which nothing uses

# What decides which file of a release an interpreter takes, or how one is built for it; and whether it has pip.
_TAGS = """
import sys, sysconfig
from importlib.util import find_spec
print("pip" if find_spec("pip") else "")
print(sys.implementation.name, sys.version, sysconfig.get_platform(), sysconfig.get_config_var("SOABI"))
"""
# What lies in a folder: each distribution's version, files that are not as they were installed, and modules that are
# imported from elsewhere.
_CHECK = """
import csv, json, os, sys
from importlib.metadata import distributions
from importlib.util import find_spec

folder, installed = os.path.realpath(sys.argv[1]), {}
for found in distributions(path=[folder]):
    # Each line of RECORD has a path, a hash and a size; Distribution.files leaves out what is missing.
    lines = csv.reader((found.read_text("RECORD") or "").splitlines())
    sizes = {path: int(size) for path, _, size in lines if size and not path.startswith("..")}
    lost = [path for path, size in sizes.items()
            if not os.path.isfile(os.path.join(folder, path)) or os.path.getsize(os.path.join(folder, path)) != size]
    elsewhere = []
    for name in sorted({path.partition("/")[0].partition(".")[0] for path in sizes if path.endswith(".py")}):
        spec = find_spec(name)
        places = [spec.origin] if spec and spec.origin else list(spec.submodule_search_locations or ()) if spec else []
        if not places or not os.path.realpath(places[0]).startswith(folder + os.sep):
            elsewhere.append(name)
    installed[found.metadata["Name"]] = [found.version, lost if sizes else ["RECORD"], elsewhere]
print(json.dumps(installed))
"""
# Options of pip's that say where packages go, what else is installed, or how much is said: they are ours to choose.
_OURS = {
    *("target", "prefix", "root", "user", "dry-run", "python", "require-virtualenv"),
    *("requirement", "editable", "group", "upgrade", "no-deps", "ignore-installed"),
    *("quiet", "verbose", "report"),
}


def install(python: Path, packages: Sequence[str], target: Path, environment: Mapping[str, str]) -> Path:
    """Install packages for an interpreter, without what they depend on, by its pip or by uv; return where they are.

    That is ``target`` or, where all are releases, which never change, a folder in the user's cache that is kept. A kept
    one is used only if it holds these releases whole. Raises InvalidInputError where they cannot be installed.
    """
    failure = f"{python} could not install {' '.join(packages)}"
    installer = _installer(python, environment, failure)
    kept = _kept(installer, packages) if all(map(RELEASE.fullmatch, packages)) else None
    if kept and not _fault(installer, kept, packages):
        with suppress(OSError):
            os.utime(kept)  # as the time of its last use
        return kept
    room = _make_room(kept) if kept else None
    folder = room or target
    try:
        environments.run(installer.install(folder, packages), installer.variables, None, failure)
        if fault := _fault(installer, folder, packages):
            raise InvalidInputError(f"{failure}: after the installation, {fault}")
        return _keep(installer, room, kept, packages, target) if room and kept else target
    except OSError as problem:  # as of a disk that is full
        raise InvalidInputError(f"{failure}: {problem}") from problem
    finally:
        if room:
            shutil.rmtree(room, ignore_errors=True)


class Installer(NamedTuple):
    """What installs packages for an interpreter: its pip or, where it has none, uv."""

    python: Path
    uv: str | None  # the path of uv, where the interpreter has no pip
    variables: dict[str, str]  # all that it runs with
    key: str  # what else decides which files it installs

    def install(self, folder: Path, packages: Sequence[str]) -> tuple[str, ...]:
        """Return the command that installs packages into a folder."""
        where = ("--quiet", "--no-deps", "--target", str(folder), "--", *packages)
        if self.uv:
            return (self.uv, "pip", "install", "--python", str(self.python), *where)
        return (*_pip(self.python), "install", *where)


def _installer(python: Path, environment: Mapping[str, str], failure: str) -> Installer:
    """Find what installs packages for an interpreter; raise InvalidInputError, beginning with ``failure``, for nothing.

    pip's configuration counts but for what says where packages go: an index, a proxy or a constraint of the user's.
    """
    variables = {**os.environ, **environment}
    has_pip, _, tags = environments.run((str(python), "-c", _TAGS), variables, None, failure).partition("\n")
    uv = None if has_pip else shutil.which("uv")
    if has_pip:
        variables = _configured(python, variables, "install", failure)
    elif not uv:
        mend = f"add pip with '{python} -m ensurepip', or install uv"
        raise InvalidInputError(f"{failure}: this Python has no pip, and uv is not installed; {mend}")
    known = [(name, value) for name, value in sorted(variables.items()) if name.startswith("UV_" if uv else "PIP_")]
    return Installer(python, uv, variables, repr((str(python), bool(uv), tags, known, sorted(environment.items()))))


def _configured(python: Path, variables: Mapping[str, str], command: str, failure: str) -> dict[str, str]:
    """Return variables by which pip runs a command as its user has configured it, but for what is ours to choose.

    Options of pip's files cannot be unset, so all of them are turned into variables, and the files left out.
    """
    # Files may hold options of this command as well: all of them are to be listed.
    own = {name: value for name, value in variables.items() if not _is_ours(name)}
    neutral = {**own, **dict.fromkeys(("PIP_USER", "PIP_GLOBAL", "PIP_SITE", "PIP_QUIET"), "0")}
    listed = environments.run((*_pip(python), "config", "list"), neutral, None, failure)
    entries = re.findall(r"^([\w-]+)\.([\w-]+)=(['\"].*['\"])$", listed, re.MULTILINE)
    options = {(section, option): str(ast.literal_eval(value)) for section, option, value in entries}
    files = {
        f"PIP_{option.upper().replace('-', '_')}": " ".join(value.split("\n")).strip()
        for wanted in ("global", command)
        for (section, option), value in options.items()
        if section == wanted
    }
    return {
        **{name: value for name, value in files.items() if not _is_ours(name)},
        **own,
        "PIP_CONFIG_FILE": os.devnull,
    }


def _is_ours(name: str) -> bool:
    return name.startswith("PIP_") and name.removeprefix("PIP_").lower().replace("_", "-") in _OURS


def _pip(python: Path) -> tuple[str, ...]:
    return (str(python), "-m", "pip", "--disable-pip-version-check", "--no-input")


def _kept(installer: Installer, packages: Iterable[str]) -> Path:
    """Return where releases are kept once they are installed: apart for each interpreter and configuration."""
    key = sha256(repr((installer.key, sorted(packages))).encode()).hexdigest()[:16]
    return Path(user_cache_dir("autoenc-bench")) / "packages" / key


def _fault(installer: Installer, folder: Path, packages: Iterable[str]) -> str:
    """Return in words why a folder does not hold these packages whole, nothing where it does."""
    try:
        if not folder.is_dir():
            return "nothing was installed"
    except OSError as problem:
        return str(problem)
    variables = {**installer.variables, "PYTHONPATH": str(folder)}
    failure = f"{installer.python} could not look at what is installed"
    printed = environments.run((str(installer.python), "-c", _CHECK, str(folder)), variables, folder.parent, failure)
    found = {_normal(name): facts for name, facts in json.loads(printed).items()}
    for release in filter(None, map(RELEASE.fullmatch, packages)):
        name = release["name"]
        version, lost, elsewhere = found.get(_normal(name), (None, (), ()))
        if version is None:
            return f"{name} is missing"
        if Version(version) != Version(release["version"]):
            return f"{name} is {version}"
        if lost:
            return f"{name} is not whole: {few(lost)}"
        if elsewhere:
            return f"{few(elsewhere)} of {name} would be imported from elsewhere"
    return "" if found else "nothing was installed"


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _make_room(kept: Path) -> Path | None:
    """Make a folder beside one to be kept, ``None`` where the cache cannot be written; remove what nothing uses."""
    room = kept.with_name(f"{kept.name}-{os.getpid()}")
    try:
        room.mkdir(parents=True)
        for old in room.parent.iterdir():
            with suppress(OSError):
                if time() - old.stat().st_mtime > DAYS * 86_400:
                    shutil.rmtree(old, ignore_errors=True)
    except OSError:
        return None
    return room


def _keep(installer: Installer, room: Path, kept: Path, packages: Sequence[str], target: Path) -> Path:
    """Move an installation to where it is kept, in the place of one that is not whole; return where it is then."""
    with suppress(OSError):
        if kept.exists():
            kept.rename(room.with_name(f"{room.name}-old"))
            shutil.rmtree(room.with_name(f"{room.name}-old"), ignore_errors=True)
        room.rename(kept)
        return kept
    if not _fault(installer, kept, packages):  # another process was faster
        return kept
    return Path(shutil.copytree(room, target))


def releases(package: str, first: str, last: str, python: Path) -> list[str]:
    """List the releases of a package from one to another that pip knows of here, oldest first.

    Raises NotFoundError where one of the two is not among them, InvalidInputError where they are not in this order or
    the interpreter's pip lists none.
    """
    versions = _versions(package, python)
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


def _versions(package: str, python: Path) -> list[Version]:
    """List a package's releases that pip can install here, oldest first; raise InvalidInputError without any."""
    failure = f"pip cannot tell which releases {package} has"
    variables = dict(os.environ)
    if environments.run((str(python), "-c", _TAGS), variables, None, failure).startswith("\n"):
        mend = f"install it there, for example with 'uv pip install --python {python} pip'"
        raise InvalidInputError(f"{python} has no pip; a bisection needs it to list the releases of {package}; {mend}")
    command = (*_pip(python), "index", "versions", "--pre", package)
    printed = environments.run(command, _configured(python, variables, "index", failure), None, failure)
    listed = re.search(r"Available versions:(.*)", printed)
    versions = []
    for text in re.findall(r"[^\s,]+", listed[1]) if listed else ():
        with suppress(InvalidVersion):  # old packages have names such as 2004d, which no order holds
            versions.append(Version(text))
    if not versions:
        expected = "expected a line 'Available versions:' with versions such as 1.0"
        raise InvalidInputError(f"pip lists no release of {package}: {expected}; update pip, or look at the index")
    return sorted(versions)
