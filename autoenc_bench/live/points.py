"""What a bisection searches: the commits between two revisions, or the releases of a package."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from autoenc_bench.exceptions import InvalidInputError
from autoenc_bench.formatting import line, visible
from autoenc_bench.live import environments, revisions, worktrees
from autoenc_bench.live.checkouts import Wanted
from autoenc_bench.live.git import git

AUTHOR_AND_FILES = ("show", "--no-color", "--stat", "--format=%an, %as")


class Points(NamedTuple):
    """The commits that git bisects, and what they stand for."""

    repository: Path
    ends: tuple[str, str]  # the good commit and the bad one
    wanted: Callable[[str], Wanted]
    harness: str | None  # the revision whose harness measures all of them
    code: str  # the tree that all of them measure, if it is the same one
    name: Callable[[str], str]
    details: Callable[[str], Sequence[str]]  # further lines about a commit


@contextmanager
def find(good: str, bad: str, project: Path) -> Iterator[Points]:
    """Read two revisions, or two releases of a package, and prepare a search between them.

    Raises InvalidInputError where one end is a release and the other is no release of the same package.
    """
    top, _ = revisions.find(project)
    first, last = (environments.RELEASE.fullmatch(end) for end in (good, bad))
    if first and last and first["name"].lower() == last["name"].lower():
        package = first["name"]
        versions = environments.releases(package, first["version"], last["version"], Path(sys.executable))
        with TemporaryDirectory() as temporary:
            code = revisions.working_tree(top, revisions.make_store(top, Path(temporary) / "objects")).tree
        releases = [f"{package}=={version}" for version in versions]
        with repository_of(releases) as (folder, release_of):
            yield Points(
                repository=folder,
                ends=(next(iter(release_of)), next(reversed(release_of))),
                wanted=lambda commit: Wanted(packages=[release_of[commit]], installed=folder / release_of[commit]),
                harness=None,
                code=code,
                name=release_of.__getitem__,
                details=lambda _: (),
            )
    elif first or last:
        mend = "give two git revisions, or two releases of one package, such as keras==3.11.0 keras==3.15.0"
        raise InvalidInputError(f"{good} and {bad}; {mend}")
    else:
        ends = revisions.at(top, good).commit, revisions.at(top, bad).commit
        with worktree(top, ends[1]) as folder:
            yield Points(
                repository=folder,
                ends=ends,
                wanted=lambda commit: Wanted(revision=commit),
                harness=ends[1],
                code="",
                name=lambda commit: line(git(top, "show", "--no-patch", "--format=%h %s", commit).strip()),
                details=lambda commit: visible(git(top, *AUTHOR_AND_FILES, commit)).replace("\n\n", "\n").splitlines(),
            )


@contextmanager
def worktree(top: Path, commit: str) -> Iterator[Path]:
    """Make a worktree without files; its bisection is independent of the user's."""
    with worktrees.folder(top) as root:
        folder = worktrees.path(root, "bisection")
        git(top, "worktree", "add", "--no-checkout", "--detach", str(folder), commit)
        yield folder


@contextmanager
def repository_of(points: Sequence[str]) -> Iterator[tuple[Path, dict[str, str]]]:
    """Make a repository with a commit for each point, oldest first; yield it, and the points by commit."""
    with TemporaryDirectory(prefix="autoenc-bench-", ignore_cleanup_errors=True) as temporary:
        folder, roles = Path(temporary).resolve(), ("AUTHOR", "COMMITTER")
        git(folder, "init", "--quiet")
        names = {f"GIT_{role}_{part}": "-" for role in roles for part in ("NAME", "EMAIL")}
        by_commit = {}
        for second, point in enumerate(points):  # at fixed times, so that the same points have the same commit ids
            dates = {f"GIT_{role}_DATE": f"@{second} +0000" for role in roles}
            git(folder, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", f"--message={point}", **names, **dates)
            by_commit[git(folder, "rev-parse", "HEAD").strip()] = point
        yield folder, by_commit
