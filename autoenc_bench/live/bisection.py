"""Since which commit, or release, a case is as it is: git's bisection, fed by comparisons with three answers."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum
from math import ceil, expm1, isfinite, log2
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

import msgspec
from msgspec.structs import replace

from autoenc_bench.catalogue.experiments import EXPERIMENTS, Experiment
from autoenc_bench.exceptions import InvalidInputError, NotFoundError, RunFailedError
from autoenc_bench.live import checkouts, processes, worktrees
from autoenc_bench.live.checkouts import Checkout, Wanted
from autoenc_bench.live.continuous import INTERRUPTED, Continuous, Look
from autoenc_bench.live.revisions import git
from autoenc_bench.records import loading, storage
from autoenc_bench.verdicts import counts, errors, tables
from autoenc_bench.verdicts.comparison import ALPHAS, Comparison, compare_sides
from autoenc_bench.verdicts.judgements import CHANGES, Judgement, Outcome, decide
from autoenc_bench.verdicts.limits import COUNTS, Overrides
from autoenc_bench.verdicts.sides import gather, under_test

ANSWERS = "answers.jsonl"
LEAST = 60.0  # seconds that a comparison gets, however little is left for it
SHARE = 2.0  # times its part of what is left that one comparison may take, for the next ones seldom take all of theirs


class Answer(StrEnum):
    """What a comparison says of a commit, against one that is known."""

    SAME = "same"
    CHANGED = "changed"
    UNKNOWN = "unknown"


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison, as it is kept for a bisection that goes on."""

    base: str
    head: str
    answer: Answer
    change: str  # in words: how large, or what changed, or why nobody can tell
    size: float = 0.0  # a logarithm
    statistic: str = ""  # of the errors, whose change this is (see ``errors.STATISTICS``)
    cause: str = ""
    confirms: bool = False  # what was found before, by a measurement of its own
    tries: int = 1  # measurements that it took
    seconds: float = 0.0


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a bisection found: the points of which one is the first that changed, oldest last."""

    whole: Step
    suspects: list[str] = []
    confirmed: Step | None = None  # against the point before it, where one is left; of time, measured anew
    sure: float = 1.0


@contextmanager
def worktree(top: Path, commit: str) -> Iterator[Path]:
    """Make a worktree without files, whose bisection is no matter of anybody else's."""
    with worktrees.folder(top) as root:
        folder = worktrees.path(root, "bisection")
        git(top, "worktree", "add", "--no-checkout", "--detach", str(folder), commit)
        yield folder


