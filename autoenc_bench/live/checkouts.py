"""Check out the two sides of a live comparison into a temporary folder, for as long as they are measured."""

import ast
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.live import environments, revisions, worktrees
from autoenc_bench.live.git import git
from autoenc_bench.live.processes import Suite
from autoenc_bench.live.revisions import Code
from autoenc_bench.records.record import SIDE_NAMES

# The head's harness measures both sides: its cases, pytest's configuration, and the plugin with its fixtures.
PACKAGE, PLUGIN = "autoenc_bench", "autoenc_bench/plugin"
HARNESS = ("benchmarks", "conftest.py", "pyproject.toml", PLUGIN)


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What the user wants on one side. A head without a revision is the working tree; for a base see ``both``."""

    revision: str | None = None
    python: Path | None = None  # by default the interpreter that runs this
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()  # requirements, as for pip
    installed: Path | None = None  # the folder for these packages, if several comparisons share it


class Tree(NamedTuple):
    """A side's code and the project's folder in its worktree."""

    code: Code
    folder: Path


@contextmanager
def both(base: Wanted, head: Wanted, project: Path, harness: str | None = None) -> Iterator[tuple[Suite, Suite]]:
    """Check out both sides of a comparison, base first; remove them at the end.

    Each is a git worktree at its commit. A head without a revision is the working tree. A base without a revision is
    the commit where the head left the main branch; where interpreter, variables or packages differ, it is the head's
    code. The base gets the head's ``HARNESS``, or both get that of the revision ``harness``. Raises InvalidInputError
    when there is nothing to compare or a side cannot be prepared, NotFoundError when something named does not exist.
    """
    top, prefix = revisions.find(project)
    with worktrees.folder(top) as root:
        try:
            trees = _check_out(base, head, top, prefix, root, harness)
        except OSError as problem:
            raise InvalidInputError(f"the two sides could not be checked out: {problem}") from problem
        suites = [_suite(*side, root) for side in zip(SIDE_NAMES, trees, (base, head), strict=True)]
        yield suites[0], suites[1]


def _check_out(base: Wanted, head: Wanted, top: Path, prefix: Path, root: Path, harness: str | None) -> list[Tree]:
    store = revisions.make_store(top, root / "objects")
    trees = []
    for name, code in zip(SIDE_NAMES, _codes(base, head, top, store), strict=True):
        place = worktrees.path(root, name)
        folder = place / prefix
        git(top, "worktree", "add", "--detach", str(place), code.commit)
        git(place, "read-tree", "--reset", "-u", code.tree, GIT_OBJECT_DIRECTORY=str(store))
        if not folder.is_dir() or folder.resolve() != folder:
            mend = "name a revision that holds the project there"
            raise NotFoundError(f"{code.description} has no folder {prefix}; {mend}")
        trees.append(Tree(code, folder))
    _share_harness(trees, revisions.at(top, harness) if harness else trees[1].code, store)
    for _, folder in trees:  # later git commands in this folder need no store
        git(folder, "reset", "--quiet")
    return trees


def _codes(base: Wanted, head: Wanted, top: Path, store: Path) -> tuple[Code, Code]:
    head_code = revisions.working_tree(top, store) if head.revision is None else revisions.at(top, head.revision)
    if base.revision is not None:
        return revisions.at(top, base.revision), head_code
    if _setting(base) != _setting(head):
        return head_code, head_code
    fork = revisions.fork(top, head_code)
    if (fork.commit, fork.tree) == (head_code.commit, head_code.tree):
        mend = "name another base, such as HEAD~1, or another interpreter, variable or package for it"
        raise InvalidInputError(f"nothing to compare: {head_code.description} is its own {fork.description}; {mend}")
    return fork, head_code


def _setting(wanted: Wanted) -> tuple[Path, dict[str, str], list[str]]:
    return environments.interpreter(wanted.python), dict(wanted.environment), list(wanted.packages)


def _share_harness(trees: Sequence[Tree], harness: Code, store: Path) -> None:
    """Replace each side's harness by one; raise NotFoundError where the harness, or a side, lacks what that needs."""
    variables = {"GIT_OBJECT_DIRECTORY": str(store)}
    paths = ("--", *HARNESS, PACKAGE)
    # With PLUGIN among the paths, git lists the package's entries, not the package.
    listed = git(trees[0].folder, "ls-tree", "--name-only", harness.tree, *paths, **variables).splitlines()
    for name, shown in (("benchmarks", "benchmarks/"), ("conftest.py", "conftest.py")):
        if name not in listed:
            mend = "copy it from autoenc-bench"
            raise NotFoundError(f"{harness.description} has no {shown} in the project's folder; {mend}")
    _check_sparse(trees[0].folder, {name for name in (*HARNESS, PACKAGE) if name in listed})
    owner = "the head's harness" if harness is trees[1].code else f"the harness of {harness.description}"
    too_old = f", so it is too old for {owner}, which measures both sides"
    for name, reason in ((PACKAGE, " to measure"), (PLUGIN, too_old)):  # else Python imports an installed package
        for code, folder in trees:
            if any(f"{path}/".startswith(f"{name}/") for path in listed) and not (folder / name).is_dir():
                raise NotFoundError(f"{code.description} has no {name}/{reason}; name a later revision")
    for code, folder in trees:
        if code.tree != harness.tree:
            replaced = [name for name in HARNESS if name in listed or os.path.lexists(folder / name)]
            source = f"--source={harness.tree}"
            git(folder, "restore", source, "--staged", "--worktree", "--", *replaced, **variables)
    for tree in trees:
        _check_layout(tree, harness, owner)


