"""The two sides of a live comparison, checked out into a temporary folder for as long as they are measured."""

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.live import environments, packages, revisions, worktrees
from autoenc_bench.live.revisions import Code, git
from autoenc_bench.records.record import SIDE_NAMES

# What measures is the head's on both sides: the cases, pytest's configuration, and the plugin with its fixtures.
PLUGIN = "autoenc_bench/plugin"
HARNESS = ("benchmarks", "conftest.py", "pyproject.toml", PLUGIN)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for on one side; without a revision, the head is the working tree (see ``both``)."""

    revision: str | None = None
    python: Path | None = None  # by default the interpreter that runs this
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()  # requirements, as for pip


@dataclass(frozen=True, kw_only=True)
class Checkout:
    """What one side of a live comparison runs: a project folder, an interpreter, environment variables."""

    name: str  # "base" or "head"
    description: str  # of its code, for people
    folder: Path  # the project's root within the side's checkout
    python: Path
    environment: dict[str, str] = field(default_factory=dict)  # what is set on top of os.environ, PYTHONPATH included


@contextmanager
def both(base: Wanted, head: Wanted, project: Path, harness: str | None = None) -> Iterator[tuple[Checkout, Checkout]]:
    """Check out both sides of a comparison, base first, and remove them at the end.

    Each is a git worktree at its commit. A head without a revision is the working tree as it is now; a base without one
    is where the head left the main branch, or the head's own code when its interpreter, variables or packages are what
    differs. The base gets the head's HARNESS, or both get that of the revision ``harness``. Raises InvalidInputError
    when there is nothing to compare or a side cannot be prepared, NotFoundError when something named is not there.
    """
    top, prefix = revisions.find(project)
    with worktrees.folder(top) as root:
        yield _prepare(base, head, top, prefix, root, harness)


def _prepare(
    base: Wanted, head: Wanted, top: Path, prefix: Path, root: Path, harness: str | None
) -> tuple[Checkout, Checkout]:
    try:
        store = revisions.make_store(top, root / "objects")
        codes = _codes(base, head, top, store)
        places = [worktrees.path(root, name) for name in SIDE_NAMES]
        folders = [place / prefix for place in places]
        for place, folder, code in zip(places, folders, codes, strict=True):
            git(top, "worktree", "add", "--detach", str(place), code.commit)
            git(place, "read-tree", "--reset", "-u", code.tree, GIT_OBJECT_DIRECTORY=str(store))
            if not folder.is_dir() or folder.resolve() != folder:
                reason = f"has no folder {prefix}; name a revision that holds the project there"
                raise NotFoundError(f"{code.description} {reason}")
        _share_harness(folders, codes, revisions.at(top, harness) if harness else codes[1], store)
    except OSError as problem:
        raise InvalidInputError(f"the two sides could not be checked out: {problem}") from problem
    for folder in folders:  # what git is asked there later needs no store
        git(folder, "reset", "--quiet")
    prepared = _checkout("base", codes[0], base, folders[0], root)
    return prepared, _checkout("head", codes[1], head, folders[1], root)


def _codes(base: Wanted, head: Wanted, top: Path, store: Path) -> tuple[Code, Code]:
    ours = revisions.working_tree(top, store) if head.revision is None else revisions.at(top, head.revision)
    if base.revision is not None:
        return revisions.at(top, base.revision), ours
    if _setting(base) != _setting(head):
        return ours, ours
    theirs = revisions.fork(top, ours)
    if (theirs.commit, theirs.tree) == (ours.commit, ours.tree):
        mend = "name another base, such as HEAD~1, or another interpreter, variable or package for it"
        raise InvalidInputError(f"nothing to compare: {ours.description} is its own {theirs.description}; {mend}")
    return theirs, ours


def _setting(wanted: Wanted) -> tuple[Path, dict[str, str], list[str]]:
    return environments.interpreter(wanted.python), dict(wanted.environment), list(wanted.packages)


def _share_harness(folders: Sequence[Path], codes: Sequence[Code], harness: Code, store: Path) -> None:
    """Put one harness in the place of each side's; raise NotFoundError where it, or a side, lacks what that needs."""
    package, variables = "autoenc_bench", {"GIT_OBJECT_DIRECTORY": str(store)}
    told = git(folders[0], "ls-tree", "--name-only", harness.tree, "--", *HARNESS, package, **variables)
    listed = told.splitlines()  # for the package what is named within it, if that is there
    for name, shown in (("benchmarks", "benchmarks/"), ("conftest.py", "conftest.py")):
        if name not in listed:
            reason = f"has no {shown} in the project's folder; give that of autoenc-bench"
            raise NotFoundError(f"{harness.description} {reason}")
    _check_sparse(folders[0], {place for place in (*HARNESS, package) if place in listed})
    # Without the one, the installed package would be measured in its place.
    owner = "the head's harness" if harness is codes[1] else f"the harness of {harness.description}"
    too_old = f", so it is too old for {owner}, which measures both sides"
    for name, reason in ((package, " to measure"), (PLUGIN, too_old)):
        for folder, code in zip(folders, codes, strict=True):
            if any(f"{one}/".startswith(f"{name}/") for one in listed) and not (folder / name).is_dir():
                raise NotFoundError(f"{code.description} has no {name}/{reason}; name a later revision")
    for folder, code in zip(folders, codes, strict=True):
        if code.tree != harness.tree:
            known = [name for name in HARNESS if name in listed or os.path.lexists(folder / name)]
            source = f"--source={harness.tree}"
            git(folder, "restore", source, "--staged", "--worktree", "--", *known, **variables)
    for folder, code in zip(folders, codes, strict=True):
        _check_layout(folder, code, owner)


