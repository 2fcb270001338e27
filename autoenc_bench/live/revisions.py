"""Which code is compared: revisions, the working tree as it is, and where a branch left the main one."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.live.environments import output

# Where a branch may have come from, in refs/; the first that exists is taken.
MAIN = ("remotes/origin/HEAD", "remotes/origin/main", "heads/main", "remotes/origin/master", "heads/master")

# Set within git's hooks; they would lead every git to another repository than the folder's.
REPOSITORY_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
# What a user may have configured, and what would change the answers that are parsed here, or touch more than ours.
SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "advice.detachedHead=false",
    "log.showSignature=false",
    "color.ui=false",
    "color.diff=false",
    "i18n.logOutputEncoding=UTF-8",
    "submodule.recurse=false",
    "gc.auto=0",  # it would prune worktrees
    "maintenance.auto=false",
)
SUBMODULE = "160000 "  # the mode of another repository in an index


class Code(NamedTuple):
    """Which code a side runs: a commit, and the tree that is checked out, another one where files differ from it."""

    commit: str
    tree: str
    description: str


def describe(commit: str, given: str | None = None) -> str:
    """Return a commit's short id, and how it was given when that is not its id."""
    short = commit[:12]
    return short if given is None or commit.startswith(given.lower()) else f"{short} ({given})"


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """Return what git prints, whatever its user has configured; raise InvalidInputError when it fails."""
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    inherited = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
    # Without optional locks, looking at the project never gets in the way of a git that works in it.
    environment = {**inherited, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **variables}
    try:
        return output(["git", "-C", str(folder), *settings, *arguments], environment)
    except FileNotFoundError as problem:
        raise NotFoundError("git is not installed; a live comparison needs it to check out both sides") from problem
    except InvalidInputError as problem:
        raise InvalidInputError(f"git {arguments[0]}: {problem}") from problem


def find(project: Path) -> tuple[Path, Path]:
    """Return the root of the project's repository, and where the project lies in it."""
    try:
        top, prefix = git(project, "rev-parse", "--show-toplevel", "--show-prefix").splitlines()
    except InvalidInputError as problem:
        raise NotFoundError(f"{project}: no git repository to take the two sides from: {problem}") from problem
    return Path(top).resolve(), Path(prefix)


def at(top: Path, revision: str) -> Code:
    """Return the code of a revision; raise NotFoundError when there is none."""
    # No revision starts so: the one is an option of git's, the other stands for what is not reachable.
    if not revision.startswith(("-", "^")):
        with suppress(InvalidInputError):
            commit = git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
            return Code(commit, _tree(top, commit), describe(commit, revision))
    raise NotFoundError(f"{revision!r}: no such revision in {top}; name a commit, a branch or a tag that is there")


def _tree(top: Path, commit: str) -> str:
    return git(top, "rev-parse", f"{commit}^{{tree}}").strip()


def make_store(top: Path, folder: Path) -> Path:
    """Make a folder that git may take for a repository's objects/: it has those of the repository, and room for more.

    So what is not committed can become a tree, and leaves nothing behind in the repository.
    """
    (folder / "info").mkdir(parents=True)
    (folder / "info/alternates").write_text(f"{git_path(top, 'objects')}\n")
    return folder


def git_path(top: Path, name: str) -> Path:
    """Return where a repository keeps something, such as its index."""
    return top / git(top, "rev-parse", "--git-path", name).rstrip("\n")


def working_tree(top: Path, store: Path) -> Code:
    """Return the code as it lies there: changed, untracked and deleted files included, ignored ones not.

    Its tree goes into ``store`` (see ``make_store``). What lies in a repository within this one is not its code.
    """
    commit = at(top, "HEAD").commit
    index = store / "index"
    if git_path(top, "index").exists():  # begins with what git knows already: what was staged, and when files changed
        # With its time: a file that changed in the second in which the index was written counts as changed by that.
        written = git_path(top, "index").stat()
        shutil.copyfile(git_path(top, "index"), index)
        os.utime(index, ns=(written.st_atime_ns, written.st_mtime_ns))
    variables = {"GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(store)}
    listed = git(top, "ls-files", "-z", "--stage", "--others", "--exclude-standard", **variables).split("\0")
    within = [entry.rpartition("\t")[2] for entry in listed if entry.startswith(SUBMODULE) or entry.endswith("/")]
    git(top, "add", "--all", "--", ".", *(f":(exclude,literal){path}" for path in within), **variables)
    tree = git(top, "write-tree", **variables).strip()
    changes = "without" if tree == _tree(top, commit) else "with"
    return Code(commit, tree, f"working tree on {describe(commit)}, {changes} changes")


def fork(top: Path, code: Code) -> Code:
    """Return the code of the commit that some code and the main branch share."""
    known = git(top, "for-each-ref", "--format=%(refname:lstrip=1)").splitlines()
    main = next((f"refs/{name}" for name in MAIN if name in known), None)
    if main is None:
        raise NotFoundError(f"{top} has no branch main or master to compare with; name the base's revision")
    name = git(top, "rev-parse", "--abbrev-ref", main).strip()
    try:
        commit = git(top, "merge-base", main, code.commit).strip()
    except InvalidInputError as problem:
        mend = "name the base's revision, or run 'git fetch --unshallow' first if this clone is a shallow one"
        raise NotFoundError(f"{code.description} shares no commit with {name}; {mend}") from problem
    return Code(commit, _tree(top, commit), f"{describe(commit)} (merge base with {name})")