@contextmanager
def line(points: Sequence[str]) -> Iterator[tuple[Path, dict[str, str]]]:
    """Make a repository whose commits are these points, oldest first; yield it, and the points by commit."""
    with TemporaryDirectory(prefix="autoenc-bench-", ignore_cleanup_errors=True) as temporary:
        folder = Path(temporary).resolve()
        git(folder, "init", "--quiet")
        named = {f"GIT_{role}_{what}": "-" for role in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        by_commit = {}
        for second, point in enumerate(points):  # at times of their own, so that the same points are the same commits
            dated = {f"GIT_{role}_DATE": f"@{second} +0000" for role in ("AUTHOR", "COMMITTER")}
            git(folder, "commit", "--quiet", "--allow-empty", "--no-gpg-sign", f"--message={point}", **named, **dated)
            by_commit[git(folder, "rev-parse", "HEAD").strip()] = point
        yield folder, by_commit


def between(folder: Path, good: str, bad: str) -> list[str]:
    """List the commits that may be the first one that changed; raise InvalidInputError where none can be.

    These came after ``good``. What was merged from a branch that began before it counts as a change of the merge.
    """
    try:
        git(folder, "merge-base", "--is-ancestor", good, bad)
    except InvalidInputError as problem:
        raise InvalidInputError(f"{good[:12]} is no ancestor of {bad[:12]}; name one from which it came") from problem
    commits = git(folder, "rev-list", "--ancestry-path", f"{good}..{bad}").split()
    if not commits:
        raise InvalidInputError("both are one commit; name an older one that was good, and then one that is bad")
    return commits


def search(folder: Path, good: str, bad: str, ask: Callable[[str], Answer]) -> list[str]:
    """Let git choose which commit is asked about next, until it knows the first one that changed.

    Returns that one; or, where some cannot be told, all that it may be.
    """
    git(folder, "bisect", "start", "--no-checkout", bad, good, *_merged(folder, good, bad))
    words = {Answer.SAME: "good", Answer.CHANGED: "bad", Answer.UNKNOWN: "skip"}
    while not _is_told(folder):
        commit = git(folder, "rev-parse", "--verify", "BISECT_HEAD").strip()
        word = words[ask(commit)]
        try:
            git(folder, "bisect", word, commit)
        except InvalidInputError:  # so git also ends where nothing is left to ask
            if not _is_told(folder):
                raise
    return _suspects(folder)


def _merged(folder: Path, good: str, bad: str) -> list[str]:
    """List the ends of branches that began before ``good`` and were merged after it: they lack what came with it."""
    lines = git(folder, "rev-list", "--parents", "--ancestry-path", f"{good}..{bad}").splitlines()
    after = {good, *(line.split()[0] for line in lines)}
    return list(dict.fromkeys(parent for line in lines for parent in line.split()[1:] if parent not in after))


def _before(folder: Path, good: str, commit: str) -> str:
    """Return the parent of a commit that came after ``good``, or is it: of a merge, the first such one."""
    for parent in git(folder, "rev-parse", f"{commit}^@").split():
        with suppress(InvalidInputError):  # which is how git says no
            git(folder, "merge-base", "--is-ancestor", good, parent)
            return parent
    raise AssertionError(f"{commit} does not come from {good}")


def _suspects(folder: Path) -> list[str]:
    """List what may be the first commit that changed, the latest first, which is known to be."""
    return git(folder, "rev-list", "--topo-order", "refs/bisect/bad", "--not", "--glob=refs/bisect/good-*").split()


def _is_told(folder: Path) -> bool:
    skipped = git(folder, "for-each-ref", "--format=%(objectname)", "refs/bisect/skip-*").split()
    return set(_suspects(folder)[1:]) <= set(skipped)


def _key(step: Step) -> tuple[str, str, bool]:
    return step.base, step.head, step.confirms


class _Uninterrupted(Continuous):
    """A comparison that a Ctrl-C ends without a verdict, whatever was measured before."""

    def _look(self, ended: str) -> Look:
        if ended == INTERRUPTED:
            raise KeyboardInterrupt
        return super()._look(ended)


@dataclass
class Bisection:
    """A search between two points, which keeps its answers in a folder and goes on from there."""

    project: Path
    repository: Path  # in which git bisects; what its commits stand for, ``wanted`` tells
    wanted: Callable[[str], Wanted]
    harness: str | None  # the revision that measures all points, or the newer one of two
    case: str
    options: Sequence[str]  # pytest's
    follow: str  # time, error or counts
    budget: float  # seconds
    store: Path
    tell: Callable[[str, float], None]
    show: Callable[[Step], None]
    _known: dict[tuple[str, str, bool], Step] = field(default_factory=dict, init=False)
    _runs: dict[str, Path] = field(default_factory=dict, init=False)  # by point, where a single one tells
    _untold: set[str] = field(default_factory=set, init=False)  # points whose kept records answered nothing
    _steps: int = field(default=1, init=False)  # that are left, about

    def __post_init__(self) -> None:
        self._began = monotonic()
        self._answers = self.store / ANSWERS
        unknown: set[str] = set()
        for step in self._read():
            if step.answer is Answer.UNKNOWN:
                unknown |= {step.base, step.head}
            else:
                self._known[_key(step)] = step
        self._untold = unknown.difference(*((step.base, step.head) for step in self._known.values()))

    def _read(self) -> Iterator[Step]:
        """Read the answers that an earlier search kept."""
        if self._answers.exists():
            for text in self._answers.read_bytes().splitlines():
                with suppress(msgspec.DecodeError):  # of one that was cut off while it was written
                    yield msgspec.json.decode(text, type=Step)

    def run(self, good: str, bad: str) -> Found:
        """Search for the first commit after ``good`` that is like ``bad``, and confirm it against the one before.

        Half of the whole change tells which of the two a commit is like. A change of time is confirmed by a measurement
        of its own, since a slow moment may have led to the commit.
        """
        commits = between(self.repository, good, bad)
        self._steps = ceil(log2(len(commits))) + 2
        whole = self.compare(good, bad, None)
        if whole.answer is not Answer.CHANGED:
            return Found(whole=whole)
        asked: list[Step] = []

        def ask(commit: str) -> Answer:
            asked.append(self.compare(good, commit, whole))
            return asked[-1].answer

        suspects = search(self.repository, good, bad, ask)
        tries = sum(step.tries for step in (whole, *asked))
        sure = 1 - ALPHAS["time"] * tries if self.follow == "time" else 1.0
        if len(suspects) > 1:
            return Found(whole=whole, suspects=suspects, sure=sure)
        before = _before(self.repository, good, suspects[0])
        confirmed = self.compare(before, suspects[0], whole, confirms=True)
        return Found(whole=whole, suspects=suspects, confirmed=confirmed, sure=sure)

    def compare(self, base: str, head: str, whole: Step | None, confirms: bool = False) -> Step:
        """Compare two points, and again, with more time, where that does not tell; keep the answer."""
        asked = Step(base=base, head=head, answer=Answer.UNKNOWN, change="the time was spent", confirms=confirms)
        step = self._known.get(_key(asked))
        if step is None and whole and self._left <= 0:
            step = asked
        elif step is None:
            began = monotonic()
            step = self._judge(asked, whole)
            if self.follow == "time" and step.answer is Answer.UNKNOWN and step.size and self._left > LEAST:
                step = replace(self._judge(asked, whole), tries=2)
            step = replace(step, seconds=round(monotonic() - began, 1))
            self._known[_key(step)] = step
            self.store.mkdir(parents=True, exist_ok=True)
            with self._answers.open("ab") as file:
                file.write(msgspec.json.encode(step) + b"\n")
        self._steps = max(1, self._steps - 1)
        self.show(step)
        return step

    @property
    def _left(self) -> float:
        return self.budget - (monotonic() - self._began)

    def _judge(self, asked: Step, whole: Step | None) -> Step:
        """Return the answer to what is asked, by the usual limit or, within a whole change, by half of that."""
        overrides = Overrides({(None, self.follow): expm1(abs(whole.size) / 2)} if whole and whole.size else {})
        step = replace(asked, change=f"no {self.follow} of {self.case}")
        try:
            comparison = self._measure(asked.base, asked.head, overrides)
        except (RunFailedError, InvalidInputError, NotFoundError) as problem:  # of a commit that nobody can run
            if whole is None:
                raise
            return replace(step, change=str(problem))
        verdict = next((one for one in comparison.verdicts if one.case == self.case), None)
        judged = verdict.judgements.get(self.follow) if verdict else None
        if verdict is None or judged is None:
            return replace(step, change=comparison.why_lost(self.case) or step.change)
        step = replace(step, cause=verdict.cause)
        if self.follow == COUNTS:
            one, other = (side.cases[self.case].counts for side in (comparison.base, comparison.head))
            if not (one and other):
                return replace(step, change=judged.reason)
            difference = counts.compare(one[0], other[0])
            answer = Answer.CHANGED if difference else Answer.SAME
            return replace(step, answer=answer, change=str(difference) or "equal")
        statistic = whole.statistic if whole else judged.reason if judged.reason in errors.STATISTICS else ""
        if whole and self.follow == "error" and judged.interval:
            judged = self._error(comparison, statistic or errors.MEAN, judged.limit)
        size = judged.interval.estimate if judged.interval and isfinite(judged.interval.estimate) else 0.0
        known = {Outcome.UNCHANGED: Answer.SAME, **dict.fromkeys(CHANGES, Answer.CHANGED)}
        answer = known.get(judged.outcome, Answer.UNKNOWN)
        if answer is Answer.CHANGED and whole and whole.size * size < 0:
            answer = Answer.SAME  # it changed, but the other way
        change = tables.change(judged) if judged.interval else judged.reason or judged.outcome
        return replace(step, answer=answer, change=f"{statistic} {change}".strip(), size=size, statistic=statistic)

    def _error(self, comparison: Comparison, statistic: str, limit: float) -> Judgement:
        """Judge one statistic of the errors: half of its change says nothing about another one."""
        base, head = (side.cases[self.case] for side in (comparison.base, comparison.head))
        seeds = base.error.keys() & head.error.keys()
        pairs = [(base.error[seed][0], head.error[seed][0]) for seed in sorted(seeds)]  # of one run each
        rounding = EXPERIMENTS.get(base.experiment or "", Experiment).rounding
        return decide(errors.intervals(pairs, ALPHAS["error"], rounding)[statistic], limit)

    def _measure(self, base: str, head: str, overrides: Overrides) -> Comparison:
        with checkouts.both(self.wanted(base), self.wanted(head), self.project, self.harness) as sides:
            if self.follow == "time":
                budget = max(LEAST, min(self._left, SHARE * self._left / self._steps))
                store = storage.new_folder(self.store / f"{base[:12]}-{head[:12]}")
                measuring = _Uninterrupted(sides, self.options, store, budget, overrides, self.tell, samples=False)
                return measuring.measure(lambda _: None).comparison
            sources = [self._run(point, side) for point, side in zip((base, head), sides, strict=True)]
        one, other = (gather([source]) for source in sources)
        return compare_sides(one, other, overrides, under_test(one, other))

    def _run(self, point: str, side: Checkout) -> loading.Source:
        """Run the suite once at a point, or read its newest record, unless that answered nothing before."""
        if point not in self._runs:
            folder = self.store / point[:12]
            kept = () if point in self._untold else sorted(folder.rglob("*.json"), key=lambda path: path.name)
            began = monotonic()

            def tick() -> None:
                self.tell(f"running {side.description}", monotonic() - began)

            seconds, options = max(LEAST, self._left), [*self.options, "--no-roofs"]
            try:
                self._runs[point] = kept[-1] if kept else processes.run(side, options, folder, seconds, tick)
            except TimeoutError as problem:
                reason = f"{side.description} was not done in {seconds:.0f} s; give more with --budget"
                raise RunFailedError(reason) from problem
        return loading.read_record(self._runs[point], pictured=False)
