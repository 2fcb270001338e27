"""Run git with our own settings, independent of its user's configuration."""

import os
from pathlib import Path

from autoenc_bench.exceptions import InvalidInputError, NotFoundError
from autoenc_bench.live.processes import output

# Git sets these within its hooks. They would make git use another repository than the folder's.
REPOSITORY_VARIABLES = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX")
# Settings that would change parsed output, or let git change more than we ask for.
SETTINGS = (
    f"core.hooksPath={os.devnull}",
    "advice.detachedHead=false",
    "log.showSignature=false",
    "color.ui=false",
    "color.diff=false",
    "i18n.logOutputEncoding=UTF-8",
    "submodule.recurse=false",
    "gc.auto=0",  # garbage collection would prune worktrees
    "maintenance.auto=false",
)


def git(folder: Path, *arguments: str, **variables: str) -> str:
    """Run git in a folder; return what it prints. Raises InvalidInputError when git fails, NotFoundError without it."""
    settings = [part for setting in SETTINGS for part in ("-c", setting)]
    inherited = {name: value for name, value in os.environ.items() if name not in REPOSITORY_VARIABLES}
    # Without optional locks, reading the project never blocks a git of the user's.
    environment = {**inherited, "LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", **variables}
    try:
        return output(["git", "-C", str(folder), *settings, *arguments], environment)
    except FileNotFoundError as problem:
        raise NotFoundError("git is not installed; a live comparison needs it to check out both sides") from problem
    except InvalidInputError as problem:
        raise InvalidInputError(f"git {arguments[0]}: {problem}") from problem


def git_path(top: Path, name: str) -> Path:
    """Return where a repository keeps something, such as its index."""
    return top / git(top, "rev-parse", "--git-path", name).rstrip("\n")
