"""The code to compare: revisions, the working tree, and the commit where a branch left the main branch."""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.live.git import git, git_path

# Candidates for the main branch, in refs/; the first that exists is used.
MAIN = ("remotes/origin/HEAD", "remotes/origin/main", "heads/main", "remotes/origin/master", "heads/master")
SUBMODULE = "160000 "  # the mode of another repository in an index


class Code(NamedTuple):
    """The code of a side: a commit, and the tree to check out, which differs from the commit's with changed files."""

    commit: str
    tree: str
    description: str


def find(project: Path) -> tuple[Path, Path]:
    """Return the root of the project's repository, and the project's path in it."""
    try:
        top, prefix = git(project, "rev-parse", "--show-toplevel", "--show-prefix").splitlines()
    except InvalidInputError as problem:
        raise NotFoundError(f"{project}: no git repository to take the two sides from: {problem}") from problem
    return Path(top).resolve(), Path(prefix)


def at(top: Path, revision: str) -> Code:
    """Return the code of a revision; raise NotFoundError when there is none."""
    # No revision starts with these: git reads the first as an option, the second as an exclusion.
    if not revision.startswith(("-", "^")):
        with suppress(InvalidInputError):
            commit = git(top, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}").strip()
            is_id = commit.startswith(revision.lower())
            return _code(top, commit, commit[:12] if is_id else f"{commit[:12]} ({revision})")
    raise NotFoundError(f"{revision!r}: no such revision in {top}; name a commit, a branch or a tag that is there")


def _code(top: Path, commit: str, description: str) -> Code:
    return Code(commit, git(top, "rev-parse", f"{commit}^{{tree}}").strip(), description)


def make_store(top: Path, folder: Path) -> Path:
    """Make a folder that git can use as objects/: it reads the repository's objects and writes new ones into it.

    So uncommitted files can become a tree, and the repository stays as it is.
    """
    (folder / "info").mkdir(parents=True)
    (folder / "info/alternates").write_text(f"{git_path(top, 'objects')}\n")
    return folder


def working_tree(top: Path, store: Path) -> Code:
    """Return the code of the working tree, with changed, untracked and deleted files, and without ignored ones.

    Its tree goes into ``store`` (see ``make_store``). Repositories within this one are left out.
    """
    head = at(top, "HEAD")
    index, users_index = store / "index", git_path(top, "index")
    if users_index.exists():  # starts from the user's index, so that git hashes only changed files
        # With its time: git reads files again that changed in the second in which the index was written.
        written = users_index.stat()
        shutil.copyfile(users_index, index)
        os.utime(index, ns=(written.st_atime_ns, written.st_mtime_ns))
    variables = {"GIT_INDEX_FILE": str(index), "GIT_OBJECT_DIRECTORY": str(store)}
    listed = git(top, "ls-files", "-z", "--stage", "--others", "--exclude-standard", **variables).split("\0")
    nested = [entry.rpartition("\t")[2] for entry in listed if entry.startswith(SUBMODULE) or entry.endswith("/")]
    git(top, "add", "--all", "--", ".", *(f":(exclude,literal){path}" for path in nested), **variables)
    tree = git(top, "write-tree", **variables).strip()
    changes = "without" if tree == head.tree else "with"
    return Code(head.commit, tree, f"working tree on {head.commit[:12]}, {changes} changes")


def fork(top: Path, code: Code) -> Code:
    """Return the code of the last commit that some code and the main branch share."""
    refs = git(top, "for-each-ref", "--format=%(refname:lstrip=1)").splitlines()
    main = next((f"refs/{name}" for name in MAIN if name in refs), None)
    if main is None:
        raise NotFoundError(f"{top} has no branch main or master to compare with; name the base's revision")
    name = git(top, "rev-parse", "--abbrev-ref", main).strip()
    try:
        commit = git(top, "merge-base", main, code.commit).strip()
    except InvalidInputError as problem:
        mend = "name the base's revision, or run 'git fetch --unshallow' first if this clone is a shallow one"
        raise NotFoundError(f"{code.description} shares no commit with {name}; {mend}") from problem
    return _code(top, commit, f"{commit[:12]} (merge base with {name})")
