"""The two sides of a live comparison, checked out into a temporary folder for as long as they are measured."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from autoenc_bench.gate.live import environments, revisions
from autoenc_bench.gate.live.revisions import Code, git

# What measures is the head's on both sides: the cases, their fixtures, and pytest's configuration.
HARNESS = ("benchmarks", "conftest.py", "pyproject.toml")


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Hold what is asked for on one side; without a revision, the head is the working tree (see ``both``)."""

    revision: str | None = None
    python: Path | None = None  # by default the interpreter that runs this
    environment: Mapping[str, str] = field(default_factory=dict)
    packages: Sequence[str] = ()  # requirements, as for pip


@dataclass(frozen=True, kw_only=True)
class Side:
    """Hold what one side of a live comparison runs: a project folder, an interpreter, environment variables."""

    name: str  # "base" or "head"
    words: str  # which code it is, for people
    folder: Path  # the project's root within the side's checkout
    python: Path
    environment: dict[str, str]  # what is set on top of os.environ, PYTHONPATH included


@contextmanager
def both(base: Wanted, head: Wanted, project: Path) -> Iterator[tuple[Side, Side]]:
    """Check out both sides of a comparison, base first, and remove them at the end.

    Each is a git worktree at its commit; a head without a revision also gets what is changed, untracked or deleted in
    the working tree, as it is now. A base without a revision is where the head left the main branch; or the head's
    own code, when its interpreter, variables or packages are what differs. The base gets the head's HARNESS.

    Raises ValueError when there is nothing to compare or a side cannot be prepared, LookupError when something that
    was named is not there.
    """
    top, prefix = revisions.find(project)
    codes = _codes(base, head, top)
    with ExitStack() as stack:
        try:
            sides = _prepare(stack, codes, (base, head), top, prefix)
        except OSError as problem:
            raise ValueError(f"the two sides could not be checked out: {problem}") from problem
        yield sides


def _codes(base: Wanted, head: Wanted, top: Path) -> tuple[Code, Code]:
    """Say which code the sides run."""
    ours = revisions.working_tree(top) if head.revision is None else revisions.at(top, head.revision)
    if base.revision is not None:
        return revisions.at(top, base.revision), ours
    if _setting(base) != _setting(head):
        return ours, ours
    theirs = revisions.fork(top, ours)
    if theirs.commit == ours.commit and not ours.changed:
        raise ValueError(
            f"nothing to compare: {ours.words} is its own {theirs.words}; name another base, such as HEAD~1, "
            "or another interpreter, variable or package for it"
        )
    return theirs, ours


def _setting(wanted: Wanted) -> tuple[Path, dict[str, str], list[str]]:
    return environments.interpreter(wanted.python), dict(wanted.environment), list(wanted.packages)


def _prepare(
    stack: ExitStack, codes: tuple[Code, Code], wanted: tuple[Wanted, Wanted], top: Path, prefix: Path
) -> tuple[Side, Side]:
    """Lay both sides out in a temporary folder, which goes as the stack closes."""
    stack.callback(_forgive, top, "worktree", "prune")
    temporary = TemporaryDirectory(prefix="autoenc-bench-", ignore_cleanup_errors=True)
    root = Path(stack.enter_context(temporary)).resolve()
    head = _check_out(stack, codes[1], root / "head", top, top) / prefix
    # What changed comes from the head's side, not from the project: that may change again meanwhile.
    base = _check_out(stack, codes[0], root / "base", top, root / "head") / prefix
    for folder, code in ((head, codes[1]), (base, codes[0])):
        if not folder.is_dir() or folder.resolve() != folder:
            raise LookupError(f"{code.words} has no folder {prefix}; name a revision that holds the project there")
    _share_harness(head, base, codes)
    return _side("base", codes[0], wanted[0], base, root), _side("head", codes[1], wanted[1], head, root)


def _side(name: str, code: Code, wanted: Wanted, folder: Path, root: Path) -> Side:
    python = environments.interpreter(wanted.python)
    installed = root / f"packages-{name}" if wanted.packages else None
    if installed:
        environments.install(python, wanted.packages, installed, wanted.environment)
    variables = environments.variables(folder, installed, wanted.environment)
    environments.check(python, variables, folder)
    return Side(name=name, words=code.words, folder=folder, python=python, environment=variables)


def _check_out(stack: ExitStack, code: Code, folder: Path, top: Path, source: Path) -> Path:
    """Make a worktree at a commit, with what differs from it as it is in the source; return its folder."""
    stack.callback(_remove, folder, top)  # before it is made: making it may be interrupted
    git(top, "worktree", "add", "--detach", str(folder), code.commit)
    for path in code.changed:
        _delete(folder / path)
    for path in code.changed:
        original, copy = source / path, folder / path
        # What lies behind a link is not the repository's, and a folder is another repository.
        if original.parent.resolve() == original.parent and (original.is_symlink() or original.is_file()):
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(original, copy, follow_symlinks=False)
    return folder


def _delete(path: Path) -> None:
    """Delete a file of a checkout, and the folders that it leaves empty; never follow a link out of it."""
    if path.parent.resolve() != path.parent:
        return
    if path.is_symlink() or path.is_file():
        path.unlink()
        for parent in path.parents:  # the checkout's own folder is never empty: .git lies in it
            if any(parent.iterdir()):
                return
            parent.rmdir()


def _share_harness(head: Path, base: Path, codes: tuple[Code, Code]) -> None:
    """Put the head's harness in the place of the base's."""
    for name, there in (("benchmarks/", Path.is_dir), ("conftest.py", Path.is_file)):
        if not there(head / name):
            raise LookupError(f"{codes[1].words} has no {name} in the project's folder; give that of autoenc-bench")
    # Without it the installed package would be measured in its place.
    if (head / "autoenc_bench").is_dir() and not (base / "autoenc_bench").is_dir():
        raise LookupError(f"{codes[0].words} has no autoenc_bench/ to measure; name a later revision")
    for name in HARNESS:
        theirs, ours = base / name, head / name
        if theirs.is_dir() and not theirs.is_symlink():
            shutil.rmtree(theirs)
        else:
            theirs.unlink(missing_ok=True)
        if ours.is_dir() and not ours.is_symlink():
            shutil.copytree(ours, theirs, symlinks=True)
        elif ours.exists():
            shutil.copy2(ours, theirs, follow_symlinks=False)


def _remove(folder: Path, top: Path) -> None:
    """Remove a worktree, also one that was never finished: git forgets it only when its folder is gone."""
    shutil.rmtree(folder, ignore_errors=True)
    _forgive(top, "worktree", "remove", "--force", "--force", str(folder))


def _forgive(top: Path, *arguments: str) -> None:
    """Tidy up by git; that it finds nothing to tidy must not hide why everything ended."""
    with suppress(LookupError, ValueError):
        git(top, *arguments)