def _check_layout(tree: Tree, harness: Code, owner: str) -> None:
    """Raise NotFoundError where the shared plugin is too old, or a side's package lacks a module that it imports."""
    plugin = tree.folder / PLUGIN
    if plugin.is_dir() and not (plugin / "messages.py").is_file():
        mend = "name a later revision, or run the autoenc-bench of that revision"
        raise NotFoundError(f"{harness.description} is too old: {PLUGIN}/ has no messages.py; {mend}")
    for file in sorted(plugin.glob("*.py")):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if not (isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE)):
                continue
            for name in (alias.name for alias in node.names):
                if not _is_there(tree.folder.joinpath(*str(node.module).split(".")), name):
                    lacking = f"the package has no {name} in {node.module}, which {owner} needs on both sides"
                    mend = "compare recorded runs with autoenc-bench compare, or name a later revision"
                    raise NotFoundError(f"{tree.code.description} cannot be measured: {lacking}; {mend}")


def _is_there(module: Path, name: str) -> bool:
    """Return whether a module or package, given by its path, has a submodule of this name or mentions the name."""
    if (module / name).is_dir() or (module / f"{name}.py").exists():
        return True
    source = module.with_suffix(".py") if module.with_suffix(".py").exists() else module / "__init__.py"
    return source.exists() and re.search(rf"\b{name}\b", source.read_text("utf-8")) is not None


def _check_sparse(folder: Path, needed: Iterable[str]) -> None:
    """Raise NotFoundError where the user's sparse checkout, which worktrees share, leaves out a needed path."""
    lacking = sorted(path for path in needed if not os.path.lexists(folder / path))
    if lacking and git(folder, "config", "--type=bool", "--default=false", "core.sparseCheckout").strip() == "true":
        names = " ".join(lacking)
        mend = f"add it with 'git sparse-checkout add {names}'"
        raise NotFoundError(f"this sparse checkout does not contain {names}, which both sides need; {mend}")


def _suite(name: str, tree: Tree, wanted: Wanted, root: Path) -> Suite:
    python = environments.interpreter(wanted.python)
    installed = None
    if wanted.packages:
        installed = wanted.installed or root / f"packages-{name}"
        environments.install(python, wanted.packages, installed, wanted.environment)
    variables = environments.variables(tree.folder, installed, wanted.environment)
    environments.check(python, variables, tree.folder)
    description = tree.code.description
    return Suite(name=name, description=description, folder=tree.folder, python=python, environment=variables)
