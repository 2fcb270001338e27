"""Which code is compared: revisions, the working tree as it is, and where a branch left the main one."""

import os
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

# Where a branch may have come from; the first that exists is taken.
MAIN = (
    "refs/remotes/origin/HEAD",
    "refs/remotes/origin/main",
    "refs/heads/main",
    "refs/remotes/origin/master",
    "refs/heads/master",
)

# Set within git's hooks; they would lead every git to another repository than the folder's.
REPOSITORY_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")


@dataclass(frozen=True)
class Code:
    """Hold which code a side runs: a commit, and the files that differ from it."""

    commit: str
    words: str  # for people
    changed: tuple[str, ...] = ()  # paths from the repository's root


def describe(commit: str, given: str | None = None) -> str:
    """Name a commit for people: its short id, and how it was given when that is not its id."""
    short = commit[:12]
    return short if given is None or commit.startswith(given.lower()) else f"{short} ({given})"


def git(folder: Path, *arguments: str) -> str:
    """Return what git says, whatever its user has configured; raise ValueError when it fails."""
    settings = ("-c", f"core.hooksPath={os.devnull}", "-c", "advice.detachedHead=false")
    # Without optional locks, looking at the project never gets in the way of a git that works in it.
    environment = {**os.environ, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0"}
    for name in REPOSITORY_VARIABLES:
        environment.pop(name, None)
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *settings, *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            check=True,
        )
    except FileNotFoundError as problem:
        raise LookupError("git is not installed; a live comparison needs it to check out both sides") from problem
    except subprocess.CalledProcessError as problem:
        reason = (problem.stderr.strip().splitlines() or [f"status {problem.returncode}"])[-1]
        raise ValueError(f"git {arguments[0]}: {reason}") from problem
    return done.stdout


def find(project: Path) -> tuple[Path, Path]:
    """Return the root of the project's repository, and where the project lies in it."""
    try:
        found = git(project, "rev-parse", "--show-toplevel", "--show-prefix").splitlines()
    except ValueError as problem:
        raise LookupError(f"{project}: no git repository to take the two sides from: {problem}") from problem
    return Path(found[0]).resolve(), Path(found[1])


def at(top: Path, revision: str) -> Code:
    """Return the code of a revision; raise LookupError when there is none."""
    # No revision starts so: the one is an option of git's, the other stands for what is not reachable.
    if not revision.startswith(("-", "^")):
        with suppress(ValueError):
            commit = git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
            return Code(commit, describe(commit, revision))
    raise LookupError(f"{revision!r}: no such revision in {top}; name a commit, a branch or a tag that is there")


def working_tree(top: Path) -> Code:
    """Return the code as it lies there: changed, untracked and deleted files included, ignored ones not."""
    commit = at(top, "HEAD").commit
    # "XY path" each; with -z, paths are neither quoted nor relative to a subfolder.
    options = ("--porcelain=v1", "-z", "--untracked-files=all", "--no-renames", "--ignore-submodules=all")
    entries = git(top, "status", *options).split("\0")
    # What ends in a slash is a repository within this one.
    changed = tuple(entry[3:] for entry in entries if entry and not entry.endswith("/"))
    return Code(commit, f"working tree on {describe(commit)}, {'with' if changed else 'without'} changes", changed)


def fork(top: Path, code: Code) -> Code:
    """Return the code of the commit that some code and the main branch share."""
    for ref in MAIN:
        with suppress(LookupError):
            main = at(top, ref).commit
            break
    else:
        raise LookupError(f"{top} has no branch main or master to compare with; name the base's revision")
    name = git(top, "rev-parse", "--abbrev-ref", ref).strip()
    try:
        commit = git(top, "merge-base", main, code.commit).strip()
    except ValueError as problem:
        raise LookupError(
            f"{code.words} shares no commit with {name}; name the base's revision, "
            "or run 'git fetch --unshallow' first if this clone is a shallow one"
        ) from problem
    return Code(commit, f"{describe(commit)} (merge base with {name})")