def _check_layout(folder: Path, code: Code, owner: str) -> None:
    """Raise NotFoundError where a side's package lacks a module that the shared plugin imports."""
    for file in sorted((folder / PLUGIN).glob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autoenc_bench"):
                for name in (alias.name for alias in node.names):
                    if not _is_there(folder.joinpath(*str(node.module).split(".")), name):
                        lacking = f"the package has no {name} in {node.module}, which {owner} needs on both sides"
                        mend = "compare recorded runs with autoenc-bench compare, or name a later revision"
                        raise NotFoundError(f"{code.description} cannot be measured: {lacking}; {mend}")


def _is_there(module: Path, name: str) -> bool:
    """Return whether a module or package, given by its path, has a submodule of this name or mentions the name."""
    if (module / name).is_dir() or (module / f"{name}.py").exists():
        return True
    source = module.with_suffix(".py") if module.with_suffix(".py").exists() else module / "__init__.py"
    return source.exists() and re.search(rf"\b{name}\b", source.read_text("utf-8")) is not None


def _check_sparse(folder: Path, needed: Iterable[str]) -> None:
    """Raise NotFoundError where the user's sparse checkout, which worktrees share, leaves out what both sides need."""
    lacking = sorted(place for place in needed if not os.path.lexists(folder / place))
    if lacking and git(folder, "config", "--type=bool", "--default=false", "core.sparseCheckout").strip() == "true":
        names = " ".join(lacking)
        mend = f"add it with 'git sparse-checkout add {names}'"
        raise NotFoundError(f"this sparse checkout does not contain {names}, which both sides need; {mend}")


def _checkout(name: str, code: Code, wanted: Wanted, folder: Path, root: Path) -> Checkout:
    python = environments.interpreter(wanted.python)
    installed = None
    if wanted.packages:
        installed = packages.install(python, wanted.packages, root / f"packages-{name}", wanted.environment)
    variables = environments.variables(folder, installed, wanted.environment)
    environments.check(python, variables, folder)
    return Checkout(name=name, description=code.description, folder=folder, python=python, environment=variables)
